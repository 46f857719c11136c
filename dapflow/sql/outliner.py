"""From sqlglot's tree to the outline of a query."""

from __future__ import annotations

from sqlglot import exp

from dapflow.sql.outline import ColumnName, Condition, Cte, Expressions, From, Item, Query, Source, TableName

_SELECT_ARGUMENTS = ("expressions", "where", "group", "having", "windows")
# A table where none is expected is read all the same.
_QUERIES = (exp.Select, exp.SetOperation, exp.Values, exp.Subquery, exp.Table)
_LEAVES = frozenset({exp.Literal, exp.Identifier, exp.DataType, exp.Star, exp.Var, exp.Null, exp.Boolean})
_PARTS = ("catalog", "db", "table", "this")


def outline(tree: exp.Expr) -> tuple[Query, list[TableName]]:
    """The outline of a query, and the tables that it names, in the order of the text."""
    outliner = _Outliner()
    query = outliner.query(tree, frozenset())
    return query, sorted(outliner.tables, key=lambda table: table.start)


class _Outliner:
    """``visible`` are the names of the CTEs that can be seen from a place."""

    def __init__(self) -> None:
        self.tables: list[TableName] = []

    # -- queries

    def query(self, node: exp.Expr, visible: frozenset[str]) -> Query:
        ctes: list[Cte] = []
        clause = node.args.get("with_")
        if clause is not None:
            visible = self._with(clause, visible, ctes)
        if isinstance(node, exp.Select):
            query = self._select(node, visible)
        elif isinstance(node, exp.SetOperation):
            query = Query(branches=[self.query(branch, visible) for branch in _branches(node)])
        elif isinstance(node, exp.Values):
            rows = node.expressions
            query = Query(width=len(rows[0].expressions) if rows else 0)
            for row in rows:
                self._names(row, visible, query.names)
        elif isinstance(node, exp.Subquery):
            query = Query(branches=[self.query(node.this, visible)])
        else:
            # TABLE t, or tables in parentheses, where a query is expected.
            query = Query(items=[Item(star=())])
            self._add(node, visible, query.source)
        query.ctes = ctes
        order = node.args.get("order")
        if order is not None:
            query.order = Expressions()
            self._names(order, visible, query.order)
        return query

    def _with(self, clause: exp.Expr, visible: frozenset[str], ctes: list[Cte]) -> frozenset[str]:
        """A CTE is visible to those after it, to the query, and to itself only WITH RECURSIVE."""
        for cte in clause.expressions:
            name = cte.alias.lower()
            recursive = bool(clause.args.get("recursive"))
            query = self.query(cte.this, visible | {name} if recursive else visible)
            ctes.append(Cte(name, _alias_columns(cte), query, recursive))
            visible |= {name}
        return visible

    def _select(self, node: exp.Select, visible: frozenset[str]) -> Query:
        query = Query(
            items=[], aliases=frozenset(one.alias.lower() for one in node.expressions if type(one) is exp.Alias)
        )
        clause = node.args.get("from_")
        if clause is not None:
            self._add(clause.this, visible, query.source)
        self._joins(node, visible, query.source, 0)
        for argument in _SELECT_ARGUMENTS:
            value = node.args.get(argument)
            for part in value if isinstance(value, list) else (value,):
                if part is not None:
                    self._names(part, visible, query.names)
        query.items = [_item(item) for item in node.expressions]
        return query

    # -- FROM

    def _joins(self, node: exp.Expr, visible: frozenset[str], source: From, first: int) -> None:
        """The joins that hang on a node; ``first`` is the index of the first source that their ON sees."""
        for join in [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]:
            before = len(source.sources)
            self._add(join.this if isinstance(join, exp.Join) else join, visible, source)
            if join.args.get("method") == "NATURAL":
                source.merges[before:] = [None] * (len(source.sources) - before)
            elif join.args.get("using"):
                names = tuple(name.name.lower() for name in join.args["using"])
                source.merges[before:] = [names] * (len(source.sources) - before)
            if len(source.sources) != before + 1:
                source.flat = False
            condition = join.args.get("on")
            if condition is not None:
                names_read = Expressions()
                self._names(condition, visible, names_read)
                source.conditions.append(Condition(first, len(source.sources), names_read))

    def _add(self, node: exp.Expr, visible: frozenset[str], source: From) -> None:
        """Add what one item of FROM brings."""
        first = len(source.sources)
        if isinstance(node, exp.Subquery) and not node.alias and _holds_tables(node.this):
            # Parentheses around tables and joins, without a name of their own.
            self._add(node.this, visible, source)
            self._joins(node, visible, source, first)
            source.flat = source.flat and len(source.sources) == first + 1
            return
        source.sources.append(self._source(node, visible))
        source.merges.append(())
        self._joins(node, visible, source, first)

    def _source(self, node: exp.Expr, visible: frozenset[str]) -> Source:
        found = Source(alias=node.alias.lower(), columns=_alias_columns(node))
        if isinstance(node, exp.Table):
            self._table(node, visible, found)
        elif isinstance(node, exp.Subquery | exp.Values):
            found.query = self.query(node, visible)
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            found.query = self.query(node.this, visible)
            found.lateral = True
        else:
            offset = node.args.get("offset")
            if found.columns and isinstance(offset, exp.Identifier):
                # sqlglot keeps the name of WITH ORDINALITY's column apart from the others.
                found.columns = (*found.columns, offset.name.lower())
            found.reads = Expressions()
            for child in node.iter_expressions():
                if not isinstance(child, exp.TableAlias | exp.Identifier):
                    self._names(child, visible, found.reads)
        return found

    def _table(self, node: exp.Table, visible: frozenset[str], found: Source) -> None:
        if not isinstance(node.this, exp.Identifier):
            found.reads = Expressions()
            self._names(node.this, visible, found.reads)
            return
        name = node.name.lower()
        if node.args.get("db") is None and name in visible:
            found.cte = name
            return
        parts = node.parts
        found.table = TableName(
            catalog=node.catalog.lower() or None,
            database=node.db.lower() or None,
            name=name,
            start=parts[0].meta["start"],
            end=parts[-1].meta["end"] + 1,
            alias=bool(found.alias) or _alias_outside(node),
        )
        self.tables.append(found.table)

    # -- names in expressions

    def _names(self, node: exp.Expr, visible: frozenset[str], found: Expressions) -> None:
        stack = [node]
        while stack:
            current = stack.pop()
            kind = type(current)
            if kind in _LEAVES:
                continue
            if kind is exp.Column:
                _column(current, found)
            elif issubclass(kind, _QUERIES):
                found.queries.append(self.query(current, visible))
            else:
                stack.extend(current.iter_expressions())


