"""JSON. A value is held as text without spaces, which json_parse sorts by name and json_extract leaves in its order."""

from __future__ import annotations

import json as standard
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.value_text import java_double

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall


class _Number(float):
    """A number that keeps the text it was written in."""

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str

    def __repr__(self) -> str:
        return self.text


def _refuse(name: str) -> float:
    raise ValueError(name)


def read(text: str) -> Any:
    """The value of a JSON text; numbers keep their digits."""
    return _DECODER.decode(text)


# Made once: to make one takes longer than to read a short text.
_DECODER = standard.JSONDecoder(parse_float=_Number, parse_constant=_refuse)
_ENCODER = standard.JSONEncoder(ensure_ascii=False)


def write(value: Any) -> str:
    """The text of a value; members stay in their order."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(k)}:{write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(v) for v in value) + "]"
    if isinstance(value, _Number):
        return _number(value.text)
    if isinstance(value, str):
        return _quoted(value)
    return standard.dumps(value)


def _quoted(text: str) -> str:
    return _ENCODER.encode(text)


def _number(text: str) -> str:
    if "e" in text or "E" in text:
        return java_double(float(text))
    return text


def canonical(text: str) -> str:
    """The text of a JSON value with its members sorted by name; ValueError if it is none."""
    return write(_sorted(read(text)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@udf("py_json_parse", ["VARCHAR"], "VARCHAR", or_null="py_json_parse_or_null")
def json_parse(text: str) -> str:
    """The canonical text of a JSON text."""
    try:
        return canonical(text)
    except (ValueError, RecursionError):
        message = f"INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{text[:200]}'"
        raise Failure(message) from None


lowering("json_parse(varchar)", "py_json_parse($1)", attempt="py_json_parse_or_null($1)")
lowering("json_format(json)", "$1")
lowering("is_json_scalar(varchar)", "t_is_json_scalar(py_json_parse($1))")
lowering("is_json_scalar(json)", "t_is_json_scalar($1)")
macro("t_is_json_scalar(x) AS CASE WHEN x IS NOT NULL THEN x[1] NOT IN ('[', '{') END")


# ----------------------------------------------------------------------------------------------- paths of Trino
#: A step: a name after a dot, a name or place in brackets, or a quoted name in brackets.
_STEP = re.compile(r"""\.([\w:]+)|\[(\w+)\]|\["((?:[^"\\]|\\["\\])*)"\]""")


@lru_cache(maxsize=512)
def path_steps(path: str) -> tuple[str, ...]:
    """The names and places of a path, which may be either; ValueError if it is none.

    There are no steps to every member, and none to all levels. Source: Trino's JsonPathTokenizer.
    """
    at, steps = 1, list[str]()
    while at < len(path):
        m = _STEP.match(path, at)
        if m is None:
            raise ValueError(path)
        steps.append(m[1] or m[2] or re.sub(r"\\(.)", r"\1", m[3]))
        at = m.end()
    if path[:1] != "$":
        raise ValueError(path)
    return tuple(steps)


def _walk(value: Any, steps: Sequence[str]) -> tuple[bool, Any]:
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return False, None
    return True, value


def _extracted(text: str, path: str) -> tuple[bool, Any]:
    try:
        steps = path_steps(path)
    except ValueError:
        message = f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path}'"
        raise Failure(message) from None
    try:
        return _walk(read(text), steps)
    except (ValueError, RecursionError):
        return False, None


@udf("py_json_extract", ["VARCHAR", "VARCHAR"], "VARCHAR")
def json_extract(text: str, path: str) -> str | None:
    """The value at a path."""
    exists, value = _extracted(text, path)
    return write(value) if exists else None


@udf("py_json_extract_scalar", ["VARCHAR", "VARCHAR"], "VARCHAR")
def json_extract_scalar(text: str, path: str) -> str | None:
    """The text of a scalar at a path."""
    exists, value = _extracted(text, path)
    if not exists or value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else write(value)


@udf("py_json_size", ["VARCHAR", "VARCHAR"], "BIGINT")
def json_size(text: str, path: str) -> int | None:
    """The number of members at a path."""
    exists, value = _extracted(text, path)
    if not exists:
        return None
    return len(value) if isinstance(value, dict | list) else 0


def _pointer(call: LoweredCall) -> Text | None:
    """A path that is known, as DuckDB's pointer: its steps are names or places too. None where DuckDB reads it else."""
    path = call.args[1].const
    if not isinstance(path, str):
        return None
    try:
        steps = path_steps(path)
    except ValueError:
        return None
    if not all(re.fullmatch(r"[A-Za-z_]\w*|0|[1-9][0-9]{0,8}", step) for step in steps):
        return None
    return Text("".join(f"/{step}" for step in steps) or "$")


