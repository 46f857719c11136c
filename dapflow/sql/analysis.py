"""What a query's columns are, and which names in it name no column.

The rule is to be silent in doubt: a column is only called unknown when every table that it could belong to is known.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from dapflow.errors import DapflowError
from dapflow.sql.columns import UNKNOWN, Column, Columns, Relation, Scope, concatenated
from dapflow.sql.references import TableName, table_name
from dapflow.sql.text import SqlText

Lookup = Callable[[TableName], Columns]
_Environment = Mapping[str, Columns]
_EXPRESSION_ARGUMENTS = ("expressions", "where", "group", "having", "windows", "qualify")


@dataclass
class Analysis:
    """The result: the columns of the query, and the mistakes."""

    columns: Columns = UNKNOWN
    errors: list[DapflowError] = field(default_factory=list)


def analyse(tree: exp.Expr, text: SqlText, lookup: Lookup) -> Analysis:
    """Analyse a query; ``lookup`` knows the columns of tables."""
    analyst = _Analyst(text, lookup)
    columns = analyst.query(tree, {}, None)
    return Analysis(columns, analyst.errors)


class _Analyst:
    def __init__(self, text: SqlText, lookup: Lookup) -> None:
        self.text = text
        self.lookup = lookup
        self.errors: list[DapflowError] = []

    # -- queries

    def query(self, node: exp.Expr, environment: _Environment, parent: Scope | None) -> Columns:
        """The columns of a query."""
        clause = node.args.get("with_")
        if clause is not None:
            environment = self._with(clause, environment, parent)
        if isinstance(node, exp.Select):
            return self._select(node, environment, parent)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, environment, parent)
        if isinstance(node, exp.Subquery):
            columns = self.query(node.this, environment, parent)
            self._order_by_output(node, columns, environment, parent)
            return columns
        if isinstance(node, exp.Values):
            return self._values(node, environment, parent)
        if isinstance(node, exp.Table):
            scope = Scope(self._relations(node, environment, parent), parent)
            return concatenated(relation.columns for relation in scope.relations)
        return UNKNOWN

    def _with(self, clause: exp.Expr, environment: _Environment, parent: Scope | None) -> _Environment:
        visible = dict(environment)
        for cte in clause.expressions:
            name = cte.alias.lower()
            names = _alias_columns(cte)
            inside = dict(visible)
            if clause.args.get("recursive") and _reads(cte.this, name):
                inside[name] = Columns(tuple(Column(one) for one in names)) if names else UNKNOWN
            columns = self.query(cte.this, inside, parent)
            visible[name] = columns.renamed(names) if names else columns
        return visible

    def _set_operation(self, node: exp.SetOperation, environment: _Environment, parent: Scope | None) -> Columns:
        left = self.query(node.this, environment, parent)
        right = self.query(node.expression, environment, parent)
        # The names are those of the left side. A generation passes through only when it does so on both sides.
        others = [column.generation for column in right.known] if left.complete and right.complete else []
        columns = Columns(
            tuple(
                column
                if index < len(others) and others[index] == column.generation
                else replace(column, generation=None)
                for index, column in enumerate(left.known)
            ),
            left.rest,
        )
        self._order_by_output(node, columns, environment, parent)
        return columns

    def _order_by_output(
        self, node: exp.Expr, columns: Columns, environment: _Environment, parent: Scope | None
    ) -> None:
        order = node.args.get("order")
        if order is not None:
            self._expressions(order, environment, Scope([Relation((), columns)], parent))

    def _values(self, node: exp.Values, environment: _Environment, parent: Scope | None) -> Columns:
        for row in node.expressions:
            self._expressions(row, environment, Scope([], parent))
        width = len(node.expressions[0].expressions) if node.expressions else 0
        return Columns(tuple(Column(None) for _ in range(width)))

    def _select(self, node: exp.Select, environment: _Environment, parent: Scope | None) -> Columns:
        relations = self._from(node, environment, parent)
        merged = any(_merges(join) for join in node.args.get("joins") or []) or any(
            _merges(join) for relation in self._nested(node) for join in relation.find_all(exp.Join)
        )
        aliases = frozenset(item.alias.lower() for item in node.expressions if isinstance(item, exp.Alias))
        scope = Scope(relations, parent, aliases, exclusive=not merged)
        for argument in _EXPRESSION_ARGUMENTS:
            value = node.args.get(argument)
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    self._expressions(part, environment, scope)
        everything = self._joined(node, relations) if merged else concatenated(one.columns for one in relations)
        columns = concatenated(
            _of_item(self._output(item, scope, everything), index) for index, item in enumerate(node.expressions)
        )
        order = node.args.get("order")
        if order is not None:
            self._expressions(order, environment, Scope([Relation((), columns), *relations], parent))
        return columns

    # -- the SELECT list

    def _output(self, item: exp.Expr, scope: Scope, everything: Columns) -> Columns:
        if isinstance(item, exp.Star):
            return everything
        if isinstance(item, exp.Aliases):
            # `t.* AS (a, b)`
            names = [one.name.lower() for one in item.expressions]
            star = item.this
            return (self._qualified_star(star, scope) if isinstance(star, exp.Column) else UNKNOWN).renamed(names)
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            return self._qualified_star(item, scope)
        if isinstance(item, exp.Dot) and isinstance(item.expression, exp.Star):
            return UNKNOWN
        return Columns((self._column(item, scope),))

    def _qualified_star(self, item: exp.Column, scope: Scope) -> Columns:
        qualifier = [part.name.lower() for part in item.parts[:-1]]
        for relation in scope:
            if relation.is_called(qualifier):
                return relation.columns
        return UNKNOWN

    def _column(self, item: exp.Expr, scope: Scope) -> Column:
        name = None
        value = item
        if isinstance(item, exp.Alias):
            name = item.alias.lower()
            value = item.this
        while isinstance(value, exp.Paren):
            value = value.this
        if isinstance(value, exp.Column):
            origin = self._origin(value, scope)
            return Column(value.name.lower() if name is None else name, origin.generation if origin else None)
        if isinstance(value, exp.Dot) and isinstance(value.expression, exp.Identifier) and name is None:
            name = value.expression.name.lower()
        return Column(name)

    def _origin(self, column: exp.Column, scope: Scope) -> Column | None:
        """The column that a reference means, as far as that is plain."""
        parts = [part.name.lower() for part in column.parts]
        if len(parts) == 1:
            return scope.find(parts[0])
        for relation in scope:
            if relation.is_called(parts[:-1]):
                return relation.columns.named(parts[-1])
        return None

    # -- FROM

    def _from(self, node: exp.Expr, environment: _Environment, parent: Scope | None) -> list[Relation]:
        clause = node.args.get("from_")
        relations = self._relations(clause.this, environment, parent) if clause is not None else []
        return self._join_all(node, relations, environment, parent)

    def _join_all(
        self,
        node: exp.Expr,
        relations: list[Relation],
        environment: _Environment,
        parent: Scope | None,
        outside: Scope | None = None,
    ) -> list[Relation]:
        relations = list(relations)
        for join in [*(node.args.get("joins") or []), *(node.args.get("laterals") or [])]:
            right = join.this if isinstance(join, exp.Join) else join
            # UNNEST and LATERAL see what stands before them.
            before = Scope(list(relations), outside or parent)
            relations.extend(self._relations(right, environment, parent, before))
            condition = join.args.get("on")
            if condition is not None:
                self._expressions(condition, environment, Scope(list(relations), parent))
        return relations

    def _relations(
        self, node: exp.Expr, environment: _Environment, parent: Scope | None, before: Scope | None = None
    ) -> list[Relation]:
        """The relations that one item of FROM brings."""
        before = before or Scope([], parent)
        if isinstance(node, exp.Table):
            found = [self._table(node, environment, before)]
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery | exp.Unnest):
            # Parentheses around tables and joins.
            found = self._relations(node.this, environment, parent, before)
            if node.alias:
                found = [_aliased(node, concatenated(one.columns for one in found))]
        elif isinstance(node, exp.Subquery | exp.Values):
            found = [_aliased(node, self.query(node, environment, parent))]
        elif isinstance(node, exp.Unnest):
            for expression in node.expressions:
                self._expressions(expression, environment, before)
            found = [Relation((node.alias.lower(),) if node.alias else (), _unnested(node))]
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            found = [_aliased(node, self.query(node.this, environment, before))]
        else:
            found = [Relation((node.alias_or_name.lower(),), UNKNOWN)]
        return self._join_all(node, found, environment, parent, before)

    def _table(self, node: exp.Table, environment: _Environment, before: Scope) -> Relation:
        name = table_name(node)
        if name is None:
            for child in node.this.iter_expressions():
                self._expressions(child, environment, before)
            return Relation((node.alias.lower(),), UNKNOWN)
        path: tuple[str, ...]
        if name.database is None and name.name in environment:
            columns, path = environment[name.name], (name.name,)
        else:
            columns = self.lookup(name)
            path = tuple(part for part in (name.catalog, name.database, name.name) if part is not None)
        if node.alias:
            return _aliased(node, columns)
        return Relation(path, columns)

    def _nested(self, node: exp.Select) -> list[exp.Expr]:
        """The items of FROM that may hold joins of their own."""
        clause = node.args.get("from_")
        items = [clause.this] if clause is not None else []
        items += [join.this for join in node.args.get("joins") or []]
        return [item for item in items if item.args.get("joins") or isinstance(getattr(item, "this", None), exp.Table)]

    def _joined(self, node: exp.Select, relations: list[Relation]) -> Columns:
        """What ``*`` stands for: USING and NATURAL put the shared columns first, and once."""
        joins = node.args.get("joins") or []
        if len(relations) != len(joins) + 1:
            return UNKNOWN  # joins inside parentheses or inside each other
        columns = relations[0].columns
        for join, relation in zip(joins, relations[1:], strict=True):
            right = relation.columns
            if join.args.get("method") == "NATURAL":
                if not (columns.complete and right.complete):
                    return UNKNOWN
                shared = [name for name in columns.names if name in right.names]
            else:
                shared = [identifier.name.lower() for identifier in join.args.get("using") or []]
            first = Columns(tuple(columns.named(name) or right.named(name) or Column(name) for name in shared))
            columns = concatenated([first, columns.without(shared), right.without(shared)])
        return columns

    # -- names in expressions

    def _expressions(self, node: exp.Expr, environment: _Environment, scope: Scope) -> None:
        """Check every column of an expression; queries inside it are analysed in its scope."""
        stack = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, exp.Column):
                self._check(current, scope)
            elif isinstance(current, exp.Select | exp.SetOperation | exp.Values | exp.Subquery):
                self.query(current, environment, scope)
            else:
                stack.extend(current.iter_expressions())

    def _check(self, column: exp.Column, scope: Scope) -> None:
        parts = [part.name.lower() for part in column.parts]
        if isinstance(column.this, exp.Star):
            parts = parts[:-1]
            if any(relation.is_called(parts) for relation in scope):
                return
        if parts[-1].startswith("$") or "start" not in column.parts[0].meta:
            return
        if len(parts) == 1:
            self._check_bare(parts[0], column, scope)
        else:
            self._check_qualified(parts, column, scope)

    def _check_bare(self, name: str, column: exp.Column, scope: Scope) -> None:
        owners = [relation for relation in scope.relations if relation.columns.named(name) is not None]
        if len(owners) > 1 and scope.exclusive:
            tables = [relation.path[-1] for relation in owners if relation.path]
            places = " and in ".join(repr(table) for table in tables)
            self._error(
                "ambiguous-column",
                f"column {name!r} is in {places}" if len(tables) > 1 else f"column {name!r} is there twice",
                column.parts[0],
                f"write {tables[0]}.{name}" if tables else None,
            )
        if owners or any(not one.columns.complete or one.columns.named(name) is not None for one in scope):
            return
        names = [known for relation in scope for known in relation.columns.names]
        where = "in any table of this query" if names else "here: the query has no FROM"
        hint = _nearest(name, names)
        if name in scope.aliases:
            hint = "a name given in the SELECT list is only known in ORDER BY: repeat the expression here"
        self._error("unknown-column", f"there is no column {name!r} {where}", column.parts[0], hint)

    def _check_qualified(self, parts: list[str], column: exp.Column, scope: Scope) -> None:
        for size in range(len(parts) - 1, 0, -1):
            for relation in scope:
                if not relation.is_called(parts[:size]):
                    continue
                columns = relation.columns
                # What looks like a table may also be a column with fields.
                if columns.complete and columns.named(parts[size]) is None and scope.find(parts[0]) is None:
                    self._error(
                        "unknown-column",
                        f"there is no column {parts[size]!r} in {'.'.join(parts[:size])!r}",
                        column.parts[size],
                        _nearest(parts[size], columns.names),
                    )
                return
        if any(not one.columns.complete or one.columns.named(parts[0]) is not None for one in scope):
            return
        tables = [relation.path[-1] for relation in scope if relation.path and relation.path[-1]]
        self._error(
            "unknown-column",
            f"there is no table or column {parts[0]!r} here",
            column.parts[0],
            _nearest(parts[0], tables),
        )

    def _error(self, code: str, message: str, part: exp.Expr, hint: str | None) -> None:
        self.errors.append(self.text.error(code, message, part.meta["start"], hint))


def _nearest(name: str, names: list[str]) -> str | None:
    known = list(dict.fromkeys(names))
    near = difflib.get_close_matches(name, known, n=2)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}" if known else None


def _aliased(node: exp.Expr, columns: Columns) -> Relation:
    names = _alias_columns(node)
    return Relation((node.alias.lower(),) if node.alias else (), columns.renamed(names) if names else columns)


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [column.name.lower() for column in alias.args.get("columns") or []] if alias is not None else []


def _unnested(node: exp.Unnest) -> Columns:
    """sqlglot keeps the name of WITH ORDINALITY's column apart from the others."""
    names = _alias_columns(node)
    if not names:
        return UNKNOWN
    offset = node.args.get("offset")
    ordinality = [offset.name.lower()] if isinstance(offset, exp.Identifier) else []
    return Columns(tuple(Column(name) for name in [*names, *ordinality]))


def _reads(node: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name and not table.args.get("db") for table in node.find_all(exp.Table))


def _merges(join: exp.Join) -> bool:
    return bool(join.args.get("using")) or join.args.get("method") == "NATURAL"


def _of_item(columns: Columns, item: int) -> Columns:
    return Columns(tuple(replace(column, item=item) for column in columns.known), columns.rest)
