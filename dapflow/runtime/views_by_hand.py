"""Views that people made over a dataset: no publication writes them anew, so a change of columns leaves them stale."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dapflow.runtime import glue_parameters
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.current_view import view_definition
from dapflow.runtime.dataset_location import DatasetLocation


def views_by_hand(catalog: GlueCatalog, place: DatasetLocation) -> list[str]:
    """The views of the dataset's own database that name it and that somebody else made; others are not looked at."""
    names = re.compile(rf"(?<!\w)({re.escape(place.history)}|{re.escape(place.current)})(?!\w)", re.IGNORECASE)
    views = []
    for table in catalog.tables(place.database, ".*"):
        definition = view_definition(table) if table.get("TableType") == "VIRTUAL_VIEW" else None
        theirs = glue_parameters.DATASET not in table.get("Parameters", {})
        if definition is not None and theirs and names.search(str(definition.get("originalSql"))):
            views.append(f"{place.database}.{table['Name']}")
    return sorted(views)


def stale_views_said(views: Sequence[str]) -> str:
    """What to do about them, in a line."""
    return f"views that somebody made over it may be stale now, and have to be created again: {', '.join(views)}"
