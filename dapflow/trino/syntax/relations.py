"""Parsing of what stands in FROM."""

from __future__ import annotations

from dapflow.trino.errors import QueryError
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import fail, position
from dapflow.trino.syntax.table_forms import TableFormParser

_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"})
_VERSIONS = frozenset({"TIMESTAMP", "VERSION", "SYSTEM_TIME", "SYSTEM_VERSION"})


class RelationParser(TableFormParser):
    """Relations and joins."""

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
        relation = self._aliased()
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
            return tree.SampleNode(start, relation, method, percentage)
        return relation

    def _aliased(self) -> tree.RelationNode:
        first = self.at
        relation = self._primary_relation()
        if not self.peek("MATCH_RECOGNIZE", "("):
            relation = self.alias(relation)
        if self.peek("MATCH_RECOGNIZE", "("):
            relation = self.alias(self.matched(relation, first))
        return relation

    def alias(self, relation: tree.RelationNode) -> tree.RelationNode:
        """A relation with the name that follows it, if one does."""
        start = self.now.start
        explicit = self.take("AS")
        if explicit or (self.is_name() and not self._clause_begins()):
            name = self.name()
            columns = self.names() if self.peek("(") else None
            relation = tree.AliasNode(start, relation, name.lower(), columns, end=self.tokens[self.at - 1].end)
        return relation

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
            return tree.UnnestNode(token.start, items, ordinality, end=self.tokens[self.at - 1].end)
        if token.upper == "LATERAL" and self.ahead().upper == "(":
            self.at += 2
            query = self.query()
            self.need(")")
            return tree.SubqueryNode(token.start, query, True, end=self.tokens[self.at - 1].end)
        if token.upper == "TABLE" and self.ahead().upper == "(":
            return self.table_function()
        if token.upper == "JSON_TABLE":
            return self.json_table()
        table = self.table()
        if self.now.upper == "(" and self.now.kind == "op":
            self.mismatch("<EOF>")
        if self.take("FOR"):
            self.refuse("Time travel (FOR VERSION or TIMESTAMP AS OF)", self.tokens[self.at - 1].start)
            if self.now.upper not in _VERSIONS:
                self.mismatch("'TIMESTAMP', 'VERSION'")
            table.version_of = self.now.upper
            self.at += 1
            self.need("AS", "OF")
            table.version = self.value()
        return table

    def _parenthesised(self) -> tree.RelationNode:
        start = self.need("(").start
        inner = self.query_or(self._enclosed)
        if isinstance(inner, tree.QueryNode):
            return tree.SubqueryNode(start, inner, end=self.tokens[self.at - 1].end)
        return inner

    def _enclosed(self) -> tree.RelationNode:
        relation = self.relation()
        self.need(")")
        return relation

    def table(self) -> tree.TableNode:
        """A table by its name."""
        start = self.now.start
        parts = self.qualified()
        if len(parts) > 3:
            fail(self.text, start, f"Too many dots in table name: {'.'.join(parts)}")
        return tree.TableNode(start, tuple([part.lower() for part in parts]), end=self.tokens[self.at - 1].end)

    def qualified(self) -> list[str]:
        """Names between dots."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return parts
