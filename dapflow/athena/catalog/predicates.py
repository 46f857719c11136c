"""A scan's predicate taken apart: what it says of partitions and of row groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import Token, identifier_value, tokens

_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DEPTHS = {"(": 1, "[": 1, "{": 1, "CASE": 1, ")": -1, "]": -1, "}": -1, "END": -1}
# Where one of these stands beside a comparison, it is more than a comparison.
_PREDICATES = frozenset({"IS", "NOT", "IN", "LIKE", "BETWEEN", "GLOB", "SIMILAR"})


@dataclass(frozen=True)
class ColumnBound:
    """``column <operator> literal``; ``operator`` is one of ``=  <  <=  >  >=``. ``literal`` is DuckDB SQL."""

    column: str
    operator: str
    literal: str


class Predicate:
    """Conjuncts over a relation's columns, in the DuckDB SQL that queries are compiled to: columns are quoted."""

    def __init__(self, text: str | None) -> None:
        self._conjuncts = _read(text) if text else ()

    def over(self, columns: Iterable[str]) -> str | None:
        """The conjuncts that can be decided from ``columns`` alone, or None if there are none."""
        known = {column.lower() for column in columns}
        return " AND ".join(f"({item.sql})" for item in self._conjuncts if item.names <= known) or None

    def values_of(self, column: str) -> list[str] | None:
        """DuckDB literals that ``column`` must equal one of, or None if the predicate does not say."""
        return next((found for item in self._conjuncts if (found := item.values_of(column)) is not None), None)

    def bounds(self) -> list[ColumnBound]:
        """The conjuncts that compare one column with a literal."""
        return [bound for item in self._conjuncts for bound in item.bounds()]


class _Condition:
    """A piece of the predicate's text, by its words."""

    def __init__(self, text: str, words: Sequence[Token]) -> None:
        self.text = text
        self.words = _bare(words)

    @property
    def sql(self) -> str:
        return self.text[self.words[0].start : self.words[-1].end]

    @property
    def names(self) -> set[str]:
        return {identifier_value(word).lower() for word in self.words if word.kind == "quoted"}

    @property
    def column(self) -> str | None:
        """The column, if it is one and nothing else."""
        return next(iter(self.names)) if len(self.words) == 1 and self.words[0].kind == "quoted" else None

    def parts(self, separator: str) -> list[_Condition]:
        """What stands between the words OR, AND or commas at this level."""
        parts: list[list[Token]] = [[]]
        depth, between = 0, False
        for word in self.words:
            depth += _DEPTHS.get(word.upper, 0)
            between = between or (depth == 0 and word.upper == "BETWEEN")
            if depth or word.upper != separator or (separator == "AND" and between):
                # The AND of BETWEEN separates nothing.
                between = between and not (depth == 0 and word.upper == "AND")
                parts[-1].append(word)
            else:
                parts.append([])
        return [_Condition(self.text, part) for part in parts]

    def conjuncts(self) -> list[_Condition]:
        """The conditions that must all be true."""
        parts = self.parts("AND") if len(self.parts("OR")) == 1 else [self]
        return [self] if len(parts) == 1 else [one for part in parts for one in part.conjuncts()]

    def values_of(self, column: str) -> list[str] | None:
        """The literals that ``column`` must equal one of for the condition to be true, or None if it does not say."""
        branches = self.parts("OR")
        if len(branches) > 1:
            found = [branch.values_of(column) for branch in branches]
            return None if None in found else list(dict.fromkeys(value for values in found for value in values or ()))
        terms = self.parts("AND")
        if len(terms) > 1:
            return next((values for term in terms if (values := term.values_of(column)) is not None), None)
        if self.names != {column}:
            return None
        if len(self.words) > 3 and self.words[0].kind == "quoted" and self.words[1].upper == "IN":
            return [item.sql for item in _Condition(self.text, self.words[2:]).parts(",")]
        return [bound.literal for bound in self._comparison() if bound.operator == "="] or None

    def bounds(self) -> list[ColumnBound]:
        """What the condition says as comparisons of one column with a literal."""
        if len(self.parts("OR")) > 1:
            return []
        if len(self.words) > 4 and self.words[0].kind == "quoted" and self.words[1].upper == "BETWEEN":
            column = identifier_value(self.words[0]).lower()
            limits = _Condition(self.text, self.words[2:]).parts("AND")
            if len(limits) == 2 and not limits[0].names and not limits[1].names:
                return [ColumnBound(column, ">=", limits[0].sql), ColumnBound(column, "<=", limits[1].sql)]
        return self._comparison()

    def _comparison(self) -> list[ColumnBound]:
        depth, places = 0, []
        for index, word in enumerate(self.words):
            depth += _DEPTHS.get(word.upper, 0)
            if depth == 0 and word.upper in _PREDICATES:
                return []
            if depth == 0 and word.upper in _FLIPPED:
                places.append(index)
        if len(places) != 1 or not 0 < places[0] < len(self.words) - 1:
            return []
        sign = self.words[places[0]].upper
        left, right = (_Condition(self.text, part) for part in (self.words[: places[0]], self.words[places[0] + 1 :]))
        if left.column is not None and not right.names:
            return [ColumnBound(left.column, sign, right.sql)]
        if right.column is not None and not left.names:
            return [ColumnBound(right.column, _FLIPPED[sign], left.sql)]
        return []


def _bare(words: Sequence[Token]) -> Sequence[Token]:
    """The words without the parentheses around all of them."""
    while len(words) > 2 and words[0].upper == "(" and words[-1].upper == ")":
        depth = 0
        for word in words[:-1]:
            depth += _DEPTHS.get(word.upper, 0)
            if depth == 0:
                return words
        words = words[1:-1]
    return words


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[_Condition, ...]:
    try:
        words = tokens(text)[:-1]
    except QueryError:
        # Pruning is an optimisation: what cannot be read prunes nothing.
        return ()
    return tuple(_Condition(text, words).conjuncts())
