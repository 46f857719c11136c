"""Tables and views of a moment, through which a run reads what is not published.

Their names prove whose they are: they end in a check sum of the dataset and of the letters before it. So one that a
killed run left is found and removed without any note of it, and no table of a user's is ever taken for one.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any, Literal

from dapflow.manifest import Dataset
from dapflow.runtime.catalog import GlueCatalog, StaleTableError
from dapflow.runtime.dataset_location import DatasetLocation

# A view that describes a SELECT, a table over landing files, a table over what was staged.
Kind = Literal["columns", "landing", "staged"]
_NAME = re.compile(r"(?P<name>.+)__(?P<kind>columns|landing|staged)_(?P<token>[0-9a-f]{12})(?P<proof>[0-9a-f]{12})")


def temporary_name(dataset: Dataset, kind: Kind, token: str | None = None) -> str:
    """A name for a temporary table; equal for equal tokens (12 hexadecimal digits count), of its own without one."""
    token = (token or uuid.uuid4().hex)[:12]
    return f"{dataset.name}__{kind}_{token}{_proof(dataset, kind, token)}"


def is_temporary(dataset: Dataset, name: str) -> bool:
    """Whether ``temporary_name`` made this name for the dataset."""
    match = _NAME.fullmatch(name)
    return (
        match is not None
        and match["name"] == dataset.name
        and match["proof"] == _proof(dataset, match["kind"], match["token"])
    )


def temporary_tables(catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation) -> list[dict[str, Any]]:
    """The temporary tables and views of a dataset, as Glue describes them, in one listing."""
    # Glue calls the pattern a regular expression, and Hive's patterns, which its clients send, have `*` for any
    # letters. This one means the same to both, since a letter at least follows.
    tables = catalog.tables(place.database, f"{dataset.name}__.*")
    return [table for table in tables if is_temporary(dataset, table["Name"])]


def put_table(catalog: GlueCatalog, database: str, table: dict[str, Any]) -> None:
    """Create a temporary table. One that another attempt made stays in place, and counts as new from now on."""
    while True:
        try:
            catalog.create_table(database, table)
        except StaleTableError:
            if (before := catalog.table(database, table["Name"])) is None:
                continue
            try:
                catalog.update_table(database, before, table)
            except StaleTableError:
                continue
        return


def _proof(dataset: Dataset, kind: str, token: str) -> str:
    return hashlib.sha256("\0".join((dataset.id, kind, token)).encode()).hexdigest()[:12]
