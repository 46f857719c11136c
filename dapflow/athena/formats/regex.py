"""RegexSerDe: each group of a regular expression is a column; a line that does not match has NULLs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.lines import header_lines, line_arrays
from dapflow.athena.formats.opencsv import typed_text
from dapflow.athena.formats.parquet_form import write
from dapflow.athena.storage.locations import Location
from dapflow.servers.patience import PatternError, compiled, full_matches


def regex_reader(columns: list[dict[str, Any]], properties: dict[str, str], parameters: dict[str, str]) -> FormatReader:
    """A reader by the SerDe's properties ``input.regex`` and ``input.regex.case.insensitive``."""
    text = properties.get("input.regex")
    if text is None:
        raise QueryFailed("HIVE_INVALID_METADATA", 'This table does not have serde property "input.regex"!')
    ignore_case = properties.get("input.regex.case.insensitive", "false").lower() == "true"
    try:
        pattern = compiled(text, ignore_case=ignore_case)
    except PatternError as error:
        raise QueryFailed("HIVE_INVALID_METADATA", f"input.regex cannot be read: {error}") from error
    names = [column["Name"].lower() for column in columns]
    if pattern.groups != len(names):
        raise QueryFailed(
            "HIVE_CURSOR_ERROR", f"Number of matching groups doesn't match the number of columns: {pattern.groups}"
        )
    schema = pa.schema([(name, pa.string()) for name in names])
    skip = header_lines(properties, parameters)

    def convert(source: Path, part: Path, place: Location) -> None:
        write(part, _tables(source, place, pattern, schema, skip), schema)

    return FormatReader(
        f"regex {text!r} {ignore_case} {skip} {names}",
        convert,
        lambda name, value, kind: typed_text(value, kind, names.index(name)),
    )


def _tables(source: Path, place: Location, pattern: Any, schema: pa.Schema, skip: int) -> Iterator[pa.Table]:
    none = (None,) * len(schema)
    for lines in line_arrays(source, place, skip):
        try:
            matches = full_matches(pattern, lines.to_pylist())
        except TimeoutError:
            raise QueryFailed(
                "EXCEEDED_CPU_LIMIT", f"input.regex takes too long to match the lines of {place}: {pattern.pattern}"
            ) from None
        rows = [match.groups() if match else none for match in matches]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
        yield pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)
