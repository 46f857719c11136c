"""JSON, one object a line: the OpenX SerDe and Hive's."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa

from dapflow.athena.catalog.hive_types import from_hive
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.formats.arrow_types import arrow_type
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.lines import blocks
from dapflow.athena.formats.parquet_form import write
from dapflow.athena.storage.locations import Location
from dapflow.trino.duckdb.storage import field_names, quote
from dapflow.trino.types import Type

_RANGES = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}


class _Misfit(ValueError):
    """A value of another kind than the column's."""


class _JsonNumber(str):
    """A number as it is written, so that text columns show it unchanged."""

    __slots__ = ()


def json_reader(
    columns: list[dict[str, Any]], properties: dict[str, str], parameters: dict[str, str], *, openx: bool
) -> FormatReader:
    """A reader by the SerDe's properties."""
    kinds = [(column["Name"].lower(), from_hive(column.get("Type") or "string")) for column in columns]
    keys = {name: properties.get(f"mapping.{name}", name) for name, _ in kinds}
    rules = _Rules(
        openx=openx,
        forgiving=_flag(properties, "ignore.malformed.json") or _flag(properties, "hive.ignore.malformed.json"),
        any_case=not openx or properties.get("case.insensitive", "true").lower() != "false",
        dots=openx and _flag(properties, "dots.in.keys"),
        names=tuple(name for name, _ in kinds),
    )
    wanted = [(name, rules.key(keys[name]), kind) for name, kind in kinds]
    # A value that does not fit fails the queries that read its column: beside each column stands what was wrong.
    fields = [pair for name, kind in kinds for pair in ((name, arrow_type(kind)), (_mistake(name), pa.string()))]
    schema = pa.schema(fields)

    def convert(source: Path, part: Path, place: Location) -> None:
        write(part, _tables(source, place, wanted, schema, rules), schema)

    return FormatReader(f"json with mistakes {rules} {wanted}", convert, _typed)


def _mistake(name: str) -> str:
    return f"{name}$mistake"


def _typed(name: str, value: str, _: Type) -> str:
    mistake = quote(_mistake(name))
    return f"CASE WHEN {mistake} IS NULL THEN {value} ELSE error({mistake}) END"


def _flag(properties: dict[str, str], name: str) -> bool:
    return properties.get(name, "false").lower() == "true"


@dataclass(frozen=True)
class _Rules:
    """How lines are read: by which SerDe, and what its properties say."""

    openx: bool
    forgiving: bool
    any_case: bool
    dots: bool
    names: tuple[str, ...]

    def key(self, name: str) -> str:
        """A key of the data as it is compared with columns."""
        if self.dots:
            name = name.replace(".", "_")
        return name.lower() if self.any_case else name

    def row(self, line: str, place: Location) -> dict[str, Any]:
        """The values of a line by key."""
        text = line.strip()
        if self.openx and not text.startswith(("{", "[")):
            # Anything else, an empty line too, is a row of NULLs.
            return {}
        try:
            value = json.loads(text, parse_int=_JsonNumber, parse_float=_JsonNumber, parse_constant=_JsonNumber)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return {self.key(key): item for key, item in value.items()}
        if isinstance(value, list) and self.openx:
            return dict(zip(self.names, value, strict=False))
        if self.forgiving:
            return {}
        shown = line[:200]
        if self.openx:
            message = f"Row is not a valid JSON Object - JSONException: {shown} in file {place}"
            raise QueryFailed("HIVE_CURSOR_ERROR", message)
        raise QueryFailed("HIVE_BAD_DATA", f"Error Parsing a column in the table: {shown} in file {place}")


def _tables(
    source: Path, place: Location, wanted: list[tuple[str, str, Type]], schema: pa.Schema, rules: _Rules
) -> Iterator[pa.Table]:
    for text in blocks(source, place):
        rows = [rules.row(line, place) for line in text[:-1].split("\n")]
        arrays: list[pa.Array] = []
        for place_in_table, (_, key, kind) in enumerate(wanted):
            arrays += _arrays(rows, key, place_in_table, kind, openx=rules.openx)
        yield pa.table(arrays, schema=schema)


