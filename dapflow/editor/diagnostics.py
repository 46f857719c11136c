"""Findings as editors show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsprotocol.types import CodeDescription, Diagnostic, DiagnosticSeverity

from dapflow.editor.positions import Positions
from dapflow.editor.text_tokens import written_tokens
from dapflow.errors import DapflowError
from dapflow.rules import RULES

#: Where a repository that has dapflow in it has the pages of its rules.
_PAGES = Path("docs", "reference", "rules")
_SEVERITIES = {"error": DiagnosticSeverity.Error, "warning": DiagnosticSeverity.Warning}


def diagnostics(findings: Sequence[DapflowError], positions: Positions, root: Path) -> list[Diagnostic]:
    """Findings of one file, each at the word or sign that it points at, with the number of its rule and its page."""
    ends = {token.start: token.end for token in written_tokens(positions.text)} if findings else {}
    return [_diagnostic(finding, positions, ends, root) for finding in findings]


def offset_of(finding: DapflowError, text: str) -> int:
    """The character that a finding points at; the first one where it has no place."""
    start = 0
    for _ in range((finding.line or 1) - 1):
        start = text.find("\n", start) + 1 or len(text)
    return min(start + (finding.column or 1) - 1, len(text))


def _diagnostic(finding: DapflowError, positions: Positions, ends: dict[int, int], root: Path) -> Diagnostic:
    rule = RULES.get(finding.code)
    page = root / _PAGES / f"{rule.id}.md" if rule is not None else None
    start = offset_of(finding, positions.text)
    said = [finding.message, *([finding.hint] if finding.hint else [])]
    said += [f"Athena: {finding.athena}"] if finding.athena else []
    return Diagnostic(
        positions.range(start, ends.get(start) or min(start + 1, len(positions.text))),
        "\n".join(said),
        severity=_SEVERITIES[finding.severity],
        code=rule.id if rule is not None else finding.code,
        code_description=CodeDescription(page.as_uri()) if page is not None and page.is_file() else None,
        source="dapflow",
    )
