"""Macros and functions that conversions between types rely on."""

from __future__ import annotations

import ipaddress
from decimal import ROUND_HALF_UP, Decimal, localcontext

from dapflow.trino.duckdb.functions.registry import macro, udf


class Failure(Exception):
    """An error of the query itself, with Trino's error name before the colon."""


@udf("fail", ["VARCHAR"], "INTEGER")
def fail(message: str) -> int:
    """Fail the query with a message that starts with Trino's error name."""
    raise Failure(message)


# --------------------------------------------------------------------------------------------- numbers as text
# A macro is written out where it is called, its arguments wherever they stand in it. What is used more than once is
# bound by a lambda or left to a Python function: to bind a query costs more than to run it on few rows.
#: Of the smallest numbers Java writes two digits, though one would do.
macro("t_two_digits(x) AS format('{:.1e}', CAST(x AS DOUBLE))")
macro("t_plain(x) AS x = 0 OR (abs(x) >= 1e-3 AND abs(x) < 1e7)")
macro(
    "t_double_text(x) AS CASE WHEN t_plain(x) THEN CAST(x AS VARCHAR) "
    "ELSE py_scientific(CASE WHEN abs(x) < 1e-322 THEN t_two_digits(x) ELSE CAST(x AS VARCHAR) END) END"
)
#: Java cuts the digits of a large whole number that 24 bits do not tell apart, however many it takes to name it.
macro("t_real_unit(x) AS t_power_ten(CAST(floor((floor(log2(abs(x))) - 24) * log10(2)) AS INTEGER))")
macro(
    "t_real_digits(x) AS CASE WHEN abs(x) < 16777216 OR abs(x) >= 4e18 THEN CAST(x AS VARCHAR) "
    "ELSE list_transform([t_real_unit(x)], lambda unit: "
    "CAST(t_divide_round(CAST(x AS HUGEINT), unit) * unit AS VARCHAR))[1] END"
)
macro(
    "t_real_text(x) AS CASE WHEN t_plain(x) THEN CAST(x AS VARCHAR) "
    "ELSE py_scientific(CASE WHEN abs(x) < 1e-44 THEN t_two_digits(x) ELSE t_real_digits(x) END) END"
)
#: CAST to varchar always writes an exponent.
macro("t_double_cast(x) AS py_scientific(CAST(x AS VARCHAR))")
macro("t_real_cast(x) AS py_scientific(format('{:.6e}', CAST(x AS DOUBLE)))")


@udf("py_scientific", ["VARCHAR"], "VARCHAR")
def scientific(text: str) -> str:
    """A floating point number as DuckDB writes it, with an exponent as Java writes one: `1.5E0`, `-0E0`, `Infinity`."""
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    if text == "nan":
        return "NaN"
    if text == "inf":
        return f"{sign}Infinity"
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return f"{sign}0E0"
    return f"{sign}{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - len(fraction) - 1 + int(power or 0)}"


macro(
    "t_double_json(x) AS list_transform([t_double_text(x)], lambda shown: "
    "CASE WHEN isfinite(x) THEN shown ELSE '\"' || shown || '\"' END)[1]"
)
macro("t_real_json(x) AS t_double_json(x)")

# --------------------------------------------------------------------------------------------------- intervals
macro(
    "t_interval_ds_text(x) AS CASE WHEN x < 0 THEN '-' ELSE '' END || (abs(x) // 86400000) || ' ' || "
    "lpad(CAST(abs(x) // 3600000 % 24 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(x) // 60000 % 60 AS "
    "VARCHAR), 2, '0') || ':' || "
    "lpad(CAST(abs(x) // 1000 % 60 AS VARCHAR), 2, '0') || '.' || lpad(CAST(abs(x) % 1000 AS VARCHAR), 3, '0')"
)
macro("t_interval_ym_text(x) AS CASE WHEN x < 0 THEN '-' ELSE '' END || (abs(x) // 12) || '-' || (abs(x) % 12)")

