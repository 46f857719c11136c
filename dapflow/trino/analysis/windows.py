"""Windows: what stands in OVER, with Trino's rules for frames and named windows."""

from __future__ import annotations

from dapflow.trino.analysis import operators, typed, typed_calls
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.ordering import order_keys
from dapflow.trino.analysis.typed_calls import SortKey
from dapflow.trino.coercion import INTEGERS, NUMERIC
from dapflow.trino.syntax import tree


def window(node: tree.Window, context: AnalysisContext) -> typed_calls.Window:
    """What stands between the parentheses of OVER, with what named windows add to it."""
    node = _whole(node, context)
    partition = tuple(context.visit(key) for key in node.partition)
    order = order_keys(node.order, context)
    if not node.unit or node.low is None:
        return typed_calls.Window(partition, order)
    if not _check_frame(node, node.low, node.high, context):
        return typed_calls.Window(partition, order)
    low = _bound(node.low, node, order, context)
    high = _bound(node.high, node, order, context) if node.high is not None else None
    return typed_calls.Window(partition, order, node.unit, low, high)


def named_windows(node: tree.Select, context: AnalysisContext) -> dict[str, tree.Window]:
    """What WINDOW names. All of it is looked at, whether anything refers to it or not, and no name may stand twice."""
    named: dict[str, tree.Window] = {}
    for name, definition in node.windows:
        if name in named:
            context.fault("DUPLICATE_WINDOW_NAME", definition, f"WINDOW name '{name}' specified more than once")
        # A definition knows those before it.
        window(definition, context._replace(windows=dict(named)))
        named[name] = definition
    return named


def _whole(node: tree.Window, context: AnalysisContext) -> tree.Window:
    """A window with what the window named in it says."""
    if node.existing is None:
        return node
    base = context.windows.get(node.existing)
    if base is None:
        context.fault("INVALID_WINDOW_REFERENCE", node, f"Cannot resolve WINDOW name {node.existing}")
        return node
    base = _whole(base, context)
    what = "WINDOW specification with named WINDOW reference cannot specify"
    if node.partition:
        context.fault("INVALID_PARTITION_BY", node, f"{what} PARTITION BY")
    elif node.order and base.order:
        context.fault("INVALID_ORDER_BY", node, f"{what} ORDER BY: the referenced window has one")
    elif base.unit and (node.order or node.unit):
        problem = "Cannot reference named WINDOW containing frame specification"
        context.fault("INVALID_WINDOW_REFERENCE", node, problem)
    return tree.Window(
        node.pos,
        None,
        base.partition,
        node.order or base.order,
        node.unit or base.unit,
        node.low or base.low,
        node.high or base.high,
        end=node.end,
    )


def _check_frame(
    node: tree.Window, low: tree.FrameBound, high: tree.FrameBound | None, context: AnalysisContext
) -> bool:
    """Whether the ends of a frame go together; if not, that is noted."""
    problem, at = None, low
    if low.kind == "unbounded following":
        problem = "Window frame start cannot be UNBOUNDED FOLLOWING"
    elif high is not None and high.kind == "unbounded preceding":
        problem, at = "Window frame end cannot be UNBOUNDED PRECEDING", high
    elif low.kind == "current row" and high is not None and high.kind == "preceding":
        problem = "Window frame starting from CURRENT ROW cannot end with PRECEDING"
    elif low.kind == "following" and (high is None or high.kind in {"preceding", "current row"}):
        problem = "Window frame starting from FOLLOWING cannot end with CURRENT ROW"
    if problem is not None:
        context.fault("INVALID_WINDOW_FRAME", at, problem)
        return False
    if not any(bound is not None and bound.value is not None for bound in (low, high)):
        return True
    what = f"Window frame of type {node.unit} PRECEDING or FOLLOWING requires"
    if node.unit != "ROWS" and not node.order:
        context.fault("MISSING_ORDER_BY", low, f"{what} ORDER BY")
        return False
    if node.unit == "RANGE" and len(node.order) != 1:
        problem = f"{what} single sort item in ORDER BY (actual: {len(node.order)})"
        context.fault("INVALID_ORDER_BY", low, problem)
        return False
    return True


def _bound(
    bound: tree.FrameBound, node: tree.Window, order: tuple[SortKey, ...], context: AnalysisContext
) -> typed_calls.FrameBound:
    if bound.value is None:
        return typed_calls.FrameBound(bound.kind)
    value = context.visit(bound.value)
    t = value.type
    if node.unit == "RANGE":
        _check_distance(node, bound.value, value, order[0].expr, context)
    elif t.base not in {*INTEGERS, "unchecked"} and not (t.base == "decimal" and t.scale == 0):
        problem = f"Window frame {node.unit} offset must be exact numeric type with scale 0 (actual: {t})"
        context.fault("TYPE_MISMATCH", bound.value, problem)
    return typed_calls.FrameBound(bound.kind, value)


def _check_distance(
    node: tree.Window, at: tree.Expr, value: typed.Expr, key: typed.Expr, context: AnalysisContext
) -> None:
    """The distance in a RANGE frame must fit what is ordered by."""
    t = key.type
    if "unchecked" in {t.base, value.type.base}:
        return
    interval = t.base.startswith("interval")
    kinds = NUMERIC if t.base in NUMERIC else frozenset({"interval_ds", "interval_ym"})
    fitting = value.type.base in kinds and (not interval or t == value.type)
    if t.base.startswith(("date", "time")) and fitting:
        fitting = operators.arithmetic("+", t, value.type) is not None
    elif t.base not in NUMERIC and not interval:
        problem = "requires that sort item type be numeric, datetime or interval"
        what = "Window frame of type RANGE PRECEDING or FOLLOWING"
        context.fault("TYPE_MISMATCH", node.order[0], f"{what} {problem} (actual: {t})")
        return
    if not fitting:
        problem = f"Window frame RANGE value type ({value.type}) not compatible with sort item type ({t})"
        context.fault("TYPE_MISMATCH", at, problem)
