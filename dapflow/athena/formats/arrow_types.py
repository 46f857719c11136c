"""Arrow's types for Trino's, as the converted form of a file holds them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pyarrow as pa

from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.types import Type

_PLAIN: dict[str, Any] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "varbinary": pa.binary(),
}


@lru_cache(maxsize=4096)
def arrow_type(kind: Type) -> Any:
    """The Arrow type; text for all that is neither plain nor nested."""
    if kind.base == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    if kind.base == "array":
        return pa.list_(arrow_type(kind.args[0]))
    if kind.base == "map":
        return pa.map_(arrow_type(kind.args[0]), arrow_type(kind.args[1]))
    if kind.base == "row":
        return pa.struct([(name, arrow_type(part)) for name, part in zip(field_names(kind), kind.args, strict=True)])
    return _PLAIN.get(kind.base, pa.string())
