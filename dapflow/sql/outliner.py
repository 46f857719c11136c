"""From the tree of a query to its outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.sql.outline import (
    ColumnName,
    CommonTableExpression,
    Expressions,
    From,
    FromItem,
    JoinCondition,
    OutlineItem,
    QueryOutline,
    TableName,
)
from dapflow.trino.syntax import tree

_NOTHING: frozenset[str] = frozenset()
_LEAVES = frozenset({tree.Literal, tree.TypedLiteral, tree.IntervalLiteral, tree.Special, tree.OpaqueExpr})


def outline(node: tree.QueryNode) -> tuple[QueryOutline, list[TableName]]:
    """The outline of a query, and the tables that it names, in the order of the text."""
    outliner = _Outliner()
    query = outliner.query(node, _NOTHING)
    return query, sorted(outliner.tables, key=lambda table: table.start)


class _Outliner:
    """``visible`` are the names of the CTEs that can be seen from a place."""

    def __init__(self) -> None:
        self.tables: list[TableName] = []

    # -- queries

    def query(self, node: tree.QueryNode, visible: frozenset[str]) -> QueryOutline:
        ctes: list[CommonTableExpression] = []
        for cte in node.ctes:
            # A CTE is visible to those after it, to the query, and to itself only WITH RECURSIVE.
            inside = visible | {cte.name} if node.recursive else visible
            names = _lower(cte.columns or ())
            ctes.append(CommonTableExpression(cte.name, names, self.query(cte.query, inside), node.recursive))
            visible |= {cte.name}
        query = self._body(node.body, visible)
        query.ctes = ctes
        if node.order:
            query.order = self._names(node.order, visible)
        return query

    def _body(self, node: tree.BodyNode, visible: frozenset[str]) -> QueryOutline:
        if isinstance(node, tree.Select):
            return self._select(node, visible)
        if isinstance(node, tree.SetOperation):
            return QueryOutline(branches=[self._body(branch, visible) for branch in _branches(node)])
        if isinstance(node, tree.Nested):
            return QueryOutline(branches=[self.query(node.query, visible)])
        if isinstance(node, tree.Values):
            first = node.rows[0]
            width = len(first.items) if isinstance(first, tree.RowNode) else 1
            return QueryOutline(width=width, names=self._names(node.rows, visible))
        assert isinstance(node, tree.TableBody)  # noqa: S101 - the grammar has no other
        query = self._everything(node.table, visible)
        [from_item] = query.source.sources
        if from_item.table is not None:
            from_item.table = self.tables[-1] = from_item.table._replace(query=node.pos)
        return query

    def _everything(self, node: tree.RelationNode, visible: frozenset[str]) -> QueryOutline:
        """``SELECT *`` from a relation."""
        query = QueryOutline(items=[OutlineItem(star=())])
        self._add(node, visible, query.source)
        return query

    def _select(self, node: tree.Select, visible: frozenset[str]) -> QueryOutline:
        query = QueryOutline(items=[_item(item) for item in node.items])
        named = [item for item in node.items if isinstance(item, tree.SelectItem) and item.alias]
        query.aliases = {str(item.alias).lower(): range(item.pos, item.end) for item in named}
        if node.source is not None:
            self._add(node.source, visible, query.source)
        query.names = self._names((node.items, node.where, node.groups, node.having, node.windows), visible)
        return query

    # -- FROM

    def _add(self, node: tree.RelationNode, visible: frozenset[str], source: From) -> None:
        """Add what one item of FROM brings."""
        first = len(source.sources)
        if not isinstance(node, tree.JoinNode):
            source.sources.append(self._source(node, visible))
            source.merges.append(())
            return
        self._add(node.left, visible, source)
        right = len(source.sources)
        self._add(node.right, visible, source)
        last = len(source.sources)
        if node.using:
            source.merges[right:] = [tuple([column.name for column in node.using])] * (last - right)
        source.flat = source.flat and last == right + 1
        if node.on is not None:
            source.conditions.append(JoinCondition(first, last, self._names(node.on, visible)))

    def _source(self, node: tree.RelationNode, visible: frozenset[str]) -> FromItem:
        from_item = FromItem()
        while isinstance(node, tree.AliasNode | tree.SampleNode):
            if isinstance(node, tree.AliasNode):
                from_item.alias, from_item.columns = node.name, _lower(node.columns or ())
            node = node.relation
        if isinstance(node, tree.TableNode):
            self._table(node, visible, from_item)
        elif isinstance(node, tree.SubqueryNode):
            from_item.query = self.query(node.query, visible)
            from_item.lateral = node.lateral
        elif isinstance(node, tree.UnnestNode):
            from_item.reads = self._names(node.items, visible)
        elif isinstance(node, tree.OpaqueNode):
            # Of what it reads only the tables are known.
            for relation in node.relations:
                self._add(relation, visible, From())
            self._names(node.items, visible)
        else:
            from_item.query = self._everything(node, visible)
        return from_item

    def _table(self, node: tree.TableNode, visible: frozenset[str], from_item: FromItem) -> None:
        catalog, database, name = (None, None, *node.parts)[-3:]
        assert name is not None  # noqa: S101 - a table has a name
        if database is None and name in visible:
            from_item.cte = name
            return
        from_item.table = TableName(catalog, database, name, node.pos, node.end, bool(from_item.alias))
        self.tables.append(from_item.table)

    # -- names in expressions

    def _names(self, node: Any, visible: frozenset[str]) -> Expressions:
        """The names in a part of the tree: a node, or nodes in tuples."""
        expressions = Expressions()
        self._collect(node, visible, _NOTHING, expressions)
        return expressions

    def _collect(self, node: Any, visible: frozenset[str], bound: frozenset[str], expressions: Expressions) -> None:
        """``bound`` are the parameters of the lambdas around, which are no columns."""
        stack = [node]
        while stack:
            current: Any = stack.pop()
            kind = type(current)
            if kind is tuple:
                stack.extend(current)
            elif kind is tree.Ident:
                if current.name not in bound:
                    expressions.columns.append(ColumnName((current.name,), (current.pos,)))
            elif kind is tree.Deref or kind is tree.AllColumns:
                star = kind is tree.AllColumns
                name = _column(current.base if star else current)
                if name is None:
                    stack.append(current.base)
                elif name.parts[0] not in bound:
                    (expressions.stars if star else expressions.columns).append(name)
            elif kind is tree.QueryNode:
                expressions.queries.append(self.query(current, visible))
            elif kind is tree.Lambda:
                self._collect(current.body, visible, bound.union(current.names), expressions)
            elif kind not in _LEAVES and isinstance(current, tree.Node):
                stack.extend(tree.children(current))


def _branches(node: tree.SetOperation) -> list[tree.BodyNode]:
    """The queries that `a UNION b UNION c` joins; long chains lean to the left."""
    right: list[tree.BodyNode] = []
    left: tree.BodyNode = node
    while isinstance(left, tree.SetOperation):
        right.append(left.right)
        left = left.left
    return [left, *reversed(right)]


def _column(node: tree.Expr | None) -> ColumnName | None:
    """A name of one part or more; None for the field of a value that has no name."""
    parts: list[str] = []
    offsets: list[int] = []
    while isinstance(node, tree.Deref):
        parts.append(node.name)
        offsets.append(node.at)
        node = node.base
    if not isinstance(node, tree.Ident):
        return None
    return ColumnName((node.name, *reversed(parts)), (node.pos, *reversed(offsets)))


def _item(item: tree.SelectItem | tree.AllColumns) -> OutlineItem:
    if isinstance(item, tree.AllColumns):
        column = _column(item.base)
        if item.base is not None and column is None:
            return OutlineItem(opaque=True)
        return OutlineItem(star=column.parts if column else (), names=_lower(item.aliases))
    value = item.expr
    column = _column(value)
    alias = item.alias.lower() if item.alias else None
    if column is not None:
        return OutlineItem(name=alias or column.parts[-1], column=column.parts)
    return OutlineItem(name=alias or (value.name if isinstance(value, tree.Deref) else None))


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple([name.lower() for name in names])
