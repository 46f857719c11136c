"""CAST to and from texts of a length, bytes, UUIDs and addresses."""

from __future__ import annotations

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions.attempts import Converted, Fallible, Rule, checked
from dapflow.trino.duckdb.conversions.text import text_sql
from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.duckdb.values import failure, let
from dapflow.trino.types import Type, type_text

#: Types besides integers whose values have a text.
_SHOWN = (
    "boolean",
    "real",
    "double",
    "decimal",
    "date",
    "timestamp",
    "timestamp_tz",
    "time",
    "time_tz",
    "interval_ds",
    "interval_ym",
    "uuid",
    "ipaddress",
)


def _varchar_varchar(value: Sql, source: Type, target: Type) -> Sql:
    text = text_sql(value, source)
    if target.length is None or (source.length is not None and source.length <= target.length):
        return text
    return sql("left($text, $length)", text=text, length=target.length)


def _to_char(value: Sql, source: Type, target: Type) -> Sql:
    if source.length is not None and source.length <= (target.length or 0):
        return sql("rtrim($x, ' ')", x=value)
    return sql("rtrim(left($x, $length), ' ')", x=value, length=target.length or 0)


def _to_text(value: Sql, source: Type, target: Type) -> Converted:
    text = text_sql(value, source)
    length = target.length
    if length is None:
        return text if target.base == "varchar" else sql("rtrim($text, ' ')", text=text)
    tail = Text(f" cannot be represented as {type_text(target)}")

    def failing(x: Sql) -> Sql:
        message = sql("'Value ' || $x || $tail", x=x, tail=tail)
        error = failure("INVALID_CAST_ARGUMENT", message, target)
        return sql("CASE WHEN length($x) > $length THEN $error ELSE $x END", x=x, length=length, error=error)

    def or_null(x: Sql) -> Sql:
        return sql("CASE WHEN length($x) <= $length THEN $x END", x=x, length=length)

    return Fallible(lambda: let(text, failing), lambda: let(text, or_null))


def _text_binary(value: Sql, source: Type, _: Type) -> Sql:
    return sql("encode($text)", text=text_sql(value, source))


def _text_uuid(value: Sql, _: Type, target: Type) -> Fallible:
    return checked(
        value,
        lambda x: sql("CASE WHEN length($x) = 36 THEN CAST(TRY_CAST($x AS UUID) AS VARCHAR) END", x=x),
        lambda x: sql("'Invalid UUID string length: ' || length($x)", x=x),
        target,
    )


def _uuid_binary(value: Sql, *_: Type) -> Sql:
    return sql("unhex(replace($x, '-', ''))", x=value)


def _binary_uuid(value: Sql, _: Type, target: Type) -> Fallible:
    return checked(
        value,
        lambda x: sql("CASE WHEN octet_length($x) = 16 THEN CAST(TRY_CAST(hex($x) AS UUID) AS VARCHAR) END", x=x),
        lambda x: sql("'Invalid UUID binary length: ' || octet_length($x)", x=x),
        target,
    )


def _text_address(value: Sql, _: Type, target: Type) -> Fallible:
    return checked(
        value,
        lambda x: sql("py_ip($x)", x=x),
        lambda x: sql("'Cannot cast value to IPADDRESS: ' || $x", x=x),
        target,
    )


def _address_binary(value: Sql, *_: Type) -> Sql:
    return sql("py_ip_binary($x)", x=value)


def _binary_address(value: Sql, *_: Type) -> Fallible:
    def or_null(x: Sql) -> Sql:
        return sql("CASE WHEN octet_length($x) IN (4, 16) THEN py_binary_ip($x) END", x=x)

    return Fallible(lambda: sql("py_binary_ip($x)", x=value), lambda: let(value, or_null))


def _rules() -> dict[tuple[str, str], Rule]:
    rules: dict[tuple[str, str], Rule] = {
        ("uuid", "varbinary"): _uuid_binary,
        ("varbinary", "uuid"): _binary_uuid,
        ("ipaddress", "varbinary"): _address_binary,
        ("varbinary", "ipaddress"): _binary_address,
    }
    for text in ("varchar", "char"):
        rules |= {
            (text, "varchar"): _varchar_varchar,
            (text, "char"): _to_char,
            (text, "uuid"): _text_uuid,
            (text, "ipaddress"): _text_address,
            (text, "varbinary"): _text_binary,
        }
        rules |= {(other, text): _to_text for other in (*INTEGERS, *_SHOWN)}
    return rules


STRINGS = _rules()
