"""Window functions."""

from __future__ import annotations

from dapflow.trino.duckdb.functions.registry import lowering

for _name in ("row_number", "rank", "dense_rank"):
    lowering(f"{_name}()", f"{_name}(){{tail}}")
for _name in ("percent_rank", "cume_dist"):
    lowering(f"{_name}()", f"{_name}(){{tail}}")
lowering(
    "ntile(bigint)",
    "CASE WHEN $1 IS NULL THEN NULL WHEN $1 <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Buckets must be "
    "greater than 0') AS BIGINT) "
    "ELSE ntile(CASE WHEN $1 > 0 THEN $1 ELSE 1 END){tail} END",
)
lowering("first_value(T)", "first_value($1{nulls}){tail}")
lowering("last_value(T)", "last_value($1{nulls}){tail}")
lowering(
    "nth_value(T, bigint)",
    "CASE WHEN $2 < 1 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Offset must be at least 1') AS $ret) "
    "WHEN $2 IS NOT NULL THEN nth_value($1, greatest($2, 1){nulls}){tail} END",
)
_OFFSET = (
    "CASE WHEN $2 < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Offset must be at least 0') AS $ret) "
    "WHEN $2 IS NULL THEN NULL ELSE # END"
)
for _name in ("lag", "lead"):
    lowering(f"{_name}(T)", f"{_name}($1{{nulls}}){{tail}}")
    lowering(
        f"{_name}(T, bigint)",
        lambda call, n=_name: _shifted(call, n, ""),  # type: ignore[misc]
    )
    lowering(
        f"{_name}(T, bigint, T)",
        lambda call, n=_name: _shifted(call, n, ", $3"),  # type: ignore[misc]
    )


def _shifted(call, name: str, default: str) -> str:  # type: ignore[no-untyped-def]
    from dapflow.trino.duckdb.resolution import fill  # noqa: PLC0415 - it imports the registry

    plain = f"{name}($1, $2{default}{{nulls}}){{tail}}"
    if isinstance(call.args[1].const, int) and call.args[1].const > 0:
        return fill(plain, call)
    # With an offset of 0 the row itself is meant, NULL or not.
    return fill(_OFFSET.replace("#", f"CASE WHEN $2 = 0 THEN $1 ELSE {plain} END"), call)
