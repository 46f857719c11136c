"""How the exports of a table are written, found by reading all of them with the eyes of the ingest."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dapflow.errors import DapflowError
from dapflow.exports.dialect import dialect_of
from dapflow.exports.folder import TableFiles
from dapflow.exports.types import NULL_TEXTS, ColumnTypes
from dapflow.manifest import GenerationColumns, Source, SourceColumn
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.names import column_name_problem, dataset_name_problem
from dapflow.runtime.formats import csv_records, json_objects
from dapflow.runtime.formats.parquet_footers import differences, read_footers
from dapflow.runtime.landing.headings import columns_of
from dapflow.runtime.landing.text import Text, text_of
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import FINE, NULLS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
# Numbers and dates, as names of columns have them; what stands in for an empty name is none.
_VALUE = re.compile(r"[\d_]+")
# So much of a name is said.
_SHOWN = 60


def describe(table: TableFiles, progress: Callable[[str], None]) -> Source:
    """The source of a table. Raises DapflowError, at the file and line, for what the ingest would not take."""
    items: list[Object] = []
    try:
        items = [_object(each.path) for each in table.exports]
        for item in items:
            progress(f"reading {item.name}")
        described = _DESCRIBE[table.format](items)
    except DapflowError as error:
        if len(items) > 1:
            error.message += f" (all {len(items)} files of table {table.name} are left out)"
        raise _at_path(error) from error
    except OSError as error:
        raise DapflowError("exports", f"the file cannot be read: {error.strerror}", file=error.filename) from error
    _check(table, described)
    return described


def _object(path: Path) -> Object:
    return Object(f"{_BUCKET}{path.absolute()}", path.stat().st_size, "", datetime.now(UTC))


def _at_path(error: DapflowError) -> DapflowError:
    """The same error at the file of this machine."""
    error.file = error.file and error.file.removeprefix(_BUCKET)
    return error


def _path(item: Object) -> str:
    return item.uri.removeprefix(_BUCKET)


def doubtful_names(table: TableFiles, source: Source) -> Iterator[DapflowError]:
    """What to say of columns whose names look like values: the file may have no header, or a title before it."""
    names = [each.name for each in source.columns or ()]
    values = [name for name in names if _VALUE.fullmatch(name)]
    doubt = f"gives columns the names {', '.join(values[:3])}, which look like values" if values else None
    if len(names) > 1 and names[1:] == [f"column_{number}" for number in range(2, len(names) + 1)]:
        doubt = f"has one name for {len(names)} columns, {names[0]}" if names[0] != "column_1" else doubt
    if source.format == "csv" and doubt:
        yield DapflowError(
            "landing-header",
            f"the first line {doubt}: the file may have no header, or lines before it",
            file=table.exports[0].path,
            line=source.skip + 1,
            hint="add a line of names; lines before the header are left out with `skip` in service.yml",
        )


def _check(table: TableFiles, source: Source) -> None:
    path = table.exports[0].path
    columns = source.columns or ()
    if problem := dataset_name_problem(table.name):
        raise DapflowError("bad-name", f"the name of the table: {problem}", file=path, hint="rename the file")
    for each in columns:
        if problem := column_name_problem(each.name):
            shown = each.name if len(each.name) <= _SHOWN else f"{each.name[:_SHOWN]}…"
            raise DapflowError(
                "bad-name", f"column {shown}: {problem}", file=path, hint="rename the column in the export"
            )
        try:
            parse_column_type(each.type)
        except ColumnTypeError as error:
            hint = "write it with another type, or with simpler names within it"
            raise DapflowError("bad-column-type", f"column {each.name}: {error}", file=path, hint=hint) from error
    reserved = [each.name for each in columns if each.name in GenerationColumns().names]
    if reserved:
        raise DapflowError(
            "reserved-column",
            f"the file has {', '.join(reserved)}, which is the name of a generation column",
            file=path,
            line=source.skip + 1,
            hint="rename the column in the export, or write this source by hand with another generation_columns.prefix",
        )


def _csv(items: Sequence[Object]) -> Source:
    source = replace(Source("csv", None), encoding=_encoding(items))
    texts = [text_of(_FILES, item, source) for item in items]
    source = dialect_of(texts[0], replace(source, skip=_blank_lines(texts[0])))
    dialect = csv_records.Dialect.of(source)
    names: list[str] = []
    types: list[ColumnTypes] = []
    for text in texts:
        rows = csv_records.records(text, dialect)
        header = _header(text, rows, source.skip)
        found = columns_of(header.fields)
        if names and found != names:
            raise _unlike(items[0], text.item, dict.fromkeys(names, ""), dict.fromkeys(found, ""), header.line)
        names = found
        types = types or [ColumnTypes(name) for name in names]
        for record in rows:
            if len(record.fields) != len(names):
                raise _ragged(text, record, len(names))
            for column, value in zip(types, record.fields, strict=True):
                column.see(value)
    return _typed(source, types, items[0])


def _blank_lines(text: Text) -> int:
    """How many lines with nothing in them stand before the header. The ingest takes them where it is told so."""
    blank = 0
    for line in text.lines():
        if line.strip(" \r\n"):
            break
        blank += 1
    return blank


def _header(text: Text, rows: Iterator[csv_records.Record], skip: int) -> csv_records.Record:
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


def _unlike(
    first: Object, item: Object, before: Mapping[str, str], now: Mapping[str, str], line: int | None = None
) -> DapflowError:
    """The error for files of one table whose columns, by name with their types, are not the same."""
    words = differences(before, now)
    if not words:
        return DapflowError(
            "landing-header",
            f"the columns come in another order than in {_path(first)}, which belongs to the same table: "
            f"{', '.join(now)} in place of {', '.join(before)}",
            file=item.uri,
            line=line,
            hint="a table's files have one order of columns: export it again, or rename the file, if it is of another",
        )
    return DapflowError(
        "landing-header",
        f"the columns are others than in {_path(first)}, which belongs to the same table: {words}",
        file=item.uri,
        line=line,
        hint="rename the file, if it is of another table; if a column was added on a later day, draft the service from "
        "the files before it and land them, then add the column to service.yml and land the others",
    )


def _ragged(text: Text, record: csv_records.Record, wanted: int) -> DapflowError:
    return DapflowError(
        "landing-ragged",
        f"the row has {len(record.fields)} fields, and the header {wanted}",
        file=text.item.uri,
        line=record.line,
        hint="each row must have one field per column; title lines before the header are left out with `skip`",
    )


def _json(items: Sequence[Object]) -> Source:
    source = replace(Source("json", None), encoding=_encoding(items))
    keys, types = json_objects.Keys(), dict[str, ColumnTypes]()
    for item in items:
        for _, values in json_objects.records(text_of(_FILES, item, source), keys):
            for name, value in values.items():
                if name not in types:
                    types[name] = ColumnTypes(name)
                types[name].see(value)
    return _typed(source, list(types.values()), items[0])


def _parquet(items: Sequence[Object]) -> Source:
    first, *others = [read_footers(_FILES, [item]) for item in items]
    before = {name: kind for _, name, kind in first.columns}
    for item, each in zip(items[1:], others, strict=True):
        now = {name: kind for _, name, kind in each.columns}
        if now != before:
            raise _unlike(items[0], item, before, now)
    if not any(rows for each in (first, *others) for rows in each.rows.values()):
        raise _no_rows(items[0])
    columns = [
        SourceColumn(name, "string" if kind == NULLS else "timestamp" if kind in FINE else kind)
        for name, _, kind in first.columns
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
    texts = [text_of(_FILES, item, Source("json", None, encoding="detect")) for item in items]
    found = {_plain(text.encoding) for text in texts}
    return found.pop() if len(found) == 1 else "detect"


def _plain(encoding: str) -> str:
    return re.sub("^utf-8-sig$", "utf-8", encoding)


def text_lines(source: Source) -> Iterator[tuple[str, object]]:
    """The keys of a source that are not what they are without being said."""
    plain = Source(source.format, None)
    for key in ("format", "encoding", "delimiter", "escape", "skip"):
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
