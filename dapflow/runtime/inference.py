"""Types for columns that service.yml leaves open: one query at the first load, then kept in the history table.

A type is taken when every value there is fits it and would be printed back the same way: ``007`` stays text.
"""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.manifest import SourceColumn
from dapflow.runtime.conversion import literal, timestamp_of
from dapflow.runtime.place import quoted

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INTEGER = r"-?(0|[1-9][0-9]{0,17})"
_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?"


def _candidates(value: str) -> list[tuple[str, str]]:
    """Types with the condition that a value fits them, the narrowest first."""
    return [
        ("boolean", f"lower({value}) IN ('true', 'false')"),
        ("bigint", _like(value, _INTEGER)),
        ("double", _like(value, _NUMBER)),
        ("date", f"{_like(value, _DAY)} AND TRY_CAST({value} AS date) IS NOT NULL"),
        ("timestamp", f"{_like(value, _DAY + '[ T][0-9]{2}:.*')} AND {timestamp_of(value)} IS NOT NULL"),
    ]


def inference_query(database: str, table: str, names: Sequence[str], null: str | None) -> str:
    """Counts, in one row: per column the values there are and those that fit each candidate."""
    measures = []
    for number, name in enumerate(names):
        value = quoted(name) if null is None else f"NULLIF({quoted(name)}, {literal(null)})"
        measures.append(f"count({value}) AS values_{number}")
        measures += [
            f"count(CASE WHEN {condition} THEN 1 END) AS {kind}_{number}" for kind, condition in _candidates(value)
        ]
    listed = ",\n  ".join(measures)
    return f"SELECT\n  {listed}\nFROM {quoted(database, table)}"


def inferred(names: Sequence[str], row: dict[str, str | None]) -> list[SourceColumn]:
    """The columns that the counts speak for; text where nothing narrower fits, or no value is there."""
    columns = []
    for number, name in enumerate(names):
        values = int(row[f"values_{number}"] or 0)
        kinds = [kind for kind, _ in _candidates("")]
        fitting = (kind for kind in kinds if values and int(row[f"{kind}_{number}"] or 0) == values)
        columns.append(SourceColumn(name, next(fitting, "string")))
    return columns


def _like(value: str, pattern: str) -> str:
    return f"regexp_like({value}, '^{pattern}$')"
