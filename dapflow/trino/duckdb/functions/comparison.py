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
        t, given = call.type, [argument.sql for argument in call.args]
        missing = joined(" OR ", [sql("$x IS NULL", x=x) for x in given])
        if t.base in {"double", "real"}:
            # For DuckDB nothing is greater than NaN; for Trino it is greatest or least where nothing else is there.
            numbers = joined(", ", [sql("CASE WHEN isnan($x) THEN NULL ELSE $x END", x=x) for x in given])
            extreme = fill(f"coalesce({name}($numbers), CAST('NaN' AS $ret))", call, numbers=numbers)
        elif name == "greatest" and holds_float(t):
            pairs = joined(", ", [sql("{'k': $key, 'v': $x}", key=nan_lowest(x, t), x=x) for x in given])
            extreme = sql("(greatest($pairs)).v", pairs=pairs)
        else:
            extreme = fill(f"{name}($all)", call)
        return sql("CASE WHEN $missing THEN NULL ELSE $extreme END", missing=missing, extreme=extreme)

    return template


for _name in ("greatest", "least"):
    lowering(f"{_name}(O, O...)", _extreme(_name))
