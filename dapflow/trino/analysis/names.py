"""Names in expressions: columns, output columns, parameters of lambdas, and fields of rows."""

from __future__ import annotations

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.scopes import Field, Scope
from dapflow.trino.analysis.typed import ColumnRef, RowField
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import expression_text
from dapflow.trino.types import UNCHECKED


def column(field: Field, node: tree.Node, context: AnalysisContext, outer: int = 0) -> typed.Expr:
    """The expression that a field is."""
    name = field.written or ""
    return ColumnRef(
        type=field.type,
        place=context.place(node),
        relation=field.relation,
        position=field.position,
        outer=outer,
        name=name,
    )


def parts_of(node: tree.Expr) -> tuple[str, ...]:
    """A dotted name in parts; none for what is no name."""
    names: list[str] = []
    while isinstance(node, tree.Deref):
        names.append(node.name)
        node = node.base
    return (node.name, *reversed(names)) if isinstance(node, tree.Ident) else ()


def field_of(node: tree.Expr, context: AnalysisContext) -> Field | None:
    """The field of the innermost scope that a name means, if it means one."""
    parts = parts_of(node)
    if not parts or _is_bound(parts[0], context) or (len(parts) == 1 and parts[0] in context.outputs):
        return None
    scope = context.scope
    fields = scope.named(parts[0]) if len(parts) == 1 else scope.qualified(parts[:-1], parts[-1])
    return fields[0] if len(fields) == 1 else None


def _is_bound(name: str, context: AnalysisContext) -> bool:
    return bool(context.lambdas) and any(name in bound for bound in context.lambdas)


def expanded_column(node: tree.Given, context: AnalysisContext) -> typed.Expr:
    """A column that `*` stands for."""
    field, outer = node.given
    return column(field, node, context, outer)


def ident(node: tree.Ident, context: AnalysisContext) -> typed.Expr:
    """A name without a qualifier."""
    for bound in reversed(context.lambdas):
        if node.name in bound:
            return bound[node.name]
    if node.name in context.outputs:
        return _output(node, context)
    scope: Scope | None = context.scope
    outer = 0
    while scope is not None:
        fields = scope.named(node.name)
        if len(fields) > 1:
            return context.fault("AMBIGUOUS_NAME", node, f"Column '{node.written}' is ambiguous")
        if fields:
            return column(fields[0], node, context, outer)
        scope, outer = scope.parent, outer + 1
    return context.fault("COLUMN_NOT_FOUND", node, f"Column '{node.written}' cannot be resolved")


def _output(node: tree.Ident, context: AnalysisContext) -> typed.Expr:
    if context.in_aggregate:
        problem = "Invalid reference to output projection attribute from ORDER BY aggregation"
        return context.fault("COLUMN_NOT_FOUND", node, problem)
    output = context.outputs[node.name]
    return output or context.fault("AMBIGUOUS_NAME", node, f"Column '{node.written}' is ambiguous")


def deref(node: tree.Deref, context: AnalysisContext) -> typed.Expr:
    """A qualified name, or a field of a row."""
    parts = parts_of(node)
    if parts and not _is_bound(parts[0], context):
        scope: Scope | None = context.scope
        outer = 0
        while scope is not None:
            fields = scope.qualified(parts[:-1], parts[-1])
            if len(fields) > 1:
                return context.fault("AMBIGUOUS_NAME", node, f"Column '{expression_text(node)}' is ambiguous")
            if fields:
                return column(fields[0], node, context, outer)
            if len(parts) == 2 and scope.has_relation(parts[:-1]) and not scope.knows(parts[0]):
                return _not_found(node, context)
            scope, outer = scope.parent, outer + 1
        if not _is_known(parts, context):
            return _not_found(node, context)
    return row_field(context.visit(node.base), node, context)


def _not_found(node: tree.Deref, context: AnalysisContext) -> typed.Expr:
    return context.fault("COLUMN_NOT_FOUND", node, f"Column '{expression_text(node)}' cannot be resolved")


def _is_known(parts: tuple[str, ...], context: AnalysisContext) -> bool:
    """Whether a name begins with that of a column, which may be qualified: `t.c.f` is the field of a row."""
    if parts[0] in context.outputs:
        return True
    scope: Scope | None = context.scope
    while scope is not None:
        if any(scope.qualified(parts[:end], parts[end]) for end in range(1, len(parts))) or scope.named(parts[0]):
            return True
        scope = scope.parent
    return False


def row_field(base: typed.Expr, node: tree.Deref, context: AnalysisContext) -> typed.Expr:
    """One field of a row by its name."""
    if base.type.is_unchecked and base.type.base != "row":
        return RowField(type=UNCHECKED, place=context.place(node), base=base, position=-1)
    if base.type.base != "row":
        return context.fault("TYPE_MISMATCH", node, f"Expression {expression_text(node)} is not of type ROW")
    names = base.type.names or ()
    places = [i for i, name in enumerate(names) if name is not None and name.lower() == node.name]
    if len(places) > 1:
        return context.fault("AMBIGUOUS_NAME", node, "Ambiguous row field reference")
    if not places:
        return _not_found(node, context)
    return RowField(type=base.type.args[places[0]], place=context.place(node), base=base, position=places[0])
