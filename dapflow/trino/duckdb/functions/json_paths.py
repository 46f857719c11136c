"""What the SQL standard's JSON functions compute: values at paths, objects and JSON inputs."""

from __future__ import annotations

import json as standard
from typing import Any

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.json import read, write
from dapflow.trino.duckdb.functions.registry import udf
from dapflow.trino.json_path.evaluation import StructuralError, evaluate


@udf("py_json_walk", ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR")
def json_walk(text: str, path: str, names: str, values: str, mode: str, quotes: str) -> str:
    """What a path finds: V and the text, N for JSON's null, E for nothing, X for an error."""
    try:
        passed = dict(zip(standard.loads(names), read(values), strict=True))
        matched = evaluate(path, read(text), passed)
    except (ValueError, StructuralError, RecursionError):
        return "X"
    if mode == "json_exists":
        return "Vtrue" if matched else "Vfalse"
    if mode == "json_value":
        return _scalar(matched)
    if mode == "unconditional" or (
        mode == "conditional" and not (len(matched) == 1 and isinstance(matched[0], dict | list))
    ):
        return "V" + write(matched) if matched else "E"
    if len(matched) != 1:
        return "X" if matched else "E"
    if quotes == "omit" and isinstance(matched[0], str):
        return "V" + matched[0]
    return "V" + write(matched[0])


def _scalar(matched: list[Any]) -> str:
    if not matched:
        return "E"
    if len(matched) > 1 or isinstance(matched[0], dict | list):
        return "X"
    value = matched[0]
    if value is None:
        return "N"
    return "V" + (value if isinstance(value, str) else write(value))


@udf("py_json_input", ["VARCHAR"], "VARCHAR")
def json_input(text: str) -> str:
    """A text that must be JSON."""
    try:
        return write(read(text))
    except (ValueError, RecursionError):
        message = "JSON_INPUT_CONVERSION_ERROR: conversion to JSON failed"
        raise Failure(message) from None


_DECODER = standard.JSONDecoder()


@udf("py_json_object", ["VARCHAR[]", "BOOLEAN"], "VARCHAR")
def json_object(members: list[str], unique: bool) -> str:
    """An object of texts `"key":value`, in the order in which Java's HashMap gives its keys."""
    by_key: dict[str, str] = {}
    for member in members:
        key, _ = _DECODER.raw_decode(member)
        if key in by_key:
            if unique:
                raise Failure("INVALID_FUNCTION_ARGUMENT: duplicate key passed to JSON_OBJECT function")
            raise Failure("NOT_SUPPORTED: cannot construct a JSON object with duplicate key")
        by_key[key] = member
    size = 16
    while len(by_key) > size * 3 // 4:
        size *= 2
    return "{" + ",".join(by_key[key] for key in sorted(by_key, key=lambda key: _java_hash(key) % size)) + "}"


def _java_hash(text: str) -> int:
    """What a HashMap makes of String.hashCode."""
    code = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return code ^ (code >> 16)


@udf("py_decode", ["BLOB", "VARCHAR"], "VARCHAR")
def decode(data: bytes, codec: str) -> str:
    """Text of bytes."""
    return bytes(data).decode(codec, "replace")


@udf("py_encode", ["VARCHAR", "VARCHAR"], "BLOB")
def encode(text: str, codec: str) -> bytes:
    """Bytes of a text."""
    return text.encode(codec)
