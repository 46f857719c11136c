"""CAST and implicit conversion: one function for each pair of kinds of types, found by `cast`."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversion_json import from_json, to_json
from dapflow.trino.duckdb.conversion_text import text_sql
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.values import Value, failure, fresh, let
from dapflow.trino.types import Type, type_text

#: Names that Trino uses in messages about failed casts.
_SHOUTED = {"integer": "INT", "bigint": "BIGINT", "smallint": "SMALLINT", "tinyint": "TINYINT", "boolean": "BOOLEAN"}
_INTEGER_TEXT = "'[+-]?[0-9]+'"


def coerce(value: Value, target: Type) -> Value:
    """A value as the type wanted; the caller knows that it may be coerced."""
    if value.type == target:
        return value
    if value.type.base == "unknown":
        return Value(f"CAST(NULL AS {duck_type(target)})", target)
    return Value(convert(value.sql, value.type, target), target, value.const)


def same_form(source: Type, target: Type) -> bool:
    """Whether every value of one type is held by DuckDB just as in the other."""
    if source == target:
        return True
    if source.base != target.base or duck_type(source) != duck_type(target):
        return False
    if source.base == "varchar":
        return target.length is None or (source.length is not None and source.length <= target.length)
    if source.base == "char":
        return (source.length or 0) <= (target.length or 0)
    if source.base in {"timestamp", "time", "timestamp_tz", "time_tz"}:
        return source.precision <= target.precision
    return all(same_form(a, b) for a, b in zip(source.args, target.args, strict=True))


def convert(sql: str, source: Type, target: Type) -> str:
    """SQL of a value as another type; fails when it runs where Trino's CAST fails."""
    if source.base == "unknown":
        return f"CAST(NULL AS {duck_type(target)})"
    if same_form(source, target):
        return sql
    if target.base == "json":
        return to_json(sql, source)
    if source.base == "json":
        return from_json(sql, target, convert)
    if source.base == target.base and source.args:
        return _NESTED[source.base](sql, source, target)
    return _RULES[source.base, target.base](sql, source, target)


# ------------------------------------------------------------------------------------------------- nested
def _array(sql: str, source: Type, target: Type) -> str:
    name = fresh("e")
    return f"list_transform({sql}, lambda {name}: {convert(name, source.args[0], target.args[0])})"


def _map(sql: str, source: Type, target: Type) -> str:
    name = fresh("e")
    key = convert(f"({name}).key", source.args[0], target.args[0])
    value = convert(f"({name}).value", source.args[1], target.args[1])
    made = f"map_from_entries(list_transform(map_entries({sql}), lambda {name}: {{'key': {key}, 'value': {value}}}))"
    return f"CAST({made} AS {duck_type(target)})"


def _row(sql: str, source: Type, target: Type) -> str:
    def body(x: str) -> str:
        parts = [
            f"{quote(new)}: {convert(f'({x}).{quote(old)}', a, b)}"
            for old, new, a, b in zip(field_names(source), field_names(target), source.args, target.args, strict=True)
        ]
        return f"CASE WHEN {x} IS NOT NULL THEN {{{', '.join(parts)}}} END"

    return let(sql, body, limit=120)


# ------------------------------------------------------------------------------------------------ scalars
def _plain(sql: str, _: Type, target: Type) -> str:
    return f"CAST({sql} AS {duck_type(target)})"


def _number_boolean(sql: str, *_: Type) -> str:
    return f"({sql} <> 0)"


def _boolean_decimal(sql: str, _: Type, target: Type) -> str:
    return f"CAST(CAST({sql} AS INTEGER) AS {duck_type(target)})"


def _checked(sql: str, attempt: Callable[[str], str], message: Callable[[str], str], target: Type) -> str:
    """An attempt that gives NULL on failure, with Trino's failure when the value was not NULL."""

    def body(x: str) -> str:
        failing = failure("INVALID_CAST_ARGUMENT", message(x), target)
        return f"coalesce({attempt(x)}, CASE WHEN {x} IS NOT NULL THEN {failing} END)"

    return let(sql, body)


def _text_integer(sql: str, source: Type, target: Type) -> str:
    duck = duck_type(target)
    return _checked(
        _padded(sql, source),
        lambda x: f"CASE WHEN regexp_full_match({x}, {_INTEGER_TEXT}) THEN TRY_CAST({x} AS {duck}) END",
        lambda x: f"'Cannot cast ''' || {x} || ''' to {_SHOUTED[target.base]}'",
        target,
    )


