"""Every query of the tests, and the tables that they name."""

from __future__ import annotations

from pathlib import Path

from dapflow.trino.catalogue import ColumnMetadata, Relation
from tests.mistakes import FILES, GENERATION, TABLES, text_of
from tests.trino.cases import CASES
from tests.trino.test_queries import QUERIES
from tests.trino.test_values import VALUES

TPCH = Path(__file__).parents[1] / "fixtures" / "sql" / "tpch"
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
            columns = [ColumnMetadata(column, types.get(kind, kind)) for column, kind in TABLES[bare].items()]
            columns += [ColumnMetadata(column, "varchar") for column in GENERATION]
        elif name in _TPCH:
            prefix, *parts = _TPCH[name].split()
            columns = [
                ColumnMetadata(prefix + part.partition(":")[0], part.partition(":")[2] or "varchar") for part in parts
            ]
        else:
            return None
        return Relation("awsdatacatalog", database or "default", name, tuple(columns))

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return database in {"default", "housing_raw_zone"}


TEXTS = [
    *(f"SELECT {row[0]}" for row in VALUES),
    *(row[0] for row in QUERIES),
    *(f"SELECT {case.text}" for cases in CASES.values() for case in cases if case.expected.startswith("= ")),
    *(file.read_text(encoding="utf-8") for file in sorted(TPCH.glob("*.sql"))),
    *map(text_of, FILES),
]
