"""What is computed for groups and windows is taken out of expressions into lists of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.canonical import canonical
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce
from dapflow.trino.analysis.typed import AggregateRef, ColumnRef, GroupingOf, KeyRef, Unchecked, WindowRef
from dapflow.trino.analysis.typed_calls import Aggregate, WindowCall
from dapflow.trino.analysis.typed_queries import Query
from dapflow.trino.analysis.walk import rebuilt
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import expression_text


@dataclass
class Numbered:
    """Expressions of a kind, each once."""

    exprs: list[Any] = field(default_factory=list)
    places: dict[Any, int] = field(default_factory=dict)

    def place(self, expr: typed.Expr) -> int | None:
        """The place of an expression that is there."""
        if not any(type(known) is type(expr) for known in self.exprs):
            return None
        return self.places.get(canonical(expr))

    def add(self, expr: typed.Expr) -> int:
        """The place of an expression, which is added if it is new."""
        place = self.places.setdefault(canonical(expr), len(self.exprs))
        if place == len(self.exprs):
            self.exprs.append(expr)
        return place


@dataclass
class Extracted:
    """Keys, aggregates and window functions of a SELECT."""

    context: AnalysisContext
    grouped: bool
    #: Whether there is a GROUP BY.
    by_keys: bool
    #: Whether a window function is called; of no interest where there are groups.
    windowed: bool
    told: bool = False
    keys: Numbered = field(default_factory=Numbered)
    aggregates: Numbered = field(default_factory=Numbered)
    windows: Numbered = field(default_factory=Numbered)

    def of(self, expr: typed.Expr, whole: tree.Expr) -> typed.Expr:
        """The expression with references in place of keys, aggregates and window functions.

        A column that is no key is a mistake of the whole expression.
        """
        if not (self.grouped or self.windowed):
            return expr
        return _Extraction(self, whole).of(expr)


@dataclass
class _Extraction:
    """The same for one expression, of which one mistake is told."""

    extracted: Extracted
    whole: tree.Expr
    told: bool = False

    def of(self, expr: typed.Expr) -> typed.Expr:
        extracted = self.extracted
        if extracted.grouped and not isinstance(expr, typed.Literal):
            place = extracted.keys.place(expr)
            if place is not None:
                key = extracted.keys.exprs[place].type
                return coerce(KeyRef(type=key, place=expr.place, position=place), expr.type)
        if isinstance(expr, Aggregate):
            return AggregateRef(type=expr.type, place=expr.place, position=extracted.aggregates.add(expr))
        if isinstance(expr, WindowCall):
            call = rebuilt(expr, self.of)
            return WindowRef(type=expr.type, place=expr.place, position=extracted.windows.add(call))
        if isinstance(expr, ColumnRef) and expr.outer == 0 and extracted.grouped:
            return self._loose(expr)
        if (
            isinstance(expr, typed_queries.ScalarQuery | typed_queries.Quantified | typed_queries.Exists)
            and extracted.grouped
        ):
            self._check_subquery(expr.query)
        if isinstance(expr, GroupingOf):
            keys = [self.of(arg) for arg in expr.args]
            places = tuple(key.position for key in keys if isinstance(key, KeyRef))
            return typed.Grouping(type=expr.type, place=expr.place, keys=places)
        rewritten: typed.Expr = rebuilt(expr, self.of)
        return rewritten

    def _check_subquery(self, query: Query) -> None:
        """Of the columns around it, a subquery may use the keys; what stands further out is constant."""
        extracted = self.extracted
        own = {column.relation for column in extracted.context.scope.fields}
        for reference in query.outer:
            loose = reference.relation in own and extracted.keys.place(replace(reference, outer=0)) is None
            if loose and not (self.told or self._is_doubtful(reference)):
                self.told = True
                written = extracted.context.statement.text[reference.place.start : reference.place.end]
                problem = f"Subquery uses '{written}' which must appear in GROUP BY clause"
                extracted.context.statement.record("EXPRESSION_NOT_AGGREGATE", problem, reference.place, "error")

    def _is_doubtful(self, expr: ColumnRef) -> bool:
        return expr.position < 0 or any(key.type.is_unchecked for key in self.extracted.keys.exprs)

    def _loose(self, expr: ColumnRef) -> typed.Expr:
        extracted = self.extracted
        if not (self.told or extracted.told or self._is_doubtful(expr)):
            self.told = True
            # Where there is no GROUP BY, its want is one mistake.
            extracted.told = not extracted.by_keys
            problem = f"'{expression_text(self.whole)}' must be an aggregate expression or appear in GROUP BY clause"
            extracted.context.fault("EXPRESSION_NOT_AGGREGATE", self.whole, problem)
        return Unchecked(type=expr.type, place=expr.place)


def grouping_sets(kind: str, sets: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The sets of keys that one element of GROUP BY stands for."""
    if kind == "rollup":
        return [tuple(key for group in sets[:count] for key in group) for count in range(len(sets), -1, -1)]
    if kind == "cube":
        chosen = (c for count in range(len(sets), -1, -1) for c in combinations(sets, count))
        return [tuple(key for group in c for key in group) for c in chosen]
    return sets


def combined(elements: list[list[tuple[int, ...]]], distinct: bool) -> tuple[tuple[int, ...], ...]:
    """The sets of keys of a whole GROUP BY: each choice of one set of every element."""
    sets = [tuple(dict.fromkeys(key for group in choice for key in group)) for choice in product(*elements)]
    return tuple({frozenset(keys): keys for keys in sets}.values()) if distinct else tuple(sets)
