"""NULL, which is equal to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dapflow.sql.traps.query_reading import QueryReading, Trap, column, conjuncts
from dapflow.trino.syntax import tree

_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def nulls(reading: QueryReading) -> Iterator[Trap]:
    """Comparisons with NULL, and NOT IN over what may be NULL."""
    for comparison in reading.every(tree.Binary):
        if comparison.op in _COMPARISONS and (_null(comparison.left) or _null(comparison.right)):
            negated = "NOT " if comparison.op == "<>" else ""
            message = f"{comparison.op} NULL is never true: NULL is equal to nothing, not even to NULL"
            yield Trap("null-comparison", message, comparison.pos, f"write a IS {negated}NULL")
    for case in reading.every(tree.Case):
        for when, _ in case.whens if case.operand is not None else ():
            if _null(when):
                message = "WHEN NULL is never true: NULL is equal to nothing, not even to NULL"
                yield Trap("null-comparison", message, when.pos, "write CASE WHEN a IS NULL THEN … END")
    for negation in reading.every(tree.Not):
        yield from _not_in(negation.expr, reading)
    for listed in reading.every(tree.InList):
        if any(map(_null, listed.items)):
            message = "NULL in the list matches nothing, and NOT IN with it is never true"
            yield Trap("null-comparison", message, listed.pos, "write OR a IS NULL beside the IN")


def _not_in(node: tree.Expr, reading: QueryReading) -> Iterator[Trap]:
    if not isinstance(node, tree.InQuery) or not isinstance(node.query.body, tree.Select):
        return
    select = node.query.body
    item = select.items[0]
    name = column(item.expr) if isinstance(item, tree.SelectItem) else None
    if name is None or name[-1] in _never_null(select, reading):
        return
    yield Trap(
        "not-in-null",
        f"NOT IN gives no rows at all as soon as the subquery gives one NULL, and {name[-1]} may be NULL",
        node.pos,
        f"add WHERE {'.'.join(name)} IS NOT NULL to the subquery, or write NOT EXISTS (SELECT … WHERE …)",
    )


def _never_null(select: tree.Select, reading: QueryReading) -> set[str]:
    """Columns that are not NULL in what a SELECT gives: those that WHERE compares or tests, and partition columns."""
    not_null: set[str] = set()
    for condition in conjuncts(select.where):
        inner = condition.expr if isinstance(condition, tree.Not) else condition
        tested: tuple[tree.Expr, ...] = ()
        if isinstance(inner, tree.IsNull) and isinstance(condition, tree.Not):
            tested = (inner.expr,)
        elif isinstance(inner, tree.Binary) and inner.op in _COMPARISONS:
            tested = (inner.left, inner.right)
        elif isinstance(inner, tree.Like | tree.Between | tree.InList):
            tested = (inner.expr,)
        not_null |= {name[-1] for part in tested if (name := column(part)) is not None}
    for node in tree.nodes(select.source):
        table = reading.known(node) if isinstance(node, tree.TableNode) else None
        not_null |= set(table.generation) if table else set()
    return not_null


def _null(node: tree.Expr) -> bool:
    return isinstance(node, tree.Literal) and node.kind == "null"
