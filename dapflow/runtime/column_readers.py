"""Who in the project reads columns of a dataset, and where in their texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dapflow.manifest import Manifest, Transform

# What the parts of a text are, as far as it takes to find names: comments, literals, quoted names, names, stars.
_PART = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?P<quoted>(?:[^"]|"")*)"|(?P<name>[^\W\d]\w*)|(?P<star>\*)""", re.DOTALL
)


@dataclass(frozen=True)
class ReadingProduct:
    """A product that reads a column of another dataset, and the place of its text where it does.

    ``breaks``: the text names the column, and so finds NULL where it is gone or of another type. Else it takes all
    columns of the dataset, or may, and passes it on.
    """

    column: str
    dataset: str
    file: str
    line: int
    at: int
    breaks: bool

    def __str__(self) -> str:
        """In words, with the place."""
        effect = "breaks: it names the column" if self.breaks else "passes all columns on"
        return f"{self.dataset} ({self.file}:{self.line}:{self.at}), which {effect}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return asdict(self)


def column_readers(
    manifest: Manifest,
    dataset_id: str,
    columns: Collection[str],
    read_by: Mapping[str, Collection[str]] | None = None,
) -> list[ReadingProduct]:
    """Who reads these columns of a dataset. ``read_by`` says which of its columns each product reads, where known.

    Without it, a product that reads the dataset and has the column's name in its text counts as one that reads it.
    """
    readers = []
    for product in manifest.datasets.values():
        if product.transform is None or dataset_id not in product.depends_on or product.id == dataset_id:
            continue
        known = read_by.get(product.id) if read_by is not None else None
        places = _places(product.transform.sql)
        for column in columns:
            if known is not None and column not in known:
                continue
            named = places.get(column)
            start = named if named is not None else _table_place(product.transform, dataset_id, places, known)
            if start is not None:
                line, at = _position(product.transform.sql, start)
                readers.append(ReadingProduct(column, product.id, product.transform.file, line, at, named is not None))
    return sorted(readers, key=lambda reader: (list(columns).index(reader.column), reader.dataset))


def _table_place(
    transform: Transform, dataset_id: str, places: Mapping[str, int], known: Collection[str] | None
) -> int | None:
    """Where a text names the dataset whose columns it takes without naming them."""
    if known is None and "*" not in places and all(reference.query is None for reference in transform.references):
        return None
    return next((reference.start for reference in transform.references if reference.dataset == dataset_id), None)


def _places(sql: str) -> dict[str, int]:
    """Where each name first stands in a text, in lower case; ``*`` for all columns, not for multiplication."""
    places: dict[str, int] = {}
    before = ""
    for part in _PART.finditer(sql):
        if part["star"]:
            between = sql[: part.start()].rstrip()[-1:]
            if between in (",", ".") or before in ("select", "distinct", "all"):
                places.setdefault("*", part.start())
        elif part["name"] or part["quoted"] is not None:
            before = (part["name"] or part["quoted"].replace('""', '"')).lower()
            places.setdefault(before, part.start())
    return places


def _position(text: str, start: int) -> tuple[int, int]:
    """Line and column of a place in a text, from 1."""
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
