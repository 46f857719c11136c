"""Operators, conditions and structures."""

from __future__ import annotations

from dapflow.trino.analysis import operators, typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce, condition, constant, unified
from dapflow.trino.analysis.literals import integer
from dapflow.trino.analysis.typed import Unchecked
from dapflow.trino.coercion import INTEGERS, can_coerce, common, comparable, orderable
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT, BOOLEAN, DATE, DOUBLE, UNCHECKED, VARCHAR, Type, array, row, varchar


def _no_operator(op: str, left: typed.Expr, right: typed.Expr, node: tree.Node, context: AnalysisContext) -> typed.Expr:
    return context.fault("TYPE_MISMATCH", node, f"Cannot apply operator: {left.type} {op} {right.type}")


def binary(node: tree.Binary, context: AnalysisContext) -> typed.Expr:
    """Arithmetic, a comparison or `||`."""
    left, right = context.visit(node.left), context.visit(node.right)
    if node.op == "||":
        return _concat(node, left, right, context)
    if node.op not in {"+", "-", "*", "/", "%"}:
        return comparison(node.op, left, right, node, context)
    operation = operators.arithmetic(node.op, left.type, right.type)
    if operation is None:
        return _no_operator(node.op, left, right, node, context)
    return typed.Arithmetic(
        type=operation.type,
        place=context.place(node),
        op=node.op,
        left=coerce(left, operation.left),
        right=coerce(right, operation.right),
    )


def _concat(node: tree.Binary, left: typed.Expr, right: typed.Expr, context: AnalysisContext) -> typed.Expr:
    if operators.ambiguous_concat(left.type, right.type):
        problem = f"Could not choose a best candidate operator concat({left.type}, {right.type})"
        return context.fault("AMBIGUOUS_FUNCTION_CALL", node, problem)
    operation = operators.concat(left.type, right.type)
    if operation is None:
        problem = f"Unexpected parameters ({left.type}, {right.type}) for function concat"
        return context.fault("FUNCTION_NOT_FOUND", node, problem)
    return typed.Concat(
        type=operation.type,
        place=context.place(node),
        left=coerce(left, operation.left),
        right=coerce(right, operation.right),
    )


def comparison(op: str, left: typed.Expr, right: typed.Expr, node: tree.Node, context: AnalysisContext) -> typed.Expr:
    """A comparison of two values of any types."""
    both = common(left.type, right.type)
    ordered = op not in {"=", "<>", "IS DISTINCT FROM"}
    if (
        both is None
        or (ordered and not orderable(both))
        or (op in {"=", "<>"} and not ordered and not comparable(both))
    ):
        fault = _no_operator(op, left, right, node, context)
        return Unchecked(type=BOOLEAN, place=fault.place)
    return typed.Comparison(
        type=BOOLEAN, place=context.place(node), op=op, left=coerce(left, both), right=coerce(right, both)
    )


def unary(node: tree.Unary, context: AnalysisContext) -> typed.Expr:
    """`-x` or `+x`."""
    inner = node.expr
    if node.op == "-" and isinstance(inner, tree.Literal) and inner.kind == "integer":
        # The sign belongs to the number: the least of its type has no opposite.
        return integer("-" + inner.value, node, context)
    operand = context.visit(inner)
    if node.op == "-" and isinstance(operand, typed.Literal) and operand.type == DOUBLE:
        return typed.Literal(type=operand.type, place=context.place(node), value=-operand.value)
    if operand.type.base in {"unknown", "unchecked"}:
        return operand
    if not operators.negatable(operand.type):
        return context.fault("TYPE_MISMATCH", node, f"Cannot negate {operand.type}")
    if node.op == "+":
        return operand
    return typed.Negate(type=operand.type, place=context.place(node), expr=operand)


def logical(node: tree.Logical, context: AnalysisContext) -> typed.Expr:
    """AND or OR."""
    terms = tuple(condition(term, "Logical expression term", context) for term in node.terms)
    return typed.Logical(type=BOOLEAN, place=context.place(node), op=node.op, terms=terms)


def negation(node: tree.Not, context: AnalysisContext) -> typed.Expr:
    """NOT x."""
    inner = condition(node.expr, "Value of logical NOT expression", context)
    return typed.Not(type=BOOLEAN, place=context.place(node), expr=inner)


