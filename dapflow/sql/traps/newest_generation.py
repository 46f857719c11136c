"""The newest generation, looked for where there is no other."""

from __future__ import annotations

from collections.abc import Iterator

from dapflow.sql.traps.query_reading import QueryReading, Trap, bare, called, column, conjuncts, relations
from dapflow.trino.syntax import tree


def newest_generation(reading: QueryReading) -> Iterator[Trap]:
    """`import_date = (SELECT max(import_date) FROM t)` in WHERE over the same current table."""
    for select in reading.every(tree.Select):
        for condition in conjuncts(select.where):
            query = _compared_query(condition)
            table = None if query is None else _newest_of(query[1], reading)
            if query is None or table is None or not _is_of(query[0], table, select, reading):
                continue
            name = ".".join(table.parts)
            yield Trap(
                "needless-generation",
                f"{name} holds its newest generation and no other: this is always true",
                condition.pos,
                "delete the condition; older generations are in the table with _history",
            )


def _compared_query(condition: tree.Expr) -> tuple[tuple[str, ...], tree.QueryNode] | None:
    """The column and the query of `a = (SELECT …)` and `a IN (SELECT …)`."""
    if isinstance(condition, tree.InQuery):
        name = column(condition.expr)
        return None if name is None else (name, condition.query)
    if isinstance(condition, tree.Binary) and condition.op in {"=", ">="}:
        for one_side, other in ((condition.left, condition.right), (condition.right, condition.left)):
            name = column(one_side)
            if name is not None and isinstance(other, tree.ScalarQuery):
                return name, other.query
    return None


def _newest_of(query: tree.QueryNode, reading: QueryReading) -> tree.TableNode | None:
    """The current table of which a query takes the greatest generation, and nothing else."""
    select = query.body
    if query.ctes or not isinstance(select, tree.Select) or select.where is not None or select.groups is not None:
        return None
    item, source = select.items[0], select.source
    table = None if source is None else bare(source)
    if not isinstance(item, tree.SelectItem) or len(select.items) > 1 or not isinstance(table, tree.TableNode):
        return None
    call, known = item.expr, reading.known(table)
    if (
        known is None
        or known.history
        or not known.generation
        or not isinstance(call, tree.Call)
        or call.name != "max"
        or len(call.args) != 1
    ):
        return None
    name = column(call.args[0])
    return table if name is not None and name[-1] == known.generation[-1] else None


def _is_of(name: tuple[str, ...], table: tree.TableNode, select: tree.Select, reading: QueryReading) -> bool:
    """Whether a column of a SELECT is the generation of that table."""
    known = reading.known(table)
    if known is None or name[-1] != known.generation[-1]:
        return False
    for relation in relations(select.source):
        inner = bare(relation)
        if (
            isinstance(inner, tree.TableNode)
            and inner.parts == table.parts
            and (len(name) == 1 or name[-2] in called(relation))
        ):
            return True
    return False