def _text_boolean(sql: str, source: Type, target: Type) -> str:
    return _checked(
        _padded(sql, source),
        lambda x: (
            f"CASE WHEN lower({x}) IN ('t', 'true', '1') THEN TRUE WHEN lower({x}) IN ('f', 'false', '0') THEN "
            f"FALSE END"
        ),
        lambda x: f"'Cannot cast ''' || {x} || ''' to BOOLEAN'",
        target,
    )


def _text_float(sql: str, source: Type, target: Type) -> str:
    duck = duck_type(target)
    pattern = "'\\s*[+-]?(NaN|Infinity|((\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?[dDfF]?))\\s*'"
    return _checked(
        _padded(sql, source),
        lambda x: f"CASE WHEN regexp_full_match({x}, {pattern}) THEN TRY_CAST(rtrim(trim({x}), 'dDfF') AS {duck}) END",
        lambda x: f"'Cannot cast ''' || {x} || ''' to {duck if duck == 'DOUBLE' else 'REAL'}'",
        target,
    )


def _text_decimal(sql: str, source: Type, target: Type) -> str:
    duck, p, s = duck_type(target), target.precision, target.scale
    pattern = "'[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?'"
    return _checked(
        _padded(sql, source),
        lambda x: f"CASE WHEN regexp_full_match({x}, {pattern}) THEN TRY_CAST({x} AS {duck}) END",
        lambda x: f"'Cannot cast VARCHAR ''' || {x} || ''' to DECIMAL({p}, {s})'",
        target,
    )


def _float_integer(sql: str, source: Type, target: Type) -> str:
    duck = duck_type(target)
    kind = source.base
    return _checked(
        sql,
        lambda x: f"CASE WHEN isfinite({x}) THEN TRY_CAST(round(CAST({x} AS DOUBLE)) AS {duck}) END",
        lambda x: f"'Cannot cast {kind} ' || t_double_text({x}) || ' to {target.base}'",
        target,
    )


def _decimal_integer(sql: str, source: Type, target: Type) -> str:
    duck = duck_type(target)
    return _checked(
        sql,
        lambda x: f"TRY_CAST({x} AS {duck})",
        lambda x: f"'Cannot cast ''' || {x} || ''' to {target.base.upper()}'",
        target,
    )


def _number_decimal(sql: str, source: Type, target: Type) -> str:
    if source.base in INTEGERS and target.precision - target.scale >= INTEGERS[source.base]:
        return f"CAST({sql} AS {duck_type(target)})"
    if source.base == "decimal":
        # Rounding may take one digit more before the point; where no digit is cut off, nothing is rounded.
        more = target.precision - target.scale - (source.precision - source.scale)
        if more > 0 or (more == 0 and target.scale >= source.scale):
            return f"CAST({sql} AS {duck_type(target)})"
    kind = "DECIMAL" if source.base == "decimal" else source.base.upper()
    if source.base in {"real", "double"}:
        # By way of text, since Trino takes the shortest decimal that means this number.
        limit = f"CAST(1e{target.precision - target.scale} AS DOUBLE)"
        shortest = "t_real_digits({})" if source.base == "real" else "CAST({} AS VARCHAR)"
        return _checked(
            sql,
            lambda x: (
                f"CASE WHEN isfinite({x}) AND abs({x}) < {limit} THEN "
                f"TRY_CAST({shortest.format(x)} AS {duck_type(target)}) END"
            ),
            lambda x: (
                f"'Cannot cast {kind} ''' || t_double_text({x}) || ''' to DECIMAL({target.precision}, {target.scale})'"
            ),
            target,
        )
    shown = f"'Cannot cast {kind} '''"
    return _checked(
        sql,
        lambda x: f"TRY_CAST({x} AS {duck_type(target)})",
        lambda x: f"{shown} || CAST({x} AS VARCHAR) || ''' to DECIMAL({target.precision}, {target.scale})'",
        target,
    )


def _integer_integer(sql: str, source: Type, target: Type) -> str:
    return f"CAST({sql} AS {duck_type(target)})"


# --------------------------------------------------------------------------------------------------- text
def _padded(sql: str, source: Type) -> str:
    return f"rpad({sql}, {source.length}, ' ')" if source.base == "char" else sql


def _varchar_varchar(sql: str, source: Type, target: Type) -> str:
    sql = _padded(sql, source)
    if target.length is None or (source.length is not None and source.length <= target.length):
        return sql
    return f"left({sql}, {target.length})"


def _to_char(sql: str, source: Type, target: Type) -> str:
    if source.length is not None and source.length <= (target.length or 0):
        return f"rtrim({sql}, ' ')"
    return f"rtrim(left({sql}, {target.length}), ' ')"


