"""The one exception root, and its shape for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning"]


class Edit(NamedTuple):
    """A change of a file's text: ``text`` in place of the characters from ``start`` to ``end``, which count from 0."""

    start: int
    end: int
    text: str


class DapflowError(Exception):
    """A mistake that the user can mend, or a fault of the platform that they must know of.

    Attributes:
        code: stable name of the kind of mistake, such as ``sql-syntax``; documented in docs/reference/errors.md.
        message: what is wrong, in one sentence, without a trailing hint.
        file: the file at fault, relative to the project where possible.
        line: 1-based line in ``file``.
        column: 1-based column in ``file``.
        hint: what to do about it.
        source: the line of text at fault, for the caret.
        severity: a ``warning`` is of what Athena takes, and what may give another answer than was meant.
        athena: what Athena says of it, where ``message`` says it in other words.
        fix: changes of the file that mend it, and nothing else; empty where only a person can.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        source: str | None = None,
        severity: Severity = "error",
        athena: str | None = None,
        fix: Sequence[Edit] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.file = str(file) if file is not None else None
        self.line = line
        self.column = column
        self.hint = hint
        self.source = source
        self.severity: Severity = severity
        self.athena = athena
        self.fix = tuple(fix)

    def __reduce__(self) -> tuple[Any, ...]:
        """How an error travels between processes."""
        return error_of, (self.as_dict(),)

    @property
    def detail(self) -> str:
        """Lines of text that belong below the message, where one sentence does not hold it."""
        return ""

    @property
    def place(self) -> str:
        """``file:line:column``, as much of it as is known."""
        parts = [self.file, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)

    def as_dict(self) -> dict[str, Any]:
        """The shape that ``--json`` prints."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
            "source": self.source,
            "athena": self.athena,
            "fix": [edit._asdict() for edit in self.fix],
        }

    def __str__(self) -> str:
        """The shape for people: place, message, the line with a caret, the hint."""
        message = f"warning: {self.message}" if self.severity == "warning" else self.message
        head = f"{self.place}: {message}" if self.place else message
        lines = [f"{head} [{self.code}]"]
        if self.source is not None:
            lines.append(f"  {self.source.replace(chr(9), ' ')}")
            if self.column is not None:
                lines.append("  " + " " * (self.column - 1) + "^")
        if self.detail:
            lines.append(self.detail)
        if self.hint:
            lines.append(f"hint: {self.hint}")
        if self.athena:
            lines.append(f"Athena: {self.athena}")
        return "\n".join(lines)


def error_of(parts: dict[str, Any]) -> DapflowError:
    """The error that ``as_dict`` made these parts of."""
    return DapflowError(**{**parts, "fix": [Edit(**edit) for edit in parts["fix"]]})


class DapflowErrors(DapflowError):
    """Several mistakes found in one go, so that the user mends them in one go."""

    def __init__(self, errors: list[DapflowError]) -> None:
        super().__init__("errors", f"{len(errors)} errors")
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        """How errors travel between processes."""
        return DapflowErrors, (self.errors,)

    def __str__(self) -> str:
        """Each error in its own paragraph."""
        return "\n\n".join(str(error) for error in self.errors)
