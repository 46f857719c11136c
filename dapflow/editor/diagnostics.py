"""Findings as editors show them."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol.types import Diagnostic, DiagnosticSeverity

from dapflow.editor.positions import Positions
from dapflow.editor.text_tokens import written_tokens
from dapflow.errors import DapflowError

_SEVERITIES = {"error": DiagnosticSeverity.Error, "warning": DiagnosticSeverity.Warning}


def diagnostics(findings: Sequence[DapflowError], positions: Positions) -> list[Diagnostic]:
    """Findings of one file, each at the word or sign that it points at."""
    ends = {token.start: token.end for token in written_tokens(positions.text)} if findings else {}
    return [_diagnostic(finding, positions, ends) for finding in findings]


def offset_of(finding: DapflowError, text: str) -> int:
    """The character that a finding points at; the first one where it has no place."""
    start = 0
    for _ in range((finding.line or 1) - 1):
        start = text.find("\n", start) + 1 or len(text)
    return min(start + (finding.column or 1) - 1, len(text))


def _diagnostic(finding: DapflowError, positions: Positions, ends: dict[int, int]) -> Diagnostic:
    start = offset_of(finding, positions.text)
    said = [finding.message, *([finding.hint] if finding.hint else [])]
    said += [f"Athena: {finding.athena}"] if finding.athena else []
    return Diagnostic(
        positions.range(start, ends.get(start) or min(start + 1, len(positions.text))),
        "\n".join(said),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source="dapflow",
    )