# -------------------------------------------------------------------------------------------------- collections
macro(
    "t_all(x) AS list_transform([x], lambda tests: CASE WHEN list_contains(tests, FALSE) THEN FALSE "
    "WHEN list_count(tests) = len(tests) THEN TRUE END)[1]"
)
macro(
    "t_any(x) AS list_transform([x], lambda tests: CASE WHEN list_contains(tests, TRUE) THEN TRUE "
    "WHEN list_count(tests) = len(tests) THEN FALSE END)[1]"
)
#: Of no text the empty one. DuckDB's array_to_string is a macro that writes its argument twice.
macro("t_joined(xs, sep) AS coalesce(list_aggregate(xs, 'string_agg', sep), '')")
macro("t_binary_text(x) AS rtrim(regexp_replace(lower(hex(x)), '(..)', '\\1 ', 'g'))")
macro("t_json_quote(x) AS CAST(to_json(CAST(x AS VARCHAR)) AS VARCHAR)")
macro("t_json_digits(x) AS CASE x WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE x END")
macro("t_json_keys(x) AS list_transform(json_keys(x), lambda named: lower(named))")
macro(
    "t_json_repeats(x, names) AS list_transform([list_filter(t_json_keys(x), lambda key: list_contains(names, key))], "
    "lambda keys: len(keys) <> list_unique(keys))[1]"
)
#: Of an object: what stands under each key, NULL where there is none.
macro(
    "t_json_members(x, names) AS list_transform([{'keys': t_json_keys(x), 'given': json_extract(x, '$.*')}], "
    "lambda object: list_transform(names, lambda name: object.given[list_position(object.keys, name)]))[1]"
)
macro(
    "t_json_unfit(x, kind) AS fail('INVALID_CAST_ARGUMENT: Cannot cast to ' || kind || '. Cannot cast ' || x "
    "|| ' to ' || kind)"
)
macro(
    "t_divide_round(n, d) AS CASE WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END * ((abs(n) * 2 + abs(d)) // (abs(d) * 2))"
)
macro("t_ms(us) AS (us + CASE WHEN us < 0 THEN -500 ELSE 500 END) // 1000")


# ---------------------------------------------------------------------------------- decimals past 128 bits
@udf("py_decimal_divide", ["VARCHAR", "VARCHAR", "INTEGER"], "VARCHAR")
def decimal_divide(a: str, b: str, scale: int) -> str:
    """a / b, rounded half up."""
    with localcontext() as context:
        context.prec = 120
        if Decimal(b) == 0:
            raise Failure("DIVISION_BY_ZERO: Division by zero")
        quotient = (Decimal(a) / Decimal(b)).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
        return _fits(quotient)


@udf("py_decimal_add", ["VARCHAR", "VARCHAR", "INTEGER"], "VARCHAR")
def decimal_add(a: str, b: str, scale: int) -> str:
    """a + b, each of which must fit 128 bits without its point."""
    with localcontext() as context:
        context.prec = 120
        parts = [Decimal(text).scaleb(scale) for text in (a, b)]
        if any(abs(part) >= 2**127 for part in parts):
            raise Failure("NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
        return _fits(sum(parts, Decimal(0)).scaleb(-scale))


@udf("py_decimal_mod", ["VARCHAR", "VARCHAR"], "VARCHAR")
def decimal_mod(a: str, b: str) -> str:
    """a % b, with the sign of a."""
    with localcontext() as context:
        context.prec = 120
        if Decimal(b) == 0:
            raise Failure("DIVISION_BY_ZERO: Division by zero")
        return _fits(Decimal(a) % Decimal(b))


@udf("py_decimal_shift", ["VARCHAR", "INTEGER"], "VARCHAR")
def decimal_shift(a: str, scale: int) -> str:
    """An integer with a point put into it."""
    with localcontext() as context:
        context.prec = 120
        return format(Decimal(a).scaleb(-scale), "f")


def _fits(number: Decimal) -> str:
    if len(number.as_tuple().digits) > 38:
        raise Failure("NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
    return format(number, "f")


# ------------------------------------------------------------------------------------------------ addresses
@udf("py_ip", ["VARCHAR"], "VARCHAR")
def ip(text: str) -> str | None:
    """An address in its canonical form."""
    try:
        return _ip_text(ipaddress.ip_address(text))
    except ValueError:
        return None


def _ip_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


@udf("py_ip_binary", ["VARCHAR"], "BLOB")
def ip_binary(text: str) -> bytes:
    """An address as 16 bytes."""
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


@udf("py_binary_ip", ["BLOB"], "VARCHAR")
def binary_ip(data: bytes) -> str:
    """An address of 4 or 16 bytes."""
    if len(data) not in {4, 16}:
        raise Failure(f"INVALID_CAST_ARGUMENT: Invalid InetAddress binary length: {len(data)}")
    return _ip_text(ipaddress.ip_address(data))
