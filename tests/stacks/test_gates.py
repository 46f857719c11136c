"""Two linters look at every template that the example gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from tests.stacks.example import service
from tests.stacks.templates import Templates, synthesized

# Warnings of cfn-lint that are left, with the reason.
EXPLAINED = {
    # The zones are a setting: CDK would otherwise ask AWS for them, and synthesis would need credentials.
    "W3010",
}


@pytest.mark.parametrize("environment", ["prod", "staging", "branch", "local"])
def test_cdk_nag_has_no_open_finding(request: pytest.FixtureRequest, environment: str) -> None:
    """A finding that is open fails the synthesis; this reads the report, and what was accepted."""
    templates: Templates = request.getfixturevalue(environment)
    report = (templates.folder / "validation-report.json").read_text()
    assert '"conclusion": "failure"' not in report
    accepted = [reason for acknowledgement in acknowledgements(templates.folder) for reason in acknowledgement.values()]
    # A branch makes no role and no policy, and needs no exception.
    assert bool(accepted) == (environment != "branch")
    assert all(len(reason) > 25 for reason in accepted)


def test_an_open_finding_fails_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    s3.Bucket(cdk.Stack(app, "stack"), "bucket")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-S1" in (tmp_path / "validation-report.json").read_text()


def test_an_open_finding_in_a_branch_fails_its_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacks.branch_assembly.BranchBundle", lambda stack, *_: s3.Bucket(stack, "open"))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        synthesized(tmp_path, manifest=service("air"), branch="x")
    assert "AwsSolutions-S1" in (tmp_path / "validation-report.json").read_text()


def acknowledgements(folder: Path) -> list[dict[str, str]]:
    """What constructs' metadata says of accepted rules, by rule."""
    acknowledged: list[dict[str, str]] = []
    files = [folder / "manifest.json", *folder.glob("*.metadata.json")]
    for file in files:
        stack = json.loads(file.read_text())
        artifacts = stack.get("artifacts", {"": {"metadata": stack}})
        for artifact in artifacts.values():
            for entries in (artifact.get("metadata") or {}).values():
                acknowledged += [entry["data"] for entry in entries if "acknowledged" in entry["type"]]
    return acknowledged


def test_cfn_lint_finds_nothing(prod: Templates, staging: Templates, branch: Templates) -> None:
    # One of the four services' stacks, which are alike, and of the other environments what differs from prod.
    alike = tuple(f"dapflow-prod-service-{name}." for name in ("air", "rail", "weather"))
    different = [
        *(file for file in prod.folder.glob("*.template.json") if not file.name.startswith(alike)),
        staging.folder / "dapflow-staging-lake.template.json",
        staging.folder / "dapflow-staging-network.template.json",
        *branch.folder.glob("*air-traffic.template.json"),
        *branch.folder.glob("*bundle.template.json"),
    ]
    files = [str(file) for file in different]
    arguments = ["--format", "json", "--regions", "eu-west-2", "--", *files]
    run = subprocess.run([str(Path(sys.executable).parent / "cfn-lint"), *arguments], capture_output=True, check=False)
    matches = json.loads(run.stdout)
    unexplained = [match for match in matches if match["Rule"]["Id"] not in EXPLAINED]
    assert not [(match["Rule"]["Id"], match["Message"], match["Filename"]) for match in unexplained]
    assert {match["Level"] for match in matches} <= {"Warning"}
    assert {match["Rule"]["Id"] for match in matches} == EXPLAINED, "an explanation is no longer needed"
