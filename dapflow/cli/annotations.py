"""Findings as workflow commands of GitHub Actions, which show them at the lines of a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dapflow.cli.failure import rule_label
from dapflow.errors import DapflowError


def annotation_lines(findings: Sequence[DapflowError]) -> Iterator[str]:
    """A line for each finding."""
    for finding in findings:
        places = {"file": finding.file, "line": finding.line, "col": finding.column, "title": rule_label(finding.code)}
        properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value is not None)
        parts = [finding.message, finding.detail, f"hint: {finding.hint}" if finding.hint else ""]
        yield f"::{finding.severity} {properties}::{_data(chr(10).join(filter(None, parts)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
