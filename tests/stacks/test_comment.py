"""How a comment comes to a pull request: the script of ``comment.yml``, before an API like GitHub's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.stacks.templates import ROOT

BOT = "github-actions[bot]"
MARKER = "<!-- which -->"
REPOSITORY = "/repos/an-owner/a-repository/issues"


class GitHub:
    """Comments on issues, by the id of each, as GitHub's REST API lists, makes and changes them."""

    def __init__(self) -> None:
        self.comments: dict[int, dict[str, Any]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def write(self, login: str, body: str, issue: int = 7) -> int:
        number = len(self.comments) + 1
        self.comments[number] = {"id": number, "issue": issue, "user": {"login": login}, "body": body}
        return number

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: str) -> tuple[int, Any]:
        if len(body) > 65_536:
            return 422, {"message": "Validation Failed"}
        if match := re.fullmatch(rf"{REPOSITORY}/comments/(\d+)", path):
            assert method == "PATCH"
            self.comments[int(match[1])]["body"] = body
            return 200, self.comments[int(match[1])]
        match = re.fullmatch(rf"{REPOSITORY}/(\d+)/comments", path)
        assert match is not None, path
        if method == "POST":
            return 201, self.comments[self.write(BOT, body, int(match[1]))]
        listed = [comment for comment in self.comments.values() if comment["issue"] == int(match[1])]
        # https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
        size, page = min(int(query.get("per_page", ["30"])[0]), 100), int(query.get("page", ["1"])[0])
        return 200, listed[(page - 1) * size : page * size]

    def handler(github: GitHub) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the request's
        class Handler(BaseHTTPRequestHandler):
            def handle_request(self) -> None:
                asked = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = 401, {"message": "Bad credentials"}
                if self.headers["Authorization"] == "Bearer a-token":
                    text = json.loads(body)["body"] if body else ""
                    status, answer = github.answer(self.command, asked.path, parse_qs(asked.query), text)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_PATCH = handle_request  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                """Nothing is told."""

        return Handler


@pytest.fixture
def github() -> Iterator[GitHub]:
    made = GitHub()
    yield made
    made.server.shutdown()
    made.server.server_close()


def post(github: GitHub, text: str, token: str = "a-token") -> subprocess.CompletedProcess[str]:  # noqa: S107
    """Run the step as GitHub does, with the variables that it is given."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "comment.yml").read_text())
    [step] = workflow["jobs"]["post"]["steps"]
    assert step["shell"] == "python"
    expressions = {
        "${{ github.token }}": token,
        "${{ github.api_url }}": f"http://127.0.0.1:{github.server.server_port}",
        "${{ github.repository }}": "an-owner/a-repository",
        "${{ github.event.pull_request.number }}": "7",
        "${{ inputs.marker }}": MARKER,
        "${{ inputs.text }}": text,
    }
    environment = {
        name: re.sub(r"\$\{\{.*?\}\}", lambda match: expressions[match[0]], value)
        for name, value in step["env"].items()
    }
    command = [sys.executable, "-c", step["run"]]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_comment_is_made_once_and_then_replaced(github: GitHub) -> None:
    other = github.write(BOT, "<!-- another -->\nleft alone")
    quoted = github.write("octocat", f"{MARKER}\nwhat a person wrote")
    elsewhere = github.write(BOT, f"{MARKER}\nof another pull request", issue=8)
    for _ in range(150):
        github.write("octocat", "talk")
    before = {number: dict(comment) for number, comment in github.comments.items()}
    text = f"{MARKER}\n| a | `x` $(touch bad) ${{ github.token }} ü |\n"
    for body in (text, f"{MARKER}\nlater", f"{MARKER}\nlast"):
        done = post(github, body)
        assert (done.returncode, done.stderr) == (0, "")
        (new,) = github.comments.keys() - before.keys()
        assert github.comments[new] == {"id": new, "issue": 7, "user": {"login": BOT}, "body": body}
    assert {number: github.comments[number] for number in before} == before
    assert {other, quoted, elsewhere} <= before.keys()


def test_what_would_not_be_found_again_is_not_posted(github: GitHub) -> None:
    for text in ("", "a text", f" {MARKER}"):
        refused = post(github, text)
        assert refused.returncode == 1
        assert "does not begin with" in refused.stderr
    assert github.comments == {}


def test_a_refusal_of_github_is_a_failure(github: GitHub) -> None:
    assert "401" in post(github, f"{MARKER}\nx", token="another").stderr
    refused = post(github, f"{MARKER}\n{'x' * 65_536}")
    assert (refused.returncode, "422" in refused.stderr, github.comments) == (1, True, {})
