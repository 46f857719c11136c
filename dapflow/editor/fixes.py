"""Quick fixes: the changes that a finding brings with it."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol.types import CodeAction, CodeActionKind, Diagnostic, Range, TextEdit, WorkspaceEdit

from dapflow.editor.positions import Positions
from dapflow.errors import DapflowError


def fixes_at(
    findings: Sequence[DapflowError], diagnostics: Sequence[Diagnostic], uri: str, positions: Positions, asked: Range
) -> list[CodeAction]:
    """The fixes of what was found on some lines of a document, and as what it is shown."""
    actions = []
    for finding, shown in zip(findings, diagnostics, strict=True):
        if not finding.fix or shown.range.end.line < asked.start.line or shown.range.start.line > asked.end.line:
            continue
        changes = [TextEdit(positions.range(edit.start, edit.end), edit.text) for edit in finding.fix]
        title = finding.hint or f"Mend: {finding.message}"
        edit = WorkspaceEdit({uri: changes})
        actions.append(CodeAction(title, kind=CodeActionKind.QuickFix, diagnostics=[shown], edit=edit))
    return actions
