"""CSV as a landing format: a header, and fields that are text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from dapflow.errors import DapflowError
from dapflow.manifest import Column, LandingSource
from dapflow.runtime.formats import csv_records
from dapflow.runtime.formats.landing_format import LandingFormat, Row
from dapflow.runtime.formats.plain_csv import plain_rows
from dapflow.runtime.landing.file_mistakes import FileMistakes
from dapflow.runtime.landing.headings import columns_of, renamed
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.landing.landed import Landed, text_columns
from dapflow.runtime.landing.landing_table import converted_storage, text_storage
from dapflow.runtime.landing.landing_text import LandingText

# The SerDe's own default is the backslash, with which the text \N would be read as N. No file holds this character.
_NO_ESCAPE = "\u0001"


class Csv(LandingFormat):
    """Files of a header and records. Athena reads them where they lie if its reader is exact, and else converted."""

    has_header: ClassVar[bool] = True

    def inspect(self, inspection: Inspection) -> Landed:
        """All headers first, then all rows."""
        dialect = csv_records.Dialect.of(inspection.source)
        texts = inspection.texts()
        names = _common_names(inspection, texts, dialect) or inspection.known_names
        files, columns = tuple(inspection.files), text_columns(names)
        rows = None if inspection.nested(names) else _plain_rows(texts, dialect, len(names))
        if rows is not None:
            inspection.check_doubled(texts, rows)
            storage = _storage(dialect, names, inspection.location)
            return Landed(files, columns, rows, storage, header_lines=1 + dialect.skip)
        inspection.say("converting the landing files to a form that Athena reads")
        rows = inspection.convert(texts, lambda text: _checked_rows(inspection, text, dialect, names))
        inspection.check_doubled(texts, rows)
        storage = converted_storage(names, inspection.converted)
        return Landed(files, columns, rows, storage, converted=inspection.converted)

    def rows(self, texts: Iterable[LandingText], source: LandingSource) -> Iterator[tuple[int, Row]]:
        """The records behind the headers."""
        dialect = csv_records.Dialect.of(source)
        for text in texts:
            records = csv_records.records(text, dialect)
            header = next(records, None)
            names = columns_of(header.fields) if header else []
            for record in records:
                yield record.line, dict(zip(names, record.fields, strict=False))


def _storage(dialect: csv_records.Dialect, names: Sequence[str], location: str) -> dict[str, Any]:
    """CSV files whose columns come in the order of ``names``, quoted by doubling alone."""
    serde = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"separatorChar": dialect.delimiter, "quoteChar": '"', "escapeChar": _NO_ESCAPE},
    }
    return text_storage([Column(name, "string") for name in names], location, serde)


def _common_names(inspection: Inspection, texts: Sequence[LandingText], dialect: csv_records.Dialect) -> list[str]:
    """The columns that the headers of all files name; none where no file has a byte."""
    common: list[str] = []
    for text in texts:
        if text.empty:
            continue
        names = _header_names(inspection, text, dialect)
        if common and names != common:
            order = "come in another order than" if sorted(names) == sorted(common) else "are others than"
            raise DapflowError(
                "landing-header",
                f"the columns {order} in {inspection.files[0].name}",
                file=text.item.uri,
                line=1 + dialect.skip,
                hint="land all files of a generation with the same header",
            )
        common = names
    return common


def _header_names(inspection: Inspection, text: LandingText, dialect: csv_records.Dialect) -> list[str]:
    header = next(csv_records.records(text, dialect), None)
    if header is None or header.line != dialect.skip + 1:
        raise DapflowError(
            "landing-header",
            "the first line is blank" if header else "the file has no header",
            file=text.item.uri,
            line=dialect.skip + 1,
            hint="the first line must name the columns; `skip` in service.yml leaves out title lines before it",
        )
    if inspection.known is None and (other := csv_records.other_delimiter(header, dialect)):
        raise DapflowError(
            "landing-header",
            f"the header has one field, and {other!r} in it",
            file=text.item.uri,
            line=header.line,
            source=header.text.rstrip("\r\n"),
            hint=f"name the delimiter in service.yml, delimiter: {json.dumps(other)}, or the one column",
        )
    names = columns_of(header.fields)
    inspection.check_names(text.item, names, line=header.line, note=renamed(header.fields))
    return names


def _plain_rows(texts: Sequence[LandingText], dialect: csv_records.Dialect, width: int) -> dict[str, int] | None:
    """How many rows each file has; None where Athena's reader may read one of them otherwise."""
    rows = {}
    for text in texts:
        count = 0 if text.empty else plain_rows(text, dialect, width)
        if count is None:
            return None
        rows[text.item.uri] = count
    return rows


def _checked_rows(
    inspection: Inspection, text: LandingText, dialect: csv_records.Dialect, names: Sequence[str]
) -> Iterator[Row]:
    # A field is a text as a whole; JSON in it is another format, which has a NULL of its own.
    mistakes = FileMistakes(text.item, inspection.nested(names), inspection.source.nulls)
    records = iter(()) if text.empty else csv_records.records(text, dialect)
    next(records, None)
    for record in records:
        if len(record.fields) != len(names):
            mistakes.ragged(record.line, len(record.fields), len(names))
            continue
        values: dict[str, str | None] = dict(zip(names, record.fields, strict=True))
        mistakes.fit(record.line, values)
        yield values
    mistakes.report()