def _extract_scalar(call: LoweredCall) -> Sql:
    x, path = call.args[0].sql, _pointer(call)
    slow = fill("py_json_extract_scalar($1, $2)", call)
    if path is None:
        return slow
    scalar = sql("json_type($x, $path) NOT IN ('ARRAY', 'OBJECT', 'NULL', 'DOUBLE')", x=x, path=path)
    double = sql("json_type($x, $path) = 'DOUBLE'", x=x, path=path)
    if call.args[0].type.base != "json":
        scalar, double = (sql("json_valid($x) AND $test", x=x, test=test) for test in (scalar, double))
    text = sql("json_extract_string($x, $path)", x=x, path=path)
    return sql(
        "CASE WHEN $scalar THEN $text WHEN $double THEN $slow END", scalar=scalar, text=text, double=double, slow=slow
    )


for _t in ("json", "varchar"):
    lowering(f"json_extract({_t}, varchar(p))", "py_json_extract($1, $2)")
    lowering(f"json_extract_scalar({_t}, varchar(p))", _extract_scalar)
    lowering(f"json_size({_t}, varchar(p))", "py_json_size($1, $2)")
    lowering(f"json_array_length({_t})", "py_json_array_length($1)")
    lowering(f"json_array_get({_t}, bigint)", "py_json_array_get($1, $2)")
    lowering(
        f"json_array_contains({_t}, boolean)",
        "py_json_array_contains($1, CASE WHEN $2 THEN 'true' WHEN $2 IS NOT NULL THEN 'false' END, 'b')",
    )
    lowering(f"json_array_contains({_t}, bigint)", "py_json_array_contains($1, CAST($2 AS VARCHAR), 'i')")
    lowering(f"json_array_contains({_t}, double)", "py_json_array_contains($1, CAST($2 AS VARCHAR), 'd')")
    lowering(f"json_array_contains({_t}, varchar)", "py_json_array_contains($1, $2, 's')")


@udf("py_json_items", ["VARCHAR"], "VARCHAR[]")
def json_items(text: str) -> list[str]:
    """The items of an array as JSON texts, with all their digits."""
    return [write(item) for item in _items(text) or []]


def _items(text: str) -> list[Any] | None:
    try:
        value = read(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


@udf("py_json_array_length", ["VARCHAR"], "BIGINT")
def json_array_length(text: str) -> int | None:
    """The number of items."""
    items = _items(text)
    return None if items is None else len(items)


@udf("py_json_array_get", ["VARCHAR", "BIGINT"], "VARCHAR")
def json_array_get(text: str, place: int) -> str | None:
    """An item; from the end if the place is negative. A text comes without its quotes, as in Trino."""
    items = _items(text)
    if items is None or not -len(items) <= place < len(items):
        return None
    value = items[place]
    if value is None:
        return None
    return value if isinstance(value, str) else write(value)


@udf("py_json_array_contains", ["VARCHAR", "VARCHAR", "VARCHAR"], "BOOLEAN")
def json_array_contains(text: str, wanted: str, kind: str) -> bool | None:
    """Whether an item equals a value."""
    items = _items(text)
    if items is None:
        return None
    for item in items:
        if kind == "b" and isinstance(item, bool) and item is (wanted == "true"):
            return True
        if kind == "s" and isinstance(item, str) and item == wanted:
            return True
        if kind == "i" and isinstance(item, int) and not isinstance(item, bool) and item == int(wanted):
            return True
        if kind == "d" and isinstance(item, _Number) and float(item) == float(wanted):
            return True
    return False
