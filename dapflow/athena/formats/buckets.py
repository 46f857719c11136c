"""Buckets: which files of a bucketed table a predicate allows, by the numbers in their names and Hive's hash.

Source: Trino's HiveBucketingV1, which Athena's tables have where no ``bucketing_version`` says otherwise.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import struct
from typing import Any

from dapflow.athena.catalog.hive_types import from_hive
from dapflow.athena.catalog.predicates import Predicate
from dapflow.athena.engine.session import Work
from dapflow.trino.duckdb import QueryError
from dapflow.trino.types import Type

_NAMES = (
    re.compile(r"(0\d+)_\d+.*"),
    re.compile(r"\d{8}_\d{6}_\d{5}_[a-z0-9]{5}_bucket-(\d+)(?:[-_.].*)?"),
    re.compile(r"bucket_(\d+)(?:_.*)?"),
)
_INTEGERS = frozenset({"tinyint", "smallint", "integer"})
_MOST = 1_000


def bucket_of_file(key: str) -> int | None:
    """The bucket that an object's name tells, or None."""
    name = key.rpartition("/")[2]
    match = next((match for pattern in _NAMES if (match := pattern.fullmatch(name))), None)
    return None if match is None else int(match[1])


def allowed_buckets(work: Work, table: dict[str, Any], predicate: Predicate) -> set[int] | None:
    """The buckets that may hold rows for the predicate; None if it may be any."""
    storage, parameters = table.get("StorageDescriptor", {}), table.get("Parameters") or {}
    columns, count = [name.lower() for name in storage.get("BucketColumns") or []], storage.get("NumberOfBuckets", 0)
    if not columns or count <= 0 or parameters.get("bucketing_version", "1") != "1":
        return None
    kinds = {item["Name"].lower(): from_hive(item.get("Type") or "string") for item in storage.get("Columns", [])}
    choices = []
    for column in columns:
        literals = predicate.values_of(column)
        if literals is None or column not in kinds:
            return None
        try:
            row = work.run(f"SELECT {', '.join(literals)}").fetchone() or ()
        except QueryError:
            # The query will say what is wrong with a literal, if it comes to that.
            return None
        hashes = [_hash(value, kinds[column]) for value in row]
        if None in hashes:
            return None
        choices.append([hashed for hashed in hashes if hashed is not None])
    allowed: set[int] = set()
    for number, combined in enumerate(itertools.product(*choices)):
        if number >= _MOST:
            return None
        total = 0
        for hashed in combined:
            total = _int32(31 * total + hashed)
        allowed.add((total & 0x7FFFFFFF) % count)
    return allowed


def _hash(value: Any, kind: Type) -> int | None:
    """Hive's hash of a value; None for types that nothing is pruned by."""
    if value is None:
        return 0
    if kind.base == "boolean" and isinstance(value, bool):
        return int(value)
    if kind.base in _INTEGERS and isinstance(value, int):
        return value
    if kind.base == "bigint" and isinstance(value, int):
        return _folded(value)
    if kind.base == "date" and isinstance(value, dt.date):
        return (value - dt.date(1970, 1, 1)).days
    if kind.base == "double" and isinstance(value, float):
        return _folded(struct.unpack(">q", struct.pack(">d", value))[0])
    if kind.base == "varchar" and isinstance(value, str):
        total = 0
        for byte in value.encode():
            total = _int32(31 * total + (byte - 256 if byte > 127 else byte))
        return total
    return None


def _folded(number: int) -> int:
    unsigned = number & 0xFFFFFFFFFFFFFFFF
    return _int32((unsigned >> 32) ^ unsigned)


def _int32(number: int) -> int:
    """What is left of a number in Java's int."""
    return (number + 0x80000000 & 0xFFFFFFFF) - 0x80000000
