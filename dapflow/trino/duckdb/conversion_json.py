"""CAST to and from JSON. A JSON value is held as its canonical text."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversion_text import text_sql
from dapflow.trino.duckdb.storage import duck_type, field_names, literal, quote
from dapflow.trino.duckdb.values import fresh, let
from dapflow.trino.types import VARCHAR, Type, type_text

#: The text of a JSON string, without its quotes.
_TEXT = "json_extract_string({}, '$')"


def to_json(sql: str, source: Type) -> str:
    """CAST(x AS JSON)."""
    base = source.base
    if base == "json":
        return sql
    if base in INTEGERS or base in {"boolean", "decimal"}:
        return text_sql(sql, source)
    if base in {"double", "real"}:
        return f"t_{base}_json({sql})"
    if base in {"varchar", "char"}:
        return f"t_json_quote({text_sql(sql, source)})"
    if base == "unknown":
        return "CAST(NULL AS VARCHAR)"
    if base == "array":
        name = fresh("e")
        item = f"coalesce({to_json(name, source.args[0])}, 'null')"
        return f"('[' || array_to_string(list_transform({sql}, lambda {name}: {item}), ',') || ']')"
    if base == "map":
        name = fresh("e")
        key = f"t_json_quote({_key(f'({name}).key', source.args[0])})"
        value = f"coalesce({to_json(f'({name}).value', source.args[1])}, 'null')"
        parts = f"list_sort(list_transform(map_entries({sql}), lambda {name}: {key} || ':' || {value}))"
        return f"('{{' || array_to_string({parts}, ',') || '}}')"
    if base == "row":
        names = source.names or tuple(None for _ in source.args)

        def body(x: str) -> str:
            parts = []
            for i, (held, shown, kind) in enumerate(zip(field_names(source), names, source.args, strict=True)):
                label = (shown or "").replace("\\", "\\\\").replace('"', '\\"').replace("'", "''")
                value = f"coalesce({to_json(f'({x}).{quote(held)}', kind)}, 'null')"
                parts.append(f"""'{"," if i else "{"}"{label}":' || {value}""")
            return f"CASE WHEN {x} IS NOT NULL THEN " + " || ".join(parts) + " || '}' END"

        return let(sql, body, limit=60)
    return f"""('"' || {text_sql(sql, source)} || '"')"""


def _key(sql: str, source: Type) -> str:
    if source.base in {"double", "real"}:
        return f"t_{source.base}_json({sql})"
    return text_sql(sql, source)


def from_json(sql: str, target: Type, convert: Callable[[str, Type, Type], str]) -> str:
    """CAST(json AS x)."""
    return let(sql, lambda x: _from_json(x, target, convert, type_text(target)), limit=60)


def _from_json(x: str, target: Type, convert: Callable[[str, Type, Type], str], whole: str) -> str:
    base = target.base
    kind = f"json_type({x})"
    unfit = f"t_json_unfit({x}, {literal(whole)})"
    failing = f"CAST({unfit} AS {duck_type(target)})"
    if base == "json":
        return x
    if base == "array":
        name = fresh("j")
        items = f"CAST(json_extract({x}, '$[*]') AS VARCHAR[])"
        if _long_decimal(target.args[0]):
            items = f"py_json_items({x})"
        made = f"list_transform({items}, lambda {name}: {_from_json(name, target.args[0], convert, whole)})"
        return f"CASE {kind} WHEN 'NULL' THEN NULL WHEN 'ARRAY' THEN {made} ELSE {failing} END"
    if base == "map":
        name = fresh("j")
        keys = f"CAST(json_keys({x}) AS VARCHAR[])"
        values = f"CAST(json_extract({x}, '$.*') AS VARCHAR[])"
        key = convert(name, VARCHAR, target.args[0])
        value = _from_json(name, target.args[1], convert, whole)
        made = f"map(list_transform({keys}, lambda {name}: {key}), list_transform({values}, lambda {name}: {value}))"
        made = f"CAST({made} AS {duck_type(target)})"
        return f"CASE {kind} WHEN 'NULL' THEN NULL WHEN 'OBJECT' THEN {made} ELSE {failing} END"
    if base == "row":
        return _row_from_json(x, target, convert, whole, unfit)
    if base == "varchar":
        text = _TEXT.format(x)
        if target.length is not None:
            text = f"left({text}, {target.length})"
        number = f"t_double_cast(TRY_CAST({x} AS DOUBLE))"
        return (
            f"CASE {kind} WHEN 'NULL' THEN NULL WHEN 'DOUBLE' THEN {number} "
            f"ELSE CASE WHEN {kind} IN ('ARRAY', 'OBJECT') THEN {failing} ELSE {text} END END"
        )
    if base == "boolean":
        return (
            f"CASE {kind} WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN {convert(_TEXT.format(x), VARCHAR, target)} "
            f"WHEN 'DOUBLE' THEN TRY_CAST({x} AS DOUBLE) <> 0 "
            f"ELSE coalesce(TRY_CAST(t_json_digits({x}) AS BIGINT) <> 0, {failing}) END"
        )
    return _number_from_json(x, target, convert, kind, failing)


def _long_decimal(t: Type) -> bool:
    """Whether a type holds decimals with more digits than DuckDB keeps in JSON."""
    return (t.base == "decimal" and t.precision > 15) or any(_long_decimal(part) for part in t.args)


def _number_from_json(x: str, target: Type, convert: Callable[[str, Type, Type], str], kind: str, failing: str) -> str:
    text = _TEXT.format(x)
    # What is no number gives NULL here, and with it the failure.
    number = f"TRY_CAST(t_json_digits({x}) AS {duck_type(target)})"
    if target.base in INTEGERS:
        rounded = convert(f"TRY_CAST({x} AS DOUBLE)", Type("double"), target)
        number = f"CASE WHEN regexp_full_match({x}, '-?[0-9]+|true|false') THEN {number} ELSE {rounded} END"
    return (
        f"CASE {kind} WHEN 'NULL' THEN NULL WHEN 'VARCHAR' THEN {convert(text, VARCHAR, target)} "
        f"ELSE coalesce({number}, {failing}) END"
    )


def _row_from_json(x: str, target: Type, convert: Callable[[str, Type, Type], str], whole: str, unfit: str) -> str:
    """The texts of the fields first, by place or by name, then each as its type."""
    names = field_names(target)
    kind = f"json_type({x})"
    places = ", ".join(f"'$[{i}]'" for i in range(len(names)))
    paths = ", ".join(literal('$."' + name.replace('"', '\\"') + '"') for name in names)
    texts = fresh("r")
    parts = []
    for i, (name, part) in enumerate(zip(names, target.args, strict=True), 1):
        field = let(
            f"coalesce({texts}[{i}], 'null')",
            lambda p, part=part: _from_json(p, part, convert, whole),  # type: ignore[misc]
            limit=0,
        )
        parts.append(f"{quote(name)}: {field}")
    found = (
        f"CASE WHEN {kind} = 'ARRAY' AND json_array_length({x}) = {len(names)} THEN json_extract({x}, [{places}]) "
        f"WHEN {kind} = 'OBJECT' THEN json_extract({x}, [{paths}]) "
        f"WHEN {kind} <> 'NULL' THEN CAST({unfit} AS JSON[]) END"
    )
    return (
        f"list_transform([CAST({found} AS VARCHAR[])], lambda {texts}: "
        f"CASE WHEN {texts} IS NOT NULL THEN {{{', '.join(parts)}}} END)[1]"
    )
