"""Whether a partition's columns have types that the table can take them for.

Parquet and ORC are compared by name, all other formats by place:
https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html. Of the types only what no version of Trino
converts is refused; between others the readers decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dapflow.athena.engine.errors import QueryFailed

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_NESTED = frozenset({"array", "map", "struct", "uniontype"})
# Types within one of these may be converted, as far as whole numbers get no narrower.
_GROUPS = (
    frozenset({*_WHOLE, "integer", "float", "double", "decimal"}),
    frozenset({"date", "timestamp"}),
    frozenset({"boolean"}),
)
_BY_NAME = ("parquet", "orc")


def check_partition(database: str, table: dict[str, Any], partition: dict[str, Any], path: str) -> None:
    """Raise QueryFailed HIVE_PARTITION_SCHEMA_MISMATCH where Athena would. ``path`` is the partition as ``a=1/b=2``."""
    for declared, stored in _pairs(table.get("StorageDescriptor", {}), partition):
        mine, other = _type(declared), _type(stored)
        if _never(other, mine):
            raise QueryFailed(
                "HIVE_PARTITION_SCHEMA_MISMATCH",
                "There is a mismatch between the table and partition schemas. The types are incompatible and cannot be "
                f"coerced. The column '{declared['Name']}' in table '{database}.{table['Name']}' is declared as type "
                f"'{mine}', but partition '{path}' declared column '{stored['Name']}' as type '{other}'.",
            )


def _pairs(storage: dict[str, Any], partition: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each column of the table with the partition's that is compared with it."""
    declared, stored = storage.get("Columns") or [], partition.get("Columns") or []
    library = str(storage.get("SerdeInfo", {}).get("SerializationLibrary", "")).lower()
    if not any(name in library for name in _BY_NAME):
        yield from zip(declared, stored, strict=False)
        return
    by_name = {column["Name"].lower(): column for column in stored}
    for column in declared:
        if (other := by_name.get(column["Name"].lower())) is not None:
            yield column, other


def _type(column: dict[str, Any]) -> str:
    return str(column.get("Type") or "string").lower()


def _never(source: str, target: str) -> bool:
    """Whether a type can never be taken for another."""
    given, other = (kind.partition("(")[0].partition("<")[0].strip() for kind in (source, target))
    if given == other:
        return False
    if given in _NESTED or other in _NESTED:
        return True
    if given in _WHOLE and other in _WHOLE:
        return _WHOLE.index(given) > _WHOLE.index(other)
    groups = [next((group for group in _GROUPS if kind in group), None) for kind in (given, other)]
    return None not in groups and groups[0] is not groups[1]