def _arrays(rows: list[dict[str, Any]], key: str, place: int, kind: Type, *, openx: bool) -> tuple[pa.Array, pa.Array]:
    """The values of a column, and what is wrong with those that do not fit."""
    convert = _converter(kind)
    if not openx and kind.base in {"varchar", "char"}:
        # Hive's own SerDe does not print nested values into text columns.
        convert = _scalar
    values: list[Any] = []
    mistakes: list[str | None] = []
    for row in rows:
        value = row.get(key)
        mistake = None
        try:
            converted = None if value is None else convert(value)
        except (ValueError, InvalidOperation, binascii.Error):
            shown = _text(value)[:200]
            converted = None
            mistake = (
                f"HIVE_BAD_DATA: Error parsing field value '{shown}' for field {place}: For input string: \"{shown}\""
            )
        values.append(converted)
        mistakes.append(mistake)
    return pa.array(values, arrow_type(kind)), pa.array(mistakes, pa.string())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _written(value)


def _written(value: Any) -> str:
    """A nested value as JSON, its numbers as they were."""
    if isinstance(value, _JsonNumber):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_written(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _converter(kind: Type) -> Callable[[Any], Any]:
    base = kind.base
    if base in {"varchar", "char"}:
        length = kind.length
        return _text if length is None else lambda value: _text(value)[:length]
    if base in _RANGES:
        return lambda value: _integer(value, _RANGES[base])
    if base in {"double", "real"}:
        return lambda value: float(_scalar(value))
    if base == "decimal":
        return lambda value: _decimal(value, kind)
    return {
        "boolean": _boolean,
        "date": _date,
        "timestamp": _timestamp,
        "varbinary": lambda value: base64.b64decode(_scalar(value), validate=True),
        "array": lambda value: _list(value, kind),
        "map": lambda value: _map(value, kind),
        "row": lambda value: _row(value, kind),
    }[base]


def _scalar(value: Any) -> str:
    if isinstance(value, dict | list):
        raise _Misfit(value)
    return _text(value).strip()


def _integer(value: Any, bits: int) -> int:
    text = _scalar(value)
    if isinstance(value, bool):
        return int(value)
    number = int(text) if text.lstrip("+-").isdigit() else int(float(text))
    if not -(1 << bits) <= number < 1 << bits:
        raise ValueError(value)
    return number


def _decimal(value: Any, kind: Type) -> Decimal:
    number = Decimal(_scalar(value)).quantize(Decimal(1).scaleb(-kind.scale))
    if len(number.as_tuple().digits) > kind.precision:
        raise ValueError(value)
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = _scalar(value).lower()
    return text == "true"


def _date(value: Any) -> dt.date:
    return dt.date.fromisoformat(_scalar(value)[:10])


def _timestamp(value: Any) -> dt.datetime:
    text = _scalar(value)
    if isinstance(value, _JsonNumber):
        number = Decimal(text)
        # A number is seconds with a fraction, or milliseconds.
        seconds = number if "." in text else number / 1000
        return dt.datetime(1970, 1, 1) + dt.timedelta(seconds=float(seconds))
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _list(value: Any, kind: Type) -> list[Any]:
    convert = _converter(kind.args[0])
    items = value if isinstance(value, list) else [value]
    return [None if item is None else convert(item) for item in items]


def _map(value: Any, kind: Type) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise _Misfit(value)
    key, item = _converter(kind.args[0]), _converter(kind.args[1])
    return [(key(name), None if inner is None else item(inner)) for name, inner in value.items()]


def _row(value: Any, kind: Type) -> dict[str, Any]:
    names = field_names(kind)
    if isinstance(value, list):
        value = dict(zip(names, value, strict=False))
    if not isinstance(value, dict):
        raise _Misfit(value)
    lower = {name.lower(): inner for name, inner in value.items()}
    row: dict[str, Any] = {}
    for name, part in zip(names, kind.args, strict=True):
        inner = lower.get(name.lower())
        row[name] = None if inner is None else _converter(part)(inner)
    return row
