"""LazySimpleSerDe: delimited text without quoting; what does not fit its type is NULL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dapflow.athena.catalog.hive_types import from_hive
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.lines import header_lines, line_arrays
from dapflow.athena.formats.parquet_form import convert_lines
from dapflow.athena.storage.locations import Location
from dapflow.trino.duckdb.storage import duck_type, field_names, literal, quote
from dapflow.trino.types import Type

_DEFAULT_NULL = "\\N"


def lazy_simple_reader(
    columns: list[dict[str, Any]], properties: dict[str, str], parameters: dict[str, str]
) -> FormatReader:
    """A reader by the SerDe's properties ``field.delim``, ``escape.delim``, ``collection.delim``, ``mapkey.delim``."""
    separators = [
        _delimiter(properties, ("field.delim", "serialization.format"), "\x01"),
        _delimiter(properties, ("collection.delim", "colelction.delim"), "\x02"),
        _delimiter(properties, ("mapkey.delim",), "\x03"),
        *[chr(code) for code in range(4, 9)],
    ]
    escape = _delimiter(properties, ("escape.delim",), "")
    null = properties.get("serialization.null.format", _DEFAULT_NULL)
    skip = header_lines(properties, parameters)
    last_takes_rest = properties.get("serialization.last.column.takes.rest", "false").lower() == "true"
    kinds = [(column["Name"].lower(), from_hive(column.get("Type") or "string")) for column in columns]
    select = _select(kinds, separators, escape, null, last_takes_rest)

    def convert(source: Path, part: Path, place: Location) -> None:
        convert_lines(part, line_arrays(source, place, skip), select)

    return FormatReader(f"lazy {skip} {select}", convert, lambda _name, value, _kind: value)


def _delimiter(properties: dict[str, str], names: tuple[str, ...], default: str) -> str:
    """A delimiter is a character, or the number of one (``9`` is a tab in ``serialization.format``)."""
    for name in names:
        text = properties.get(name)
        if text:
            if text.isdigit() and (len(text) > 1 or name == "serialization.format"):
                return chr(int(text) % 256)
            return text[0]
    return default


def _select(kinds: list[tuple[str, Type]], separators: list[str], escape: str, null: str, last_takes_rest: bool) -> str:
    if escape:
        # An escaped character is none of the delimiters: cut at the separators that have no escape before them.
        separator = literal(_unescaped(separators[0], escape))
        cut = f"string_split(regexp_replace(line, {separator}, '\\1' || chr(0), 'g'), chr(0))"
    else:
        cut = f"string_split(line, {literal(separators[0])})"
    width = len(kinds)
    parts = []
    for index, (name, kind) in enumerate(kinds):
        value = f"parts[{index + 1}]"
        if last_takes_rest and index == width - 1:
            value = f"array_to_string(parts[{index + 1}:], {literal(separators[0])})"
        parts.append(f"{_value(value, kind, separators[1:], escape, null)} AS {quote(name)}")
    return f"SELECT {', '.join(parts)} FROM (SELECT {cut} AS parts FROM lines)"


def _unescaped(separator: str, escape: str) -> str:
    sign, mark = re.escape(separator), re.escape(escape)
    return f"((?:^|[^{mark}])(?:{mark}{mark})*){sign}"


def _value(value: str, kind: Type, separators: list[str], escape: str, null: str) -> str:
    present = f"nullif({value}, {literal(null)})"
    if kind.base == "varchar":
        text = _unescape(present, escape)
        return text if kind.length is None else f"substr({text}, 1, {kind.length})"
    if kind.base == "char":
        return f"rtrim(substr({_unescape(present, escape)}, 1, {kind.length}))"
    if kind.base == "boolean":
        return f"CASE lower({present}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind.base in {"tinyint", "smallint", "integer", "bigint"}:
        return (
            f"CASE WHEN regexp_full_match({present}, '[+-]?[0-9]+') THEN TRY_CAST({present} AS {duck_type(kind)}) END"
        )
    if kind.base in {"double", "real", "decimal"}:
        return f"TRY_CAST(trim({present}) AS {duck_type(kind)})"
    if kind.base == "date":
        shape = "\\d{4}-\\d{1,2}-\\d{1,2}"
        return f"CASE WHEN regexp_full_match({present}, {literal(shape)}) THEN TRY_CAST({present} AS DATE) END"
    if kind.base == "timestamp":
        shape = "\\d{4}-\\d{1,2}-\\d{1,2} \\d{1,2}:\\d{1,2}:\\d{1,2}(\\.\\d{1,9})?"
        return f"CASE WHEN regexp_full_match({present}, {literal(shape)}) THEN TRY_CAST({present} AS TIMESTAMP) END"
    if kind.base == "varbinary":
        return f"TRY(from_base64({present}))"
    return _nested(present, kind, separators, escape, null)


def _nested(value: str, kind: Type, separators: list[str], escape: str, null: str) -> str:
    separator, deeper = literal(separators[0]), separators[1:]
    pieces = f"CASE WHEN {value} = '' THEN [] ELSE string_split({value}, {separator}) END"
    if kind.base == "array":
        return f"list_transform({pieces}, lambda p: {_value('p', kind.args[0], deeper, escape, null)})"
    if kind.base == "map":
        between = literal(deeper[0])
        key = _value(f"split_part(p, {between}, 1)", kind.args[0], deeper[1:], escape, null)
        item = _value(f"(string_split(p, {between})[2])", kind.args[1], deeper[1:], escape, null)
        return f"map_from_entries(list_transform({pieces}, lambda p: {{'k': {key}, 'v': {item}}}))"
    fields = [
        f"{quote(name)} := {_value(f'(string_split({value}, {separator})[{index + 1}])', part, deeper, escape, null)}"
        for index, (name, part) in enumerate(zip(field_names(kind), kind.args, strict=True))
    ]
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(fields)}) END"


def _unescape(value: str, escape: str) -> str:
    if not escape:
        return value
    return f"regexp_replace({value}, {literal(re.escape(escape) + '(.)')}, '\\1', 'g')"
