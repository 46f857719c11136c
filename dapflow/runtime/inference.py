"""Types for columns that service.yml leaves open: one query at the first load, then kept in the history table.

A type is taken when every value there is would be printed back as it stands in the file: ``007``, ``1E2`` and ``3.10``
stay text.
"""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.manifest import SourceColumn
from dapflow.runtime.conversion import null_if, printed_back
from dapflow.runtime.dataset_location import quoted

# The narrowest first.
_KINDS = ("boolean", "bigint", "double", "date", "timestamp")


def inference_query(database: str, table: str, names: Sequence[str], nulls: Sequence[str]) -> str:
    """Counts, in one row: per column the values there are and those that fit each candidate."""
    measures = []
    for number, name in enumerate(names):
        value = null_if(quoted(name), nulls)
        measures.append(f"count({value}) AS values_{number}")
        measures += [f"count(CASE WHEN {printed_back(kind, value)} THEN 1 END) AS {kind}_{number}" for kind in _KINDS]
    listed = ",\n  ".join(measures)
    return f"SELECT\n  {listed}\nFROM {quoted(database, table)}"


def inferred(names: Sequence[str], row: dict[str, str | None]) -> list[SourceColumn]:
    """The columns that the counts speak for; text where nothing narrower fits, or no value is there."""
    columns = []
    for number, name in enumerate(names):
        values = int(row[f"values_{number}"] or 0)
        fitting = (kind for kind in _KINDS if values and int(row[f"{kind}_{number}"] or 0) == values)
        columns.append(SourceColumn(name, next(fitting, "string")))
    return columns
