"""The SQL standard's JSON functions."""

from __future__ import annotations

from typing import Any

from dapflow.trino.analysis import typed, typed_calls
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import expect_type
from dapflow.trino.analysis.typed_calls import JsonValue
from dapflow.trino.coercion import castable
from dapflow.trino.json_path.grammar import PathError, parse_path, variables
from dapflow.trino.syntax import tree
from dapflow.trino.types import BOOLEAN, VARBINARY, VARCHAR, Type

_PLAIN = frozenset(
    {"tinyint", "smallint", "integer", "bigint", "boolean", "decimal", "double", "real", "varchar", "char", "json"}
)
_ENCODINGS = frozenset({"UTF8", "UTF16", "UTF32"})
_SOURCES = frozenset({"varchar", "char", "json", "unknown"})


def json_call(node: tree.JsonCall, context: AnalysisContext) -> typed.Expr:
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT or JSON_ARRAY."""
    if node.name in {"json_object", "json_array"}:
        return _constructor(node, context)
    return _path_call(node, context)


def _source(expr: tree.Expr, form: str | None, context: AnalysisContext) -> typed.Expr:
    """A JSON input: a text, or bytes."""
    source = context.visit(expr)
    t = source.type
    if t.base == "varbinary" or t.is_unchecked:
        return source
    what = f"Cannot read input of type {t} as JSON using formatting JSON"
    if form in _ENCODINGS and t.base != "unknown":
        return context.fault("TYPE_MISMATCH", expr, f"{what} ENCODING {form}")
    return source if t.base in _SOURCES else context.fault("TYPE_MISMATCH", expr, what)


def _nested(expr: tree.Expr) -> bool:
    """Whether a value is JSON already, without a FORMAT that says so."""
    return isinstance(expr, tree.JsonCall) and expr.name in {"json_object", "json_array", "json_query"}


def _member(expr: tree.Expr, form: str | None, context: AnalysisContext) -> typed.Expr:
    """A value that becomes JSON."""
    if form is not None or _nested(expr):
        return _source(expr, form, context)
    member = context.visit(expr)
    if member.type.base in {*_PLAIN, "unknown"} or castable(member.type, VARCHAR):
        return member
    return context.fault("TYPE_MISMATCH", expr, f"Cannot convert {member.type} to JSON")


def _returned(node: tree.JsonCall, clauses: dict[str, Any], context: AnalysisContext) -> Type:
    t: Type = clauses.get("returning", VARCHAR)
    if t.base == "varbinary":
        return VARBINARY
    if t.base not in {"varchar", "char"}:
        return context.fault("TYPE_MISMATCH", node, f"Cannot output JSON value as {t} using formatting JSON").type
    return t


def _constructor(node: tree.JsonCall, context: AnalysisContext) -> typed.Expr:
    clauses = dict(node.clauses)
    is_object = node.name == "json_object"
    if is_object and clauses.get("unique") and any(item[-1] is not None for item in node.args):
        problem = "WITH UNIQUE KEYS behavior is not supported for JSON_OBJECT function when input expression has FORMAT"
        return context.fault("NOT_SUPPORTED", node, problem)
    values = []
    for item in node.args:
        value = _member(item[-2], item[-1], context)
        key = expect_type(item[0], VARCHAR, "JSON object key", context) if is_object else None
        values.append(JsonValue(value, item[-1], key=key, nested=_nested(item[-2])))
    return typed_calls.JsonCall(
        type=_returned(node, clauses, context),
        place=context.place(node),
        name=node.name,
        values=tuple(values),
        clauses=node.clauses,
    )


def _path_call(node: tree.JsonCall, context: AnalysisContext) -> typed.Expr:
    (source_expr, form), path, passing = node.args
    try:
        parse_path(path.value)
    except PathError as problem:
        return context.fault("INVALID_PATH", path, f"invalid path: {problem}")
    missing = variables(path.value) - {name for _, _, name in passing}
    if missing:
        return context.fault("INVALID_PATH", path, f"no value passed for parameter {min(missing)}")
    source = _source(source_expr, form, context)
    values = []
    for expr, passed_form, name in passing:
        value = _source(expr, passed_form, context) if passed_form else _member(expr, None, context)
        values.append(JsonValue(value, passed_form, name, nested=_nested(expr)))
    clauses = dict(node.clauses)
    t: Type = BOOLEAN
    if node.name == "json_value":
        t = clauses.get("returning", VARCHAR)
        if not castable(VARCHAR, t):
            return context.fault("TYPE_MISMATCH", node, f"Invalid return type of function JSON_VALUE: {t}")
    for which in ("on error", "on empty"):
        default = clauses.get(which)
        if isinstance(default, tree.Expr):
            given = t if node.name == "json_value" else VARCHAR
            clauses[which] = expect_type(default, given, "Function JSON_VALUE default result", context)
    if node.name == "json_query":
        t = _returned(node, clauses, context)
    return typed_calls.JsonCall(
        type=t,
        place=context.place(node),
        name=node.name,
        values=tuple(values),
        source=JsonValue(source, form),
        path=path.value,
        clauses=tuple(clauses.items()),
    )
