"""Joins that multiply rows, and conditions that undo an outer join."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dapflow.sql.traps.query_reading import QueryReading, Trap, bare, called, column, columns, conjuncts, relations
from dapflow.trino.syntax import tree

# What may turn a NULL of the optional side into something else.
_OF_NULLS = frozenset({"coalesce", "if", "nullif", "try"})
_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def joins(reading: QueryReading) -> Iterator[Trap]:
    """Joins without a condition that connects both sides; WHERE on the optional side of an outer join."""
    for select in reading.every(tree.Select):
        conditions = [*conjuncts(select.where)]
        for join in tree.nodes(select.source, into_queries=False):
            if isinstance(join, tree.JoinNode):
                yield from _cross(join, conditions, reading)
        yield from _optional(select, reading)


def _cross(join: tree.JoinNode, where: list[tree.Expr], reading: QueryReading) -> Iterator[Trap]:
    if join.using is not None or _few(join.right, reading) or _few(join.left, reading):
        return
    conditions = [*conjuncts(join.on), *(where if join.kind in {"inner", "cross", "implicit"} else ())]
    left, right = called(join.left), called(join.right)
    if any(_connects(condition, left, right) for condition in conditions):
        return
    about = join.on is not None and any(True for _ in columns(join.on))
    what = "the condition of this JOIN is about one side alone" if about else "nothing says which rows belong together"
    yield Trap(
        "cross-join",
        f"{what}: every row of the left side is joined with every row of {_name(join.right)}",
        join.right.pos,
        "write JOIN … ON with a condition that names a column of each side, such as ON a.id = b.id",
    )


def _connects(condition: tree.Expr, left: set[str], right: set[str]) -> bool:
    """Whether a condition names columns of both sides. A name alone, or a subquery, may be of either side."""
    names = [*columns(condition)]
    loose = sum(len(name) == 1 or name[-2] not in left | right for name in names)
    ours, theirs = (any(len(name) > 1 and name[-2] in side for name in names) for side in (left, right))
    subquery = any(isinstance(node, tree.QueryNode) for node in tree.nodes(condition))
    return (ours and theirs) or (loose > 0 and (ours or theirs)) or loose > 1 or (subquery and bool(names))


def _few(node: tree.RelationNode, reading: QueryReading) -> bool:
    """Whether a relation is made of the other side, or is a single row, or a list that is written out."""
    inner = bare(node)
    if isinstance(inner, tree.UnnestNode | tree.OpaqueNode) or (isinstance(inner, tree.SubqueryNode) and inner.lateral):
        return True
    query = reading.named_query(node)
    if query is None:
        return False
    source = query.body.source if isinstance(query.body, tree.Select) else None
    unnested = source is not None and isinstance(bare(source), tree.UnnestNode)
    return isinstance(query.body, tree.Values) or unnested or reading.gives_one_row(query)


def _optional(select: tree.Select, reading: QueryReading) -> Iterator[Trap]:
    """Conditions in WHERE, and in the ON of JOINs that come later, on what an outer join found nothing for."""
    sides = {name: join for join in _outer(select.source) for name in _optional_names(join)}
    if not sides:
        return
    owners = _owners(select, reading)

    def owner(condition: tree.Expr, among: Mapping[str, tree.JoinNode]) -> str | None:
        names = [*columns(condition)] if _drops_nulls(condition) else []
        relation_names = [name[-2] if len(name) > 1 else owners.get(name[0], "") for name in names]
        return next((name for name in relation_names if name in among), None)

    for condition in conjuncts(select.where):
        side = owner(condition, sides)
        if side is None:
            continue
        kind = sides.pop(side).kind.upper()
        yield Trap(
            "optional-side",
            f"this condition drops the rows for which the {kind} JOIN found nothing in {side}: it joins as an inner "
            "JOIN does",
            condition.pos,
            f"move it to the ON of the {kind} JOIN, or write JOIN if that is meant",
        )
    for later in tree.nodes(select.source, into_queries=False):
        if not isinstance(later, tree.JoinNode) or later.kind != "inner":
            continue
        before = {id(join) for join in _outer((later.left, later.right))}
        among = {name: join for name, join in sides.items() if id(join) in before}
        for condition in conjuncts(later.on):
            side = owner(condition, among)
            if side is not None:
                kind = sides[side].kind.upper()
                yield Trap(
                    "optional-side",
                    f"this JOIN drops the rows for which the {kind} JOIN found nothing in {side}: both join as inner "
                    "JOINs do",
                    condition.pos,
                    f"write LEFT JOIN here too, or JOIN in place of the {kind} JOIN if that is meant",
                )
                break


def _outer(node: tree.RelationNode | tuple[tree.RelationNode, ...] | None) -> Iterator[tree.JoinNode]:
    for join in tree.nodes(node, into_queries=False):
        if isinstance(join, tree.JoinNode) and join.kind in {"left", "right", "full"}:
            yield join


def _optional_names(join: tree.JoinNode) -> set[str]:
    if join.kind == "full":
        return called(join.left) | called(join.right)
    return called(join.right if join.kind == "left" else join.left)


def _owners(select: tree.Select, reading: QueryReading) -> dict[str, str]:
    """The relation of each column that stands in one alone; nothing where not all relations are known."""
    owners: dict[str, str] = {}
    for relation in relations(select.source):
        inner = bare(relation)
        table = reading.known(inner) if isinstance(inner, tree.TableNode) else None
        if table is None:
            return {}
        name = next(iter(called(relation)))
        for column_name in table.columns:
            owners[column_name] = "" if column_name in owners else name
    return owners


def _drops_nulls(condition: tree.Expr) -> bool:
    """Whether a condition is never true where its columns are NULL."""
    inner = condition.expr if isinstance(condition, tree.Not) else condition
    if isinstance(inner, tree.Binary):
        if inner.op not in _COMPARISONS:
            return False
    elif not isinstance(inner, tree.Like | tree.Between | tree.InList):
        return column(inner) is not None
    return not any(
        isinstance(node, tree.Case | tree.IsNull | tree.Logical | tree.QueryNode)
        or (isinstance(node, tree.Call) and node.name in _OF_NULLS)
        for node in tree.nodes(inner)
    )


def _name(node: tree.RelationNode) -> str:
    return " and ".join(sorted(called(node))) or "the right side"
