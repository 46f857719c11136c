"""The typed tree: names, types, findings, and what its readers rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.trino.analysis import analyse, typed, typed_calls, typed_queries
from dapflow.trino.analysis.typed_queries import Join, Select, Subquery, Unnest
from dapflow.trino.analysis.walk import within
from tests.trino.analysis.catalogue import Tables, analysed, columns, findings
from tests.trino.analysis.invariants import broken

CASES = [case.strip().split("\n") for case in (Path(__file__).parent / "cases.txt").read_text().split("\n\n")]
SQL = ["\n".join(line for line in case if line[:2] not in {"= ", "! "}) for case in CASES]
RIGHT = [sql for sql, case in zip(SQL, CASES, strict=True) if case[-1].startswith("= ")]


@pytest.mark.parametrize(("sql", "case"), list(zip(SQL, CASES, strict=True)), ids=range(len(CASES)))
def test_output_columns_or_all_findings(sql: str, case: list[str]) -> None:
    expected = [line[2:] for line in case if line.startswith("! ")]
    assert findings(sql) == expected
    if not expected:
        assert f"= {columns(sql)}" == case[-1]


@pytest.mark.parametrize("text", RIGHT)
def test_a_typed_tree_is_whole(text: str) -> None:
    query = analysed(text).query
    assert query is not None
    assert not broken(query, "" if "delays" in text else text)


def test_a_table_that_is_not_known_is_no_mistake() -> None:
    result = analysed(
        "SELECT a, lower(b) || c, count(*), f.seats FROM foreign x JOIN planes f ON x.k = f.tailnum "
        "WHERE d > 1 GROUP BY 1, 2, 4"
    )
    assert not result.findings
    assert [str(column.type) for column in result.columns or ()] == ["unchecked", "unchecked", "bigint", "integer"]
    assert analysed("SELECT * FROM foreign").columns is None
    (problem,) = findings("SELECT f.nope FROM foreign x, planes f")
    assert problem == "COLUMN_NOT_FOUND 1:8 Column 'f.nope' cannot be resolved"


def select_of(text: str) -> Select:
    query = analysed(text).query
    assert query is not None
    assert isinstance(query.body, Select)
    return query.body


def test_groups_and_windows_are_lists_of_their_own() -> None:
    select = select_of(
        "SELECT f.carrier, sum(delay) + count(*), rank() OVER (ORDER BY sum(delay)) "
        "FROM flights f GROUP BY GROUPING SETS ((carrier), ()) HAVING count(*) > 1"
    )
    assert [aggregate.name for aggregate in select.aggregates] == ["sum", "count"]
    assert [window.name for window in select.windows] == ["rank"]
    assert select.sets == ((0,), ())
    assert isinstance(select.items[0], typed.KeyRef)
    assert isinstance(select.windows[0].window.order[0].expr, typed.AggregateRef)
    having = [type(node) for node in within(select.having)]
    assert typed.AggregateRef in having
    assert typed.ColumnRef not in having


def test_coercions_are_nodes_and_columns_have_places() -> None:
    select = select_of("SELECT year = distance FROM flights")
    item = select.items[0]
    assert isinstance(item, typed.Comparison)
    assert isinstance(item.left, typed.Coerce)
    assert isinstance(item.left.expr, typed.ColumnRef)
    assert isinstance(item.right, typed.ColumnRef)
    assert select.source is not None
    assert (item.right.relation, item.right.position) == (select.source.number, 3)


def test_references_to_a_query_around_are_marked() -> None:
    text = "SELECT * FROM planes p WHERE EXISTS (SELECT 1 FROM flights f WHERE f.carrier = p.carrier)"
    select = select_of(text)
    assert isinstance(select.where, typed_queries.Exists)
    assert [(reference.name, reference.outer) for reference in select.where.query.outer] == [("carrier", 1)]
    lateral = select_of("SELECT * FROM lists CROSS JOIN LATERAL (SELECT id + 1) CROSS JOIN UNNEST(xs)").source
    assert isinstance(lateral, Join)
    assert isinstance(lateral.right, Unnest)
    assert isinstance(lateral.left, Join)
    assert isinstance(lateral.left.right, Subquery)
    assert [reference.name for reference in lateral.left.right.query.outer] == ["id"]


def test_lambdas_have_typed_parameters_and_calls_their_signature() -> None:
    call = select_of("SELECT zip_with(xs, ARRAY['a'], (x, y) -> concat(y, CAST(x AS varchar))) FROM lists").items[0]
    assert isinstance(call, typed_calls.Call)
    assert call.signature == "zip_with(array(T), array(U), function(T,U,R))"
    body = call.args[2]
    assert isinstance(body, typed.Lambda)
    assert [str(parameter.type) for parameter in body.parameters] == ["bigint", "varchar(1)"]


def test_places_are_those_of_the_text() -> None:
    text = "SELECT a.year + (2 * 3), lower ( origin ) FROM flights AS a WHERE origin IS NOT NULL"
    select = select_of(text)
    shown = {type(node).__name__: text[node.place.start : node.place.end] for node in within(select.items[1])}
    assert shown == {"Call": "lower ( origin )", "ColumnRef": "origin"}
    assert text[slice(*select.items[0].place[:2])] == "a.year + (2 * 3"
    assert select.where is not None
    assert text[slice(*select.where.place[:2])] == "origin IS NOT NULL"
    assert select.source is not None
    assert text[slice(*select.source.place[:2])] == "flights"


def test_parameters_are_typed_where_they_stand() -> None:
    result = analyse(
        "SELECT * FROM planes WHERE seats > ? AND tailnum = ?", Tables(), "air", parameters=("1 + 1", "'x'")
    )
    assert not result.findings
    # A form that is read by its first argument counts it once.
    for form in ("substring(?, 1)", "substring(? FROM 1)", "position(? IN 'x')"):
        assert not analyse(f"SELECT {form}", Tables(), "air", parameters=("'x'",)).findings
    few = analyse("SELECT ?", Tables(), "air")
    assert few.findings[0].message == "Incorrect number of parameters: expected 1 but found 0"


def test_a_text_that_is_nested_too_deeply_is_one_finding() -> None:
    assert findings("SELECT " + "(" * 5000 + "1" + ")" * 5000) == [
        "SYNTAX_ERROR 1:1 statement is too large (stack overflow while parsing)"
    ]
