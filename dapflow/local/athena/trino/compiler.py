"""From a Trino query to a DuckDB query."""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify  # noqa: F401

from dapflow.local.athena.trino.errors import QueryError
from dapflow.local.athena.trino.model import Catalog, Column, Query, Scan


def compile_query(text: str, catalog: Catalog, database: str | None, *, parameters: Sequence[str] = ()) -> Query:
    """Compile a query. Names without a database are looked up in `database`."""
    try:
        tree = sqlglot.parse_one(text, read="athena")
    except SqlglotError as error:
        first = getattr(error, "errors", None) or [{}]
        raise QueryError("SYNTAX_ERROR", "mismatched input", first[0].get("line"), first[0].get("col")) from None
    scans: list[Scan] = []
    ctes = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if not table.name or (not table.db and table.name.lower() in ctes):
            continue
        db = table.db.lower() or None
        relation = catalog.relation(table.catalog.lower() or None, db, table.name.lower())
        if relation is None:
            raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{db or database}.{table.name}' does not exist")
        name = f"scan_{len(scans)}"
        scans.append(Scan(name, relation, tuple(c.name for c in relation.columns)))
        alias = table.alias or table.name
        table.replace(exp.alias_(exp.to_table(name), alias, table=True))
    sql = tree.sql(dialect="duckdb")
    names = [p.alias_or_name or f"_col{i}" for i, p in enumerate(tree.selects)] if isinstance(tree, exp.Query) else []
    return Query(sql, tuple(Column(n, "varchar") for n in names), tuple(scans), f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})")