def _branches(node: exp.SetOperation) -> list[exp.Expr]:
    """The queries that `a UNION b UNION c` joins; long chains lean to the left."""
    right: list[exp.Expr] = []
    left: exp.Expr = node
    while isinstance(left, exp.SetOperation) and (left is node or not left.args.get("with_")):
        right.append(left.expression)
        left = left.this
    return [left, *reversed(right)]


def _holds_tables(node: exp.Expr) -> bool:
    """Whether parentheses hold tables, and not a query."""
    while isinstance(node, exp.Subquery) and not node.alias:
        node = node.this
    return isinstance(node, exp.Table | exp.Subquery | exp.Unnest | exp.Lateral)


def _column(node: exp.Expr, found: Expressions) -> None:
    args = node.args
    parts = [part for key in _PARTS if (part := args.get(key)) is not None]
    star = type(parts[-1]) is exp.Star
    if star:
        parts.pop()
    offsets = [part.meta.get("start") for part in parts]
    if not parts or None in offsets:
        return
    name = ColumnName(tuple([part.name.lower() for part in parts]), tuple(offsets))
    (found.stars if star else found.columns).append(name)


def _item(node: exp.Expr) -> Item:
    if isinstance(node, exp.Star):
        return Item(star=())
    if isinstance(node, exp.Aliases):
        return _item(node.this)._replace(names=tuple(one.name.lower() for one in node.expressions))
    name = None
    value = node
    if isinstance(node, exp.Alias):
        name = node.alias.lower()
        value = node.this
    while isinstance(value, exp.Paren):
        value = value.this
    if isinstance(value, exp.Column):
        parts = tuple(part.name.lower() for part in value.parts)
        if isinstance(value.this, exp.Star):
            return Item(star=parts[:-1])
        return Item(name=parts[-1] if name is None else name, column=parts)
    if isinstance(value, exp.Dot):
        if isinstance(value.expression, exp.Star):
            return Item(opaque=True)
        if name is None and isinstance(value.expression, exp.Identifier):
            name = value.expression.name.lower()
    return Item(name=name)


def _alias_columns(node: exp.Expr) -> tuple[str, ...]:
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return tuple(column.name.lower() for column in columns or ())


def _alias_outside(table: exp.Table) -> bool:
    """Whether parentheses around the table alone carry the alias: ``(flights) f``."""
    parent = table.parent
    while isinstance(parent, exp.Subquery) and not table.args.get("joins"):
        if parent.alias:
            return True
        parent = parent.parent
    return False
