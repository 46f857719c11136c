"""Comments that say that a finding is meant: ``-- dapflow: ignore DAP216 the report prints it in this order``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dapflow.errors import DapflowError
from dapflow.rules import RULES
from dapflow.sql import SqlText
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import Token, comments, tokens

_FORM = re.compile(r"(?:--|/\*)\s*dapflow\s*:\s*ignore\b[ \t]*(?P<rest>.*?)\s*(?:\*/)?\Z", re.IGNORECASE | re.DOTALL)
_NAMES = re.compile(r"(?P<names>[A-Za-z][\w-]*(?:[ \t]*,[ \t]*[A-Za-z][\w-]*)*)[ \t:]*(?P<reason>.*)", re.DOTALL)
_HINT = "write -- dapflow: ignore DAP216 and why it is meant"
_CODES = {rule.id.lower(): rule.code for rule in RULES.values()} | {code: code for code in RULES}


@dataclass
class _Ignore:
    """What a comment says is meant: findings of these rules in a line, or in the whole file where ``line`` is None."""

    start: int
    codes: tuple[str, ...]
    line: int | None
    heeded: set[str] = field(default_factory=set)

    def covers(self, finding: DapflowError) -> bool:
        return finding.code in self.codes and self.line in {None, finding.line}


def heeded(text: SqlText, findings: Sequence[DapflowError], *, all_rules: bool) -> list[DapflowError]:
    """The findings of a text without those warnings that its comments say are meant.

    A comment that names no rule or no reason is an error, as is one about what Athena refuses. With ``all_rules``, when
    every rule was asked, a comment that was needed by no finding is named too.
    """
    if "dapflow" not in text.text.lower():
        return list(findings)
    try:
        ignores, kept = _ignores(text)
    except QueryError:  # what is no SQL has no comments either
        return list(findings)
    for finding in findings:
        covering = [ignore for ignore in ignores if ignore.covers(finding)]
        for ignore in covering:
            ignore.heeded.add(finding.code)
        if not covering or finding.severity == "error":
            kept.append(finding)
        if finding.severity == "error":
            kept += [_of_error(text, ignore, finding) for ignore in covering if ignore.line is not None]
    if all_rules:
        kept += [unused for ignore in ignores for unused in _unused(text, ignore)]
    return sorted(kept, key=lambda finding: (finding.line or 0, finding.column or 0))


def ignored_lines(text: SqlText) -> list[int]:
    """The lines that the comments of a text are about, in the order of the comments; without those about all of it."""
    if "dapflow" not in text.text.lower():
        return []
    return [ignore.line for ignore in _ignores(text)[0] if ignore.line is not None]


def _ignores(text: SqlText) -> tuple[list[_Ignore], list[DapflowError]]:
    """What the comments of a text say, and what is wrong with them."""
    ignores: list[_Ignore] = []
    mistakes: list[DapflowError] = []
    words = tokens(text.text)
    for comment in comments(text.text):
        form = _FORM.match(comment.text)
        if form is None:
            continue
        named = _NAMES.match(form["rest"])
        names = re.split(r"[ \t]*,[ \t]*", named["names"].lower()) if named is not None else []
        unknown = [name for name in names if name not in _CODES]
        if named is None or (unknown and len(names) == 1 and not re.match(r"dap\d", unknown[0])):
            mistakes.append(text.error("bad-ignore", "this names no rule to be ignored", comment.start, _HINT))
        elif unknown:
            message = f"there is no rule {unknown[0].upper() if unknown[0].startswith('dap') else unknown[0]}"
            mistakes.append(text.error("bad-ignore", message, comment.start, "docs/reference/rules lists them"))
        elif not named["reason"].strip():
            mistakes.append(text.error("bad-ignore", "this gives no reason", comment.start, _HINT))
        else:
            codes = tuple(_CODES[name] for name in names)
            ignores.append(_Ignore(comment.start, codes, _line(text, comment, words)))
    return ignores, mistakes


def _line(text: SqlText, comment: Token, words: Sequence[Token]) -> int | None:
    """The line that a comment is about: its own where something stands before it, else that of what follows.

    None for a comment that stands before everything: it is about the whole file.
    """
    before = [word for word in words if word.end <= comment.start]
    if not before:
        return None
    own, _ = text.place(comment.start)
    if text.place(before[-1].end - 1)[0] == own:
        return own
    return text.place(words[len(before)].start)[0]


def _of_error(text: SqlText, ignore: _Ignore, finding: DapflowError) -> DapflowError:
    message = f"{finding.code} cannot be ignored here: it is an error"
    return text.error("bad-ignore", message, ignore.start, "mend it, and delete this comment")


def _unused(text: SqlText, ignore: _Ignore) -> Iterator[DapflowError]:
    where = "in this file" if ignore.line is None else f"in line {ignore.line}"
    for code in ignore.codes:
        if code not in ignore.heeded:
            finding = text.error("unused-ignore", f"there is no {code} {where}", ignore.start, "delete the comment")
            finding.severity = "warning"
            yield finding
