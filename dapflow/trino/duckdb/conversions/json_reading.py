"""CAST from JSON. A JSON value is held as its canonical text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions.attempts import Fallible
from dapflow.trino.duckdb.conversions.nested import complete_array, complete_map, complete_row
from dapflow.trino.duckdb.nodes import NOTHING, NULL, Sql, Text, Variable, sql, struct
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import cast, let, null, type_sql
from dapflow.trino.types import DOUBLE, JSON, VARCHAR, Type, type_text

Converter = Callable[[Sql, Type, Type], Sql]


def from_json(value: Sql, target: Type, convert: Converter, convert_or_null: Converter) -> Fallible:
    """CAST(json AS x). The converters are for what stands in JSON's texts and numbers."""
    whole = type_text(target)

    def read(reading: _JsonReading) -> Sql:
        return let(value, lambda x: _read(x, target, reading), limit=60)

    return Fallible(
        lambda: read(_JsonReading(convert, whole, fails=True)),
        lambda: read(_JsonReading(convert_or_null, whole, fails=False)),
    )


@dataclass(frozen=True, slots=True)
class _JsonReading:
    """How the parts of one JSON value are read. `whole` is the type wanted, in messages."""

    convert: Converter
    whole: str
    #: Whether what does not fit fails; it is NULL otherwise.
    fails: bool

    def failure(self, x: Sql, t: Type) -> Sql:
        """What stands for a value that does not fit."""
        return cast(self.unfit(x), t) if self.fails else null(t)

    def unfit(self, x: Sql) -> Sql:
        """The same of no type."""
        return sql("t_json_unfit($x, $whole)", x=x, whole=Text(self.whole)) if self.fails else NULL


def _text(x: Sql) -> Sql:
    """The text of a JSON string, without its quotes."""
    return sql("json_extract_string($x, '$')", x=x)


def _read(x: Sql, target: Type, reading: _JsonReading) -> Sql:
    reader = _READERS.get(target.base)
    return reader(x, target, reading) if reader is not None else _number(x, target, reading)


def _array(x: Sql, target: Type, reading: _JsonReading) -> Sql:
    items = "py_json_items($x)" if _long_decimal(target.args[0]) else "CAST(json_extract($x, '$[*]') AS VARCHAR[])"
    made = _parts(target.args[0], reading)
    texts = sql(items, x=x)
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'ARRAY' THEN $made ELSE $failure END",
        x=x,
        made=made(texts) if reading.fails else let(texts, lambda y: complete_array(y, JSON, made(y)), limit=0),
        failure=reading.failure(x, target),
    )


def _parts(t: Type, reading: _JsonReading) -> Callable[[Sql], Sql]:
    """What reads each of a list of JSON texts."""
    j = Variable("j")
    item = _read(j, t, reading)
    return lambda texts: sql("list_transform($texts, lambda $j: $item)", texts=texts, j=j, item=item)


def _long_decimal(t: Type) -> bool:
    """Whether a type holds decimals with more digits than DuckDB keeps in JSON."""
    return (t.base == "decimal" and t.precision > 15) or any(_long_decimal(part) for part in t.args)


def _map(x: Sql, target: Type, reading: _JsonReading) -> Sql:
    j = Variable("j")
    keys = sql(
        "list_transform(CAST(json_keys($x) AS VARCHAR[]), lambda $j: $key)",
        x=x,
        j=j,
        key=reading.convert(j, VARCHAR, target.args[0]),
    )
    made = _parts(target.args[1], reading)
    texts = sql("CAST(json_extract($x, '$.*') AS VARCHAR[])", x=x)
    if reading.fails:
        whole: Sql = sql("CAST(map($keys, $items) AS $t)", keys=keys, items=made(texts), t=type_sql(target))
    else:
        whole = let(texts, lambda y: complete_map(keys, y, JSON, made(y), target), limit=0)
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'OBJECT' THEN $whole ELSE $failure END",
        x=x,
        whole=whole,
        failure=reading.failure(x, target),
    )


def _row(x: Sql, target: Type, reading: _JsonReading) -> Sql:
    """The texts of the fields first, by place or by name, then each as its type.

    Keys are compared in small letters, and none may come twice; rows whose fields have no names are read of arrays:
    https://github.com/trinodb/trino/blob/400/core/trino-main/src/main/java/io/trino/util/JsonUtil.java
    """
    members = sql(
        "CASE WHEN json_type($x) = 'ARRAY' AND json_array_length($x) = $count THEN json_extract($x, [$places])$named "
        "WHEN json_type($x) <> 'NULL' THEN CAST($unfit AS JSON[]) END",
        x=x,
        count=len(target.args),
        places=[Text(f"$[{i}]") for i in range(len(target.args))],
        named=_members_by_name(x, target),
        unfit=reading.unfit(x),
    )
    texts = Variable("r")
    return sql(
        "list_transform([CAST($members AS VARCHAR[])], lambda $r: $whole)[1]",
        members=members,
        r=texts,
        whole=_fields(texts, target, reading),
    )


def _members_by_name(x: Sql, target: Type) -> Sql:
    """The branch of an object, if the fields have names. Of fields of one name the last has the value."""
    names = [name or "" for name in target.names or ()]
    if not all(names) or not names:
        return NOTHING
    last = {name: i for i, name in enumerate(names)}
    wanted = [Text(name) if last[name] == i else NULL for i, name in enumerate(names)]
    return sql(
        " WHEN json_type($x) = 'OBJECT' AND NOT t_json_repeats($x, [$names]) THEN t_json_members($x, [$wanted])",
        x=x,
        names=[Text(name) for name in last],
        wanted=wanted,
    )


def _fields(texts: Sql, target: Type, reading: _JsonReading) -> Sql:
    names = field_names(target)
    given = [sql("$texts[$place]", texts=texts, place=i) for i in range(1, len(names) + 1)]
    parts = [
        let(sql("coalesce($text, 'null')", text=text), partial(_read, target=part, reading=reading), limit=0)
        for text, part in zip(given, target.args, strict=True)
    ]
    whole = struct(zip(names, parts, strict=True))
    if reading.fails:
        return sql("CASE WHEN $r IS NOT NULL THEN $whole END", r=texts, whole=whole)
    return complete_row(texts, whole, [(text, JSON, name) for text, name in zip(given, names, strict=True)])


def _varchar(x: Sql, target: Type, reading: _JsonReading) -> Sql:
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


def _boolean(x: Sql, target: Type, reading: _JsonReading) -> Sql:
    return sql(
        "CASE json_type($x) WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN $text "
        "WHEN 'DOUBLE' THEN TRY_CAST($x AS DOUBLE) <> 0 "
        "ELSE coalesce(TRY_CAST(t_json_digits($x) AS BIGINT) <> 0, $failure) END",
        x=x,
        text=reading.convert(_text(x), VARCHAR, target),
        failure=reading.failure(x, target),
    )


def _number(x: Sql, target: Type, reading: _JsonReading) -> Sql:
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


_READERS: dict[str, Callable[[Sql, Type, _JsonReading], Sql]] = {
    "json": _same,
    "array": _array,
    "map": _map,
    "row": _row,
    "varchar": _varchar,
    "boolean": _boolean,
}
