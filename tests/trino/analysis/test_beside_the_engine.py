"""The analysis says what the engine says of a text: the same columns, or first the same error at the same place."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dapflow.trino.analysis import analyse, lineage, meaning, usage
from dapflow.trino.catalogue import Column, Relation
from dapflow.trino.duckdb import compile_query
from dapflow.trino.errors import QueryError
from tests.mistakes import FILES, GENERATION, TABLES, text_of
from tests.trino import corpus
from tests.trino.cases import CASES
from tests.trino.test_queries import QUERIES
from tests.trino.test_values import VALUES

TPCH = Path(__file__).parents[2] / "fixtures" / "sql" / "tpch"
#: Prefixes of the columns of TPC-H's tables, with what is not a text.
_TPCH = {
    "nation": "n_ nationkey:bigint name regionkey:bigint comment",
    "region": "r_ regionkey:bigint name comment",
    "part": "p_ partkey:bigint name mfgr brand type size:integer container retailprice:decimal(15,2) comment",
    "supplier": "s_ suppkey:bigint name address nationkey:bigint phone acctbal:decimal(15,2) comment",
    "customer": "c_ custkey:bigint name address nationkey:bigint phone acctbal:decimal(15,2) mktsegment comment",
    "partsupp": "ps_ partkey:bigint suppkey:bigint availqty:integer supplycost:decimal(15,2) comment",
    "orders": "o_ orderkey:bigint custkey:bigint orderstatus totalprice:decimal(15,2) orderdate:date orderpriority "
    "clerk shippriority:integer comment",
    "lineitem": "l_ orderkey:bigint partkey:bigint suppkey:bigint linenumber:integer quantity:decimal(15,2) "
    "extendedprice:decimal(15,2) discount:decimal(15,2) tax:decimal(15,2) returnflag linestatus shipdate:date "
    "commitdate:date receiptdate:date shipinstruct shipmode comment",
}


class Known:
    """The tables of TPC-H and of the mistakes."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.trino.catalogue."""
        del catalog
        bare = name.removesuffix("_history")
        if bare in TABLES:
            types = {"string": "varchar", "timestamp": "timestamp(3)", "array<string>": "array(varchar)"}
            columns = [Column(column, types.get(kind, kind)) for column, kind in TABLES[bare].items()]
            columns += [Column(column, "varchar") for column in GENERATION]
        elif name in _TPCH:
            prefix, *parts = _TPCH[name].split()
            columns = [Column(prefix + part.partition(":")[0], part.partition(":")[2] or "varchar") for part in parts]
        else:
            return None
        return Relation("awsdatacatalog", database or "default", name, tuple(columns))

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return database in {"default", "housing_raw_zone"}


def _said(error: QueryError) -> tuple[Any, ...]:
    return error.error_name, error.message, error.line, error.column


def engine(text: str) -> Any:
    """The engine's columns or error."""
    try:
        return compile_query(text, Known(), "default").columns
    except QueryError as error:
        return _said(error)


def analysis(text: str) -> Any:
    """The analysis's columns or first finding."""
    found = analyse(text, Known(), "default")
    return _said(found.findings[0].error()) if found.findings else found.columns


TEXTS = [
    *(f"SELECT {row[0]}" for row in VALUES),
    *(row[0] for row in QUERIES),
    *(f"SELECT {case.text}" for cases in CASES.values() for case in cases if case.expected.startswith("= ")),
    *(file.read_text(encoding="utf-8") for file in sorted(TPCH.glob("*.sql"))),
    *map(text_of, FILES),
]


def test_the_texts_of_the_tests() -> None:
    assert len(TEXTS) > 300
    assert [(text, analysis(text)) for text in TEXTS if engine(text) != analysis(text)] == []


@pytest.mark.slow
def test_the_corpus() -> None:
    folder = corpus.folder()
    if folder is None:
        pytest.skip(f"{corpus.VARIABLE} does not say where the corpus is")
    cases = corpus.cases(folder, corpus.runner(folder))
    texts = [case[name] for case in cases for name in sorted(case.keys() & {"sql", "expected_sql"})]
    differing = [text for text in texts if engine(text) != analysis(text)]
    assert len(differing) <= len(texts) // 1000, differing[:10]


def mutated(count: int, seed: int) -> Iterator[str]:
    """Texts of the tests with some of their words dropped, or replaced by words of others."""
    chance = random.Random(seed)  # noqa: S311 - the same texts each time
    words = [re.findall(r"\w+|'[^']*'|\s+|[^\w\s]", text) for text in TEXTS]
    for _ in range(count):
        mixed = list(chance.choice(words))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(mixed))
            mixed[at] = "" if chance.random() < 0.3 else chance.choice(chance.choice((mixed, *words[:5], words[-1])))
        yield "".join(mixed)


@pytest.mark.parametrize("count", [3_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_whatever_is_typed_is_analysed(count: int) -> None:
    for text in mutated(count, seed=count):
        found = analyse(text, Known(), "default")
        assert found.query is not None or found.findings, text
        if found.query is not None:
            assert found.node is not None
            lineage(found.query)
            usage(found.query)
            meaning(found.query, found.node)
