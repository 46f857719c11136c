"""Findings in SARIF 2.1.0, which code scanning of GitHub, Azure DevOps and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dapflow import __version__
from dapflow.errors import DapflowError
from dapflow.rules import RULES, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[DapflowError]) -> dict[str, Any]:
    """The log of one run, with all rules in it."""
    driver = {"name": "dapflow", "version": __version__, "rules": [_rule(rule) for rule in RULES.values()]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": list(map(_result, findings))}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.code,
        "shortDescription": {"text": rule.meaning},
        "fullDescription": {"text": rule.advice},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: DapflowError) -> dict[str, Any]:
    rule = RULES.get(finding.code)
    text = f"{finding.message}\n{finding.detail}" if finding.detail else finding.message
    result: dict[str, Any] = {
        "ruleId": rule.id if rule is not None else finding.code,
        "level": finding.severity,
        "message": {"text": f"{text}\nhint: {finding.hint}" if finding.hint else text},
    }
    if finding.file is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file), "uriBaseId": "%SRCROOT%"}}
        if finding.line is not None:
            place["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
        result["locations"] = [{"physicalLocation": place}]
    return result
