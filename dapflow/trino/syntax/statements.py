"""Reading whole statements. Several readers look at each text in turn, and it is parsed for the first of them."""

from __future__ import annotations

import threading
from typing import NamedTuple

from dapflow.trino.errors import TooDeep, Unsupported
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import position
from dapflow.trino.syntax.parser import Parser

#: The trees of so many characters of text are kept; one takes some twenty bytes for each.
_MOST_CHARACTERS = 2_000_000


class ParsedStatement(NamedTuple):
    """A query that was read. Who gets it does not change its tree."""

    query: tree.QueryNode
    #: Where it ends in its text, without the `;` behind it.
    end: int
    #: The first construct that Athena knows and the embedded Athena does not, and its place in the text.
    refused: tuple[str, int] | None


class _ParsedStatements:
    """The statements that were asked for last, by their texts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statements: dict[str, ParsedStatement] = {}
        self._characters = 0

    def get(self, text: str) -> ParsedStatement | None:
        with self._lock:
            statement = self._statements.pop(text, None)
            if statement is not None:
                self._statements[text] = statement
            return statement

    def add(self, text: str, statement: ParsedStatement) -> None:
        with self._lock:
            if text not in self._statements:
                self._characters += len(text)
            self._statements[text] = statement
            while self._characters > _MOST_CHARACTERS:
                oldest = next(iter(self._statements))
                del self._statements[oldest]
                self._characters -= len(oldest)


_KEPT = _ParsedStatements()


def read_statement(text: str) -> ParsedStatement:
    """Read a query that Athena may run. Raises QueryError."""
    statement = _KEPT.get(text)
    if statement is None:
        try:
            parser = Parser(text)
            query = parser.statement()
        except RecursionError:
            raise TooDeep from None
        query.parameters = parser.parameters
        statement = ParsedStatement(query, parser.end, parser.refused)
        _KEPT.add(text, statement)
    return statement


def parse(text: str) -> tree.QueryNode:
    """Read a query that the embedded Athena may run. Raises QueryError."""
    query, _, refused = read_statement(text)
    if refused is not None:
        construct, offset = refused
        raise Unsupported(construct, *position(text, offset))
    return query
