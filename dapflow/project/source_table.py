"""The ``sources`` of a service.yml: the tables that a service ingests, and how their files are written."""

from __future__ import annotations

import re

from yaml import MappingNode, Node

from dapflow.manifest import GenerationColumns, SourceColumn
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.marked_yaml import Entry, YamlFile, is_null
from dapflow.project.model import Place, SourceTable
from dapflow.project.names import column_name_problem, dataset_name_problem, suggestion
from dapflow.project.source_format import read_source_format
from dapflow.project.table_names import TABLE_NAME_KEYS, read_table_names
from dapflow.sql.date_pattern import date_pattern_problem

SOURCE_KEYS = (
    "description", "format", "encoding", "delimiter", "escape", "skip", "null", "allow_empty", "columns",
    *TABLE_NAME_KEYS,
)  # fmt: skip
# Text of a bounded length.
_BOUNDED = re.compile(r"(?:var)?char\(\d+\)")
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
    return SourceTable(
        name=name,
        source=read_source_format(yaml, inner, columns),
        place=Place.of(yaml, entry.key),
        description=yaml.string(inner["description"].value, "description") if "description" in inner else None,
        names=read_table_names(yaml, inner),
    )


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
    comment = yaml.string(inner["description"].value, "description") if "description" in inner else None
    return _typed(yaml, name, text, inner["type"].value, pattern=inner.get("format"), comment=comment)


def _pattern(yaml: YamlFile, name: str, entry: Entry, column_type: str, node: Node) -> str | None:
    pattern = yaml.string(entry.value, "format")
    if pattern is not None and column_type not in {"date", "timestamp"}:
        yaml.error("bad-value", f"column {name!r}: only a date or timestamp has a format, not {column_type}", node)
        return None
    if pattern is not None and (problem := date_pattern_problem(pattern)):
        yaml.error("bad-value", f"column {name!r}: {problem.message}", entry.value, problem.hint)
        return None
    return pattern


def _typed(
    yaml: YamlFile, name: str, text: str | None, node: Node, *, pattern: Entry | None = None, comment: str | None = None
) -> SourceColumn | None:
    if text is None:
        return None
    try:
        column_type = parse_column_type(text)
    except ColumnTypeError as error:
        yaml.error("bad-column-type", f"column {name!r}: {error}", node, error.hint)
        return None
    if column_type.startswith(("array<", "map<", "struct<")) and (bounded := _BOUNDED.search(column_type)):
        message = f"column {name!r}: the length of {bounded[0]} within a nested type is not checked"
        yaml.error("bad-column-type", message, node, "write string in its place")
        return None
    form = _pattern(yaml, name, pattern, column_type, node) if pattern else None
    return SourceColumn(name=name, type=column_type, comment=comment, format=form)
