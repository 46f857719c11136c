"""How the exports of a table are written, found by reading all of them with the eyes of the ingest."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dapflow.errors import DapflowError
from dapflow.exports.folder import TableFiles
from dapflow.exports.types import NULL_TEXTS, ColumnTypes
from dapflow.manifest import GenerationColumns, Source, SourceColumn
from dapflow.runtime.landing import csv_file, json_file
from dapflow.runtime.landing.headings import columns_of
from dapflow.runtime.landing.parquet_file import read_footers
from dapflow.runtime.landing.text import Text, text_of
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import FINE, NULLS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DELIMITERS = (",", ";", "\t", "|")
_ESCAPES = (None, "\\")
# So many rows decide how the fields of a file are parted; then all rows must agree.
_TRIED_ROWS = 200


class _Files:
    """Files of this machine, read as the ingest reads objects of S3."""

    def get_object(self, *, Key: str, Range: str, **_others: Any) -> dict[str, Any]:  # noqa: N803 (as boto3 has it)
        first, _, end = Range.removeprefix("bytes=").partition("-")
        with Path(f"/{Key}").open("rb") as file:
            if first:
                file.seek(int(first))
                return {"Body": io.BytesIO(file.read(int(end) - int(first) + 1))}
            file.seek(-int(end), io.SEEK_END)
            return {"Body": io.BytesIO(file.read())}


_FILES = cast("S3Client", _Files())
# What stands for a bucket before the path of a file of this machine.
_BUCKET = "s3://file"


def describe(table: TableFiles, progress: Callable[[str], None]) -> Source:
    """The source of a table. Raises DapflowError, at the file and line, for what the ingest would not take."""
    items = [_object(each.path) for each in table.exports]
    for item in items:
        progress(f"reading {item.name}")
    try:
        described = _DESCRIBE[table.format](items)
    except DapflowError as error:
        raise _at_path(error) from error
    except OSError as error:
        raise DapflowError("exports", f"the file cannot be read: {error.strerror}", file=error.filename) from error
    _check(table, described)
    return described


def _object(path: Path) -> Object:
    return Object(f"{_BUCKET}{path.resolve()}", path.stat().st_size, "", datetime.now(UTC))


def _at_path(error: DapflowError) -> DapflowError:
    """The same error at the file of this machine."""
    error.file = error.file and error.file.removeprefix(_BUCKET)
    return error


def _check(table: TableFiles, source: Source) -> None:
    path = table.exports[0].path
    columns = source.columns or ()
    reserved = [each.name for each in columns if each.name in GenerationColumns().names]
    if reserved:
        raise DapflowError(
            "reserved-column",
            f"the file has {', '.join(reserved)}, which is the name of a generation column",
            file=path,
            line=1,
            hint="rename the column in the export, or write this source by hand with another generation_columns.prefix",
        )


def _csv(items: Sequence[Object]) -> Source:
    source = replace(Source("csv", None), encoding=_encoding(items))
    texts = [text_of(_FILES, item, source) for item in items]
    source = _dialect(texts[0], source)
    dialect = csv_file.Dialect.of(source)
    names: list[str] = []
    types: list[ColumnTypes] = []
    for text in texts:
        rows = csv_file.records(text, dialect)
        header = next(rows)
        found = columns_of(header.fields)
        if names and found != names:
            raise DapflowError(
                "landing-header",
                f"the columns are others than in {texts[0].item.name}, which belongs to the same table",
                file=text.item.uri,
                line=header.line,
                hint="rename the file, if it is of another table",
            )
        names = found
        types = types or [ColumnTypes(name) for name in names]
        for record in rows:
            if len(record.fields) != len(names):
                raise _ragged(text, record, len(names))
            for column, value in zip(types, record.fields, strict=True):
                column.see(value)
    return _typed(source, types, items[0])


def _ragged(text: Text, record: csv_file.Record, wanted: int) -> DapflowError:
    return DapflowError(
        "landing-ragged",
        f"the row has {len(record.fields)} fields, and the header {wanted}",
        file=text.item.uri,
        line=record.line,
        hint="each row must have one field per column; title lines before the header are left out with `skip`",
    )


def _dialect(text: Text, source: Source) -> Source:
    """The delimiter that parts the header and, as evenly, the first rows; else the one that parts the header most."""
    failure: DapflowError | None = None
    for escape in _ESCAPES:
        tried: list[tuple[bool, int, Source]] = []
        for delimiter in _DELIMITERS:
            candidate = replace(source, delimiter=delimiter, escape=escape)
            try:
                even, width = _fields(text, csv_file.Dialect.of(candidate))
            except DapflowError as error:
                failure = failure or error
            else:
                tried.append((even and width > 1, width, candidate))
        if tried:
            return max(tried, key=lambda each: each[:2])[2]
    assert failure is not None  # noqa: S101 (each of them failed)
    raise failure


def _fields(text: Text, dialect: csv_file.Dialect) -> tuple[bool, int]:
    """Whether the first rows have as many fields as the header, and how many the header has."""
    records = itertools.islice(csv_file.records(text, dialect), _TRIED_ROWS)
    widths = [len(record.fields) for record in records]
    if not widths:
        raise DapflowError("landing-header", "the file has no header", file=text.item.uri, line=1)
    return len(set(widths)) == 1, widths[0]


def _json(items: Sequence[Object]) -> Source:
    source = replace(Source("json", None), encoding=_encoding(items))
    keys, types = json_file.Keys(), dict[str, ColumnTypes]()
    for item in items:
        for _, values in json_file.records(text_of(_FILES, item, source), keys):
            for name, value in values.items():
                if name not in types:
                    types[name] = ColumnTypes(name)
                types[name].see(value)
    return _typed(source, list(types.values()), items[0])


def _parquet(items: Sequence[Object]) -> Source:
    found = read_footers(_FILES, items)
    if not any(found.rows.values()):
        raise _no_rows(items[0])
    columns = [
        SourceColumn(name, "string" if kind == NULLS else "timestamp" if kind in FINE else kind)
        for name, _, kind in found.columns
    ]
    return Source("parquet", tuple(columns))


def _typed(source: Source, types: list[ColumnTypes], item: Object) -> Source:
    """With the columns, and the texts that stand for NULL."""
    if not any(each.values for each in types):
        raise _no_rows(item)
    # People are called NULL, too: where it stands among numbers or dates it is none of these.
    nulls = [
        text for text in NULL_TEXTS if any(text in each.null_texts and (text == "\\N" or each.found) for each in types)
    ]
    # An empty field is NULL where numbers or dates have one; in text it may be meant.
    if (nulls or source.format == "json") and any(each.empty and each.found for each in types):
        nulls.append("")
    return replace(source, null=tuple(nulls), columns=tuple(each.column() for each in types))


def _no_rows(item: Object) -> DapflowError:
    return DapflowError(
        "landing-no-rows", "the file has no rows, so nobody can tell its types", file=item.uri, hint="export some rows"
    )


def _encoding(items: Sequence[Object]) -> str:
    """The one encoding of all files; `detect` where they have several."""
    found = {_plain(text_of(_FILES, item, Source("json", None, encoding="detect")).encoding) for item in items}
    return found.pop() if len(found) == 1 else "detect"


def _plain(encoding: str) -> str:
    return re.sub("^utf-8-sig$", "utf-8", encoding)


def text_lines(source: Source) -> Iterator[tuple[str, object]]:
    """The keys of a source that are not what they are without being said."""
    plain = Source(source.format, None)
    for key in ("format", "encoding", "delimiter", "escape"):
        if (value := getattr(source, key)) != getattr(Source("csv", None) if key == "format" else plain, key):
            yield key, value
    if source.null:
        yield "null", list(source.null) if len(source.null) > 1 else source.null[0]
    columns = source.columns or ()
    yield (
        "columns",
        {each.name: {"type": each.type, "format": each.format} if each.format else each.type for each in columns},
    )


_DESCRIBE: dict[str, Callable[[Sequence[Object]], Source]] = {"csv": _csv, "json": _json, "parquet": _parquet}
