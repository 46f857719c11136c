"""CAST to JSON. A JSON value is held as its canonical text."""

from __future__ import annotations

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions.text import text_sql
from dapflow.trino.duckdb.nodes import FieldOf, Sql, Text, Variable, joined, sql
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import let, null
from dapflow.trino.types import VARCHAR, Type


def to_json(value: Sql, source: Type) -> Sql:
    """CAST(x AS JSON)."""
    base = source.base
    if base == "json":
        return value
    if base in INTEGERS or base in {"boolean", "decimal"}:
        return text_sql(value, source)
    if base == "double":
        return sql("t_double_json($x)", x=value)
    if base == "real":
        return sql("t_real_json($x)", x=value)
    if base in {"varchar", "char"}:
        return sql("t_json_quote($text)", text=text_sql(value, source))
    if base == "unknown":
        return null(VARCHAR)
    if base == "array":
        e = Variable("e")
        item = _or_null(e, source.args[0])
        whole = "CASE WHEN $x IS NOT NULL THEN '[' || t_joined(list_transform($x, lambda $e: $item), ',') || ']' END"
        return let(value, lambda x: sql(whole, x=x, e=e, item=item), limit=60)
    if base == "map":
        return let(value, lambda x: _map_to_json(x, source), limit=60)
    if base == "row":
        return let(value, lambda x: _row_to_json(x, source), limit=60)
    return sql("""('"' || $text || '"')""", text=text_sql(value, source))


def _or_null(value: Sql, source: Type) -> Sql:
    return sql("coalesce($json, 'null')", json=to_json(value, source))


def _map_to_json(value: Sql, source: Type) -> Sql:
    e = Variable("e")
    kind = source.args[0]
    key = sql("($e).key", e=e)
    return sql(
        "CASE WHEN $x IS NOT NULL THEN '{' || t_joined(list_sort(list_transform(map_entries($x), "
        "lambda $e: t_json_quote($key) || ':' || $value)), ',') || '}' END",
        x=value,
        e=e,
        key=to_json(key, kind) if kind.base in {"double", "real"} else text_sql(key, kind),
        value=_or_null(sql("($e).value", e=e), source.args[1]),
    )


def _row_to_json(x: Sql, source: Type) -> Sql:
    names = source.names or tuple(None for _ in source.args)
    parts = []
    for i, (held, shown, kind) in enumerate(zip(field_names(source), names, source.args, strict=True)):
        label = (shown or "").replace("\\", "\\\\").replace('"', '\\"')
        head = Text(f'{"," if i else "{"}"{label}":')
        parts.append(sql("$head || $value", head=head, value=_or_null(FieldOf(x, held), kind)))
    return sql("CASE WHEN $x IS NOT NULL THEN $parts || '}' END", x=x, parts=joined(" || ", parts))