def _to_text(sql: str, source: Type, target: Type) -> str:
    text = text_sql(sql, source)
    if target.length is None:
        return text if target.base == "varchar" else f"rtrim({text}, ' ')"
    kind = type_text(target)

    def body(x: str) -> str:
        failing = failure("INVALID_CAST_ARGUMENT", f"'Value ' || {x} || ' cannot be represented as {kind}'", target)
        return f"CASE WHEN length({x}) > {target.length} THEN {failing} ELSE {x} END"

    return let(text, body)


# ------------------------------------------------------------------------------------------- dates, times
def _text_date(sql: str, source: Type, target: Type) -> str:
    return _checked(sql, lambda x: f"t_parse_date({x})", lambda x: f"'Value cannot be cast to date: ' || {x}", target)


def _timestamp_date(sql: str, *_: Type) -> str:
    return f"CAST({sql} AS DATE)"


def _round_timestamp(sql: str, source_precision: int, precision: int) -> str:
    if source_precision <= precision or precision >= 6:
        return sql
    return f"t_round_timestamp({sql}, {10 ** (6 - precision)})"


def _timestamp_timestamp(sql: str, source: Type, target: Type) -> str:
    return _round_timestamp(sql, source.precision, target.precision)


def _timestamp_time(sql: str, source: Type, target: Type) -> str:
    return _round_time(f"CAST({sql} AS TIME)", source.precision, target.precision)


def _round_time(sql: str, source_precision: int, precision: int) -> str:
    if source_precision <= precision or precision >= 6:
        return sql
    return f"t_round_time({sql}, {10 ** (6 - precision)})"


def _time_time(sql: str, source: Type, target: Type) -> str:
    return _round_time(sql, source.precision, target.precision)


def _date_timestamp(sql: str, *_: Type) -> str:
    return f"CAST({sql} AS TIMESTAMP)"


def _date_zoned(sql: str, *_: Type) -> str:
    return f"t_zone_struct(CAST({sql} AS TIMESTAMP), 'UTC')"


def _timestamp_zoned(sql: str, source: Type, target: Type) -> str:
    return f"t_zone_struct({_round_timestamp(sql, source.precision, target.precision)}, 'UTC')"


def _zoned_timestamp(sql: str, source: Type, target: Type) -> str:
    return _round_timestamp(f"t_local({sql})", source.precision, target.precision)


def _zoned_zoned(sql: str, source: Type, target: Type) -> str:
    if source.precision <= target.precision or target.precision >= 6:
        return sql
    return f"t_zoned_round({sql}, {10 ** (6 - target.precision)})"


def _zoned_date(sql: str, *_: Type) -> str:
    return f"CAST(t_local({sql}) AS DATE)"


def _zoned_time(sql: str, source: Type, target: Type) -> str:
    return _round_time(f"CAST(t_local({sql}) AS TIME)", source.precision, target.precision)


def _zoned_zoned_time(sql: str, source: Type, target: Type) -> str:
    def body(x: str, local: str) -> str:
        time = _round_time(f"CAST({local} AS TIME)", source.precision, target.precision)
        return f"t_time_zoned({time}, t_offset_at({x}, {local}))"

    return let(sql, lambda x: let(f"t_local({x})", lambda local: body(x, local)))


def _time_zoned_time(sql: str, source: Type, target: Type) -> str:
    return f"t_time_zoned({_round_time(sql, source.precision, target.precision)}, 0)"


def _zoned_time_time(sql: str, source: Type, target: Type) -> str:
    return _round_time(f"t_time_local({sql})", source.precision, target.precision)


def _zoned_time_zoned_time(sql: str, source: Type, target: Type) -> str:
    if source.precision <= target.precision or target.precision >= 6:
        return sql

    def body(x: str) -> str:
        return f"t_time_zoned({_round_time(f't_time_local({x})', source.precision, target.precision)}, ({x}).o)"

    return let(sql, body)


def _time_timestamp(sql: str, source: Type, target: Type) -> str:
    return _round_timestamp(f"(t_today() + {sql})", source.precision, target.precision)


def _time_timestamp_zoned(sql: str, source: Type, target: Type) -> str:
    return f"t_zone_struct({_time_timestamp(sql, source, target)}, 'UTC')"


def _zoned_time_timestamp(sql: str, source: Type, target: Type) -> str:
    return _round_timestamp(f"(t_today() + t_time_local({sql}))", source.precision, target.precision)


def _zoned_time_timestamp_zoned(sql: str, source: Type, target: Type) -> str:
    def body(x: str) -> str:
        local = _round_timestamp(f"(t_today() + t_time_local({x}))", source.precision, target.precision)
        return f"t_zoned({local}, t_offset_text(({x}).o))"

    return let(sql, body)


def _text_moment(parser: str, shown: str) -> Callable[[str, Type, Type], str]:
    def rule(sql: str, source: Type, target: Type) -> str:
        return _checked(
            sql,
            lambda x: f"{parser}({x}, {target.precision})",
            lambda x: f"'Value cannot be cast to {shown}: ' || {x}",
            target,
        )

    return rule


