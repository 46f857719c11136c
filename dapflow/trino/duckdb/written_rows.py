"""Rows that are written as texts, as values of Trino's types: each becomes what CAST makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dapflow.trino.duckdb.compiler import stored
from dapflow.trino.duckdb.conversions import convert, convert_or_null
from dapflow.trino.duckdb.nodes import Name, Sql, Text, Word, sql, struct
from dapflow.trino.duckdb.printer import printed
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import cast, null
from dapflow.trino.types import VARCHAR, Type

#: A value as it is written: a scalar is its text, NULL is None, the fields of a row and the keys of a map have names.
WrittenValue = str | None | Sequence["WrittenValue"] | Mapping[str, "WrittenValue"]

_NESTED = frozenset({"array", "map", "row"})
#: What a query gives as a text, and what a text is taken for as it stands. Trino has no CAST to bytes: a text stands
#: for its own in UTF-8.
_PRINTED = frozenset({"time_tz", "interval_ds", "interval_ym"})
_AS_IT_IS = frozenset({"varchar", "json"}) | _PRINTED
#: What YAML writes for what is no number: https://yaml.org/spec/1.2.2/#1032-tag-resolution
_NO_NUMBER = re.compile(r"(?P<sign>[-+]?)\.(?:inf|Inf|INF)|(?P<nan>\.(?:nan|NaN|NAN))")
_FRACTION = re.compile(r"[^.]*\.(\d+)")


class NoFit(ValueError):
    """A value is written in another form than its type has."""


def written_rows(columns: Sequence[tuple[str, Type]], rows: Sequence[Sequence[WrittenValue]]) -> str:
    """A query of DuckDB's for rows, in the form in which files have them, by the columns' names.

    A scalar that is not of its type is NULL. Raises NoFit for a list or mapping of another form; what is within one and
    is not of its type makes the query fail.
    """
    names = [Word(f"c{i}") for i in range(len(columns))]
    given = [sql("($row)", row=[_cell(value, t) for value, (_, t) in zip(row, columns, strict=True)]) for row in rows]
    if not given:
        given = [sql("($row)", row=[_cell(None, t) for _, t in columns])]
    # Most columns of a wide table are not written at all.
    empty = {i for i in range(len(columns)) if all(row[i] is None for row in rows)}
    values = [
        sql("$value AS $name", value=_stored(null(t) if i in empty else _read(name, t), t), name=Name(column))
        for i, (name, (column, t)) in enumerate(zip(names, columns, strict=True))
    ]
    query = sql("SELECT $values FROM (VALUES $given) AS g($names)", values=values, given=given, names=names)
    return printed(query if rows else sql("$query WHERE FALSE", query=query))


def _stored(value: Sql, t: Type) -> Sql:
    return value if t.base in _PRINTED else stored(value, t)


def is_cut(text: str, t: Type) -> bool:
    """Whether CAST would leave something of a text out, so that what it gives is not what was written."""
    if t.base in {"varchar", "char"}:
        return t.length is not None and len(text) > t.length
    fraction = _FRACTION.fullmatch(text) if t.base in {"decimal", "timestamp", "time"} else None
    return fraction is not None and len(fraction[1].rstrip("0")) > (t.scale if t.base == "decimal" else t.precision)


def _cell(value: WrittenValue, t: Type) -> Sql:
    """A value before its column is read: of a nested type, already what it is."""
    if t.base in _NESTED:
        return _nested(value, t)
    return cast(Text(_scalar(value, t)), VARCHAR) if value is not None else null(VARCHAR)


def _read(text: Sql, t: Type) -> Sql:
    """A column of texts as its type."""
    if t.base in _NESTED or t.base in _AS_IT_IS:
        return text
    if t.base == "varbinary":
        return sql("encode($text)", text=text)
    if t.base == "unknown":
        return null(t)
    try:
        return convert_or_null(text, VARCHAR, t)
    except KeyError:
        raise NoFit(f"values of the type {t} cannot be written") from None


def _nested(value: WrittenValue, t: Type) -> Sql:
    if value is None:
        return null(t)
    if t.base == "array":
        if isinstance(value, str | Mapping):
            raise NoFit("a list is wanted, [a, b]")
        return cast(sql("[$items]", items=[_nested(item, t.args[0]) for item in value]), t)
    if t.base == "map":
        if not isinstance(value, Mapping):
            raise NoFit("a mapping is wanted, {key: value}")
        keys = [_nested(key, t.args[0]) for key in value]
        return cast(
            sql("MAP([$keys], [$values])", keys=keys, values=[_nested(item, t.args[1]) for item in value.values()]), t
        )
    if t.base == "row":
        return _row(value, t)
    text = Text(_scalar(value, t))
    return _read(text, t) if t.base in _AS_IT_IS | {"varbinary"} else convert(text, VARCHAR, t)


def _row(value: WrittenValue, t: Type) -> Sql:
    names = field_names(t)
    if not isinstance(value, Mapping):
        raise NoFit(f"a mapping is wanted, with the fields {', '.join(names)}")
    given = {name.lower(): item for name, item in value.items()}
    for name in given:
        if name not in {known.lower() for known in names}:
            raise NoFit(f"there is no field {name!r}; the fields are {', '.join(names)}")
    fields = [(name, _nested(given.get(name.lower()), part)) for name, part in zip(names, t.args, strict=True)]
    return cast(struct(fields), t)


def _scalar(value: WrittenValue, t: Type) -> str:
    if not isinstance(value, str):
        raise NoFit(f"one value is wanted, of type {t}")
    number = _NO_NUMBER.fullmatch(value) if t.base in {"double", "real"} else None
    if number is None:
        return value
    return "NaN" if number["nan"] else f"{number['sign'].replace('+', '')}Infinity"
