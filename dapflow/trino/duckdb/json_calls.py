"""The SQL standard's JSON functions."""

from __future__ import annotations

import json
from typing import Any

from dapflow.trino.analysis.typed import Expr
from dapflow.trino.analysis.typed_calls import JsonCall, JsonValue
from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions import convert, to_json
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import FALSE, TRUE, Sql, Text, joined, sql
from dapflow.trino.duckdb.values import Value, cast, failure_text, let, null
from dapflow.trino.json_path.evaluation import EMPTY
from dapflow.trino.types import BOOLEAN, VARCHAR, Type

#: Types whose values JSON has too. Others become texts.
_OF_JSON = frozenset({*INTEGERS, "boolean", "decimal", "double", "real", "varchar", "char", "json", "unknown"})
_CODECS = {"UTF16": "utf-16-le", "UTF32": "utf-32-le"}
_NO_KEY = "null value passed for JSON object key to JSON_OBJECT function"
_NO_SCALAR = "cannot extract SQL scalar from JSON: path evaluation failed or returned no single value"


def json_call(node: JsonCall, lowering: Lowering) -> Value:
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT or JSON_ARRAY."""
    clauses = dict(node.clauses)
    if node.name == "json_object":
        value = _returned(_object(node, clauses, lowering), node.type, clauses)
    elif node.name == "json_array":
        value = _returned(_array(node, clauses, lowering), node.type, clauses)
    elif node.name == "json_exists":
        value = _exists(_walked(node, "json_exists", lowering), clauses)
    elif node.name == "json_query":
        walked = _walked(node, clauses.get("wrapper", "without"), lowering)
        value = _returned(_query(walked, clauses, lowering), node.type, clauses)
    else:
        value = _scalar(_walked(node, "json_value", lowering), node.type, clauses, lowering)
    return Value(value, node.type)


# ----------------------------------------------------------------------------------------- what goes in and out
def _source(given: JsonValue, lowering: Lowering) -> Sql:
    """A JSON input as text; bytes are decoded."""
    value = lowering.value(given.expr)
    if value.type.base == "varbinary":
        return sql("py_decode($value, $codec)", value=value.sql, codec=_codec(given.form))
    return value.sql if value.type.base == "json" else convert(value.sql, value.type, VARCHAR)


def _member(given: JsonValue, lowering: Lowering) -> Sql:
    """A value as JSON text, NULL for NULL."""
    if given.form is not None or given.nested:
        return sql("py_json_input($source)", source=_source(given, lowering))
    value = lowering.value(given.expr)
    if value.type.base in _OF_JSON:
        return to_json(value.sql, value.type)
    return sql("t_json_quote($text)", text=convert(value.sql, value.type, VARCHAR))


def _returned(text: Sql, t: Type, clauses: dict[str, Any]) -> Sql:
    """JSON text as the type that is asked for."""
    if t.base == "varbinary":
        return sql("py_encode($text, $codec)", text=text, codec=_codec(clauses.get("format")))
    return convert(text, VARCHAR, t)


def _codec(form: str | None) -> Text:
    return Text(_CODECS.get(form or "", "utf-8"))


# ------------------------------------------------------------------------------------------- objects and arrays
def _object(node: JsonCall, clauses: dict[str, Any], lowering: Lowering) -> Sql:
    no_key = failure_text("INVALID_FUNCTION_ARGUMENT", _NO_KEY, VARCHAR)
    members = []
    for member in node.values:
        assert member.key is not None  # noqa: S101 - members of objects have one
        key = sql("t_json_quote(coalesce($key, $no_key))", key=lowering.sql(member.key), no_key=no_key)
        value = _member_value(member, clauses.get("null", "null"), lowering)
        members.append(sql("$key || ':' || $value", key=key, value=value))
    if not members:
        return Text("{}")
    kept = sql("list_filter([$members], lambda e: e IS NOT NULL)", members=members)
    return sql("py_json_object($kept, $unique)", kept=kept, unique=TRUE if clauses.get("unique") else FALSE)


def _array(node: JsonCall, clauses: dict[str, Any], lowering: Lowering) -> Sql:
    items = [_member_value(item, clauses.get("null", "absent"), lowering) for item in node.values]
    if not items:
        return Text("[]")
    kept = sql("list_filter([$items], lambda e: e IS NOT NULL)", items=items)
    return sql("('[' || t_joined($kept, ',') || ']')", kept=kept)


def _member_value(given: JsonValue, nulls: str, lowering: Lowering) -> Sql:
    """A member, with JSON's null for NULL unless that is to be absent."""
    value = _member(given, lowering)
    return sql("coalesce($value, 'null')", value=value) if nulls == "null" else value