def _text_uuid(sql: str, source: Type, target: Type) -> str:
    return _checked(
        sql,
        lambda x: f"CASE WHEN length({x}) = 36 THEN CAST(TRY_CAST({x} AS UUID) AS VARCHAR) END",
        lambda x: f"'Invalid UUID string length: ' || length({x})",
        target,
    )


def _uuid_binary(sql: str, *_: Type) -> str:
    return f"unhex(replace({sql}, '-', ''))"


def _binary_uuid(sql: str, source: Type, target: Type) -> str:
    return _checked(
        sql,
        lambda x: f"CASE WHEN octet_length({x}) = 16 THEN CAST(TRY_CAST(hex({x}) AS UUID) AS VARCHAR) END",
        lambda x: f"'Invalid UUID binary length: ' || octet_length({x})",
        target,
    )


def _text_address(sql: str, source: Type, target: Type) -> str:
    return _checked(sql, lambda x: f"py_ip({x})", lambda x: f"'Cannot cast value to IPADDRESS: ' || {x}", target)


def _address_binary(sql: str, *_: Type) -> str:
    return f"py_ip_binary({sql})"


def _binary_address(sql: str, *_: Type) -> str:
    return f"py_binary_ip({sql})"


_Rule = Callable[[str, Type, Type], str]
_NESTED: dict[str, _Rule] = {"array": _array, "map": _map, "row": _row}
_RULES: dict[tuple[str, str], _Rule] = {}
for _a in INTEGERS:
    _RULES[_a, "boolean"] = _number_boolean
    _RULES["boolean", _a] = _plain
    _RULES["decimal", _a] = _decimal_integer
    _RULES[_a, "decimal"] = _number_decimal
    for _b in INTEGERS:
        _RULES[_a, _b] = _integer_integer
    for _b in ("real", "double"):
        _RULES[_a, _b] = _plain
        _RULES[_b, _a] = _float_integer
    for _b in ("varchar", "char"):
        _RULES[_b, _a] = _text_integer
for _a in ("real", "double"):
    _RULES[_a, "boolean"] = _number_boolean
    _RULES["boolean", _a] = _plain
    _RULES["decimal", _a] = _plain
    _RULES[_a, "decimal"] = _number_decimal
    for _b in ("real", "double"):
        _RULES[_a, _b] = _plain
    for _b in ("varchar", "char"):
        _RULES[_b, _a] = _text_float
_RULES["decimal", "decimal"] = _number_decimal
_RULES["decimal", "boolean"] = _number_boolean
_RULES["boolean", "decimal"] = _boolean_decimal
for _a in ("varchar", "char"):
    _RULES[_a, "decimal"] = _text_decimal
    _RULES[_a, "boolean"] = _text_boolean
    _RULES[_a, "varchar"] = _varchar_varchar
    _RULES[_a, "char"] = _to_char
    _RULES[_a, "date"] = _text_date
    _RULES[_a, "uuid"] = _text_uuid
    _RULES[_a, "ipaddress"] = _text_address
    _RULES[_a, "timestamp"] = _text_moment("t_parse_timestamp", "timestamp")
    _RULES[_a, "timestamp_tz"] = _text_moment("py_parse_zoned", "timestamp with time zone")
    _RULES[_a, "time"] = _text_moment("t_parse_time", "time")
    _RULES[_a, "time_tz"] = _text_moment("py_parse_time_zoned", "time with time zone")
for _a in (
    *INTEGERS,
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
):
    _RULES[_a, "varchar"] = _to_text
    _RULES[_a, "char"] = _to_text


def _text_binary(sql: str, source: Type, _: Type) -> str:
    return f"encode({_padded(sql, source)})"


for _a in ("varchar", "char"):
    _RULES[_a, "varbinary"] = _text_binary
_RULES |= {
    ("timestamp", "timestamp"): _timestamp_timestamp,
    ("timestamp", "date"): _timestamp_date,
    ("timestamp", "time"): _timestamp_time,
    ("timestamp", "timestamp_tz"): _timestamp_zoned,
    ("time", "time"): _time_time,
    ("time", "time_tz"): _time_zoned_time,
    ("time", "timestamp"): _time_timestamp,
    ("time", "timestamp_tz"): _time_timestamp_zoned,
    ("date", "timestamp"): _date_timestamp,
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
    ("uuid", "varbinary"): _uuid_binary,
    ("varbinary", "uuid"): _binary_uuid,
    ("ipaddress", "varbinary"): _address_binary,
    ("varbinary", "ipaddress"): _binary_address,
}
