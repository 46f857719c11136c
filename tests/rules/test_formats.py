"""Findings for machines: JSON, SARIF and the annotations of GitHub Actions."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from dapflow.cli import command_line
from dapflow.rules import PRODUCT, RULES
from tests.rules.project import write_files

_SQL = "SELECT id, nvl(trade, '100%, all') AS a\nFROM repairs\nORDER BY id"


def checked_as(root: Path, *options: str, sql: str = _SQL) -> tuple[int, str]:
    """The status and output of ``dapflow check`` for a product with an error and a warning."""
    write_files(root, {PRODUCT: sql})
    result = CliRunner().invoke(command_line(), ["check", "--project", str(root), *options])
    return result.exit_code, result.stdout


def test_json_says_how_to_mend_it(tmp_path: Path) -> None:
    status, output = checked_as(tmp_path, "--json")
    report = json.loads(output)
    assert status == 1
    assert [(error["rule"], error["fix"]) for error in report["errors"]] == [
        ("DAP013", [{"start": 11, "end": 14, "text": "coalesce"}])
    ]
    assert [(warning["rule"], warning["fix"]) for warning in report["warnings"]] == [("DAP216", [])]


def test_sarif_names_each_place_and_rule(tmp_path: Path) -> None:
    status, output = checked_as(tmp_path, "--sarif")
    log = json.loads(output)
    [run] = log["runs"]
    assert (status, log["version"], run["columnKind"]) == (1, "2.1.0", "unicodeCodePoints")
    results = [
        (result["ruleId"], result["level"], result["locations"][0]["physicalLocation"]) for result in run["results"]
    ]
    file = {"uri": PRODUCT, "uriBaseId": "%SRCROOT%"}
    assert results == [
        ("DAP013", "error", {"artifactLocation": file, "region": {"startLine": 1, "startColumn": 12}}),
        ("DAP216", "warning", {"artifactLocation": file, "region": {"startLine": 3, "startColumn": 10}}),
    ]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert len(rules) == len(RULES)
    assert rules["DAP216"]["defaultConfiguration"] == {"level": "warning"}


def test_annotations_are_workflow_commands(tmp_path: Path) -> None:
    status, output = checked_as(tmp_path, "--github", sql="SELECT id FROM repairs WHERE notes = '100%' ORDER BY nosuch")
    error, warning = output.splitlines()
    assert status == 1
    assert error.startswith(f"::error file={PRODUCT},line=1,col=54,title=DAP011 unknown-column::there is no column")
    assert warning.startswith(
        f"::warning file={PRODUCT},line=1,col=54,title=DAP216 ordered-product::a table has no order"
    )
    assert "%0Ahint: delete the ORDER BY" in warning
    assert checked_as(tmp_path, "--github", sql="SELECT id FROM repairs") == (0, "")


def test_the_cost_of_a_whole_history_is_known_where_the_platform_runs(tmp_path: Path) -> None:
    _, output = checked_as(tmp_path, "--json", sql="SELECT id FROM repairs_history")
    [warning] = json.loads(output)["warnings"]
    assert warning["hint"].endswith("is not known here: dapflow cost example says it where it is published")


def test_one_form_at_a_time(tmp_path: Path) -> None:
    write_files(tmp_path, {})
    result = CliRunner().invoke(command_line(), ["check", "--project", str(tmp_path), "--json", "--sarif"])
    assert result.exit_code != 0
