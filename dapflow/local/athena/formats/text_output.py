"""Rows as lines of text: delimited, and JSON."""

from __future__ import annotations

from dapflow.local.athena.engine.errors import QueryFailed
from dapflow.local.athena.trino import Column
from dapflow.local.athena.trino.types import Type, field_names, literal, parse_type, quote


def text_select(columns: list[Column], positions: dict[str, str], delimiter: str, null: str) -> str:
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


def json_select(columns: list[Column], positions: dict[str, str]) -> str:
    """DuckDB SQL of a line of JSON; as the JSON SerDes write it, NULL columns are written as null."""
    parts = [f"{literal(column.name)}, {_json(positions[column.name], parse_type(column.type))}" for column in columns]
    return f"CAST(json_object({', '.join(parts)}) AS VARCHAR) AS line"


def _json(value: str, kind: Type) -> str:
    if kind.base == "timestamp":
        return f"strftime({value}, '%Y-%m-%d %H:%M:%S.%g')"
    if kind.base == "date":
        return f"CAST({value} AS VARCHAR)"
    if kind.base == "varbinary":
        return f"to_base64({value})"
    if kind.base == "array":
        return f"list_transform({value}, lambda x: {_json('x', kind.args[0])})"
    if kind.base == "map":
        key, item = _json("x.key", kind.args[0]), _json("x.value", kind.args[1])
        return f"map_from_entries(list_transform(map_entries({value}), lambda x: {{'k': CAST({key} AS VARCHAR), 'v': {item}}}))"
    if kind.base == "row":
        fields = [
            f"{quote(name)} := {_json(f'struct_extract({value}, {literal(name)})', part)}"
            for name, part in zip(field_names(kind), kind.args, strict=True)
        ]
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(fields)}) END"
    return value
