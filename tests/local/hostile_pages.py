"""What a web page of another site tries on a developer's platform, as HTTP requests and as a page in a real browser."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

BUCKET = "dapflow-local-landing-123456789012"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# The browser takes this name to 127.0.0.1, as a name server of the attacker's does after the page was loaded.
REBOUND = "rebound.test"
STATEMENT = json.dumps(
    {"QueryString": "SELECT 'hostile'", "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/hostile/"}}
)
# What a page can send to another site without asking first: these types, and no headers of its own.
SIMPLE_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


@dataclass(frozen=True)
class Request:
    """One request to a server, but for where the server is."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def signed(key: str, service: str) -> dict[str, str]:
    """The header by which the servers know a client."""
    scope = f"20240605/eu-west-2/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature=0"}


def unsigned_requests() -> list[Request]:
    """What harms an emulator that answers everybody."""
    resets = ["/moto-api/reset", "/moto-api/reset-auth", "/moto-api/seed?a=1", "/moto-api/config", "//moto-api/reset"]
    resets += ["/moto-api/recorder/reset-recording", "/%6Doto-api/reset", "/x/../moto-api/reset", "/moto-api//reset"]
    requests = [Request("POST", path) for path in resets]
    requests += [Request("POST", "/moto-api/reset", {"Content-Type": kind}, "a=b") for kind in SIMPLE_TYPES]
    requests += [
        Request("GET", path) for path in ("/moto-api/data.json", "/moto-api/", "/", f"/{BUCKET}", f"/{BUCKET}/mine")
    ]
    requests += [Request("GET", f"/{BUCKET}?list-type=2"), Request("HEAD", f"/{BUCKET}/mine")]
    requests += [Request("DELETE", f"/{BUCKET}/mine"), Request("PUT", f"/{BUCKET}/mine", {}, "hostile")]
    requests += [Request("POST", f"/{BUCKET}?delete", {}, "<Delete><Object><Key>mine</Key></Object></Delete>")]
    requests += [Request("POST", f"/{BUCKET}", {"Content-Type": SIMPLE_TYPES[2]}, "--x--")]
    requests += [Request("GET", "/latest/meta-data/iam/security-credentials/"), Request("GET", "/favicon.ico")]
    requests += [
        Request("POST", "/", {"X-Amz-Target": f"AmazonAthena.{name}", "Content-Type": "text/plain"}, STATEMENT)
        for name in ("StartQueryExecution", "ListQueryExecutions", "ListWorkGroups")
    ]
    requests += [Request("POST", "/", {"X-Amz-Target": "AWSGlue.GetDatabases"}, "{}")]
    requests += [Request("POST", "/", {"Content-Type": SIMPLE_TYPES[1]}, "Action=ListRoles&Version=2010-05-08")]
    requests += [
        Request("POST", "/", {"Content-Type": SIMPLE_TYPES[1]}, f"Action={name}&Version=2011-06-15&RoleArn=x")
        for name in ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetSessionToken")
    ]
    requests += [Request("POST", "/moto-api/reset", signed("local", service)) for service in ("s3", "moto_api", "glue")]
    requests += [
        Request("DELETE", f"/{BUCKET}/mine", {"Authorization": text})
        for text in ("", "AWS x:y", "Bearer x", "AWS4-HMAC-SHA256")
    ]
    return [*requests, Request("GET", f"/{BUCKET}/mine?X-Amz-Credential=local/20240605/eu-west-2/s3/aws4_request")]


def requests_of_a_page() -> list[Request]:
    """One of each kind that a browser sends: it takes its time over each."""
    kinds = {
        (request.method, request.path.partition("?")[0], *request.headers.items()): request
        for request in unsigned_requests()
    }
    wanted = ("/moto-api/reset", "/moto-api/data.json", f"/{BUCKET}", f"/{BUCKET}/mine")
    chosen = [
        request for request in kinds.values() if request.path in wanted and "Authorization" not in request.headers
    ]
    return [request for request in chosen if request.method != "HEAD"] + [
        Request("GET", f"/{BUCKET}?list-type=2"),
        Request("GET", f"/{BUCKET}/mine"),
        Request("POST", "/", {"X-Amz-Target": "AmazonAthena.StartQueryExecution"}, STATEMENT),
    ]


def signed_requests(key: str) -> list[Request]:
    """Requests that the owner of the key may make, and no page: one may have learnt the key."""
    glue, s3, athena = signed(key, "glue"), signed(key, "s3"), signed(key, "athena")
    return [
        Request("GET", f"/{BUCKET}?list-type=2", s3),
        Request("DELETE", f"/{BUCKET}/mine", s3),
        Request("GET", f"/{BUCKET}/mine?X-Amz-Credential={key}/20240605/eu-west-2/s3/aws4_request"),
        Request("POST", "/", {**glue, "X-Amz-Target": "AWSGlue.DeleteDatabase"}, '{"Name": "housing_raw_zone"}'),
        Request("POST", "/", {**athena, "X-Amz-Target": "AmazonAthena.StartQueryExecution"}, STATEMENT),
    ]


