"""How the exports of a table are written, found by reading all of them with the eyes of the ingest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dapflow.errors import DapflowError
from dapflow.exports.csv_draft import csv_source
from dapflow.exports.draft import encoding_of, no_rows, typed, unlike
from dapflow.exports.folder import TableFiles
from dapflow.exports.local_files import FILES, at_path, local_object
from dapflow.exports.type_candidates import ColumnTypes
from dapflow.landing_formats import DEFAULT_FORMAT
from dapflow.manifest import GenerationColumns, LandingSource, SourceColumn
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.name_rules import column_name_problem, dataset_name_problem
from dapflow.runtime.formats.registry import format_of
from dapflow.runtime.landing.landing_text import text_of
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import table_type

# Formats in which files are written in several ways, which have to be found first.
_DIALECTS: dict[str, Callable[[Sequence[Object]], LandingSource]] = {"csv": csv_source}
# Numbers and dates, as names of columns have them; what stands in for an empty name is none.
_VALUE = re.compile(r"[\d_]+")
# So much of a name is said.
_SHOWN = 60


def describe(table: TableFiles, progress: Callable[[str], None]) -> LandingSource:
    """The source of a table. Raises DapflowError, at the file and line, for what the ingest would not take."""
    items: list[Object] = []
    try:
        items = [local_object(export.path) for export in table.exports]
        for item in items:
            progress(f"reading {item.name}")
        described = _source(table.format, items)
    except DapflowError as error:
        if len(items) > 1:
            error.message += f" (all {len(items)} files of table {table.name} are left out)"
        raise at_path(error) from error
    except OSError as error:
        raise DapflowError("exports", f"the file cannot be read: {error.strerror}", file=error.filename) from error
    _check(table, described)
    return described


def doubtful_names(table: TableFiles, source: LandingSource) -> Iterator[DapflowError]:
    """What to say of columns whose names look like values: the file may have no header, or a title before it."""
    names = [column.name for column in source.columns or ()]
    values = [name for name in names if _VALUE.fullmatch(name)]
    doubt = f"gives columns the names {', '.join(values[:3])}, which look like values" if values else None
    if len(names) > 1 and names[1:] == [f"column_{number}" for number in range(2, len(names) + 1)]:
        doubt = f"has one name for {len(names)} columns, {names[0]}" if names[0] != "column_1" else doubt
    if format_of(source).has_header and doubt:
        yield DapflowError(
            "landing-header",
            f"the first line {doubt}: the file may have no header, or lines before it",
            file=table.exports[0].path,
            line=source.skip + 1,
            hint="add a line of names; lines before the header are left out with `skip` in service.yml",
        )


def _source(written: str, items: Sequence[Object]) -> LandingSource:
    """How files of a format are written, and their columns."""
    if written in _DIALECTS:
        return _DIALECTS[written](items)
    source = LandingSource(written, None)
    return _typed_source(source, items) if format_of(source).is_typed else _text_source(source, items)


def _text_source(source: LandingSource, items: Sequence[Object]) -> LandingSource:
    source = replace(source, encoding=encoding_of(items, source.format))
    types: dict[str, ColumnTypes] = {}
    for _, values in format_of(source).rows((text_of(FILES, item, source) for item in items), source):
        for name, value in values.items():
            if name not in types:
                types[name] = ColumnTypes(name)
            types[name].see(value)
    return typed(source, list(types.values()), items[0])


def _typed_source(source: LandingSource, items: Sequence[Object]) -> LandingSource:
    declared = [format_of(source).declared(FILES, item) for item in items]
    before, _ = declared[0]
    for item, (now, _) in zip(items[1:], declared[1:], strict=True):
        if now != before:
            raise unlike(items[0], item, before, now)
    if not any(rows for _, rows in declared):
        raise no_rows(items[0])
    return replace(source, columns=tuple(SourceColumn(name, table_type(kind)) for name, kind in before.items()))


def _check(table: TableFiles, source: LandingSource) -> None:
    path = table.exports[0].path
    columns = source.columns or ()
    if problem := dataset_name_problem(table.name):
        raise DapflowError("bad-name", f"the name of the table: {problem}", file=path, hint="rename the file")
    for column in columns:
        if problem := column_name_problem(column.name):
            shown = column.name if len(column.name) <= _SHOWN else f"{column.name[:_SHOWN]}…"
            raise DapflowError(
                "bad-name", f"column {shown}: {problem}", file=path, hint="rename the column in the export"
            )
        try:
            parse_column_type(column.type)
        except ColumnTypeError as error:
            hint = "write it with another type, or with simpler names within it"
            raise DapflowError("bad-column-type", f"column {column.name}: {error}", file=path, hint=hint) from error
    reserved = [column.name for column in columns if column.name in GenerationColumns().names]
    if reserved:
        raise DapflowError(
            "reserved-column",
            f"the file has {', '.join(reserved)}, which is the name of a generation column",
            file=path,
            line=source.skip + 1,
            hint="rename the column in the export, or write this source by hand with another generation_columns.prefix",
        )


def text_lines(source: LandingSource) -> Iterator[tuple[str, object]]:
    """The keys of a source that are not what they are without being said."""
    plain = LandingSource(DEFAULT_FORMAT, None)
    for key in ("format", "encoding", "delimiter", "escape", "skip"):
        if (value := getattr(source, key)) != getattr(plain, key):
            yield key, value
    if source.null:
        yield "null", list(source.null) if len(source.null) > 1 else source.null[0]
    columns = source.columns or ()
    yield (
        "columns",
        {
            column.name: {"type": column.type, "format": column.format} if column.format else column.type
            for column in columns
        },
    )
