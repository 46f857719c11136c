"""GetPartitions by an Expression, at the pace of the partitions that are asked for.

moto takes tens of milliseconds to read an expression, and converts both sides anew for each partition. Here comparisons
of text with AND and OR are read; all else is moto's, and so are the errors.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from moto.glue.models import FakePartition, FakeTable

Matches = Callable[[Sequence[str]], bool]

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z0-9_]+)|(?P<sign><>|>=|<=|[=<>(),]))")
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXT = frozenset({"string", "char", "varchar"})
_get_partitions = FakeTable.get_partitions


def get_partitions(table: FakeTable, expression: str | None) -> list[FakePartition]:
    """Those partitions of a table that an expression takes."""
    if expression is None:
        return list(table.partitions.values())
    keys = next(reversed(table.versions.values())).get("PartitionKeys", [])
    try:
        matches = _Expression(expression, {key["Name"]: i for i, key in enumerate(keys) if key["Type"] in _TEXT}).read()
    except _OtherExpression:
        partitions: list[FakePartition] = _get_partitions(table, expression)
        return partitions
    return [partition for partition in list(table.partitions.values()) if matches(partition.values)]


def _either(left: Matches, right: Matches) -> Matches:
    return lambda values: left(values) or right(values)


def _both(left: Matches, right: Matches) -> Matches:
    return lambda values: left(values) and right(values)


class _OtherExpression(Exception):
    """One that is moto's to read, or to refuse."""


class _Expression:
    def __init__(self, expression: str, positions: dict[str, int]) -> None:
        self._positions = positions
        self._tokens: list[str] = []
        end = len(expression.rstrip())
        start = 0
        while start < end:
            token = _TOKEN.match(expression, start, end)
            if token is None:
                raise _OtherExpression
            self._tokens.append(token[0].strip() if token["text"] is None else token["text"])
            start = token.end()
        self._tokens.append("")
        self._next = 0

    def read(self) -> Matches:
        matches = self._any_of()
        self._take("")
        return matches

    def _any_of(self) -> Matches:
        matches = self._all_of()
        while self._takes("or"):
            matches = _either(matches, self._all_of())
        return matches

    def _all_of(self) -> Matches:
        matches = self._term()
        while self._takes("and"):
            matches = _both(matches, self._term())
        return matches

    def _term(self) -> Matches:
        if self._takes("("):
            inner = self._any_of()
            self._take(")")
            return inner
        position = self._positions.get(self._token())
        if position is None:
            raise _OtherExpression
        if self._takes("in"):
            self._take("(")
            chosen = {self._text()}
            while self._takes(","):
                chosen.add(self._text())
            self._take(")")
            return lambda values: values[position] in chosen
        compare = _OPERATORS.get(self._token())
        if compare is None:
            raise _OtherExpression
        text = self._text()
        return lambda values: compare(values[position], text)

    def _text(self) -> str:
        token = self._token()
        if not token.startswith("'"):
            raise _OtherExpression
        return token[1:-1].replace("''", "'")

    def _token(self) -> str:
        token = self._tokens[self._next]
        # The end can be looked at for ever.
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _takes(self, word: str) -> bool:
        there = self._tokens[self._next].lower() == word
        if there:
            self._token()
        return there

    def _take(self, word: str) -> None:
        if not self._takes(word):
            raise _OtherExpression
