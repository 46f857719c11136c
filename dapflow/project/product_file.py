"""``<product>.yml``: what may be said about a data product beside its SQL."""

from __future__ import annotations

from dataclasses import dataclass, field

from dapflow.project.marked_yaml import Entry, YamlFile
from dapflow.project.model import SERVICE_NAMING, Comment, InputNote, Place, TableNames
from dapflow.project.table_names import TABLE_NAME_KEYS, read_table_names

KEYS = ("description", "columns", "tags", "inputs", "allow_empty", *TABLE_NAME_KEYS)
INPUT_KEYS = ("on_missing",)
_ON_MISSING = ("fail", "previous")


@dataclass(frozen=True)
class ProductNotes:
    """Description, comments by column, tags, names of its tables, what is said of its inputs and of its rows."""

    description: str | None = None
    comments: dict[str, Comment] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    names: TableNames = SERVICE_NAMING
    inputs: tuple[InputNote, ...] = ()
    allow_empty: bool = False


def read_product_notes(yaml: YamlFile, name: str) -> ProductNotes:
    """The notes in a product's YAML. Mistakes are noted in ``yaml``."""
    if yaml.root is None:
        return ProductNotes()
    entries = yaml.entries(yaml.root, f"{name}.yml", KEYS)
    description = yaml.string(entries["description"].value, "description") if "description" in entries else None
    comments = {}
    for column, entry in yaml.entries(entries["columns"].value, "columns").items() if "columns" in entries else []:
        comment = yaml.string(entry.value, f"the description of column {column!r}")
        if comment is not None:
            comments[column.lower()] = Comment(comment, Place.of(yaml, entry.key))
    tags = yaml.strings(entries["tags"].value, "tags") if "tags" in entries else []
    empty = yaml.boolean(entries["allow_empty"].value, "allow_empty") if "allow_empty" in entries else None
    inputs = _inputs(yaml, entries.get("inputs"))
    names = read_table_names(yaml, entries)
    return ProductNotes(description, comments, tuple(tag for tag, _ in tags), names, inputs, bool(empty))


def _inputs(yaml: YamlFile, entry: Entry | None) -> tuple[InputNote, ...]:
    found = []
    for table, one in yaml.entries(entry.value, "inputs").items() if entry else []:
        inner = yaml.entries(one.value, f"inputs.{table}", INPUT_KEYS)
        node = inner["on_missing"].value if "on_missing" in inner else None
        word = yaml.string(node, f"inputs.{table}.on_missing") if node else None
        if node is not None and word is not None and word not in _ON_MISSING:
            yaml.error(
                "bad-value",
                f"on_missing is 'fail' or 'previous', not {word!r}",
                node,
                "previous: read the newest generation before the run's; fail, the default: wait for the run's",
            )
        found.append(InputNote(table, Place.of(yaml, one.key), word == "previous"))
    return tuple(found)
