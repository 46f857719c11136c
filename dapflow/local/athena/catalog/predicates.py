"""A scan's predicate taken apart: what it says of partitions and of row groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


@dataclass(frozen=True)
class Bound:
    """``column <operator> literal``; ``operator`` is one of ``=  <  <=  >  >=``. ``literal`` is DuckDB SQL."""

    column: str
    operator: str
    literal: str


class Predicate:
    """Conjuncts over a relation's columns, in DuckDB SQL."""

    def __init__(self, text: str | None) -> None:
        self._conjuncts = _conjuncts(text) if text else ()

    def over(self, columns: Iterable[str]) -> str | None:
        """The conjuncts that can be decided from ``columns`` alone, or None if there are none."""
        known = {column.lower() for column in columns}
        chosen = [item.sql(dialect="duckdb") for item in self._conjuncts if _names(item) <= known]
        return " AND ".join(f"({item})" for item in chosen) or None

    def values_of(self, column: str) -> list[str] | None:
        """DuckDB literals that ``column`` must equal one of, or None if the predicate does not say."""
        for item in self._conjuncts:
            values = _values(item, column)
            if values is not None:
                return values
        return None

    def bounds(self) -> list[Bound]:
        """The conjuncts that compare one column with a literal."""
        found: list[Bound] = []
        for item in self._conjuncts:
            if isinstance(item, exp.Between) and _is_column(item.this):
                name = item.this.name.lower()
                low, high = item.args["low"], item.args["high"]
                if not _names(low) and not _names(high):
                    found.append(Bound(name, ">=", low.sql(dialect="duckdb")))
                    found.append(Bound(name, "<=", high.sql(dialect="duckdb")))
                continue
            bound = _bound(item)
            if bound is not None:
                found.append(bound)
        return found


def _values(item: exp.Expr, column: str) -> list[str] | None:
    """The literals that ``column`` must equal one of for ``item`` to be true, or None if it does not say."""
    if isinstance(item, exp.Paren):
        return _values(item.this, column)
    if isinstance(item, exp.Or):
        left, right = _values(item.left, column), _values(item.right, column)
        return None if left is None or right is None else list(dict.fromkeys(left + right))
    if isinstance(item, exp.And):
        return _values(item.left, column) or _values(item.right, column)
    if _names(item) != {column}:
        return None
    if isinstance(item, exp.EQ):
        bound = _bound(item)
        return None if bound is None else [bound.literal]
    if isinstance(item, exp.In) and _is_column(item.this) and item.expressions:
        return [value.sql(dialect="duckdb") for value in item.expressions]
    return None


_SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _bound(item: exp.Expr) -> Bound | None:
    sign = _SIGNS.get(item.key)
    if sign is None:
        return None
    left, right = item.this, item.expression
    if _is_column(left) and not _names(right):
        return Bound(left.name.lower(), sign, right.sql(dialect="duckdb"))
    if _is_column(right) and not _names(left):
        return Bound(right.name.lower(), _FLIPPED[sign], left.sql(dialect="duckdb"))
    return None


def _is_column(item: exp.Expr) -> bool:
    return isinstance(item, exp.Column)


def _names(item: exp.Expr) -> set[str]:
    return {column.name.lower() for column in item.find_all(exp.Column)}


@lru_cache(maxsize=256)
def _conjuncts(text: str) -> tuple[exp.Expr, ...]:
    try:
        tree: exp.Expr = sqlglot.parse_one(text, read="duckdb")
    except SqlglotError:
        # Pruning is an optimisation: what cannot be read prunes nothing.
        return ()
    found: list[exp.Expr] = []
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, exp.Paren):
            pending.append(item.this)
        elif isinstance(item, exp.And):
            pending += [item.expression, item.this]
        else:
            found.append(item)
    return tuple(found)
