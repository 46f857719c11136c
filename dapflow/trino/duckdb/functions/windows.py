"""Window functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.registry import lowering
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.duckdb.resolution import CallTemplate, fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

for _name in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist"):
    lowering(f"{_name}()", f"{_name}()$tail")
lowering(
    "ntile(bigint)",
    "CASE WHEN $1 IS NULL THEN NULL WHEN $1 <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Buckets must be "
    "greater than 0') AS BIGINT) "
    "ELSE ntile(CASE WHEN $1 > 0 THEN $1 ELSE 1 END)$tail END",
)
lowering("first_value(T)", "first_value($1$nulls)$tail")
lowering("last_value(T)", "last_value($1$nulls)$tail")
lowering(
    "nth_value(T, bigint)",
    "CASE WHEN $2 < 1 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Offset must be at least 1') AS $ret) "
    "WHEN $2 IS NOT NULL THEN nth_value($1, greatest($2, 1)$nulls)$tail END",
)


def _shifted(plain: str) -> CallTemplate:
    # With an offset of 0 the row itself is meant, NULL or not.
    checked = (
        "CASE WHEN $2 < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Offset must be at least 0') AS $ret) "
        f"WHEN $2 IS NULL THEN NULL ELSE CASE WHEN $2 = 0 THEN $1 ELSE {plain} END END"
    )

    def by_offset(call: LoweredCall) -> Sql:
        offset = call.args[1].const
        return fill(plain if isinstance(offset, int) and offset > 0 else checked, call)

    return by_offset


for _name in ("lag", "lead"):
    lowering(f"{_name}(T)", f"{_name}($1$nulls)$tail")
    lowering(f"{_name}(T, bigint)", _shifted(f"{_name}($1, $2$nulls)$tail"))
    lowering(f"{_name}(T, bigint, T)", _shifted(f"{_name}($1, $2, $3$nulls)$tail"))
