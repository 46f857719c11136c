"""CAST between dates, times, moments, and texts of them."""

from __future__ import annotations

from dapflow.trino.duckdb.conversions.attempts import Fallible, Rule, checked, narrowed
from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.duckdb.values import let
from dapflow.trino.types import Type


def _unit(precision: int) -> int:
    """The microseconds that a precision tells apart."""
    return int(10 ** (6 - precision))


def _loses_digits(source: Type, target: Type) -> bool:
    """Whether digits of the second are lost."""
    return source.precision > target.precision and target.precision < 6


def _round_timestamp(value: Sql, source: Type, target: Type) -> Sql:
    if not _loses_digits(source, target):
        return value
    return sql("t_round_timestamp($x, $unit)", x=value, unit=_unit(target.precision))


def _round_time(value: Sql, source: Type, target: Type) -> Sql:
    if not _loses_digits(source, target):
        return value
    return sql("t_round_time($x, $unit)", x=value, unit=_unit(target.precision))


def _in_utc(local: Sql) -> Sql:
    return sql("t_zone_struct($local, 'UTC')", local=local)


# ------------------------------------------------------------------------------------------ dates, timestamps
def _date_zoned(value: Sql, *_: Type) -> Fallible:
    return Fallible(
        lambda: _in_utc(sql("CAST($x AS TIMESTAMP)", x=value)),
        lambda: _in_utc(sql("TRY_CAST($x AS TIMESTAMP)", x=value)),
    )


def _timestamp_date(value: Sql, *_: Type) -> Sql:
    return sql("CAST($x AS DATE)", x=value)


def _timestamp_time(value: Sql, source: Type, target: Type) -> Sql:
    return _round_time(sql("CAST($x AS TIME)", x=value), source, target)


def _timestamp_zoned(value: Sql, source: Type, target: Type) -> Sql:
    return _in_utc(_round_timestamp(value, source, target))


def _zoned_timestamp(value: Sql, source: Type, target: Type) -> Sql:
    return _round_timestamp(sql("t_local($x)", x=value), source, target)


def _zoned_zoned(value: Sql, source: Type, target: Type) -> Sql:
    if not _loses_digits(source, target):
        return value
    return sql("t_zoned_round($x, $unit)", x=value, unit=_unit(target.precision))


def _zoned_date(value: Sql, *_: Type) -> Sql:
    return sql("CAST(t_local($x) AS DATE)", x=value)


def _zoned_time(value: Sql, source: Type, target: Type) -> Sql:
    return _round_time(sql("CAST(t_local($x) AS TIME)", x=value), source, target)


def _zoned_zoned_time(value: Sql, source: Type, target: Type) -> Sql:
    def body(x: Sql, local: Sql) -> Sql:
        time = _round_time(sql("CAST($local AS TIME)", local=local), source, target)
        return sql("t_time_zoned($time, t_offset_at($x, $local))", time=time, x=x, local=local)

    return let(value, lambda x: let(sql("t_local($x)", x=x), lambda local: body(x, local)))


# ------------------------------------------------------------------------------------------------------- times
def _time_zoned_time(value: Sql, source: Type, target: Type) -> Sql:
    return sql("t_time_zoned($time, 0)", time=_round_time(value, source, target))


def _zoned_time_time(value: Sql, source: Type, target: Type) -> Sql:
    return _round_time(sql("t_time_local($x)", x=value), source, target)


def _zoned_time_zoned_time(value: Sql, source: Type, target: Type) -> Sql:
    if not _loses_digits(source, target):
        return value

    def body(x: Sql) -> Sql:
        return sql("t_time_zoned($time, ($x).o)", time=_zoned_time_time(x, source, target), x=x)

    return let(value, body)


def _time_timestamp(value: Sql, source: Type, target: Type) -> Sql:
    return _round_timestamp(sql("(t_today() + $x)", x=value), source, target)


def _time_timestamp_zoned(value: Sql, source: Type, target: Type) -> Sql:
    return _in_utc(_time_timestamp(value, source, target))


def _zoned_time_timestamp(value: Sql, source: Type, target: Type) -> Sql:
    return _round_timestamp(sql("(t_today() + t_time_local($x))", x=value), source, target)


def _zoned_time_timestamp_zoned(value: Sql, source: Type, target: Type) -> Sql:
    def body(x: Sql) -> Sql:
        return sql("t_zoned($local, t_offset_text(($x).o))", local=_zoned_time_timestamp(x, source, target), x=x)

    return let(value, body)


# ------------------------------------------------------------------------------------------------------- texts
def _read(parser: str, shown: str) -> Rule:
    """Texts, which a macro reads."""
    head = Text(f"Value cannot be cast to {shown}: ")

    def rule(value: Sql, _: Type, target: Type) -> Fallible:
        return checked(
            value,
            lambda x: sql(parser, x=x, precision=target.precision),
            lambda x: sql("$head || $x", head=head, x=x),
            target,
        )

    return rule


_READ = {
    "date": _read("t_parse_date($x)", "date"),
    "timestamp": _read("t_parse_timestamp($x, $precision)", "timestamp"),
    "timestamp_tz": _read("t_parse_zoned($x, $precision)", "timestamp with time zone"),
    "time": _read("t_parse_time($x, $precision)", "time"),
    "time_tz": _read("t_parse_time_zoned($x, $precision)", "time with time zone"),
}
MOMENTS: dict[tuple[str, str], Rule] = {
    **{(text, target): rule for text in ("varchar", "char") for target, rule in _READ.items()},
    ("timestamp", "timestamp"): _round_timestamp,
    ("timestamp", "date"): _timestamp_date,
    ("timestamp", "time"): _timestamp_time,
    ("timestamp", "timestamp_tz"): _timestamp_zoned,
    ("time", "time"): _round_time,
    ("time", "time_tz"): _time_zoned_time,
    ("time", "timestamp"): _time_timestamp,
    ("time", "timestamp_tz"): _time_timestamp_zoned,
    ("date", "timestamp"): narrowed,
    ("date", "timestamp_tz"): _date_zoned,
    ("timestamp_tz", "timestamp"): _zoned_timestamp,
    ("timestamp_tz", "timestamp_tz"): _zoned_zoned,
    ("timestamp_tz", "date"): _zoned_date,
    ("timestamp_tz", "time"): _zoned_time,
    ("timestamp_tz", "time_tz"): _zoned_zoned_time,
    ("time_tz", "time"): _zoned_time_time,
    ("time_tz", "time_tz"): _zoned_time_zoned_time,
    ("time_tz", "timestamp"): _zoned_time_timestamp,
    ("time_tz", "timestamp_tz"): _zoned_time_timestamp_zoned,
}
