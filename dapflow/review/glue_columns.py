"""The columns of a product by its lineage, as its table has them."""

from __future__ import annotations

from dapflow.lineage import ProductLineage
from dapflow.manifest import Column
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type

#: The type of a column that no table holds, or that hangs on columns that are not known.
UNKNOWN = "unknown"


def glue_columns(lineage: ProductLineage | None) -> list[Column] | None:
    """The columns with Glue's types; None where they are not known."""
    if lineage is None or lineage.columns is None:
        return None
    return [Column(column.name, _type(column.type)) for column in lineage.columns]


def _type(text: str) -> str:
    try:
        return hive_type(text)
    except UnsupportedTypeError:
        return UNKNOWN
