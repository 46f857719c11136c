"""The SQL standard's JSON functions."""

from __future__ import annotations

import json as standard
from typing import TYPE_CHECKING, Any

from dapflow.trino.coercion import castable
from dapflow.trino.duckdb.conversion import convert
from dapflow.trino.duckdb.conversion_json import to_json
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.json import read, write
from dapflow.trino.duckdb.functions.registry import udf
from dapflow.trino.duckdb.storage import duck_type, literal
from dapflow.trino.duckdb.values import Value, failure_text, let
from dapflow.trino.json_path import (
    EMPTY,
    PathError,
    StructuralError,
    evaluate,
    parse_path,
    variables,
)
from dapflow.trino.syntax import tree
from dapflow.trino.types import BOOLEAN, VARBINARY, VARCHAR, Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.analyser import Analyser

_PLAIN = frozenset(
    {"tinyint", "smallint", "integer", "bigint", "boolean", "decimal", "double", "real", "varchar", "char", "json"}
)
_CODECS = {"UTF8": "utf-8", "UTF16": "utf-16-le", "UTF32": "utf-32-le"}


def json_call(analyser: Analyser, node: tree.JsonCall) -> Value:
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT or JSON_ARRAY."""
    if node.name in {"json_object", "json_array"}:
        return _constructor(analyser, node)
    return _path_call(analyser, node)


def _source(analyser: Analyser, expr: tree.Expr, form: str | None) -> str:
    """A JSON input as text; bytes are decoded."""
    value = analyser.visit(expr)
    if value.type.base == "varbinary":
        codec = _CODECS.get(form or "UTF8", "utf-8")
        return f"py_decode({value.sql}, '{codec}')"
    if form in _CODECS and value.type.base != "unknown":
        analyser.unit.fail(
            "TYPE_MISMATCH",
            expr.pos,
            f"Cannot read input of type {value.type} as JSON using formatting JSON ENCODING {form}",
        )
    if value.type.base not in {"varchar", "char", "json", "unknown"}:
        analyser.unit.fail(
            "TYPE_MISMATCH", expr.pos, f"Cannot read input of type {value.type} as JSON using formatting JSON"
        )
    return convert(value.sql, value.type, VARCHAR) if value.type.base != "json" else value.sql


def _member(analyser: Analyser, expr: tree.Expr, form: str | None) -> str:
    """A value as JSON text, NULL for NULL."""
    nested = isinstance(expr, tree.JsonCall) and expr.name in {"json_object", "json_array", "json_query"}
    if form is not None or nested:
        return f"py_json_input({_source(analyser, expr, form)})"
    value = analyser.visit(expr)
    if value.type.base in _PLAIN:
        return to_json(value.sql, value.type)
    if value.type.base == "unknown":
        return "CAST(NULL AS VARCHAR)"
    if not castable(value.type, VARCHAR):
        analyser.unit.fail("TYPE_MISMATCH", expr.pos, f"Cannot convert {value.type} to JSON")
    return f"t_json_quote({convert(value.sql, value.type, VARCHAR)})"


def _returning(analyser: Analyser, node: tree.JsonCall, sql: str, clauses: dict[str, Any]) -> Value:
    t = clauses.get("returning", VARCHAR)
    if t.base == "varbinary":
        codec = _CODECS.get(clauses.get("format", "UTF8"), "utf-8")
        return Value(f"py_encode({sql}, '{codec}')", VARBINARY)
    if t.base not in {"varchar", "char"}:
        analyser.unit.fail("TYPE_MISMATCH", node.pos, f"Cannot output JSON value as {t} using formatting JSON")
    return Value(convert(sql, VARCHAR, t), t)


def _constructor(analyser: Analyser, node: tree.JsonCall) -> Value:
    clauses = dict(node.clauses)
    is_object = node.name == "json_object"
    keep = clauses.get("null", "null" if is_object else "absent") == "null"
    parts = []
    if is_object and clauses.get("unique") and any(item[-1] is not None for item in node.args):
        problem = "WITH UNIQUE KEYS behavior is not supported for JSON_OBJECT function when input expression has FORMAT"
        analyser.unit.fail("NOT_SUPPORTED", node.pos, problem)
    for item in node.args:
        value = _member(analyser, item[-2], item[-1])
        if keep:
            value = f"coalesce({value}, 'null')"
        if is_object:
            key = analyser.wanted(item[0], VARCHAR, "JSON object key")
            null_key = (
                "CAST(fail('INVALID_FUNCTION_ARGUMENT: null value passed for JSON object key to "
                "JSON_OBJECT function') AS VARCHAR)"
            )
            parts.append(f"t_json_quote(coalesce({key.sql}, {null_key})) || ':' || {value}")
        else:
            parts.append(value)
    unique = "true" if clauses.get("unique") else "false"
    opening, closing = ("{", "}") if is_object else ("[", "]")
    if not parts:
        return _returning(analyser, node, f"'{opening}{closing}'", clauses)
    kept = f"list_filter([{', '.join(parts)}], lambda e: e IS NOT NULL)"
    if is_object:
        return _returning(analyser, node, f"py_json_object({kept}, {unique})", clauses)
    return _returning(analyser, node, f"('[' || coalesce(array_to_string({kept}, ','), '') || ']')", clauses)


def _path_call(analyser: Analyser, node: tree.JsonCall) -> Value:
    (source_expr, form), path, passing = node.args
    try:
        parse_path(path.value)
    except PathError as problem:
        analyser.unit.fail("INVALID_PATH", path.pos, f"invalid path: {problem}")
    missing = variables(path.value) - {name for _, _, name in passing}
    if missing:
        analyser.unit.fail("INVALID_PATH", path.pos, f"no value passed for parameter {min(missing)}")
    source = _source(analyser, source_expr, form)
    names = literal(standard.dumps([name for _, _, name in passing]))
    held = []
    for expr, passed_form, _ in passing:
        value = _source(analyser, expr, passed_form) if passed_form else _member(analyser, expr, None)
        held.append(f"coalesce({value}, {literal(EMPTY if passed_form else 'null')})")
    values = "('[' || " + " || ',' || ".join(held) + " || ']')" if held else "'[]'"
    clauses = dict(node.clauses)
    mode = clauses.get("wrapper", "without") if node.name == "json_query" else node.name
    quotes = clauses.get("quotes", "keep")
    found = f"py_json_walk({source}, {literal(path.value)}, {names}, {values}, '{mode}', '{quotes}')"
    if node.name == "json_exists":
        return Value(
            _outcome(found, "x[2:] = 'true'", _exists_error(clauses.get("on error", "false")), "FALSE"), BOOLEAN
        )
    t = clauses.get("returning", VARCHAR)
    if node.name == "json_query":
        error, empty = (_behaviour(analyser, clauses.get(w, "null"), VARCHAR) for w in ("on error", "on empty"))
        return _returning(analyser, node, _outcome(found, "x[2:]", error, empty), clauses)
    return _value(analyser, node, found, t, clauses)


def _value(analyser: Analyser, node: tree.JsonCall, found: str, t: Type, clauses: dict[str, Any]) -> Value:
    if not castable(VARCHAR, t):
        analyser.unit.fail("TYPE_MISMATCH", node.pos, f"Invalid return type of function JSON_VALUE: {t}")
    error, empty = (_behaviour(analyser, clauses.get(w, "null"), t) for w in ("on error", "on empty"))
    kind = duck_type(t)
    good = f"CASE WHEN TRY({convert('x[2:]', VARCHAR, t)}) IS NULL THEN {error} ELSE {convert('x[2:]', VARCHAR, t)} END"
    body = (
        f"CASE x[1] WHEN 'V' THEN CAST({good} AS {kind}) WHEN 'N' THEN NULL WHEN 'E' THEN {empty} WHEN 'X' "
        f"THEN {error} END"
    )
    return Value(let(found, lambda x: body.replace("x[", f"{x}["), limit=0), t)


def _outcome(found: str, good: str, error: str, empty: str) -> str:
    body = f"CASE x[1] WHEN 'V' THEN {good} WHEN 'E' THEN {empty} WHEN 'X' THEN {error} END"
    return let(found, lambda x: body.replace("x[", f"{x}["), limit=0)


def _exists_error(behaviour: str) -> str:
    if behaviour == "error":
        return failure_text("PATH_EVALUATION_ERROR", "path evaluation failed", BOOLEAN)
    return {"true": "TRUE", "unknown": "CAST(NULL AS BOOLEAN)"}.get(behaviour, "FALSE")


def _behaviour(analyser: Analyser, behaviour: Any, t: Type) -> str:
    if isinstance(behaviour, tree.Expr):
        return analyser.wanted(behaviour, t, "Function JSON_VALUE default result").sql
    if behaviour == "error":
        return failure_text(
            "JSON_VALUE_RESULT_ERROR",
            "cannot extract SQL scalar from JSON: path evaluation failed or returned no single value",
            t,
        )
    if behaviour == "empty array":
        return "'[]'"
    return "'{}'" if behaviour == "empty object" else f"CAST(NULL AS {duck_type(t)})"


@udf("py_json_walk", ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR")
def json_walk(text: str, path: str, names: str, values: str, mode: str, quotes: str) -> str:
    """What a path finds: V and the text, N for JSON's null, E for nothing, X for an error."""
    try:
        passed = dict(zip(standard.loads(names), read(values), strict=True))
        found = evaluate(path, read(text), passed)
    except (ValueError, StructuralError, RecursionError):
        return "X"
    if mode == "json_exists":
        return "Vtrue" if found else "Vfalse"
    if mode == "json_value":
        return _scalar(found)
    if mode == "unconditional" or (
        mode == "conditional" and not (len(found) == 1 and isinstance(found[0], dict | list))
    ):
        return "V" + write(found) if found else "E"
    if len(found) != 1:
        return "X" if found else "E"
    if quotes == "omit" and isinstance(found[0], str):
        return "V" + found[0]
    return "V" + write(found[0])


def _scalar(found: list[Any]) -> str:
    if not found:
        return "E"
    if len(found) > 1 or isinstance(found[0], dict | list):
        return "X"
    value = found[0]
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


@udf("py_json_object", ["VARCHAR[]", "BOOLEAN"], "VARCHAR")
def json_object(members: list[str], unique: bool) -> str:
    """An object of texts `"key":value`, in the order in which Java's HashMap gives its keys."""
    found: dict[str, str] = {}
    for member in members:
        key, _ = _DECODER.raw_decode(member)
        if key in found:
            if unique:
                raise Failure("INVALID_FUNCTION_ARGUMENT: duplicate key passed to JSON_OBJECT function")
            raise Failure("NOT_SUPPORTED: cannot construct a JSON object with duplicate key")
        found[key] = member
    size = 16
    while len(found) > size * 3 // 4:
        size *= 2
    return "{" + ",".join(found[key] for key in sorted(found, key=lambda one: _java_hash(one) % size)) + "}"


_DECODER = standard.JSONDecoder()


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
