"""Errors as Trino reports them."""

from __future__ import annotations


class QueryError(Exception):
    """A statement that fails, with Trino's error name and, where known, a position in the user's text."""

    def __init__(self, error_name: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(error_name, message, line, column)
        self.error_name = error_name
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}:{self.column}: "
        return f"{self.error_name}: {where}{self.message}"


class Mismatch(QueryError):
    """A word that cannot stand where it stands, at `offset`. `expected` says in Trino's words what can."""

    def __init__(self, shown: str, expected: str, place: tuple[int, int], offset: int) -> None:
        super().__init__("SYNTAX_ERROR", f"mismatched input '{shown}'. Expecting: {expected}", *place)
        self.expected = expected
        self.offset = offset


class Limit(QueryError):
    """What Athena may know and the embedded Athena cannot run."""


class Unsupported(Limit):
    """The same by name; `construct` names it, `detail` may say what it can."""

    def __init__(self, construct: str, line: int | None = None, column: int | None = None, detail: str = "") -> None:
        super().__init__("NOT_SUPPORTED", f"{construct} is not supported{detail}", line, column)


class TooDeep(QueryError):
    """A statement that is nested more deeply than can be read."""

    def __init__(self) -> None:
        super().__init__("SYNTAX_ERROR", "statement is too large (stack overflow while parsing)", 1, 1)
