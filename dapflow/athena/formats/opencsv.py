"""OpenCSVSerDe: every column is text; quotes and escapes as the opencsv parser has them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.lines import blocks, header_lines
from dapflow.athena.formats.parquet_form import write
from dapflow.athena.storage.locations import Location
from dapflow.trino.duckdb.storage import duck_type, literal
from dapflow.trino.types import Type

# The standard library refuses longer fields; here the line is the limit.
csv.field_size_limit(1 << 30)


def opencsv_reader(
    columns: list[dict[str, Any]], properties: dict[str, str], parameters: dict[str, str]
) -> FormatReader:
    """A reader by the SerDe's properties ``separatorChar``, ``quoteChar``, ``escapeChar``."""
    # The SerDe's own default, the quote, makes it use the parser's default, which is the backslash.
    escape = _character(properties, "escapeChar", '"')
    if escape == '"':
        escape = "\\"
    dialect = OpenCsvSigns(
        _character(properties, "separatorChar", ","), _character(properties, "quoteChar", '"'), escape
    )
    skip = header_lines(properties, parameters)
    names = [column["Name"].lower() for column in columns]

    def convert(source: Path, part: Path, place: Location) -> None:
        schema = pa.schema([(name, pa.string()) for name in names])
        write(part, _tables(source, place, dialect, skip, schema), schema)

    null_for_invalid = parameters.get("use.null.for.invalid.data", "false").lower() == "true"

    def typed(name: str, value: str, kind: Type) -> str:
        return typed_text(value, kind, None if null_for_invalid else names.index(name))

    return FormatReader(f"opencsv {dialect} {skip} {names}", convert, typed)


def _character(properties: dict[str, str], name: str, default: str) -> str:
    text = properties.get(name, "")
    if re.fullmatch(r"\\u[0-9a-fA-F]{4}", text):
        # Clients of Glue write a control character this way, as it stands in DDL.
        return chr(int(text[2:], 16))
    return text[0] if text else default


def typed_text(value: str, kind: Type, place: int | None) -> str:
    """Athena gives a text column its declared type; text that is not of it fails the query, which tells the column's
    place. Where the table's property ``use.null.for.invalid.data`` says so, ``place`` is None and the text is NULL.
    """
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
    if place is None:
        return parsed
    before = literal("HIVE_BAD_DATA: Error parsing field value '")
    between = literal(f"' for field {place}: For input string: \"")
    failure = f"error({before} || {value} || {between} || {value} || '\"')"
    return f"CASE WHEN {value} IS NOT NULL AND {parsed} IS NULL THEN {failure} ELSE {parsed} END"


@dataclass(frozen=True)
class OpenCsvSigns:
    """The SerDe's three characters."""

    separator: str
    quote: str
    escape: str

    @cached_property
    def _plain(self) -> Callable[[str], object]:
        """Matches lines whose fields are quoted whole or hold no quote at all. Nearly all are, and those go fast."""
        if len({self.separator, self.quote, self.escape}) < 3:
            # A sign with two meanings could be read in any number of ways: by the SerDe's own rules alone.
            return lambda _: None
        quoted, separator, escape = (re.escape(sign) for sign in (self.quote, self.separator, self.escape))
        field = f"(?:{quoted}(?:[^{quoted}{escape}]|{quoted}{quoted})*{quoted}|[^{quoted}{separator}{escape}]*)"
        return re.compile(f"{field}(?:{separator}{field})*", re.DOTALL).fullmatch

    def rows(self, lines: list[str], width: int) -> Iterator[list[str | None]]:
        """The fields of each line, in any order, without those beyond ``width``. An empty line has none."""
        whole = "\n".join(lines)
        if self.quote not in whole and self.escape not in whole:
            yield from (line.split(self.separator, width)[:width] if line else [] for line in lines)  # type: ignore[misc]
            return
        plain: list[str] = []
        others: list[str] = []
        for line in lines:
            (plain if self._plain(line) else others).append(line)
        for row in csv.reader(plain, delimiter=self.separator, quotechar=self.quote):
            yield row[:width]  # type: ignore[misc]
        for line in others:
            yield self.parse(line, width)

    def parse(self, line: str, width: int) -> list[str | None]:
        """Up to ``width`` fields of a line by the SerDe's own rules.

        Its odd ones: an escape counts in a field only and is dropped elsewhere; a quote within a field is kept, and
        still opens or closes quoting; a quoted field that is not closed has no value.
        """
        fields: list[str | None] = []
        field: list[str] = []
        quoted = in_field = False
        index = 0
        while index < len(line) and len(fields) < width:
            letter = line[index]
            following = line[index + 1] if index + 1 < len(line) else ""
            if letter == self.escape:
                if (quoted or in_field) and following and following in {self.quote, self.escape}:
                    field.append(following)
                    index += 1
            elif letter == self.quote:
                if (quoted or in_field) and following == self.quote:
                    field.append(following)
                    index += 1
                else:
                    if index > 2 and line[index - 1] != self.separator and following not in {"", self.separator}:
                        if field and "".join(field).isspace():
                            field.clear()
                        else:
                            field.append(letter)
                    quoted = not quoted
                in_field = not in_field
            elif letter == self.separator and not quoted:
                fields.append("".join(field))
                field.clear()
                in_field = False
            else:
                field.append(letter)
                in_field = True
            index += 1
        if len(fields) < width and not quoted:
            fields.append("".join(field))
        return fields


def _tables(source: Path, place: Location, dialect: OpenCsvSigns, skip: int, schema: pa.Schema) -> Iterator[pa.Table]:
    width = len(schema)
    padding: list[str | None] = [None] * width
    for text in blocks(source, place, skip):
        lines = text[:-1].split("\n")
        rows = [row if len(row) == width else (row + padding)[:width] for row in dialect.rows(lines, width)]
        columns = zip(*rows, strict=True)
        yield pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)
