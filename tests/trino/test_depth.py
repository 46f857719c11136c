"""Expressions within expressions: what DuckDB is given grows with them by addition, or is refused by name."""

from __future__ import annotations

import pytest

from dapflow.trino.analysis import analyse
from dapflow.trino.duckdb import QueryError, compile_query
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import expression_text
from dapflow.trino.syntax.statements import parse
from tests.trino.cases import CASES
from tests.trino.conftest import Run, Tables


def type_of(text: str) -> str | None:
    """The type of a query's column; None where there is a mistake in it."""
    analysed = analyse(text, Tables(), "raw")
    return analysed.columns[0].type if analysed.columns and not analysed.findings else None


def nested_calls(times: int) -> dict[str, str]:
    """Queries with a call within itself, for each function and each of its arguments that may be its result."""
    queries = {}
    for case in (case for cases in CASES.values() for case in cases):
        for call in tree.nodes(parse(f"SELECT {case.text}")):
            if not isinstance(call, tree.Call) or call.filter or call.over or call.order or call.distinct:
                continue
            for at in range(len(call.args)):
                name = f"{call.name} {at}"
                if name not in queries and (t := type_of(nested(call, at, 2))) and t == type_of(nested(call, at, 3)):
                    queries[name] = nested(call, at, times)
    return queries


def nested(call: tree.Call, at: int, times: int) -> str:
    """A query for a call in place of its own argument, so many times."""
    args = [expression_text(arg) for arg in call.args]
    before, behind = "".join(f"{arg}, " for arg in args[:at]), "".join(f", {arg}" for arg in args[at + 1 :])
    return "SELECT " + f"{call.name}({before}" * times + args[at] + f"{behind})" * times


def test_every_function_may_be_called_within_itself() -> None:
    queries, refused = nested_calls(times=40), {}
    assert len(queries) > 150
    for name, text in queries.items():
        try:
            compile_query(text, Tables(), "raw")
        except QueryError as error:
            refused[name] = str(error)
    assert refused == {}


@pytest.mark.parametrize(
    ("before", "inner", "behind", "levels"),
    [
        ("TRY(1 / ", "1", ")", 15),
        ("ARRAY[", "1", "]", 12),
        ("ROW(", "1", ")", 49),
        ("transform(ARRAY[1], x -> ", "x", ")", 9),
        ("reduce(ARRAY[1], 1, (s, x) -> ", "s * x", ", s -> s)", 7),
        ("greatest(1, ", "1", ")", 60),
        ("substring(", "'a'", ", 1)", 60),
        ("strpos('a', CAST(", "1", " AS varchar))", 60),
    ],
)
def test_what_is_nested_runs_or_is_refused_by_name(before: str, inner: str, behind: str, levels: int, run: Run) -> None:
    run(f"SELECT {before * levels}{inner}{behind * levels}")
    try:
        run(f"SELECT {before * 100}{inner}{behind * 100}")
    except QueryError as error:
        assert error.error_name == "NOT_SUPPORTED"


def test_what_is_wrong_in_a_lambda_in_a_lambda_is_said_once() -> None:
    text = "SELECT transform(ARRAY[1], x -> transform(ARRAY[x], y -> transform(ARRAY[y], z -> nowhere)))"
    assert [str(finding.error()) for finding in analyse(text, Tables(), "raw").findings] == [
        "COLUMN_NOT_FOUND: line 1:83: Column 'nowhere' cannot be resolved"
    ]
