"""Parsing of queries."""

from __future__ import annotations

import functools

from dapflow.trino.errors import QueryError, TooDeep
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import fail, position
from dapflow.trino.syntax.table_forms import TableFormParser

_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"})


_VERSIONS = frozenset({"TIMESTAMP", "VERSION", "SYSTEM_TIME", "SYSTEM_VERSION"})


class Parser(TableFormParser):
    """Queries and the expressions in them."""

    def statement(self) -> tree.QueryNode:
        """The whole text as one query."""
        found = self.query()
        self.end = self.now.start
        while self.take(";"):
            pass
        if self.now.kind != "end":
            self.mismatch("<EOF>")
        return found

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
                ctes.append(tree.Cte(at, name.lower(), columns, query))
                if not self.take(","):
                    break
        return self._without_with(tree.QueryNode(start, tuple(ctes), recursive, self._union()))

    def _without_with(self, found: tree.QueryNode) -> tree.QueryNode:
        self._tail(found)
        found.end = self.found[self.at - 1].end
        return found

    def _tail(self, found: tree.QueryNode) -> None:
        if self.take("ORDER", "BY"):
            found.order = self.sort_items()
        if self.take("OFFSET"):
            found.offset = self._count()
            if not self.take("ROWS"):
                self.take("ROW")
        if self.take("LIMIT"):
            found.limit = None if self.take("ALL") else self._count()
        elif self.take("FETCH"):
            if not self.take("FIRST"):
                self.need("NEXT")
            one = self.now.upper in {"ROW", "ROWS"}
            found.limit = tree.Literal(self.now.start, "integer", "1") if one else self._count()
            if not self.take("ROWS"):
                self.need("ROW")
            if self.take("WITH", "TIES"):
                found.ties = True
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
            return tree.AllColumns(start, value, aliases, end=self.found[self.at - 1].end)
        alias = None
        if self.take("AS") or (self.is_name() and not self._clause_begins()):
            alias = self.name()
        return tree.SelectItem(start, value, alias, end=self.found[self.at - 1].end)

    def _need_primary(self, first: int, parameters: int) -> None:
        """Fail unless what was read from a token on has no operator: `1 + a.*` is nothing."""
        at, self.at, self.parameters = self.at, first, parameters
        self._postfix(self._primary())
        if self.at != at:
            self.at = at + 1
            self.mismatch("<identifier>")

    def _groups(self) -> tuple[tree.Grouping, ...]:
        found = []
        while True:
            start = self.now.start
            if self.peek("ROLLUP", "(") or self.peek("CUBE", "("):
                kind = self.now.upper.lower()
                self.at += 2
                sets = () if self.take(")") else self._sets()
                found.append(tree.Grouping(start, kind, sets))
            elif self.take("GROUPING", "SETS"):
                self.need("(")
                found.append(tree.Grouping(start, "sets", self._sets()))
            else:
                found.append(tree.Grouping(start, "simple", (self._group_set(),)))
            if not self.take(","):
                return tuple(found)

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

    # ---------------------------------------------------------------------------------- relations
    def relation(self) -> tree.RelationNode:
        """A relation with the joins that follow it."""
        left = self._sampled()
        while self.now.upper in _JOINS and self.now.kind == "word":
            left = self._join(left)
        return left

    def _join(self, left: tree.RelationNode) -> tree.RelationNode:
        start = self.now.start
        if self.take("CROSS"):
            self.need("JOIN")
            return tree.JoinNode(left.pos, "cross", left, self._sampled())
        natural = self.take("NATURAL")
        kind = "inner"
        for word in ("LEFT", "RIGHT", "FULL"):
            if self.take(word):
                kind = word.lower()
                self.take("OUTER")
        if kind == "inner":
            self.take("INNER")
        self.need("JOIN")
        if natural:
            raise QueryError("NOT_SUPPORTED", "Natural join not supported", *position(self.text, start))
        right = self.relation_right()
        if self.take("ON"):
            return tree.JoinNode(left.pos, kind, left, right, self.expression())
        if self.take("USING"):
            self.need("(")
            columns = []
            while True:
                at = self.now.start
                written = self.name()
                columns.append(tree.Ident(at, written.lower(), written))
                if self.take(")"):
                    break
                self.need(",")
            return tree.JoinNode(left.pos, kind, left, right, None, tuple(columns))
        self.mismatch("'ON', 'USING'")

    def relation_right(self) -> tree.RelationNode:
        """The right side of a join with a condition; `a JOIN b JOIN c ON x ON y` nests."""
        right = self._sampled()
        while self.now.upper in _JOINS and self.now.kind == "word":
            right = self._join(right)
        return right

    def _sampled(self) -> tree.RelationNode:
        found = self._aliased()
        if self.now.upper == "TABLESAMPLE":
            start = self.now.start
            self.at += 1
            method = self.now.upper
            if method not in {"BERNOULLI", "SYSTEM"}:
                self.mismatch("'BERNOULLI', 'SYSTEM'")
            self.at += 1
            self.need("(")
            percentage = self.expression()
            self.need(")")
            return tree.SampleNode(start, found, method, percentage)
        return found

    def _aliased(self) -> tree.RelationNode:
        first = self.at
        found = self._primary_relation()
        if not self.peek("MATCH_RECOGNIZE", "("):
            found = self.alias(found)
        if self.peek("MATCH_RECOGNIZE", "("):
            found = self.alias(self.matched(found, first))
        return found

    def alias(self, found: tree.RelationNode) -> tree.RelationNode:
        """A relation with the name that follows it, if one does."""
        start = self.now.start
        explicit = self.take("AS")
        if explicit or (self.is_name() and not self._clause_begins()):
            name = self.name()
            columns = self.names() if self.peek("(") else None
            found = tree.AliasNode(start, found, name.lower(), columns, end=self.found[self.at - 1].end)
        return found

    def _clause_begins(self) -> bool:
        upper = self.now.upper
        if self.now.kind != "word":
            return False
        if upper == "TABLESAMPLE":
            return self.ahead().upper in {"BERNOULLI", "SYSTEM"}
        if upper == "WINDOW":
            return self.ahead(2).upper == "AS"
        if upper == "OFFSET":
            return self.ahead().kind == "integer" or self.ahead().upper == "?"
        if upper == "LIMIT":
            return self.ahead().kind == "integer" or self.ahead().upper in {"ALL", "?"}
        if upper == "FETCH":
            return self.ahead().upper in {"FIRST", "NEXT"}
        return False

    def _primary_relation(self) -> tree.RelationNode:
        token = self.now
        if token.upper == "(" and token.kind == "op":
            return self._parenthesised()
        if self.take("UNNEST"):
            self.need("(")
            items = self.expressions(")")
            ordinality = self.take("WITH", "ORDINALITY")
            return tree.UnnestNode(token.start, items, ordinality, end=self.found[self.at - 1].end)
        if token.upper == "LATERAL" and self.ahead().upper == "(":
            self.at += 2
            query = self.query()
            self.need(")")
            return tree.SubqueryNode(token.start, query, True, end=self.found[self.at - 1].end)
        if token.upper == "TABLE" and self.ahead().upper == "(":
            return self.table_function()
        if token.upper == "JSON_TABLE":
            return self.json_table()
        found = self.table()
        if self.now.upper == "(" and self.now.kind == "op":
            self.mismatch("<EOF>")
        if self.take("FOR"):
            self.refuse("Time travel (FOR VERSION or TIMESTAMP AS OF)", self.found[self.at - 1].start)
            if self.now.upper not in _VERSIONS:
                self.mismatch("'TIMESTAMP', 'VERSION'")
            found.version_of = self.now.upper
            self.at += 1
            self.need("AS", "OF")
            found.version = self.value()
        return found

    def _parenthesised(self) -> tree.RelationNode:
        start = self.need("(").start
        found = self.query_or(self._enclosed)
        if isinstance(found, tree.QueryNode):
            return tree.SubqueryNode(start, found, end=self.found[self.at - 1].end)
        return found

    def _enclosed(self) -> tree.RelationNode:
        found = self.relation()
        self.need(")")
        return found

    def table(self) -> tree.TableNode:
        """A table by its name."""
        start = self.now.start
        parts = self.qualified()
        if len(parts) > 3:
            fail(self.text, start, f"Too many dots in table name: {'.'.join(parts)}")
        return tree.TableNode(start, tuple([part.lower() for part in parts]), end=self.found[self.at - 1].end)

    def qualified(self) -> list[str]:
        """Names between dots."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return parts


@functools.lru_cache(maxsize=16)  # a query is read when it is submitted, for the tables it names, and to compile it
def parse(text: str) -> tree.QueryNode:
    """Read a query that the embedded Athena may run. Who gets the tree does not change it. Raises QueryError."""
    try:
        parser = Parser(text)
        found = parser.statement()
    except RecursionError:
        raise TooDeep from None
    if parser.refused is not None:
        raise parser.refused
    found.parameters = parser.parameters
    return found


def parse_expression(text: str) -> tree.Expr:
    """Read an expression that stands alone. Raises QueryError."""
    parser = Parser(text)
    found = parser.expression()
    if parser.now.kind != "end":
        parser.mismatch("<EOF>")
    return found
