"""Values that are written out and do not do what was meant: divisors, indices, texts that are no dates, JSON paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dapflow.sql.traps.reading import Reading, Trap, nodes
from dapflow.trino.syntax import tree

_WHOLE = frozenset({"tinyint", "smallint", "integer", "bigint"})
# What is inside these may fail, or may not be computed at all.
_GUARDS = frozenset({"try", "if", "coalesce", "nullif"})
_ROUNDING = frozenset({"floor", "truncate"})
_JSON = frozenset({"json_extract", "json_extract_scalar", "json_size"})
_ISO = re.compile(r"\s*[+-]?\d+-\d+-\d+(?:[ T].*)?\s*")
_NUMBER = re.compile(r"\s*[+-]?(?:[\d.][\d.eE+-]*|infinity|nan)\s*", re.IGNORECASE)


def constants(reading: Reading) -> Iterator[Trap]:
    """Divisions, indices, casts and paths."""
    guarded = {id(inner) for node in nodes(reading.query) if _guards(node) for inner in nodes(node)}
    rounded = {id(inner) for node in nodes(reading.query) for inner in _rounded(node)}
    for node in nodes(reading.query):
        if isinstance(node, tree.Binary) and node.op in {"/", "%"}:
            yield from _division(node, reading, certain=id(node) not in guarded, meant=id(node) in rounded)
        elif isinstance(node, tree.Subscript) and _integer(node.index) == 0:
            message = "the first item of a list is [1]; [0] fails when it is run"
            yield Trap("array-index", message, node.index.pos, "write [1], or element_at(a, 1), which may give NULL")
        elif isinstance(node, tree.Cast) and not node.safe and id(node) not in guarded:
            yield from _cast(node.expr, node.type.base)
        elif isinstance(node, tree.Call):
            if node.name == "date" and len(node.args) == 1 and id(node) not in guarded:
                yield from _cast(node.args[0], "date")
            elif node.name in _JSON and len(node.args) == 2:
                yield from _path(node.args[1])


def _division(node: tree.Binary, reading: Reading, *, certain: bool, meant: bool) -> Iterator[Trap]:
    whole = node.pos in reading.divisions
    if _integer(node.right) == 0:
        hint = "write a / nullif(b, 0), which gives NULL where b is 0"
        if not whole:
            yield Trap("division-by-zero", "what is divided by 0 is Infinity or fails", node.pos, hint)
        elif certain:
            yield Trap("division-by-zero", "DIVISION_BY_ZERO: Division by zero", node.pos, hint, "error")
    elif whole and node.op == "/" and not meant and _integer(node.left) is None:
        yield Trap(
            "integer-division",
            "the quotient of whole numbers is a whole number: 7 / 2 is 3",
            node.pos,
            "write CAST(a AS double) / b; if the whole number is meant, say so: CAST(a / b AS bigint)",
        )


def _cast(value: tree.Expr, base: str) -> Iterator[Trap]:
    if not isinstance(value, tree.Literal) or value.kind != "string":
        return
    if base in {"date", "timestamp"} and not _ISO.fullmatch(value.value):
        message = f"'{value.value}' is no {base} as Athena reads them: the cast fails when it is run"
        hint = f"write {base.upper()} '2024-06-05', or date_parse('05/06/2024', '%d/%m/%Y')"
        yield Trap("bad-literal", message, value.pos, hint, "error")
    elif base in {*_WHOLE, "double", "real", "decimal"} and not _NUMBER.fullmatch(value.value):
        message = f"'{value.value}' is no number as Athena reads them: the cast fails when it is run"
        yield Trap("bad-literal", message, value.pos, "write the number itself, such as 1000.5", "error")


def _path(path: tree.Expr) -> Iterator[Trap]:
    if isinstance(path, tree.Literal) and path.kind == "string" and not path.value.startswith("$"):
        message = f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path.value}'"
        yield Trap("json-path", message, path.pos, f"a path begins with $: '$.{path.value.lstrip('.')}'", "error")


def _guards(node: tree.Node) -> bool:
    return isinstance(node, tree.Case | tree.Lambda) or (isinstance(node, tree.Call) and node.name in _GUARDS)


def _rounded(node: tree.Node) -> tuple[tree.Node, ...]:
    """What a cast to whole numbers, or a function that rounds, is taken of: there the rest is not wanted."""
    if isinstance(node, tree.Cast) and node.type.base in _WHOLE:
        return (node.expr,)
    return node.args[:1] if isinstance(node, tree.Call) and node.name in _ROUNDING else ()


def _integer(node: tree.Expr) -> int | None:
    return int(node.value) if isinstance(node, tree.Literal) and node.kind == "integer" else None
