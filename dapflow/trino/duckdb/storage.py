"""How DuckDB holds values of Trino's types, and how it writes names and texts."""

from __future__ import annotations

from functools import lru_cache

from dapflow.trino.types import Type

_DUCK = {
    "unknown": "INTEGER",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "varbinary": "BLOB",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
    "timestamp_tz": "STRUCT(u TIMESTAMP, z VARCHAR)",
    "time_tz": "STRUCT(t TIME, o INTEGER)",
    "interval_ds": "BIGINT",
    "interval_ym": "INTEGER",
    "HyperLogLog": "UBIGINT[]",
}


@lru_cache(maxsize=4096)
def duck_type(t: Type) -> str:
    """How DuckDB holds values of the type."""
    if t.base == "decimal":
        return f"DECIMAL({t.precision},{t.scale})"
    if t.base == "array":
        return duck_type(t.args[0]) + "[]"
    if t.base == "map":
        return f"MAP({duck_type(t.args[0])}, {duck_type(t.args[1])})"
    if t.base == "row":
        fields = zip(field_names(t), t.args, strict=True)
        return "STRUCT(" + ", ".join(f"{quote(n)} {duck_type(a)}" for n, a in fields) + ")"
    return _DUCK.get(t.base, "VARCHAR")


@lru_cache(maxsize=4096)
def field_names(t: Type) -> tuple[str, ...]:
    """Names of the fields of a row as DuckDB holds it: its own if it has them all and they differ."""
    if t.names and all(t.names) and len({(n or "").lower() for n in t.names}) == len(t.names):
        return tuple(n or "" for n in t.names)
    return tuple(f"field{i}" for i in range(len(t.args)))


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a string literal."""
    return "'" + text.replace("'", "''") + "'"