def between(node: tree.Between, context: AnalysisContext) -> typed.Expr:
    """x BETWEEN low AND high."""
    value, low, high = context.visit(node.expr), context.visit(node.low), context.visit(node.high)
    both = common(value.type, low.type)
    both = common(both, high.type) if both else None
    if both is None:
        problem = f"Cannot check if {value.type} is BETWEEN {low.type} and {high.type}"
        return Unchecked(type=BOOLEAN, place=context.fault("TYPE_MISMATCH", node, problem).place)
    if not orderable(both):
        _no_operator("<", value, coerce(low, both), node, context)
    return typed.Between(
        type=BOOLEAN,
        place=context.place(node),
        expr=coerce(value, both),
        low=coerce(low, both),
        high=coerce(high, both),
    )


def in_list(node: tree.InList, context: AnalysisContext) -> typed.Expr:
    """x IN (a, b)."""
    value = context.visit(node.expr)
    items = [context.visit(item) for item in node.items]
    both: Type = value.type
    for item, source in zip(items, node.items, strict=True):
        wider = common(both, item.type)
        if wider is None:
            problem = (
                f"IN value and list items must be the same type or coercible to a common type. "
                f"Cannot find common type between {value.type} and {item.type}"
            )
            return Unchecked(type=BOOLEAN, place=context.fault("TYPE_MISMATCH", source, problem).place)
        both = wider
    coerced = tuple(coerce(item, both) for item in items)
    return typed.InList(type=BOOLEAN, place=context.place(node), expr=coerce(value, both), items=coerced)


def is_null(node: tree.IsNull, context: AnalysisContext) -> typed.Expr:
    """x IS NULL."""
    return typed.IsNull(type=BOOLEAN, place=context.place(node), expr=context.visit(node.expr))


_TEXTS = frozenset({"varchar", "char", "unknown", "unchecked"})


def like(node: tree.Like, context: AnalysisContext) -> typed.Expr:
    """x LIKE pattern ESCAPE escape."""
    value, pattern = context.visit(node.expr), context.visit(node.pattern)
    escape = context.visit(node.escape) if node.escape is not None else None
    for operand, source, what in (
        (value, node.expr, "Left side of LIKE expression"),
        (pattern, node.pattern, "Pattern for LIKE expression"),
    ):
        if operand.type.base not in _TEXTS:
            problem = f"{what} must evaluate to a varchar (actual: {operand.type})"
            return Unchecked(type=BOOLEAN, place=context.fault("TYPE_MISMATCH", source, problem).place)
    if escape is not None:
        _check_escape(node, constant(pattern), constant(escape), context)
        escape = coerce(escape, VARCHAR)
    return typed.Like(
        type=BOOLEAN,
        place=context.place(node),
        expr=coerce(value, _text(value)),
        pattern=coerce(pattern, _text(pattern)),
        escape=escape,
    )


def _text(expr: typed.Expr) -> Type:
    return varchar(expr.type.length)


def _check_escape(node: tree.Like, pattern: object, escape: object, context: AnalysisContext) -> None:
    """Refuse an escape that is known now and is none, or stands before anything but %, _ or itself."""
    if not (isinstance(escape, str) and isinstance(pattern, str)):
        return
    if len(escape) != 1:
        context.fault("INVALID_FUNCTION_ARGUMENT", node, "Escape string must be a single character")
        return
    rest = pattern.replace(escape * 2, "").replace(f"{escape}%", "").replace(f"{escape}_", "")
    if escape in rest:
        problem = "Escape character must be followed by '%', '_' or the escape character itself"
        context.fault("INVALID_FUNCTION_ARGUMENT", node, problem)


def case(node: tree.Case, context: AnalysisContext) -> typed.Expr:
    """CASE with or without an operand."""
    operand = context.visit(node.operand) if node.operand is not None else None
    if operand is None:
        conditions = [condition(when, "CASE WHEN clause", context) for when, _ in node.whens]
    else:
        conditions = [_when(operand, when, context) for when, _ in node.whens]
    nodes = [then for _, then in node.whens]
    if node.default is not None:
        nodes.append(node.default)
    results, t = unified([context.visit(result) for result in nodes], nodes, "All CASE results", context)
    default = results[-1] if node.default is not None else None
    whens = tuple(zip(conditions, results, strict=False))
    return typed.Case(type=t, place=context.place(node), operand=operand, whens=whens, default=default)


