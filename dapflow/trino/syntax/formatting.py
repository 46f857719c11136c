"""Expressions as Trino writes them in its messages."""

from __future__ import annotations

from decimal import Decimal

from dapflow.trino.syntax import tree


def expression_text(node: tree.Node) -> str:
    """The expression as Trino's formatter writes it, for the nodes that messages are about."""
    if isinstance(node, tree.Ident):
        return f'"{node.written}"' if node.quoted else node.written
    if isinstance(node, tree.Given):
        return node.written
    if isinstance(node, tree.Deref):
        return f"{expression_text(node.base)}.{node.written}"
    if isinstance(node, tree.Literal):
        if node.kind == "string":
            return "'" + str(node.value).replace("'", "''") + "'"
        if node.kind == "double":
            return _double(float(node.value))
        return "null" if node.kind == "null" else str(node.value).lower() if node.kind == "boolean" else str(node.value)
    if isinstance(node, tree.TypedLiteral):
        return f"{node.type_name.upper()} '{node.text}'"
    if isinstance(node, tree.Binary):
        return f"({expression_text(node.left)} {node.op} {expression_text(node.right)})"
    if isinstance(node, tree.Logical):
        return "(" + f" {node.op} ".join(expression_text(t) for t in node.terms) + ")"
    if isinstance(node, tree.Unary):
        return node.op + expression_text(node.expr)
    if isinstance(node, tree.Not):
        return f"(NOT {expression_text(node.expr)})"
    if isinstance(node, tree.IsNull):
        return f"({expression_text(node.expr)} IS NULL)"
    if isinstance(node, tree.Cast):
        return f"{'TRY_CAST' if node.safe else 'CAST'}({expression_text(node.expr)} AS {node.type})"
    if isinstance(node, tree.Call):
        inner = "*" if node.star else ", ".join(expression_text(a) for a in node.args)
        return f"{node.written or node.name}({'DISTINCT ' if node.distinct else ''}{inner})"
    if isinstance(node, tree.Subscript):
        return f"{expression_text(node.base)}[{expression_text(node.index)}]"
    if isinstance(node, tree.ArrayNode):
        return "ARRAY[" + ",".join(expression_text(i) for i in node.items) + "]"
    if isinstance(node, tree.RowNode):
        return "ROW (" + ", ".join(expression_text(i) for i in node.items) + ")"
    if isinstance(node, tree.Case):
        arms = " ".join(f"WHEN {expression_text(w)} THEN {expression_text(t)}" for w, t in node.whens)
        default = f" ELSE {expression_text(node.default)}" if node.default is not None else ""
        operand = f"{expression_text(node.operand)} " if node.operand is not None else ""
        return f"(CASE {operand}{arms}{default} END)"
    return "expression"


def _double(number: float) -> str:
    """`1.2` is `1.2E0`. Source: Trino's ExpressionFormatter."""
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    if not isinstance(exponent, int):
        return str(number)
    written = "".join(map(str, digits)).lstrip("0")
    fraction = written[1:].rstrip("0")
    power = exponent + len(written) - 1 if written else 0
    return f"{'-' if sign else ''}{written[:1] or '0'}{'.' + fraction if fraction else ''}E{power}"
