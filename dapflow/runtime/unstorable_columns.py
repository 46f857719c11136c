"""Columns of data products of types that no table can hold, and what to write instead."""

from __future__ import annotations

import re

from dapflow.errors import DapflowError
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type, row_field, type_parts

_REMEDIES = {
    "json": "json_format({})",
    "timestamp with time zone": "CAST({} AT TIME ZONE 'UTC' AS timestamp)",
    "interval day to second": "to_milliseconds({})",
    "geometry": "ST_AsText({})",
    "sphericalgeography": "ST_AsText(to_geometry({}))",
    "bingtile": "bing_tile_quadkey({})",
}
_BESIDES = {
    "unknown": ", or give it the type that the column should have",
    "interval day to second": ", or count days with date_diff('day', earlier, later)",
}
# What a CAST makes text, or bytes.
_TEXTS = frozenset(
    {"time", "time with time zone", "timestamp with time zone", "interval day to second", "interval year to month",
     "uuid", "ipaddress", "ipprefix", "unknown"}
)  # fmt: skip
_BYTES = frozenset({"hyperloglog", "p4hyperloglog", "setdigest", "qdigest", "tdigest"})
# What a CAST makes JSON.
_JSON_KEYS = re.compile(r"boolean|tinyint|smallint|integer|bigint|real|double|(?:decimal|varchar)(?:\(.*\))?")
_JSON_VALUES = re.compile(rf"{_JSON_KEYS.pattern}|json|date|timestamp(?:\(\d+\))?")
# Longer expressions are left out of a hint.
_LONGEST = 80


def column_hive_type(column: str, text: str, expression: str | None = None) -> str:
    """``hive_type`` for a column of a data product, which is ``expression`` where that is known.

    Raises DapflowError ``unsupported-type`` with a remedy.
    """
    try:
        return hive_type(text)
    except UnsupportedTypeError as error:
        inner = str(error)
    where = f"column {column} has type {text}" if text == inner else f"column {column} holds type {inner}"
    nameless = type_parts(inner)[0] == "row"
    message = f"{where}, {'whose fields have no names' if nameless else 'which a table cannot hold'}"
    remedy = _remedy(text, expression if expression and len(expression) <= _LONGEST else "…")
    besides = ", with the names that the fields should have" if nameless else _BESIDES.get(_base(text), "")
    hint = (
        f"write {remedy} AS {column}{besides}"
        if remedy
        else f"leave {column} out, or take parts of it that a table can hold"
    )
    raise DapflowError("unsupported-type", message, hint=hint)


def _remedy(text: str, given: str) -> str | None:
    """An expression that says the same in a type that a table can hold; None where no function or CAST does."""
    if _base(text) in _REMEDIES:
        return _REMEDIES[_base(text)].format(given)
    try:
        wanted = _storable(text)
        hive_type(wanted)
    except UnsupportedTypeError as error:
        if str(error) != "json" or not _becomes_json(wanted):
            return None
        inner = given if wanted == text else f"CAST({given} AS {wanted})"
        return f"json_format(CAST({inner} AS json))"
    return f"CAST({given} AS {wanted})"


def _storable(text: str) -> str:
    """A type to which Athena casts another one, with nothing in it that a table cannot hold but JSON."""
    kind, parts = type_parts(text)
    if kind in ("array", "map"):
        return f"{kind}({', '.join(map(_storable, parts))})"
    if kind == "row":
        return f"row({', '.join(_storable_field(number, part) for number, part in enumerate(parts, 1))})"
    if _base(text) in _TEXTS:
        return "varchar"
    if _base(text) in _BYTES:
        return "varbinary"
    return text if text == "json" or hive_type(text) != "string" else "varchar"


def _storable_field(number: int, text: str) -> str:
    name, kind = row_field(text)
    # In quotes, as it may be a word that is reserved.
    written = f"field{number}" if name is None else '"' + name.replace('"', '""') + '"'
    return f"{written} {_storable(kind)}"


def _becomes_json(text: str) -> bool:
    kind, parts = type_parts(text)
    if kind == "map":
        return _JSON_KEYS.fullmatch(parts[0]) is not None and _becomes_json(parts[1])
    if kind == "row":
        return all(_becomes_json(row_field(part)[1]) for part in parts)
    return all(map(_becomes_json, parts)) if kind == "array" else _JSON_VALUES.fullmatch(text) is not None


def _base(text: str) -> str:
    """A type without what stands in brackets."""
    return re.sub(r"\(.*?\)", "", text.lower())
