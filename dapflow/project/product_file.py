"""``<product>.yml``: what may be said about a data product beside its SQL."""

from __future__ import annotations

from dataclasses import dataclass, field

from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import SERVICE_NAMING, Comment, Place, TableNames
from dapflow.project.table_names import TABLE_NAME_KEYS, read_table_names

KEYS = ("description", "columns", "tags", *TABLE_NAME_KEYS)


@dataclass(frozen=True)
class ProductNotes:
    """Description, comments by column, tags, names of its tables."""

    description: str | None = None
    comments: dict[str, Comment] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    names: TableNames = SERVICE_NAMING


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
    return ProductNotes(description, comments, tuple(tag for tag, _ in tags), read_table_names(yaml, entries))
