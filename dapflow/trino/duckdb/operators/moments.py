"""Arithmetic of dates, times, moments and intervals."""

from __future__ import annotations

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.nodes import Sql, Word, sql
from dapflow.trino.duckdb.values import Value, cast
from dapflow.trino.types import Type

INTERVALS = frozenset({"interval_ds", "interval_ym"})


def moments(op: str, a: Value, b: Value, t: Type) -> Value:
    """`+ - * /` where a moment or an interval is on one side; `t` is what they give."""
    if op in {"*", "/"}:
        result = _scaled(op, b, a) if b.type.base in INTERVALS else _scaled(op, a, b)
    elif a.type.base in INTERVALS and b.type.base in INTERVALS:
        result = sql("($a $op $b)", a=a.sql, op=Word(op), b=b.sql)
    elif a.type.base in INTERVALS:
        result = _shifted(b, a.sql, a.type)
    elif b.type.base in INTERVALS:
        result = _shifted(a, b.sql if op == "+" else sql("(-$amount)", amount=b.sql), b.type)
    else:
        result = _difference(a.sql, b.sql, a.type)
    return Value(result, t)


def _scaled(op: str, interval: Value, factor: Value) -> Sql:
    whole = {"*": "($x * $by)", "/": "($x // $by)"}[op]
    part = {"*": "trunc($x * $by)", "/": "trunc($x / $by)"}[op]
    template = whole if factor.type.base in INTEGERS else part
    return cast(sql(template, x=interval.sql, by=factor.sql), interval.type)


#: A moment and a number of months or milliseconds.
_SHIFTED = {
    ("date", "interval_ym"): "CAST($x + to_months($by) AS DATE)",
    ("timestamp", "interval_ym"): "($x + to_months($by))",
    ("timestamp_tz", "interval_ym"): "t_zoned_months($x, $by)",
    ("date", "interval_ds"): "t_date_plus($x, $by)",
    ("timestamp", "interval_ds"): "($x + to_milliseconds($by))",
    ("timestamp_tz", "interval_ds"): "t_zoned_plus($x, $by)",
    ("time", "interval_ds"): "t_time_plus($x, $by)",
    ("time_tz", "interval_ds"): "t_time_zoned_plus($x, $by)",
}
#: Milliseconds between two moments of one type.
_BETWEEN = {
    "date": "(CAST($a - $b AS BIGINT) * 86400000)",
    "timestamp": "t_ms(epoch_us($a) - epoch_us($b))",
    "timestamp_tz": "t_ms(epoch_us(t_instant($a)) - epoch_us(t_instant($b)))",
    "time": "t_ms(epoch_us($a) - epoch_us($b))",
    "time_tz": "t_ms(t_time_instant($a) - t_time_instant($b))",
}


def _shifted(moment: Value, amount: Sql, unit: Type) -> Sql:
    return sql(_SHIFTED[moment.type.base, unit.base], x=moment.sql, by=amount)


def _difference(a: Sql, b: Sql, t: Type) -> Sql:
    return sql(_BETWEEN[t.base], a=a, b=b)