def _when(operand: typed.Expr, when: tree.Expr, context: AnalysisContext) -> typed.Expr:
    other = context.visit(when)
    if common(operand.type, other.type) is None:
        problem = f"CASE operand type does not match WHEN clause operand type: {operand.type} vs {other.type}"
        return Unchecked(type=BOOLEAN, place=context.fault("TYPE_MISMATCH", when, problem).place)
    return comparison("=", typed.CaseOperand(type=operand.type, place=operand.place), other, when, context)


# ------------------------------------------------------------------------------------------------- structures
def array_of(node: tree.ArrayNode, context: AnalysisContext) -> typed.Expr:
    """ARRAY[…]."""
    items, t = unified([context.visit(item) for item in node.items], node.items, "All ARRAY elements", context)
    return typed.ArrayOf(type=array(t), place=context.place(node), items=items)


def row_of(node: tree.RowNode, context: AnalysisContext) -> typed.Expr:
    """ROW(…)."""
    items = tuple(context.visit(item) for item in node.items)
    return typed.RowOf(type=row(*(item.type for item in items)), place=context.place(node), items=items)


def subscript(node: tree.Subscript, context: AnalysisContext) -> typed.Expr:
    """base[index]."""
    base, index = context.visit(node.base), context.visit(node.index)
    t, place = base.type, context.place(node)
    if t.base == "array" and index.type.base in {*INTEGERS, "unknown", "unchecked"}:
        return typed.Element(type=t.args[0], place=place, base=base, index=coerce(index, BIGINT))
    if t.base == "map" and can_coerce(index.type, t.args[0]):
        return typed.Element(type=t.args[1], place=place, base=base, index=coerce(index, t.args[0]))
    if t.base == "row":
        return _row_place(node, base, index, context)
    if t.is_unchecked or index.type.base == "unchecked":
        return typed.Element(type=UNCHECKED, place=place, base=base, index=index)
    return context.fault("TYPE_MISMATCH", node, f"Cannot use {index.type} for subscript of {t}")


def _row_place(node: tree.Subscript, base: typed.Expr, index: typed.Expr, context: AnalysisContext) -> typed.Expr:
    number = index.value if isinstance(index, typed.Literal) and isinstance(node.index, tree.Literal) else None
    if not isinstance(number, int):
        problem = "Subscript expression on ROW requires a constant index"
        return context.fault("EXPRESSION_NOT_CONSTANT", node.index, problem)
    if not 1 <= number <= len(base.type.args):
        problem = f"Invalid subscript index: {number}. ROW indices start at 1"
        return context.fault("INVALID_FUNCTION_ARGUMENT", node.index, problem)
    t = base.type.args[number - 1]
    return typed.RowField(type=t, place=context.place(node), base=base, position=number - 1)


# ---------------------------------------------------------------------------------------------- the session's
_TEXTS_OF_SESSIONS = frozenset({"CURRENT_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA"})
_MOMENTS = {
    "CURRENT_TIMESTAMP": "timestamp_tz",
    "LOCALTIMESTAMP": "timestamp",
    "CURRENT_TIME": "time_tz",
    "LOCALTIME": "time",
}


def session(node: tree.Special, context: AnalysisContext) -> typed.Expr:
    """CURRENT_DATE and its like."""
    precision = 3 if node.precision is None else node.precision
    if precision > 6:
        return context.limit(f"{node.name} of a precision above 6", node)
    if node.name == "CURRENT_DATE":
        t = DATE
    elif node.name in _MOMENTS:
        t = Type(_MOMENTS[node.name], precision=precision)
    elif node.name in _TEXTS_OF_SESSIONS:
        t = VARCHAR
    else:
        return context.limit(node.name, node)
    return typed.SessionValue(type=t, place=context.place(node), name=node.name)


def parameter(node: tree.Parameter, context: AnalysisContext) -> typed.Expr:
    """What a question mark stands for."""
    given = context.statement.parameters
    if node.index >= len(given):
        problem = "Incorrect number of parameters: expected more values"
        return context.fault("INVALID_PARAMETER_USAGE", node, problem)
    return context.bare().visit(given[node.index])
