"""Sketches of sets of values, which are exact here, and checksums."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.binary import xxhash64
from dapflow.trino.duckdb.functions.registry import lowering, udf
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.duckdb.resolution import fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

# A HyperLogLog is held as the hashes of its values. It can be counted and merged, and not be shown.
_HASHES = "list(DISTINCT hash($1)) FILTER (WHERE $1 IS NOT NULL$and)$over"
lowering("approx_set(T)", _HASHES)
lowering("approx_set(T, double)", f"CASE WHEN t_error_fits(any_value($2)$tail) THEN {_HASHES} END")
lowering("merge(HyperLogLog)", "list_distinct(flatten(list($1) FILTER (WHERE $1 IS NOT NULL$and)$over))")
lowering("cardinality(HyperLogLog)", "CAST(len($1) AS BIGINT)")
lowering("empty_approx_set()", "CAST([] AS $ret)")

#: How Trino hashes values of a type, as bytes.
_HASHED = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), "py_little_endian(CAST($1 AS BIGINT))"),
    "date": "py_little_endian(CAST($1 - DATE '1970-01-01' AS BIGINT))",
    "double": "py_little_endian_double($1 + 0)",
    "varchar": "encode($1)",
    "varbinary": "$1",
}
_PRIME, _MASK = 0x9E3779B185EBCA87, (1 << 64) - 1


def _checksum(call: LoweredCall) -> Sql:
    kind = call.args[0].type
    if kind.base not in _HASHED:
        call.unsupported(f"checksum of a value of type {kind}")
    hashed = f"CASE WHEN $1 IS NULL THEN {_PRIME} ELSE py_checksum({_HASHED[kind.base]}) END"
    return fill(f"py_checksum_bytes(CAST(sum($distinct CAST({hashed} AS UBIGINT))$tail AS VARCHAR))", call)


lowering("checksum(T)", _checksum)


@udf("py_little_endian", ["BIGINT"], "BLOB")
def little_endian(number: int) -> bytes:
    """A number's eight bytes, the lowest first."""
    return struct.pack("<q", number)


@udf("py_little_endian_double", ["DOUBLE"], "BLOB")
def little_endian_double(number: float) -> bytes:
    """The eight bytes of a floating point number, the lowest first."""
    return struct.pack("<d", number)


@udf("py_checksum", ["BLOB"], "UBIGINT")
def checksum(data: bytes) -> int:
    """What one value adds to a checksum."""
    return int.from_bytes(xxhash64(data), "big") * _PRIME & _MASK


@udf("py_checksum_bytes", ["VARCHAR"], "BLOB")
def checksum_bytes(total: str) -> bytes:
    """A checksum from the sum of what its values add."""
    return struct.pack("<Q", int(total) & _MASK)
