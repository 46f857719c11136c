"""Output columns of a SELECT, and what `*` stands for."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.names import parts_of
from dapflow.trino.analysis.scopes import Field, Scope
from dapflow.trino.analysis.tables import OPEN
from dapflow.trino.syntax import tree


@dataclass(frozen=True, slots=True)
class Item:
    """An output expression with its name as written. `outer` says how far out a column stands that `*` stands for."""

    expr: tree.Expr
    written: str | None
    field: Field | None = None
    outer: int = 0

    @property
    def name(self) -> str | None:
        """The name in lower case."""
        return self.written.lower() if self.written else None


def items_of(node: tree.Select, context: AnalysisContext) -> list[Item]:
    """The output expressions; mistakes leave out what they are in."""
    items: list[Item] = []
    for item in node.items:
        if isinstance(item, tree.AllColumns):
            items += _all(item, node, context)
            continue
        written = item.alias
        if written is None and isinstance(item.expr, tree.Ident | tree.Deref):
            written = item.expr.written
        items.append(Item(item.expr, written))
    return items


def _given(item: tree.AllColumns, field: Field, written: str | None, outer: int) -> Item:
    return Item(tree.Given(item.pos, field.written or "", (field, outer), end=item.end), written, field, outer)


def _unknown(item: tree.AllColumns) -> list[Item]:
    """What stands for columns that cannot be told."""
    column = OPEN[0]
    return [_given(item, Field(None, None, column.type, -1, -1, open=True), None, 0)]


def _all(item: tree.AllColumns, node: tree.Select, context: AnalysisContext) -> list[Item]:
    scope = context.scope
    if item.base is None:
        fields = [field for field in scope.fields if not field.hidden]
        if node.source is None or not fields:
            context.fault("COLUMN_NOT_FOUND", item, "SELECT * not allowed in queries without FROM clause")
            return _unknown(item)
        return [_given(item, field, field.written, 0) for field in fields]
    parts = parts_of(item.base)
    given = _of_relation(item, parts, node, context) if parts else None
    if given is not None:
        return given
    if len(parts) == 1 and not scope.named(parts[0]):
        context.fault("TABLE_NOT_FOUND", item, f"Unable to resolve reference {parts[0]}")
        return _unknown(item)
    return _of_row(item, item.base, context)


def _of_relation(
    item: tree.AllColumns, parts: tuple[str, ...], node: tree.Select, context: AnalysisContext
) -> list[Item] | None:
    """The columns of a relation by its name; None if there is none of the name."""
    at: Scope | None = context.scope
    outer = 0
    while at is not None and not at.has_relation(parts):
        at, outer = at.parent, outer + 1
    if at is None:
        return None
    bare = node.where is None or isinstance(node.where, tree.Literal)
    if outer > 1 or (outer and not bare):
        context.limit("SELECT of all columns of a table of an outer query here", item)
    fields = [field for field in at.fields if field.qualifier[-len(parts) :] == parts and not field.hidden]
    names: list[str | None] = list(item.aliases) or [field.written for field in fields]
    if len(names) != len(fields):
        if not any(field.open for field in fields):
            problem = "Column alias list has wrong number of entries"
            context.fault("MISMATCHED_COLUMN_ALIASES", item, problem)
        names = [field.written for field in fields]
    return [_given(item, field, name, outer) for field, name in zip(fields, names, strict=True)]


def _of_row(item: tree.AllColumns, base: tree.Expr, context: AnalysisContext) -> list[Item]:
    """The fields of a row."""
    value = context.visit(base)
    if value.type.base != "row":
        if not value.type.is_unchecked:
            problem = f"expected expression of type Row, actual type {value.type}"
            context.fault("TYPE_MISMATCH", item, problem)
        return _unknown(item)
    names = item.aliases or value.type.names or (None,) * len(value.type.args)
    return [
        Item(tree.Subscript(item.pos, base, tree.Literal(item.pos, "integer", str(i + 1)), end=item.end), name)
        for i, name in enumerate(names)
    ]
