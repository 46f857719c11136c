"""Rows in a CSV file that somebody writes by hand: with a header, a comma between fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dapflow.project.file_position import FilePosition, PlacedText, PlacedValue

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|\Z)')


def csv_rows(text: str, file: str) -> Iterator[dict[PlacedText, PlacedValue]]:
    """The rows of a text. An empty field is NULL, in quotes it is an empty text. Raises DapflowError ``csv``."""
    records = _records(text, file)
    header = next(records, None)
    if header is None:
        raise FilePosition(file).error("csv", "the file is empty", "its first line has the names of the columns")
    names = [PlacedText((field.content or "").strip(), field.place) for field in header]  # type: ignore[union-attr]
    for record in records:
        if len(record) != len(names):
            hint = "put quotes around a text that holds a comma"
            problem = f"{len(record)} fields in this line, and {len(names)} in the header"
            raise record[0].place.error("csv", problem, hint)
        yield dict(zip(names, record, strict=True))


def _records(text: str, file: str) -> Iterator[list[PlacedValue]]:
    lines = text.splitlines()
    record: list[PlacedValue] = []
    at, line, start = 0, 1, 0
    while at < len(text) or record:
        source = lines[line - 1] if line <= len(lines) else ""
        place = FilePosition(file, line, at - start + 1, source)
        match = _FIELD.match(text, at)
        if match is None:
            hint = 'a quote in a text is written twice, and quotes are around all of it: "say ""no"""'
            raise place.error("csv", "a quote stands where none may stand, or never ends", hint)
        content = match[1].replace('""', '"') if match[1] is not None else match[2] or None
        record.append(PlacedValue(content, place))
        if breaks := match[0].count("\n") or int("\r" in match[3]):
            line, start = line + breaks, match.end()
        at = match.end()
        if match[3] != ",":
            if len(record) > 1 or record[0].content is not None:
                yield record
            record = []
