"""Types as Glue stores them (Hive's) and as Trino names them."""

from __future__ import annotations

import re
from functools import lru_cache

from dapflow.athena.engine.errors import QueryFailed
from dapflow.trino.errors import QueryError
from dapflow.trino.types import Type, parse_type, type_text

_TO_HIVE = {"varchar": "string", "integer": "int", "real": "float", "varbinary": "binary", "unknown": "void"}
_PLAIN = frozenset({"boolean", "tinyint", "smallint", "bigint", "double", "date"})


@lru_cache(maxsize=4096)
def from_hive(text: str) -> Type:
    """The Trino type of a Hive type's text."""
    # Hive's decimal without precision is decimal(10,0); Trino's is decimal(38,0).
    source = re.sub(r"\bdecimal\b(?!\s*\()", "decimal(10,0)", text.strip(), flags=re.IGNORECASE)
    try:
        return parse_type(source)
    except QueryError as error:
        raise QueryFailed("HIVE_UNSUPPORTED_FORMAT", f"Unsupported Hive type: {text}") from error


@lru_cache(maxsize=4096)
def trino_text(hive: str) -> str:
    """The text of a Hive type in Trino's spelling: ``struct<a:int>`` is ``row(a integer)``."""
    return type_text(from_hive(hive))


def to_hive(kind: Type) -> str | None:
    """The Hive text of a Trino type, or None where Hive has none (json, time, intervals, zones)."""
    if kind.base in _PLAIN:
        return kind.base
    if kind.base == "varchar" and kind.length is not None:
        return f"varchar({kind.length})" if kind.length <= 65535 else "string"
    if kind.base in _TO_HIVE:
        return _TO_HIVE[kind.base]
    if kind.base == "char":
        return f"char({kind.length})"
    if kind.base == "decimal":
        return f"decimal({kind.precision},{kind.scale})"
    if kind.base == "timestamp":
        return "timestamp"
    inner = [to_hive(part) for part in kind.args]
    if any(part is None for part in inner):
        return None
    if kind.base == "array":
        return f"array<{inner[0]}>"
    if kind.base == "map":
        return f"map<{inner[0]},{inner[1]}>"
    if kind.base == "row":
        names = kind.names or (None,) * len(inner)
        if any(name is None for name in names):
            return None
        return "struct<" + ",".join(f"{name}:{part}" for name, part in zip(names, inner, strict=True)) + ">"
    return None
