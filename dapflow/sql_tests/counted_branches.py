"""The results of CASE and IF in a query, each made to say that it was computed for a row."""

from __future__ import annotations

from dapflow.sql import SqlText
from dapflow.sql_tests.outcome import TransformPart
from dapflow.trino.analysis import typed
from dapflow.trino.analysis.typed_queries import Query
from dapflow.trino.analysis.walk import deep

#: So much of the text of a result is shown.
_SHOWN = 60


def count_branches(query: Query, text: SqlText) -> list[TransformPart]:
    """Change a query so that its results of CASE and IF are counted; their places by their numbers, from 0.

    Expressions that say the same in one place of the query, as in SELECT and ORDER BY, are counted as one: they have to
    stay the same. What a CASE gives without ELSE is not written, and not counted.
    """
    alike: dict[typed.Case, list[typed.Case]] = {}
    for node in {id(node): node for node in deep(query) if isinstance(node, typed.Case)}.values():
        alike.setdefault(node, []).append(node)
    groups = list(alike.values())
    places: list[TransformPart] = []
    for group in groups:
        first = len(places)
        places += [_part(result, text) for result in _results(group[0])]
        for case in group:
            _count(case, first)
    return places


def _results(case: typed.Case) -> list[typed.Expr]:
    default = [] if case.default is None else [case.default]
    return [*(result for _, result in case.whens), *default]


def _count(case: typed.Case, first: int) -> None:
    counted = [
        typed.CountedResult(type=result.type, place=result.place, expr=result, number=first + i)
        for i, result in enumerate(_results(case))
    ]
    case.whens = tuple((condition, result) for (condition, _), result in zip(case.whens, counted, strict=False))
    case.default = None if case.default is None else counted[-1]


def _part(result: typed.Expr, text: SqlText) -> TransformPart:
    line, column = text.place(result.place.start)
    words = " ".join(text.text[result.place.start : result.place.end].split())
    return TransformPart(line, column, words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…")
