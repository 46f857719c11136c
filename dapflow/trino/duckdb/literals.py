"""Literals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from dapflow.trino.analysis import typed
from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.functions.json import canonical
from dapflow.trino.duckdb.nodes import FALSE, NULL, TRUE, Sql, Text, Word, sql
from dapflow.trino.duckdb.values import Value, type_sql
from dapflow.trino.moments import zone_info
from dapflow.trino.types import Type


def literal(node: typed.Literal) -> Value:
    """A value that is known now; `typed.Literal` says how it is held."""
    return Value(_WRITTEN[node.type.base](node.value, node.type), node.type, node.value)


def _null(*_: object) -> Sql:
    return NULL


def _boolean(value: bool, _: Type) -> Sql:
    return TRUE if value else FALSE


def _integer(value: int, t: Type) -> Sql:
    if t.base == "integer":
        return Word(str(value) if value >= 0 else f"({value})")
    return sql("CAST($number AS $t)", number=value, t=type_sql(t))


def _float(value: float, t: Type) -> Sql:
    return _read(repr(value), t)


def _read(text: str, t: Type) -> Sql:
    """A text that DuckDB reads as the type."""
    return sql("CAST($text AS $t)", text=Text(text), t=type_sql(t))


def _text(text: str, t: Type) -> Sql:
    # A char is held without the spaces that fill it up.
    return Text(text.rstrip(" ") if t.base == "char" else text)


def _bytes(value: bytes, _: Type) -> Sql:
    return sql("unhex($digits)", digits=Text(value.hex()))


def _json(text: str, _: Type) -> Sql:
    return Text(canonical(text))


def _zoned(text: str, _: Type) -> Sql:
    """A moment and its zone; the moment is computed now where Python knows the year."""
    stamp, _space, zone = text.rpartition(" ")
    try:
        local = dt.datetime.fromisoformat(stamp).replace(tzinfo=zone_info(zone))
        moment = local.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return sql("t_zoned(CAST($stamp AS TIMESTAMP), $zone)", stamp=Text(stamp), zone=Text(zone))
    return sql("{'u': TIMESTAMP $moment, 'z': $zone}", moment=Text(moment.isoformat(" ")), zone=Text(zone))


def _zoned_time(text: str, _: Type) -> Sql:
    stamp, _space, offset = text.rpartition(" ")
    return sql("{'t': TIME $stamp, 'o': CAST($offset AS INTEGER)}", stamp=Text(stamp), offset=int(offset))


_WRITTEN: dict[str, Callable[..., Sql]] = {
    "unknown": _null,
    "boolean": _boolean,
    **dict.fromkeys((*INTEGERS, "interval_ds", "interval_ym"), _integer),
    **dict.fromkeys(("real", "double"), _float),
    **dict.fromkeys(("decimal", "date", "timestamp", "time"), _read),
    **dict.fromkeys(("varchar", "char"), _text),
    "varbinary": _bytes,
    "json": _json,
    "timestamp_tz": _zoned,
    "time_tz": _zoned_time,
}
