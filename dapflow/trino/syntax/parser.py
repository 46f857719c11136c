"""Parsing of queries."""

from __future__ import annotations

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.relations import RelationParser


class Parser(RelationParser):
    """Queries and the expressions in them."""

    def statement(self) -> tree.QueryNode:
        """The whole text as one query."""
        query = self.query()
        self.end = self.now.start
        while self.take(";"):
            pass
        if self.now.kind != "end":
            self.mismatch("<EOF>")
        return query

    def query(self) -> tree.QueryNode:
        """WITH … body ORDER BY … LIMIT …."""
        start = self.now.start
        ctes: list[tree.Cte] = []
        recursive = False
        if self.take("WITH"):
            recursive = self.take("RECURSIVE")
            while True:
                at = self.now.start
                name = self.name()
                columns = self.names() if self.peek("(") else None
                self.need("AS", "(")
                query = self.query()
                self.need(")")
                ctes.append(tree.Cte(at, name.lower(), columns, query, end=self.tokens[self.at - 1].end))
                if not self.take(","):
                    break
        return self._without_with(tree.QueryNode(start, tuple(ctes), recursive, self._union()))

    def _without_with(self, query: tree.QueryNode) -> tree.QueryNode:
        self._tail(query)
        query.end = self.tokens[self.at - 1].end
        return query

    def _tail(self, query: tree.QueryNode) -> None:
        if self.take("ORDER", "BY"):
            query.order = self.sort_items()
        if self.take("OFFSET"):
            query.offset = self._count()
            if not self.take("ROWS"):
                self.take("ROW")
        if self.take("LIMIT"):
            query.limit = None if self.take("ALL") else self._count()
        elif self.take("FETCH"):
            if not self.take("FIRST"):
                self.need("NEXT")
            single_row = self.now.upper in {"ROW", "ROWS"}
            query.limit = tree.Literal(self.now.start, "integer", "1") if single_row else self._count()
            if not self.take("ROWS"):
                self.need("ROW")
            if self.take("WITH", "TIES"):
                query.ties = True
            else:
                self.need("ONLY")

    def _count(self) -> tree.Expr:
        token = self.now
        if token.kind == "integer":
            self.at += 1
            return tree.Literal(token.start, "integer", token.text.replace("_", ""))
        if token.upper == "?":
            self.at += 1
            self.parameters += 1
            return tree.Parameter(token.start, self.parameters - 1)
        self.mismatch("'ALL', <integer>")

    def _union(self) -> tree.BodyNode:
        left = self._intersect()
        while self.now.upper in {"UNION", "EXCEPT"} and self.now.kind == "word":
            token = self.now
            self.at += 1
            keep = self._all()
            left = tree.SetOperation(token.start, token.upper, keep, left, self._intersect())
        return left

    def _intersect(self) -> tree.BodyNode:
        left = self._term()
        while self.now.upper == "INTERSECT":
            token = self.now
            self.at += 1
            keep = self._all()
            left = tree.SetOperation(token.start, "INTERSECT", keep, left, self._term())
        return left

    def _all(self) -> bool:
        if self.take("ALL"):
            return True
        self.take("DISTINCT")
        return False

    def _term(self) -> tree.BodyNode:
        token = self.now
        if token.upper == "SELECT" and token.kind == "word":
            return self._select()
        if self.take("VALUES"):
            rows = [self.expression()]
            while self.take(","):
                rows.append(self.expression())
            return tree.Values(token.start, tuple(rows))
        if self.take("TABLE"):
            return tree.TableBody(token.start, self.table())
        if self.take("("):
            # No WITH: a term of UNION cannot have one, and the parentheses of a subquery are not read here.
            query = self._without_with(tree.QueryNode(self.now.start, (), False, self._union()))
            self.need(")")
            return tree.Nested(token.start, query)
        self.mismatch("'(', 'SELECT', 'TABLE', 'VALUES'")

    def _select(self) -> tree.Select:
        start = self.need("SELECT").start
        distinct = self.take("DISTINCT")
        if not distinct:
            self.take("ALL")
        items = [self._item()]
        while self.take(","):
            items.append(self._item())
        source: tree.RelationNode | None = None
        if self.take("FROM"):
            source = self.relation()
            while self.now.upper == ",":
                at = self.now.start
                self.at += 1
                source = tree.JoinNode(at, "implicit", source, self.relation())
        where = self.expression() if self.take("WHERE") else None
        groups, distinct_groups = None, False
        if self.take("GROUP", "BY"):
            distinct_groups = self.take("DISTINCT")
            if not distinct_groups:
                self.take("ALL")
            groups = self._groups()
        having = self.expression() if self.take("HAVING") else None
        windows: list[tuple[str, tree.Window]] = []
        if self.now.upper == "WINDOW" and self.is_name(self.ahead()) and self.ahead(2).upper == "AS":
            self.at += 1
            while True:
                name = self.name().lower()
                self.need("AS")
                windows.append((name, self.window()))
                if not self.take(","):
                    break
        return tree.Select(
            start, distinct, tuple(items), source, where, groups, having, tuple(windows), distinct_groups
        )

    def _item(self) -> tree.SelectItem | tree.AllColumns:
        start, first, parameters = self.now.start, self.at, self.parameters
        if self.take("*"):
            return tree.AllColumns(start, None, (), end=start + 1)
        value = self.expression()
        if self.peek(".", "*"):
            self._need_primary(first, parameters)
            self.at += 2
            aliases = self.names() if self.take("AS") else ()
            return tree.AllColumns(start, value, aliases, end=self.tokens[self.at - 1].end)
        alias = None
        if self.take("AS") or (self.is_name() and not self._clause_begins()):
            alias = self.name()
        return tree.SelectItem(start, value, alias, end=self.tokens[self.at - 1].end)

    def _need_primary(self, first: int, parameters: int) -> None:
        """Fail unless what was read from a token on has no operator: `1 + a.*` is nothing."""
        at, self.at, self.parameters = self.at, first, parameters
        self._postfix(self._primary())
        if self.at != at:
            self.at = at + 1
            self.mismatch("<identifier>")

    def _groups(self) -> tuple[tree.GroupingElement, ...]:
        groupings = []
        while True:
            start = self.now.start
            if self.peek("ROLLUP", "(") or self.peek("CUBE", "("):
                kind = self.now.upper.lower()
                self.at += 2
                sets = () if self.take(")") else self._sets()
                groupings.append(tree.GroupingElement(start, kind, sets))
            elif self.take("GROUPING", "SETS"):
                self.need("(")
                groupings.append(tree.GroupingElement(start, "sets", self._sets()))
            else:
                groupings.append(tree.GroupingElement(start, "simple", (self._group_set(),)))
            if not self.take(","):
                return tuple(groupings)

    def _sets(self) -> tuple[tuple[tree.Expr, ...], ...]:
        sets = [self._group_set()]
        while self.take(","):
            sets.append(self._group_set())
        self.need(")")
        return tuple(sets)

    def _group_set(self) -> tuple[tree.Expr, ...]:
        if self.take("(", ")"):
            return ()
        value = self.expression()
        if isinstance(value, tree.RowNode) and self.text[value.pos] == "(":
            return value.items
        return (value,)


def parse_expression(text: str) -> tree.Expr:
    """Read an expression that stands alone. Raises QueryError."""
    parser = Parser(text)
    expr = parser.expression()
    if parser.now.kind != "end":
        parser.mismatch("<EOF>")
    return expr
