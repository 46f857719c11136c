"""CAST between numbers, booleans and texts of them."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions.attempts import Converted, Fallible, Rule, checked, narrowed, plain, try_cast
from dapflow.trino.duckdb.conversions.text import text_sql
from dapflow.trino.duckdb.nodes import Sql, Text, Word, sql
from dapflow.trino.duckdb.values import cast, type_sql
from dapflow.trino.types import Type

#: Names that Trino uses in messages about failed casts.
_SHOUTED = {
    "integer": "INT",
    "bigint": "BIGINT",
    "smallint": "SMALLINT",
    "tinyint": "TINYINT",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "real": "REAL",
}
_INTEGER = r"[+-]?[0-9]+"
_FLOAT = r"\s*[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?))\s*"
_DECIMAL = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"


def _no_cast(kind: str, target: str) -> Callable[[Sql], Sql]:
    """A message that quotes the text of a value."""
    return lambda x: sql("$head || $x || $tail", head=Text(f"Cannot cast {kind}'"), x=x, tail=Text(f"' to {target}"))


def _decimal_name(t: Type) -> str:
    return f"DECIMAL({t.precision}, {t.scale})"


# ------------------------------------------------------------------------------------------------------- texts
def _matching(x: Sql, pattern: str, number: Sql) -> Sql:
    return sql("CASE WHEN regexp_full_match($x, $pattern) THEN $number END", x=x, pattern=Text(pattern), number=number)


def _text_integer(value: Sql, source: Type, target: Type) -> Fallible:
    return checked(
        text_sql(value, source),
        lambda x: _matching(x, _INTEGER, try_cast(x, target)),
        _no_cast("", _SHOUTED[target.base]),
        target,
    )


def _text_boolean(value: Sql, source: Type, target: Type) -> Fallible:
    return checked(
        text_sql(value, source),
        lambda x: sql(
            "CASE WHEN lower($x) IN ('t', 'true', '1') THEN TRUE WHEN lower($x) IN ('f', 'false', '0') THEN FALSE END",
            x=x,
        ),
        _no_cast("", "BOOLEAN"),
        target,
    )


def _text_float(value: Sql, source: Type, target: Type) -> Fallible:
    return checked(
        text_sql(value, source),
        lambda x: _matching(x, _FLOAT, try_cast(sql("rtrim(trim($x), 'dDfF')", x=x), target)),
        _no_cast("", _SHOUTED[target.base]),
        target,
    )


def _text_decimal(value: Sql, source: Type, target: Type) -> Fallible:
    return checked(
        text_sql(value, source),
        lambda x: _matching(x, _DECIMAL, try_cast(x, target)),
        _no_cast("VARCHAR ", _decimal_name(target)),
        target,
    )


# ----------------------------------------------------------------------------------------------------- numbers
def _number_boolean(value: Sql, *_: Type) -> Sql:
    return sql("($x <> 0)", x=value)


def _boolean_decimal(value: Sql, source: Type, target: Type) -> Fallible:
    return narrowed(sql("CAST($x AS INTEGER)", x=value), source, target)


def _float_integer(value: Sql, source: Type, target: Type) -> Fallible:
    rounded = "CASE WHEN isfinite($x) THEN TRY_CAST(round(CAST($x AS DOUBLE)) AS $t) END"
    head, tail = Text(f"Cannot cast {source.base} "), Text(f" to {target.base}")
    return checked(
        value,
        lambda x: sql(rounded, x=x, t=type_sql(target)),
        lambda x: sql("$head || t_double_text($x) || $tail", head=head, x=x, tail=tail),
        target,
    )


def _decimal_integer(value: Sql, _: Type, target: Type) -> Fallible:
    return checked(value, lambda x: try_cast(x, target), _no_cast("", target.base.upper()), target)


def _number_decimal(value: Sql, source: Type, target: Type) -> Converted:
    if _holds(source, target):
        return cast(value, target)
    message = _no_cast(f"{source.base.upper()} ", _decimal_name(target))
    if source.base in {"real", "double"}:
        return checked(
            value,
            lambda x: _float_decimal(x, source, target),
            lambda x: message(sql("t_double_text($x)", x=x)),
            target,
        )
    attempt = _integer_decimal if source.base in INTEGERS else try_cast
    return checked(value, lambda x: attempt(x, target), lambda x: message(sql("CAST($x AS VARCHAR)", x=x)), target)


def _holds(source: Type, target: Type) -> bool:
    """Whether every exact number of one type is one of a decimal type."""
    whole = target.precision - target.scale
    if source.base in INTEGERS:
        return whole >= INTEGERS[source.base]
    if source.base != "decimal":
        return False
    # Rounding may take one digit more before the point; where no digit is cut off, nothing is rounded.
    more = whole - (source.precision - source.scale)
    return more > 0 or (more == 0 and target.scale >= source.scale)


def _integer_decimal(x: Sql, target: Type) -> Sql:
    """Seen beforehand: a TRY_CAST of DuckDB's that fails here takes as long as ten that do not."""
    limit = 10 ** (target.precision - target.scale)
    return sql("CASE WHEN $x > -$limit AND $x < $limit THEN CAST($x AS $t) END", x=x, limit=limit, t=type_sql(target))


def _float_decimal(x: Sql, source: Type, target: Type) -> Sql:
    """By way of text, since Trino takes the shortest decimal that means this number."""
    shortest = "t_real_digits($x)" if source.base == "real" else "CAST($x AS VARCHAR)"
    return sql(
        "CASE WHEN isfinite($x) AND abs($x) < CAST($limit AS DOUBLE) THEN TRY_CAST($shortest AS $t) END",
        x=x,
        limit=Word(f"1e{target.precision - target.scale}"),
        shortest=sql(shortest, x=x),
        t=type_sql(target),
    )


def _rules() -> dict[tuple[str, str], Rule]:
    texts, floats = ("varchar", "char"), ("real", "double")
    rules: dict[tuple[str, str], Rule] = {
        ("double", "real"): narrowed,
        ("real", "double"): plain,
        ("decimal", "decimal"): _number_decimal,
        ("decimal", "boolean"): _number_boolean,
        ("boolean", "decimal"): _boolean_decimal,
    }
    for whole in INTEGERS:
        rules |= {
            (whole, "boolean"): _number_boolean,
            ("boolean", whole): plain,
            (whole, "decimal"): _number_decimal,
            ("decimal", whole): _decimal_integer,
        }
        rules |= {(whole, other): plain if INTEGERS[whole] <= INTEGERS[other] else narrowed for other in INTEGERS}
        rules |= {(whole, other): plain for other in floats}
        rules |= {(other, whole): _float_integer for other in floats}
        rules |= {(other, whole): _text_integer for other in texts}
    for real in floats:
        rules |= {
            (real, "boolean"): _number_boolean,
            ("boolean", real): plain,
            (real, "decimal"): _number_decimal,
            ("decimal", real): plain,
        }
        rules |= {(other, real): _text_float for other in texts}
    for text in texts:
        rules |= {(text, "decimal"): _text_decimal, (text, "boolean"): _text_boolean}
    return rules


NUMBERS = _rules()
