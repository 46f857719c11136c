"""Rows as lines of text: delimited, and JSON."""

from __future__ import annotations

import json

from dapflow.athena.engine.errors import QueryFailed
from dapflow.trino.duckdb import ColumnMetadata
from dapflow.trino.duckdb.storage import field_names, literal
from dapflow.trino.types import Type, parse_type


def text_select(columns: list[ColumnMetadata], positions: dict[str, str], delimiter: str, null: str) -> str:
    """DuckDB SQL of a line as LazySimpleSerDe writes it."""
    parts = [
        f"coalesce({_text(positions[column.name], parse_type(column.type), 2)}, {literal(null)})" for column in columns
    ]
    return f" || {literal(delimiter)} || ".join(parts) + " AS line"


def _text(value: str, kind: Type, level: int) -> str:
    if kind.base == "timestamp":
        return f"strftime({value}, '%Y-%m-%d %H:%M:%S.%g')"
    if kind.base == "varbinary":
        return f"to_base64({value})"
    if kind.base in {"map", "row"}:
        raise QueryFailed("NOT_SUPPORTED", f"Writing the type {kind} as text is not supported; use PARQUET or JSON")
    if kind.base == "array":
        item = _text("x", kind.args[0], level + 1)
        return f"array_to_string(list_transform({value}, lambda x: coalesce({item}, '\\N')), chr({level}))"
    return f"CAST({value} AS VARCHAR)"


def json_select(columns: list[ColumnMetadata], positions: dict[str, str]) -> str:
    """DuckDB SQL of a line of JSON. It is put together as text: a JSON value would hold decimals as doubles."""
    parts = [(column.name, _json(positions[column.name], parse_type(column.type))) for column in columns]
    return f"{_json_object(parts)} AS line"


def _json_object(parts: list[tuple[str, str]]) -> str:
    fields = [f"{literal(json.dumps(name, ensure_ascii=False) + ':')} || {value}" for name, value in parts]
    return "'{' || " + " || ',' || ".join(fields) + " || '}'"


def _json(value: str, kind: Type) -> str:
    """DuckDB SQL of a value's JSON text, ``null`` for NULL."""
    return f"coalesce({_json_text(value, kind)}, 'null')"


def _json_text(value: str, kind: Type) -> str:
    if kind.base == "timestamp":
        return f"'\"' || strftime({value}, '%Y-%m-%d %H:%M:%S.%g') || '\"'"
    if kind.base == "date":
        return f"'\"' || CAST({value} AS VARCHAR) || '\"'"
    if kind.base == "varbinary":
        return f"'\"' || to_base64({value}) || '\"'"
    if kind.base in {"real", "double"}:
        return (
            f"CASE WHEN isfinite({value}) THEN CAST({value} AS VARCHAR) ELSE '\"' || {_not_finite(value)} || '\"' END"
        )
    if kind.base == "array":
        items = f"list_transform({value}, lambda x: {_json('x', kind.args[0])})"
        return f"'[' || array_to_string({items}, ',') || ']'"
    if kind.base == "map":
        pair = f"to_json(CAST(x.key AS VARCHAR)) || ':' || {_json('x.value', kind.args[1])}"
        items = f"list_transform(map_entries({value}), lambda x: {pair})"
        return f"'{{' || array_to_string({items}, ',') || '}}'"
    if kind.base == "row":
        parts = [
            (name, _json(f"struct_extract({value}, {literal(name)})", part))
            for name, part in zip(field_names(kind), kind.args, strict=True)
        ]
        return f"CASE WHEN {value} IS NOT NULL THEN {_json_object(parts)} END"
    if kind.base in {"varchar", "char"}:
        return f"CAST(to_json({value}) AS VARCHAR)"
    return f"CAST({value} AS VARCHAR)"


def _not_finite(value: str) -> str:
    return f"CASE WHEN isnan({value}) THEN 'NaN' WHEN {value} > 0 THEN 'Infinity' ELSE '-Infinity' END"