# -------------------------------------------------------------------------------------------------------- paths
def _walked(node: JsonCall, mode: str, lowering: Lowering) -> Sql:
    """What the path finds: see `functions.json_paths.json_walk`."""
    assert node.source is not None and node.path is not None  # noqa: S101 - functions of paths have both
    passed = [
        sql(
            "coalesce($value, $missing)",
            value=_source(passed, lowering) if passed.form else _member(passed, lowering),
            missing=Text(EMPTY if passed.form else "null"),
        )
        for passed in node.values
    ]
    return sql(
        "py_json_walk($source, $path, $names, $values, $mode, $quotes)",
        source=_source(node.source, lowering),
        path=Text(node.path),
        names=Text(json.dumps([passed.name for passed in node.values])),
        values=sql("('[' || $passed || ']')", passed=joined(" || ',' || ", passed)) if passed else Text("[]"),
        mode=Text(mode),
        quotes=Text(dict(node.clauses).get("quotes", "keep")),
    )


def _exists(walked: Sql, clauses: dict[str, Any]) -> Sql:
    failing = failure_text("PATH_EVALUATION_ERROR", "path evaluation failed", BOOLEAN)
    on_error = {"error": failing, "true": TRUE, "unknown": null(BOOLEAN)}.get(clauses.get("on error", "false"), FALSE)
    template = "CASE $x[1] WHEN 'V' THEN $x[2:] = 'true' WHEN 'E' THEN FALSE WHEN 'X' THEN $error END"
    return let(walked, lambda x: sql(template, x=x, error=on_error), limit=0)


def _query(walked: Sql, clauses: dict[str, Any], lowering: Lowering) -> Sql:
    on_error, on_empty = (_behaviour(clauses.get(w, "null"), VARCHAR, lowering) for w in ("on error", "on empty"))
    template = "CASE $x[1] WHEN 'V' THEN $x[2:] WHEN 'E' THEN $empty WHEN 'X' THEN $error END"
    return let(walked, lambda x: sql(template, x=x, empty=on_empty, error=on_error), limit=0)


def _scalar(walked: Sql, t: Type, clauses: dict[str, Any], lowering: Lowering) -> Sql:
    on_error, on_empty = (_behaviour(clauses.get(w, "null"), t, lowering) for w in ("on error", "on empty"))

    def body(x: Sql) -> Sql:
        good = convert(sql("$x[2:]", x=x), VARCHAR, t)
        checked = sql("CASE WHEN TRY($good) IS NULL THEN $error ELSE $good END", good=good, error=on_error)
        return sql(
            "CASE $x[1] WHEN 'V' THEN $value WHEN 'N' THEN NULL WHEN 'E' THEN $empty WHEN 'X' THEN $error END",
            x=x,
            value=cast(checked, t),
            empty=on_empty,
            error=on_error,
        )

    return let(walked, body, limit=0)


def _behaviour(behaviour: Any, t: Type, lowering: Lowering) -> Sql:
    """What an error or an empty result gives."""
    if isinstance(behaviour, Expr):
        return lowering.sql(behaviour)
    if behaviour == "error":
        return failure_text("JSON_VALUE_RESULT_ERROR", _NO_SCALAR, t)
    return {"empty array": Text("[]"), "empty object": Text("{}")}.get(behaviour) or null(t)
