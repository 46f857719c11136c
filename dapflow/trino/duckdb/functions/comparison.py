"""The greatest and the least of several values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.registry import lowering
from dapflow.trino.duckdb.nodes import Sql, joined, sql
from dapflow.trino.duckdb.operators import holds_float, nan_lowest
from dapflow.trino.duckdb.resolution import CallTemplate, fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall


def _extreme(name: str) -> CallTemplate:
    def template(call: LoweredCall) -> Sql:
        t, slots = call.type, [f"${i}" for i, _ in enumerate(call.args, 1)]
        missing = " OR ".join(f"{x} IS NULL" for x in slots)
        if t.base in {"double", "real"}:
            # For DuckDB nothing is greater than NaN; for Trino it is greatest or least where nothing else is there.
            numbers = ", ".join(f"CASE WHEN isnan({x}) THEN NULL ELSE {x} END" for x in slots)
            extreme = f"coalesce({name}({numbers}), CAST('NaN' AS $ret))"
        elif name == "greatest" and holds_float(t):
            return _greatest_whole(call)
        else:
            extreme = f"{name}({', '.join(slots)})"
        return fill(f"CASE WHEN {missing} THEN NULL ELSE {extreme} END", call)

    return template


def _greatest_whole(call: LoweredCall) -> Sql:
    """The greatest of values with floating point numbers in them."""
    given = [argument.sql for argument in call.args]
    missing = joined(" OR ", [sql("$x IS NULL", x=x) for x in given])
    pairs = joined(", ", [sql("{'k': $key, 'v': $x}", key=nan_lowest(x, call.type), x=x) for x in given])
    return sql("CASE WHEN $missing THEN NULL ELSE (greatest($pairs)).v END", missing=missing, pairs=pairs)


for _name in ("greatest", "least"):
    lowering(f"{_name}(O, O...)", _extreme(_name))
