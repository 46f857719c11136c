"""The ``external`` tables of a service.yml: those that a Glue job, another platform or anything else makes."""

from __future__ import annotations

from collections.abc import Callable

from yaml import MappingNode, Node, ScalarNode

from dapflow.manifest import Column, GenerationColumns, Zone
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.marked_yaml import Entry, YamlFile, is_null
from dapflow.project.model import ZONES, ExternalTable, Place
from dapflow.project.names import dataset_name_problem, suggestion, table_name_problem
from dapflow.project.table_names import read_table_names

EXTERNAL_KEYS = ("description", "generations", "current", "history", "columns")
COLUMN_KEYS = ("type", "description")
ReadGeneration = Callable[[YamlFile, Entry], GenerationColumns | None]


def read_external(
    yaml: YamlFile, node: Node, generation: GenerationColumns, read_generation: ReadGeneration
) -> tuple[ExternalTable, ...]:
    """Every external table of a service, by zone and in the order of the file.

    ``generation`` are the service's generation columns; ``read_generation`` reads those that a table has instead.
    """
    tables = []
    zones = yaml.entries(node, "external", ZONES)
    for zone in ZONES:
        for name, entry in yaml.entries(zones[zone].value, f"external.{zone}").items() if zone in zones else []:
            problem = dataset_name_problem(name)
            if problem:
                near = suggestion(name)
                hint = f"for example {near}: {{current: {name}}}" if near else None
                yaml.error("bad-name", f"external table {name!r}: {problem}", entry.key, hint)
            else:
                tables.append(_table(yaml, zone, name, entry, generation, read_generation))
    return tuple(tables)


def _table(
    yaml: YamlFile,
    zone: Zone,
    name: str,
    entry: Entry,
    service_generation: GenerationColumns,
    read_generation: ReadGeneration,
) -> ExternalTable:
    where = f"external table {name!r}"
    inner = yaml.entries(entry.value, where, EXTERNAL_KEYS)
    generation = _generations(yaml, inner.get("generations"), service_generation, read_generation)
    if generation is None and "history" in inner:
        yaml.error(
            "bad-value",
            f"{where} has a history, but no generations",
            inner["history"].key,
            "add generations: true, or name its one table with current:",
        )
    return ExternalTable(
        name=name,
        zone=zone,
        place=Place.of(yaml, entry.key),
        generation=generation,
        columns=_columns(yaml, inner.get("columns"), where, generation),
        description=yaml.string(inner["description"].value, "description") if "description" in inner else None,
        names=read_table_names(yaml, inner, table_name_problem),
    )


def _generations(
    yaml: YamlFile, entry: Entry | None, service: GenerationColumns, read_generation: ReadGeneration
) -> GenerationColumns | None:
    """``true``, ``false``, or what ``generation_columns`` of a service takes."""
    if entry is None:
        return None
    if isinstance(entry.value, MappingNode):
        return read_generation(yaml, entry)
    return service if yaml.boolean(entry.value, "generations") else None


def _columns(
    yaml: YamlFile, entry: Entry | None, where: str, generation: GenerationColumns | None
) -> tuple[Column, ...] | None:
    if entry is None or is_null(entry.value):
        return None
    found: list[Column] = []
    for name, column in yaml.entries(entry.value, f"columns of {where}").items():
        if not name or name != name.lower():
            yaml.error("bad-name", f"column {name!r}: Glue keeps names in lower case", column.key, name.lower() or None)
        elif generation is not None and name in generation.partition_names:
            hint = "leave it out: the history's partition columns are known"
            yaml.error("reserved-column", f"column {name!r} is a partition column of {where}", column.key, hint)
        elif (read := _column(yaml, name, column)) is not None:
            found.append(read)
    return tuple(found) or None


def _column(yaml: YamlFile, name: str, entry: Entry) -> Column | None:
    node, comment = entry.value, None
    if isinstance(node, MappingNode):
        inner = yaml.entries(node, f"column {name!r}", COLUMN_KEYS)
        comment = yaml.string(inner["description"].value, "description") if "description" in inner else None
        node = inner["type"].value if "type" in inner else ScalarNode("tag:yaml.org,2002:null", "")
    if is_null(node):
        yaml.error("bad-column-type", f"column {name!r} has no type", entry.key, f"write {name}: string")
        return None
    text = yaml.string(node, f"the type of column {name!r}")
    if text is None:
        return None
    try:
        return Column(name, parse_column_type(text), comment)
    except ColumnTypeError as error:
        yaml.error("bad-column-type", f"column {name!r}: {error}", node, error.hint)
        return None
