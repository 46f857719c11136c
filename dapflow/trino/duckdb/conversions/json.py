"""CAST to and from JSON. A JSON value is held as its canonical text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions.attempts import Fallible
from dapflow.trino.duckdb.conversions.text import text_sql
from dapflow.trino.duckdb.lifting import tried
from dapflow.trino.duckdb.nodes import Sql, Text, Variable, field, joined, sql, struct
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import cast, let, null, type_sql
from dapflow.trino.types import DOUBLE, VARCHAR, Type, type_text

Converter = Callable[[Sql, Type, Type], Sql]


# ----------------------------------------------------------------------------------------------------- to JSON
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
        return sql(
            "('[' || array_to_string(list_transform($x, lambda $e: $item), ',') || ']')", x=value, e=e, item=item
        )
    if base == "map":
        return _map_to_json(value, source)
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
        "('{' || array_to_string(list_sort(list_transform(map_entries($x), "
        "lambda $e: t_json_quote($key) || ':' || $value)), ',') || '}')",
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
        parts.append(sql("$head || $value", head=head, value=_or_null(field(x, held), kind)))
    return sql("CASE WHEN $x IS NOT NULL THEN $parts || '}' END", x=x, parts=joined(" || ", parts))


# --------------------------------------------------------------------------------------------------- from JSON
def from_json(value: Sql, target: Type, convert: Converter, convert_or_null: Converter) -> Fallible:
    """CAST(json AS x). The converters are for what stands in JSON's texts and numbers."""
    reading = _Reading(convert, type_text(target), True)

    def failing() -> Sql:
        return let(value, lambda x: _read(x, target, reading), limit=60)

    def or_null() -> Sql:
        if target.args:
            # NULL may stand in it as well.
            return let(value, lambda x: tried(_read(x, target, reading)), limit=0)
        return let(value, lambda x: _read(x, target, _Reading(convert_or_null, reading.whole, False)), limit=60)

    return Fallible(failing, or_null)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the parts of one JSON value are read. `whole` is the type wanted, in messages."""

    convert: Converter
    whole: str
    fails: bool

    def unfit(self, x: Sql) -> Sql:
        """An expression that fails, of no type."""
        return sql("t_json_unfit($x, $whole)", x=x, whole=Text(self.whole))

    def failure(self, x: Sql, t: Type) -> Sql:
        """What stands for a value that does not fit."""
        return cast(self.unfit(x), t) if self.fails else null(t)


def _text(x: Sql) -> Sql:
    """The text of a JSON string, without its quotes."""
    return sql("json_extract_string($x, '$')", x=x)


def _read(x: Sql, target: Type, reading: _Reading) -> Sql:
    reader = _READERS.get(target.base)
    return reader(x, target, reading) if reader is not None else _number(x, target, reading)


def _array(x: Sql, target: Type, reading: _Reading) -> Sql:
    j = Variable("j")
    items = "py_json_items($x)" if _long_decimal(target.args[0]) else "CAST(json_extract($x, '$[*]') AS VARCHAR[])"
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'ARRAY' THEN list_transform($items, lambda $j: $item) "
        "ELSE $failure END",
        x=x,
        items=sql(items, x=x),
        j=j,
        item=_read(j, target.args[0], reading),
        failure=reading.failure(x, target),
    )


def _long_decimal(t: Type) -> bool:
    """Whether a type holds decimals with more digits than DuckDB keeps in JSON."""
    return (t.base == "decimal" and t.precision > 15) or any(_long_decimal(part) for part in t.args)


def _map(x: Sql, target: Type, reading: _Reading) -> Sql:
    j = Variable("j")
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'OBJECT' THEN "
        "CAST(map(list_transform(CAST(json_keys($x) AS VARCHAR[]), lambda $j: $key), "
        "list_transform(CAST(json_extract($x, '$.*') AS VARCHAR[]), lambda $j: $value)) AS $t) ELSE $failure END",
        x=x,
        j=j,
        key=reading.convert(j, VARCHAR, target.args[0]),
        value=_read(j, target.args[1], reading),
        t=type_sql(target),
        failure=reading.failure(x, target),
    )


def _row(x: Sql, target: Type, reading: _Reading) -> Sql:
    """The texts of the fields first, by place or by name, then each as its type."""
    names = field_names(target)
    texts = Variable("r")
    parts = [
        (name, let(_part(texts, i), partial(_read, target=part, reading=reading), limit=0))
        for i, (name, part) in enumerate(zip(names, target.args, strict=True), 1)
    ]
    found = sql(
        "CASE WHEN json_type($x) = 'ARRAY' AND json_array_length($x) = $count THEN json_extract($x, [$places]) "
        "WHEN json_type($x) = 'OBJECT' THEN json_extract($x, [$paths]) "
        "WHEN json_type($x) <> 'NULL' THEN CAST($unfit AS JSON[]) END",
        x=x,
        count=len(names),
        places=[Text(f"$[{i}]") for i in range(len(names))],
        paths=[Text('$."' + name.replace('"', '\\"') + '"') for name in names],
        unfit=reading.unfit(x),
    )
    return sql(
        "list_transform([CAST($found AS VARCHAR[])], lambda $r: CASE WHEN $r IS NOT NULL THEN $whole END)[1]",
        found=found,
        r=texts,
        whole=struct(parts),
    )


def _part(texts: Sql, place: int) -> Sql:
    return sql("coalesce($texts[$place], 'null')", texts=texts, place=place)


def _varchar(x: Sql, target: Type, reading: _Reading) -> Sql:
    text = _text(x)
    if target.length is not None:
        text = sql("left($text, $length)", text=text, length=target.length)
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'DOUBLE' THEN t_double_cast(TRY_CAST($x AS DOUBLE)) "
        "ELSE CASE WHEN json_type($x) IN ('ARRAY', 'OBJECT') THEN $failure ELSE $text END END",
        x=x,
        failure=reading.failure(x, target),
        text=text,
    )


def _boolean(x: Sql, target: Type, reading: _Reading) -> Sql:
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN $text "
        "WHEN 'DOUBLE' THEN TRY_CAST($x AS DOUBLE) <> 0 "
        "ELSE coalesce(TRY_CAST(t_json_digits($x) AS BIGINT) <> 0, $failure) END",
        x=x,
        text=reading.convert(_text(x), VARCHAR, target),
        failure=reading.failure(x, target),
    )


def _number(x: Sql, target: Type, reading: _Reading) -> Sql:
    # What is no number gives NULL here, and with it the failure.
    number = sql("TRY_CAST(t_json_digits($x) AS $t)", x=x, t=type_sql(target))
    if target.base in INTEGERS:
        number = sql(
            "CASE WHEN regexp_full_match($x, '-?[0-9]+|true|false') THEN $number ELSE $rounded END",
            x=x,
            number=number,
            rounded=reading.convert(sql("TRY_CAST($x AS DOUBLE)", x=x), DOUBLE, target),
        )
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN $text ELSE coalesce($number, $failure) END",
        x=x,
        text=reading.convert(_text(x), VARCHAR, target),
        number=number,
        failure=reading.failure(x, target),
    )


def _same(x: Sql, *_: object) -> Sql:
    return x


_READERS: dict[str, Callable[[Sql, Type, _Reading], Sql]] = {
    "json": _same,
    "array": _array,
    "map": _map,
    "row": _row,
    "varchar": _varchar,
    "boolean": _boolean,
}