def foreign_hosts(port: int) -> list[str]:
    """Values of ``Host`` that are not the server's own."""
    return [
        f"{REBOUND}:{port}", REBOUND, f"127.0.0.1.evil.test:{port}", f"localhost.evil.test:{port}", "127.0.0.1",
        "localhost", f"127.0.0.1:{port + 1}", f"0.0.0.0:{port}", f"[::]:{port}", f"127.0.0.2:{port}", "",
        f"evil.test@127.0.0.1:{port}", f"127.0.0.1:{port}@evil.test", f"127.0.0.1:{port},evil.test",
        f".localhost:{port}",
        f"evil-localhost:{port}", f"2130706433:{port}", f"{BUCKET}.s3.eu-west-2.amazonaws.com",
        "motoapi.amazonaws.com",
    ]  # fmt: skip


def foreign_origins(port: int) -> list[str]:
    """Values of ``Origin`` that are not the server's own."""
    return [
        "http://evil.test", f"http://evil.test:{port}", "null", "file://", f"http://127.0.0.1:{port + 1}",
        "http://localhost", "http://localhost:3000", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port}.evil.test",
        f"http://127.0.0.1.evil.test:{port}", f"http://evil.test/http://127.0.0.1:{port}", "chrome-extension://abc",
    ]  # fmt: skip


def send(port: int, request: Request, **more: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer to a request, exactly as it is given; ``more`` are further headers."""
    headers = {**request.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.putrequest(request.method, request.path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(request.body))}.items():
            connection.putheader(name, value)
        connection.endheaders(request.body.encode())
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, answer.read().decode("utf-8", "replace")


_PAGE = """<!doctype html><title>A page of another site</title><script>
const attacks = %s;
const tried = async ([name, url, options]) => {
  try {
    const answer = await fetch(url, options);
    return [name, answer.type, answer.status, await answer.text()];
  } catch (error) { return [name, "error", 0, String(error)]; }
};
const framed = url => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.onload = () => { let text = ""; try { text = frame.contentDocument.body.innerText; } catch (e) {} done(text); };
  frame.src = url;
  document.body.append(frame);
  setTimeout(() => done(""), 5000);
});
window.onload = async () => {
  const found = [];
  for (const attack of attacks) found.push(await tried(attack));
  for (const [name, url, options] of attacks.filter(each => each[2].method == "GET"))
    found.push([name + " framed", "frame", 0, await framed(url)]);
  for (const [name, url, options] of attacks.filter(each => each[2].method == "POST")) {
    const form = document.createElement("form"), frame = document.createElement("iframe");
    frame.name = "f" + found.length; form.target = frame.name; form.method = "POST"; form.action = url;
    form.enctype = "text/plain"; document.body.append(frame, form); form.submit();
    await new Promise(done => { frame.onload = done; setTimeout(done, 2000); });
    found.push([name + " form", "form", 0, ""]);
  }
  await fetch("/report", {method: "POST", body: JSON.stringify(found)});
};
</script><body></body>"""


def visit(ports: Mapping[str, int], requests: list[Request], name: str = "localhost") -> list[list[Any]]:
    """Open a page of another site in Chromium, which sends the requests to every port in every way that pages have.

    Returns what the page saw: name, kind, status and text of each answer.
    """
    attacks = []
    for server, port in ports.items():
        for host in ("127.0.0.1", REBOUND):
            for request in requests:
                options: dict[str, Any] = {"method": request.method, "headers": dict(request.headers)}
                if request.body:
                    options["body"] = request.body
                url = f"http://{host}:{port}{request.path}"
                label = f"{server} {request.method} {url}"
                # An answer that is open to all, as moto's are, is not to requests with cookies.
                for more in ({"mode": "cors", "credentials": "omit"}, {"mode": "no-cors", "credentials": "include"}):
                    attacks.append([label, url, {**options, **more}])
    page = (_PAGE % json.dumps(attacks)).encode()
    reports: list[bytes] = []
    arrived = threading.Event()

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self) -> None:
            reports.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(Site) as port, _browser(f"http://{name}:{port}/"):
        assert arrived.wait(240), "the page did not come to its end"
    reported: list[list[Any]] = json.loads(reports[0])
    return reported


@contextlib.contextmanager
def _serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    try:
        yield site.server_port
    finally:
        site.shutdown()
        thread.join()
        site.server_close()


@contextlib.contextmanager
def _browser(url: str) -> Iterator[None]:
    assert CHROMIUM is not None
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    quiet = ("--disable-background-networking", "--disable-component-update", "--no-proxy-server")
    rules = f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"
    # Processes that the browser started outlive it by a moment, and write: the whole group is ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *options, *quiet, rules, f"--user-data-dir={profile}", url]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
