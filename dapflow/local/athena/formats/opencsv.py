"""OpenCSVSerDe: every column is text; quotes and escapes as the opencsv parser has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from dapflow.local.athena.engine.errors import QueryFailed
from dapflow.local.athena.formats.converted import Converter, write
from dapflow.local.athena.formats.lines import header_lines, line_arrays
from dapflow.local.athena.formats.reader import Reader
from dapflow.local.athena.storage.locations import Location
from dapflow.local.athena.trino.types import Type, duck_type, literal, quote

_NONE = "\0"


def opencsv_reader(columns: list[dict[str, Any]], properties: dict[str, str], parameters: dict[str, str]) -> Reader:
    """A reader by the SerDe's properties ``separatorChar``, ``quoteChar``, ``escapeChar``."""
    separator = _character(properties, "separatorChar", ",")
    quote_character = _character(properties, "quoteChar", '"')
    # The SerDe's own default, the quote, makes it use the parser's default, which is the backslash.
    escape = _character(properties, "escapeChar", '"')
    if escape == '"':
        escape = "\\"
    skip = header_lines(properties, parameters)
    names = [column["Name"].lower() for column in columns]

    def convert(source: Path, part: Path, place: Location) -> None:
        schema = pa.schema([(name, pa.string()) for name in names])
        write(part, _tables(source, place, names, separator, quote_character, escape, skip), schema)

    return Reader(f"opencsv {separator!r} {quote_character!r} {escape!r} {skip} {names}", convert, typed_text)


def _character(properties: dict[str, str], name: str, default: str) -> str:
    text = properties.get(name, "")
    if re.fullmatch(r"\\u[0-9a-fA-F]{4}", text):
        # Clients of Glue write a control character this way, as it stands in DDL.
        return chr(int(text[2:], 16))
    return text[0] if text else default


def typed_text(name: str, value: str, kind: Type) -> str:
    """Athena gives a text column its declared type; text that is not of it fails the query."""
    if kind.base == "varchar":
        return value if kind.length is None else f"substr({value}, 1, {kind.length})"
    if kind.base == "char":
        return f"rtrim(substr({value}, 1, {kind.length}))"
    if kind.base == "date":
        parsed = f"(DATE '1970-01-01' + TRY_CAST({value} AS INTEGER))"
    elif kind.base == "timestamp":
        parsed = f"epoch_ms(TRY_CAST({value} AS BIGINT))"
    elif kind.base == "boolean":
        parsed = f"CASE lower({value}) WHEN 'true' THEN true ELSE false END"
    else:
        parsed = f"TRY_CAST({value} AS {duck_type(kind)})"
    before, after = (
        literal("HIVE_BAD_DATA: Error parsing field value '"),
        literal(f"' for field {name}: For input string"),
    )
    return f"CASE WHEN {value} IS NOT NULL AND {parsed} IS NULL THEN error({before} || {value} || {after}) ELSE {parsed} END"


def _tables(
    source: Path, place: Location, names: list[str], separator: str, quote_character: str, escape: str, skip: int
) -> Iterator[pa.Table]:
    special = "[" + re.escape(quote_character) + re.escape(escape) + "]"
    plain = ", ".join(f"parts[{index + 1}] AS {quote(name)}" for index, name in enumerate(names))
    select = f"SELECT {plain} FROM (SELECT string_split(line, {literal(separator)}) AS parts FROM lines)"
    pattern = re.compile(special)
    schema = pa.schema([(name, pa.string()) for name in names])
    with Converter() as converter:
        for lines in line_arrays(source, place, skip):
            texts = lines.to_pylist()
            hard = [text for text in texts if pattern.search(text)]
            if len(hard) < len(texts):
                easy = pa.array([text for text in texts if not pattern.search(text)], pa.string()) if hard else lines
                yield converter.lines(easy, select).cast(schema)
            if hard:
                yield _parsed(hard, names, separator, quote_character, escape, place, schema)


def _parsed(
    lines: list[str],
    names: list[str],
    separator: str,
    quote_character: str,
    escape: str,
    place: Location,
    schema: pa.Schema,
) -> pa.Table:
    width = len(names)
    rows = []
    for line in lines:
        fields = _well_formed(line, separator, quote_character, escape)
        if fields is None:
            fields = parse_line(line, separator, quote_character, escape)
        if fields is None:
            raise QueryFailed("HIVE_CURSOR_ERROR", f"Un-terminated quoted field at end of CSV line in {place}")
        rows.append((fields + [None] * width)[:width])
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)


def _well_formed(line: str, separator: str, quote_character: str, escape: str) -> list[str | None] | None:
    """Fields of a line where every field is quoted whole or holds no quote at all: the usual case, quickly."""
    if escape in line or quote_character * 2 in line:
        return None
    pieces = line.split(quote_character)
    if len(pieces) % 2 == 0:
        return None
    fields: list[str | None] = []
    last = len(pieces) - 1
    for index, piece in enumerate(pieces):
        if index % 2 == 1:
            fields.append(piece)
            continue
        # Between two quoted fields: separators at both ends, unquoted fields between them.
        if index > 0 and piece and piece[0] != separator:
            return None
        if index < last and piece and piece[-1] != separator:
            return None
        if 0 < index < last and not piece:
            return None
        between = piece[1 if index > 0 else 0 : len(piece) - (1 if index < last else 0)]
        if 0 < index < last:
            if len(piece) > 1:
                fields += between.split(separator)
        elif piece:
            fields += between.split(separator)
    return fields


def parse_line(line: str, separator: str, quote_character: str, escape: str) -> list[str | None] | None:
    """Fields of a line by the opencsv 2 parser's rules; None if a quoted field is not closed.

    Its odd ones: an escape counts within quotes only and is dropped elsewhere; a quote within a field is kept, and
    still opens or closes quoting; a field cannot go on in the next line.
    """
    fields: list[str | None] = []
    field: list[str] = []
    quoted = False
    in_field = False
    length = len(line)
    index = 0
    while index < length:
        letter = line[index]
        following = line[index + 1] if index + 1 < length else _NONE
        if letter == escape:
            if (quoted or in_field) and following in {quote_character, escape} and following != _NONE:
                field.append(following)
                index += 1
        elif letter == quote_character:
            if (quoted or in_field) and following == quote_character:
                field.append(following)
                index += 1
            else:
                inside = index > 2 and line[index - 1] != separator and index + 1 < length and following != separator
                if inside:
                    if field and "".join(field).isspace():
                        field.clear()
                    else:
                        field.append(letter)
                quoted = not quoted
            in_field = not in_field
        elif letter == separator and not quoted:
            fields.append("".join(field))
            field.clear()
            in_field = False
        else:
            field.append(letter)
            in_field = True
        index += 1
    if quoted:
        return None
    fields.append("".join(field))
    return fields
