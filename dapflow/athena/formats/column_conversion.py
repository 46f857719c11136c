"""How a column of a file, as DuckDB reads it, becomes a column of the table's type."""

from __future__ import annotations

import re
from functools import lru_cache

from dapflow.trino.duckdb.storage import duck_type, literal, quote
from dapflow.trino.types import Type, split_top

_INTEGERS = {
    "TINYINT": 1,
    "UTINYINT": 2,
    "SMALLINT": 2,
    "USMALLINT": 4,
    "INTEGER": 4,
    "UINTEGER": 8,
    "BIGINT": 8,
    "UBIGINT": 9,
}
_WIDTH = {"tinyint": 1, "smallint": 2, "integer": 4, "bigint": 8}
_PARQUET_NAMES = {
    "TINYINT": "INT32",
    "SMALLINT": "INT32",
    "INTEGER": "INT32",
    "BIGINT": "INT64",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "VARCHAR": "BINARY",
    "BLOB": "BINARY",
    "DATE": "INT32",
    "TIMESTAMP": "INT64",
}


class Incompatible(Exception):
    """The file's type cannot be read as the table's. ``str`` names the file's type as Parquet does."""


@lru_cache(maxsize=4096)
def conversion(source: str, kind: Type, value: str) -> str:
    """DuckDB SQL that gives ``value``, of DuckDB type ``source``, the table's type. Raises Incompatible."""
    target = duck_type(kind)
    if kind.base in {"array", "map", "row"}:
        return value if _same(source, target) else _nested(source, kind, value)
    if kind.base == "timestamp":
        return _timestamp(source, kind, value)
    if kind.base == "varchar" and kind.length is not None and source == "VARCHAR":
        return f"substr({value}, 1, {kind.length})"
    if _same(source, target):
        return value
    if source in _INTEGERS:
        if kind.base in _WIDTH and _INTEGERS[source] <= _WIDTH[kind.base]:
            return f"CAST({value} AS {target})"
        if kind.base == "decimal":
            return f"CAST({value} AS {target})"
        # Parquet knows two integers, and pandas writes the long one whatever it holds: a value that is too large for
        # the table's column fails when it is read.
        if kind.base in {"tinyint", "smallint", "integer"}:
            return f"CAST({value} AS {target})"
    if source == "FLOAT" and kind.base == "double":
        return f"CAST({value} AS DOUBLE)"
    if source.startswith("DECIMAL") and kind.base == "decimal":
        return f"CAST({value} AS {target})"
    if source == "BLOB" and kind.base in {"varchar", "char"}:
        return f"decode({value})"
    if source == "VARCHAR" and kind.base == "varbinary":
        return f"encode({value})"
    if source in {"VARCHAR", "JSON", "UUID"} and kind.base in {"varchar", "char"}:
        return f"CAST({value} AS VARCHAR)"
    raise Incompatible(_PARQUET_NAMES.get(source, source))


def _timestamp(source: str, kind: Type, value: str) -> str:
    if not source.startswith("TIMESTAMP"):
        raise Incompatible(_PARQUET_NAMES.get(source, source))
    plain = value if source == "TIMESTAMP" else f"CAST({value} AS TIMESTAMP)"
    if source == "TIMESTAMP_MS" or kind.precision >= 6:
        return plain
    # The table has milliseconds, the file may have more.
    return f"date_trunc('millisecond', {plain} + INTERVAL 500 MICROSECOND)"


def _same(source: str, target: str) -> bool:
    return re.sub(r"[\s\"]", "", source).lower() == re.sub(r"[\s\"]", "", target).lower()


def _nested(source: str, kind: Type, value: str) -> str:
    if kind.base == "array":
        if not source.endswith("[]"):
            raise Incompatible(source)
        item = conversion(source[:-2], kind.args[0], "x")
        return f"list_transform({value}, lambda x: {item})"
    if kind.base == "map":
        inside = re.fullmatch(r"MAP\((.*)\)", source, re.DOTALL)
        if inside is None:
            raise Incompatible(source)
        key, item = split_top(inside[1])
        entry = f"{{'k': {conversion(key, kind.args[0], 'x.key')}, 'v': {conversion(item, kind.args[1], 'x.value')}}}"
        return f"map_from_entries(list_transform(map_entries({value}), lambda x: {entry}))"
    inside = re.fullmatch(r"STRUCT\((.*)\)", source, re.DOTALL)
    if inside is None:
        raise Incompatible(source)
    fields = dict(_field(part) for part in split_top(inside[1]))
    by_lower = {name.lower(): name for name in fields}
    parts = []
    for name, part in zip(kind.names or (), kind.args, strict=True):
        actual = by_lower.get((name or "").lower())
        if actual is None:
            parts.append(f"{quote(name or '')} := CAST(NULL AS {duck_type(part)})")
        else:
            inner = conversion(fields[actual], part, f"struct_extract({value}, {literal(actual)})")
            parts.append(f"{quote(name or '')} := {inner}")
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


def _field(text: str) -> tuple[str, str]:
    match = re.fullmatch(r'("(?:[^"]|"")*"|\S+)\s+(.*)', text, re.DOTALL)
    if match is None:
        raise Incompatible(text)
    name = match[1]
    return (name[1:-1].replace('""', '"') if name.startswith('"') else name), match[2]
