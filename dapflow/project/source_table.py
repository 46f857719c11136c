"""The ``sources`` of a service.yml: the tables that a service ingests, and how their files are written."""

from __future__ import annotations

from typing import cast

from yaml import MappingNode, Node

from dapflow.manifest import Format, GenerationColumns, Source, SourceColumn
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.marked_yaml import Entry, YamlFile, is_null
from dapflow.project.model import Place, SourceTable
from dapflow.project.names import column_name_problem, dataset_name_problem, suggestion
from dapflow.project.table_names import TABLE_NAME_KEYS, read_table_names

SOURCE_KEYS = ("description", "format", "delimiter", "null", "columns", *TABLE_NAME_KEYS)
COLUMN_KEYS = ("type", "format", "description")


def read_sources(yaml: YamlFile, node: Node, generation: GenerationColumns) -> tuple[SourceTable, ...]:
    """Every source of a service, in the order of the file."""
    sources = []
    for name, entry in yaml.entries(node, "sources").items():
        problem = dataset_name_problem(name)
        if problem:
            near = suggestion(name)
            yaml.error("bad-name", f"source {name!r}: {problem}", entry.key, f"for example {near}" if near else None)
        else:
            sources.append(_source(yaml, name, entry, generation))
    return tuple(sources)


def _source(yaml: YamlFile, name: str, entry: Entry, generation: GenerationColumns) -> SourceTable:
    where = f"source {name!r}"
    inner = yaml.entries(entry.value, where, SOURCE_KEYS)
    columns = None
    if "columns" in inner and not is_null(inner["columns"].value):
        columns = _columns(yaml, inner["columns"], where, generation)
    null = yaml.string(inner["null"].value, "null") if "null" in inner else None
    return SourceTable(
        name=name,
        source=Source(
            format=_format(yaml, inner.get("format")),
            columns=columns,
            delimiter=_delimiter(yaml, inner.get("delimiter")),
            null=null or "",
        ),
        place=Place.of(yaml, entry.key),
        description=yaml.string(inner["description"].value, "description") if "description" in inner else None,
        names=read_table_names(yaml, inner),
    )


def _format(yaml: YamlFile, entry: Entry | None) -> Format:
    name = yaml.string(entry.value, "format") if entry else None
    if entry is None or name is None:
        return "csv"
    if name not in {"csv", "json", "parquet"}:
        yaml.error(
            "bad-value", f"format is csv, json or parquet, not {name!r}", entry.value, "json means one object a line"
        )
        return "csv"
    return cast(Format, name)


def _delimiter(yaml: YamlFile, entry: Entry | None) -> str:
    text = yaml.string(entry.value, "delimiter") if entry else None
    if entry is None or text is None:
        return ","
    if len(text) != 1 or text in {'"', "\n", "\r"}:
        yaml.error("bad-value", f"delimiter is one character, not {text!r}", entry.value, r'a tab is "\t"')
        return ","
    return text


def _columns(
    yaml: YamlFile, columns: Entry, where: str, generation: GenerationColumns
) -> tuple[SourceColumn, ...] | None:
    entries = yaml.entries(columns.value, f"columns of {where}")
    if isinstance(columns.value, MappingNode) and not columns.value.value:
        yaml.error("bad-value", f"{where} has no columns", columns.key, "leave columns out to have them inferred")
    found: dict[str, SourceColumn] = {}
    for name, entry in entries.items():
        problem = column_name_problem(name)
        if problem:
            near = suggestion(name)
            hint = f"write {near}; in the header of the file the name may keep its spelling" if near else None
            yaml.error("bad-name", f"column {name!r}: {problem}", entry.key, hint)
        elif name in generation.names:
            yaml.error(
                "reserved-column",
                f"column {name!r} has the name of a generation column of the history table",
                entry.key,
                "rename the column in the export, or choose another generation_columns.prefix",
            )
        else:
            column = _column(yaml, name, entry)
            if column is not None:
                found[name] = column
    return tuple(found.values()) or None


def _column(yaml: YamlFile, name: str, entry: Entry) -> SourceColumn | None:
    if not isinstance(entry.value, MappingNode):
        text = yaml.string(entry.value, f"the type of column {name!r}")
        if is_null(entry.value):
            yaml.error("bad-column-type", f"column {name!r} has no type", entry.key, f"write {name}: string")
        return _typed(yaml, name, text, entry.value)
    inner = yaml.entries(entry.value, f"column {name!r}", COLUMN_KEYS)
    if "type" not in inner or is_null(inner["type"].value):
        yaml.error("bad-column-type", f"column {name!r} has no type", entry.key, "add type: string")
        return None
    text = yaml.string(inner["type"].value, "type")
    pattern = yaml.string(inner["format"].value, "format") if "format" in inner else None
    comment = yaml.string(inner["description"].value, "description") if "description" in inner else None
    return _typed(yaml, name, text, inner["type"].value, pattern=pattern, comment=comment)


def _typed(
    yaml: YamlFile, name: str, text: str | None, node: Node, *, pattern: str | None = None, comment: str | None = None
) -> SourceColumn | None:
    if text is None:
        return None
    try:
        column_type = parse_column_type(text)
    except ColumnTypeError as error:
        yaml.error("bad-column-type", f"column {name!r}: {error}", node, error.hint)
        return None
    if pattern is not None and column_type not in {"date", "timestamp"}:
        yaml.error("bad-value", f"column {name!r}: only a date or timestamp has a format, not {column_type}", node)
    return SourceColumn(name=name, type=column_type, comment=comment, format=pattern)
