"""The CSV of Athena's results: every value in quotes, NULL without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|)(?:,|\Z)', re.DOTALL)


def records(lines: Iterable[bytes]) -> Iterator[list[str | None]]:
    """The records of a file, from its lines with their ends. A value may hold line breaks."""
    record, quotes = b"", 0
    for line in lines:
        record += line
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield fields(record.removesuffix(b"\n").decode())
            record, quotes = b"", 0


def fields(record: str) -> list[str | None]:
    """The values of a record; None for NULL, which is the field without quotes."""
    fields: list[str | None] = list(record[1:-1].split('","'))
    if record[:1] == record[-1:] == '"' and record.count('"') == 2 * len(fields) and '""' not in record:
        # No value is NULL, empty or has a quote in it.
        return fields
    fields = []
    at = 0
    while True:
        match = _FIELD.match(record, at)
        if match is None:
            raise ValueError(record)
        text = match[1]
        fields.append(text.replace('""', '"') if text is not None else None)
        at = match.end()
        if at >= len(record) and not record.endswith(",", match.start(), at):
            return fields
        if at >= len(record):
            fields.append(None)
            return fields
