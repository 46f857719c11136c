"""`||`."""

from __future__ import annotations

from dapflow.trino.duckdb.nodes import Sql, sql
from dapflow.trino.duckdb.values import Value
from dapflow.trino.types import VARCHAR, Type


def concat(a: Value, b: Value) -> Value:
    """a || b, of the types that `analysis.operators.concat` wants of them."""
    x, y = a.type, b.type
    if "array" in {x.base, y.base}:
        return _concat_arrays(a, b)
    if "char" in {x.base, y.base}:
        t = Type("char", length=(x.length or 0) + (y.length or 0))
        return Value(sql("rtrim($a || $b, ' ')", a=_padded(a), b=b.sql), t)
    return Value(sql("($a || $b)", a=a.sql, b=b.sql), VARCHAR if x.base == "varchar" else x)


def _padded(value: Value) -> Sql:
    if value.type.base != "char":
        return value.sql
    return sql("rpad($x, $length, ' ')", x=value.sql, length=value.type.length or 0)


def _concat_arrays(a: Value, b: Value) -> Value:
    x, y = a.type, b.type
    if x.base == y.base and x == y:
        return Value(sql("($a || $b)", a=a.sql, b=b.sql), x)
    both = "CASE WHEN $a IS NOT NULL AND $b IS NOT NULL THEN"
    if x.base == "array" and x.args[0] == y:
        return Value(sql(f"{both} list_append($a, $b) END", a=a.sql, b=b.sql), x)
    return Value(sql(f"{both} list_prepend($a, $b) END", a=a.sql, b=b.sql), y)
