"""The source of CSV files: delimiter and quotes are found, and headers must agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dapflow.errors import DapflowError
from dapflow.exports.dialect import dialect_of
from dapflow.exports.draft import encoding_of, typed, unlike
from dapflow.exports.local_files import FILES
from dapflow.exports.type_candidates import ColumnTypes
from dapflow.manifest import LandingSource
from dapflow.runtime.formats import csv_records
from dapflow.runtime.landing.headings import columns_of
from dapflow.runtime.landing.landing_text import LandingText, text_of
from dapflow.runtime.objects import Object


def csv_source(items: Sequence[Object]) -> LandingSource:
    """The source. Raises DapflowError for what the ingest would not take."""
    source = replace(LandingSource("csv", None), encoding=encoding_of(items, "csv"))
    texts = [text_of(FILES, item, source) for item in items]
    source = dialect_of(texts[0], replace(source, skip=_blank_lines(texts[0])))
    dialect = csv_records.Dialect.of(source)
    names: list[str] = []
    types: list[ColumnTypes] = []
    for text in texts:
        rows = csv_records.records(text, dialect)
        header = _header(text, rows, source.skip)
        columns = columns_of(header.fields)
        if names and columns != names:
            raise unlike(items[0], text.item, dict.fromkeys(names, ""), dict.fromkeys(columns, ""), header.line)
        names = columns
        types = types or [ColumnTypes(name) for name in names]
        for record in rows:
            if len(record.fields) != len(names):
                raise _ragged(text, record, len(names))
            for column, value in zip(types, record.fields, strict=True):
                column.see(value)
    return typed(source, types, items[0])


def _blank_lines(text: LandingText) -> int:
    """How many lines with nothing in them stand before the header. The ingest takes them where it is told so."""
    blank = 0
    for line in text.lines():
        if line.strip(" \r\n"):
            break
        blank += 1
    return blank


def _header(text: LandingText, rows: Iterator[csv_records.Record], skip: int) -> csv_records.Record:
    header = next(rows, None)
    if header is None:
        raise DapflowError("landing-header", "the file has no header", file=text.item.uri, line=1)
    if _blank_lines(text) != skip:
        raise DapflowError(
            "landing-header",
            f"the header stands behind another number of blank lines than in the table's first file, which has {skip}",
            file=text.item.uri,
            line=1,
            hint="take the blank lines away: the files of a table have one `skip`",
        )
    return header


def _ragged(text: LandingText, record: csv_records.Record, wanted: int) -> DapflowError:
    return DapflowError(
        "landing-ragged",
        f"the row has {len(record.fields)} fields, and the header {wanted}",
        file=text.item.uri,
        line=record.line,
        hint="each row must have one field per column; title lines before the header are left out with `skip`",
    )
