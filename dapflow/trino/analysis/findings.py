"""What there is to say of a text: errors in Trino's words, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dapflow.trino.errors import Limit, QueryError


class Place(NamedTuple):
    """Where something stands in the text: from `start` to before `end`; errors point at `at`."""

    start: int
    end: int
    at: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake. `severity` is "error" where Athena refuses the text, and "limit" where only the embedded Athena does.

    `line` and `column`, from 1, and the place in the text are None for what is wrong in a view's text.
    """

    error_name: str
    message: str
    line: int | None = None
    column: int | None = None
    place: Place | None = None
    severity: str = "error"

    def error(self) -> QueryError:
        """What the engine raises."""
        kind = Limit if self.severity == "limit" else QueryError
        return kind(self.error_name, self.message, self.line, self.column)
