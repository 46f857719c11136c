"""Values that are written out and do not do what was meant: divisors, indices, JSON paths."""

from __future__ import annotations

from collections.abc import Iterator

from dapflow.sql.traps.query_reading import QueryReading, Trap
from dapflow.trino.syntax import tree

_WHOLE = frozenset({"tinyint", "smallint", "integer", "bigint"})
_ROUNDING = frozenset({"floor", "truncate"})
_JSON = frozenset({"json_extract", "json_extract_scalar", "json_size"})


def constants(reading: QueryReading) -> Iterator[Trap]:
    """Divisions, indices and paths."""
    divisions = [node for node in reading.every(tree.Binary) if node.op in {"/", "%"}]
    rounding = (*reading.every(tree.Cast), *reading.every(tree.Call)) if divisions else ()
    rounded = {id(inner) for node in rounding for inner in _rounded(node)}
    for division in divisions:
        yield from _division(division, reading, meant=id(division) in rounded)
    for item in reading.every(tree.Subscript):
        if _integer(item.index) == 0 and not isinstance(item.base, tree.ArrayNode):
            message = "the first item of a list is [1]; [0] fails when it is run"
            yield Trap("array-index", message, item.index.pos, "write [1], or element_at(a, 1), which may give NULL")
    for call in reading.every(tree.Call):
        if call.name in _JSON and len(call.args) == 2:
            yield from _path(call.args[1])
        yield from _counted_from_zero(call)


def _counted_from_zero(call: tree.Call) -> Iterator[Trap]:
    """Characters and parts of a text that are counted from 0, as some languages do."""
    place = call.args[-1] if call.name == "split_part" else call.args[1] if len(call.args) > 1 else None
    if place is None or _integer(place) != 0:
        return
    if call.name == "split_part":
        yield Trap(
            "array-index", "the first part is 1; 0 fails when it is run", place.pos, "write split_part(a, ',', 1)"
        )
    elif call.name in {"substr", "substring"}:
        yield Trap(
            "array-index", "the first character is 1; from 0 on there is nothing", place.pos, "write substr(a, 1)"
        )


def _division(node: tree.Binary, reading: QueryReading, *, meant: bool) -> Iterator[Trap]:
    whole = node.pos in reading.divisions
    if _integer(node.right) == 0:
        if not whole:
            hint = "write a / nullif(b, 0), which gives NULL where b is 0"
            yield Trap("division-by-zero", "what is divided by 0 is Infinity or fails", node.pos, hint)
    elif whole and node.op == "/" and not meant and _integer(node.left) is None:
        yield Trap(
            "integer-division",
            "the quotient of whole numbers is a whole number: 7 / 2 is 3",
            node.pos,
            "write CAST(a AS double) / b; if the whole number is meant, say so: CAST(a / b AS bigint)",
        )


def _path(path: tree.Expr) -> Iterator[Trap]:
    if isinstance(path, tree.Literal) and path.kind == "string" and not path.value.startswith("$"):
        message = f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path.value}'"
        yield Trap("json-path", message, path.pos, f"a path begins with $: '$.{path.value.lstrip('.')}'", "error")


def _rounded(node: tree.Node) -> tuple[tree.Node, ...]:
    """What a cast to whole numbers, or a function that rounds, is taken of: there the rest is not wanted."""
    if isinstance(node, tree.Cast) and node.type.base in _WHOLE:
        return (node.expr,)
    return node.args[:1] if isinstance(node, tree.Call) and node.name in _ROUNDING else ()


def _integer(node: tree.Expr) -> int | None:
    return int(node.value) if isinstance(node, tree.Literal) and node.kind == "integer" else None
