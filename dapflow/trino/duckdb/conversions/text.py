"""Values as text: what CAST to varchar gives, and what Athena prints."""

from __future__ import annotations

from dapflow.trino.duckdb.nodes import FieldOf, Sql, Text, Variable, joined, sql
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import let
from dapflow.trino.types import Type

#: Types of which one macro makes the text.
_BY_MACRO = {
    "double": "t_double_cast($x)",
    "real": "t_real_cast($x)",
    "interval_ds": "t_interval_ds_text($x)",
    "interval_ym": "t_interval_ym_text($x)",
}


def text_sql(value: Sql, source: Type) -> Sql:
    """The text that CAST(x AS varchar) gives."""
    base = source.base
    if base == "varchar":
        return value
    if base == "char":
        return sql("rpad($x, $length, ' ')", x=value, length=source.length or 0)
    if base in _BY_MACRO:
        return sql(_BY_MACRO[base], x=value)
    if base == "date":
        return let(value, lambda x: sql("t_date_text($x)", x=x))
    if base == "timestamp":
        return _timestamp(value, source.precision)
    if base == "time":
        return _time(value, source.precision)
    if base == "timestamp_tz":
        return let(value, lambda x: _zoned(x, source.precision), limit=20)
    if base == "time_tz":
        return let(value, lambda x: _zoned_time(x, source.precision), limit=120)
    if base == "decimal" and source.precision == source.scale < 38:
        more, scale = source.precision + 1, source.scale
        return sql("CAST(CAST($x AS DECIMAL($more, $scale)) AS VARCHAR)", x=value, more=more, scale=scale)
    if base == "decimal" and source.scale == 38:
        return sql("regexp_replace(CAST($x AS VARCHAR), '^(-?)\\.', '\\10.')", x=value)
    return sql("CAST($x AS VARCHAR)", x=value)


def _timestamp(value: Sql, precision: int) -> Sql:
    return let(value, lambda x: _cut(sql("t_timestamp_text($x)", x=x), precision), limit=0)


def _zoned(value: Sql, precision: int) -> Sql:
    local = _timestamp(sql("t_local($x)", x=value), precision)
    return sql("($local || ' ' || ($x).z)", local=local, x=value)


def _time(value: Sql, precision: int) -> Sql:
    return _cut(sql("t_time_text($x)", x=value), precision)


def _zoned_time(value: Sql, precision: int) -> Sql:
    local = _time(sql("t_time_local($x)", x=value), precision)
    return sql("($local || t_offset_text(($x).o))", local=local, x=value)


def _cut(text: Sql, precision: int) -> Sql:
    """A text that ends in a second with six digits, with fewer of them."""
    if precision >= 6:
        return text
    return sql("left($text, $length)", text=text, length=precision - 6 if precision else -7)


_PRINTED = {"double": "t_double_text($x)", "real": "t_real_text($x)", "varbinary": "t_binary_text($x)"}


def print_sql(value: Sql, source: Type) -> Sql:
    """The text that Athena shows; NULL stays NULL."""
    base = source.base
    if base in _PRINTED:
        return sql(_PRINTED[base], x=value)
    if base == "array":
        e = Variable("e")
        item = _inner(e, source.args[0])
        return sql(
            "CASE WHEN $x IS NOT NULL THEN '[' || t_joined(list_transform($x, lambda $e: $item), ', ') || ']' END",
            x=value,
            e=e,
            item=item,
        )
    if base == "map":
        return _printed_map(value, source)
    if base == "row":
        return let(value, lambda x: _printed_row(x, source), limit=60)
    return text_sql(value, source)


def _printed_map(value: Sql, source: Type) -> Sql:
    e = Variable("e")
    return sql(
        "CASE WHEN $x IS NOT NULL THEN "
        "'{' || t_joined(list_transform(map_entries($x), lambda $e: $key || '=' || $value), ', ') || '}' END",
        x=value,
        e=e,
        key=_inner(sql("($e).key", e=e), source.args[0]),
        value=_inner(sql("($e).value", e=e), source.args[1]),
    )


def _printed_row(x: Sql, source: Type) -> Sql:
    names = source.names or tuple(None for _ in source.args)
    parts = []
    for i, (held, shown, kind) in enumerate(zip(field_names(source), names, source.args, strict=True)):
        label = Text(f"{', ' if i else '{'}{shown if shown is not None else f'field{i}'}=")
        parts.append(sql("$label || $value", label=label, value=_inner(FieldOf(x, held), kind)))
    return sql("CASE WHEN $x IS NOT NULL THEN $parts || '}' END", x=x, parts=joined(" || ", parts))


def _inner(value: Sql, source: Type) -> Sql:
    return sql("coalesce($text, 'null')", text=print_sql(value, source))
