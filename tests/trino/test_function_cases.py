"""What each function of the table gives: types and texts, by the cases beside this file."""

from __future__ import annotations

import re
from importlib import import_module

import duckdb
import pytest

from dapflow.trino.analysis import analyse
from dapflow.trino.analysis.walk import within
from dapflow.trino.duckdb import QueryError, compile_query, translate_error
from dapflow.trino.functions import FUNCTIONS, SPECIAL_FORMS
from dapflow.trino.functions.refused import FAMILIES, REFUSED
from tests.trino.cases import CASES, Case
from tests.trino.conftest import Tables


def outcome(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """What comes of a case, in the words of its file."""
    try:
        query = compile_query(f"SELECT {text}", Tables(), "raw")
        rows = connection.execute(query.text_sql).fetchall()
    except (QueryError, duckdb.Error) as error:
        return f"! {translate_error(error)}"
    (column,) = query.columns
    shown = " | ".join("NULL" if value is None else value for (value,) in rows)
    return f"= {column.type}: {shown}" if shown else f"= {column.type}:"


def holds(case: Case, given: str) -> bool:
    """Whether a case holds; an error without a message stands for any message."""
    return given == case.expected or (
        re.fullmatch(r"! [A-Z_]+", case.expected) is not None and given.startswith(f"{case.expected}: ")
    )


@pytest.mark.parametrize("topic", CASES)
def test_the_cases_of_a_topic(connection: duckdb.DuckDBPyConnection, topic: str) -> None:
    outcomes = [(case, outcome(connection, case.text)) for case in CASES[topic]]
    assert [(case.text, case.expected, given) for case, given in outcomes if not holds(case, given)] == []


@pytest.mark.parametrize("topic", CASES)
def test_each_function_of_a_topic_has_a_case_that_calls_it(topic: str) -> None:
    if topic == "special_forms":
        names = set(SPECIAL_FORMS)
    else:
        names = {row.name for row in import_module(f"dapflow.trino.functions.{topic}").FUNCTIONS}
    assert {case.name for case in CASES[topic]} == names
    for case in CASES[topic]:
        assert re.search(rf"\b{case.name}\(", case.text), case.text


def test_every_way_to_call_a_function_has_a_case() -> None:
    called = set()
    for case in (case for cases in CASES.values() for case in cases):
        query = analyse(f"SELECT {case.text}", Tables(), "raw").query
        called |= {getattr(node, "signature", None) for node in within(query.body)} if query is not None else set()
    signatures = {signature.text for row in FUNCTIONS.values() for signature in row.signatures}
    # Its result has nine digits of a second: known, and refused.
    assert signatures - called == {"from_unixtime_nanos(bigint)"}


@pytest.mark.parametrize("name", [*sorted(REFUSED), *(f"{family}x" for family in FAMILIES)])
def test_what_is_known_and_cannot_be_run_is_refused_by_its_name(
    connection: duckdb.DuckDBPyConnection, name: str
) -> None:
    assert outcome(connection, f"{name}(1, 'a')") == f"! NOT_SUPPORTED: line 1:8: Function {name} is not supported"
