"""What no data product should hold: stars, limits and chance."""

from __future__ import annotations

from collections.abc import Iterator

from dapflow.sql.steadiness import CHANCE
from dapflow.sql.traps.query_reading import QueryReading, Trap, bare, called, relations
from dapflow.trino.syntax import tree


def products(reading: QueryReading) -> Iterator[Trap]:
    """`SELECT *` of a table, LIMIT or ORDER BY around everything, values that differ from run to run."""
    for pos, table in _stars(reading.query.body, reading, frozenset()):
        message = f"* is whatever columns {table} has: one that is added there changes the product, and may break a run"
        yield Trap("select-star", message, pos, "list the columns that the product shall have")
    if reading.query.limit is not None:
        yield Trap(
            "leftover-limit",
            "the product ends after these rows, whatever the data hold",
            reading.query.limit.pos,
            "delete the LIMIT; to look at some rows, use dapflow query with --limit",
        )
    elif reading.query.order:
        yield Trap(
            "ordered-product",
            "a table has no order: the rows are sorted for nothing",
            reading.query.order[0].pos,
            "delete the ORDER BY, and order where the product is read; a place among them is a column: rank() OVER (…)",
        )
    for call in reading.every(tree.Call):
        if call.name in CHANCE:
            yield _unsteady(call.pos, f"{call.name}() gives other values each time")
    for sample in reading.every(tree.SampleNode):
        yield _unsteady(sample.pos, "TABLESAMPLE takes other rows each time")


def _unsteady(pos: int, what: str) -> Trap:
    hint = "make it of the data: order by columns that tell rows apart, and take xxhash64(to_utf8(id)) for a number"
    return Trap("not-repeatable", f"{what}: a retry of the same run gives another product", pos, hint)


def _stars(body: tree.BodyNode, reading: QueryReading, seen: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Stars that hand on whatever columns a table has: where they stand, and the table."""
    if isinstance(body, tree.SetOperation):
        yield from _stars(body.left, reading, seen)
    elif isinstance(body, tree.Nested):
        yield from _stars(body.query.body, reading, seen)
    elif isinstance(body, tree.TableBody):
        yield body.pos, ".".join(body.table.parts)
    elif isinstance(body, tree.Select):
        for item in body.items:
            if isinstance(item, tree.AllColumns):
                yield from _opened(item, body, reading, seen)


def _opened(
    item: tree.AllColumns, select: tree.Select, reading: QueryReading, seen: frozenset[str]
) -> Iterator[tuple[int, str]]:
    """The tables whose columns a star hands on, also through subqueries and WITH; none where they are listed."""
    wanted = item.base.name if isinstance(item.base, tree.Ident | tree.Deref) else None
    for relation in relations(select.source):
        if wanted is not None and wanted not in called(relation):
            continue
        inner = bare(relation)
        name = inner.parts[-1] if isinstance(inner, tree.TableNode) else ""
        query = reading.named_query(relation)
        table: str | None = None
        if query is None:
            table = name or None
        elif name not in seen:
            table = next((table for _, table in _stars(query.body, reading, seen | {name} - {""})), None)
        if table is not None:
            yield item.pos, table
            return
