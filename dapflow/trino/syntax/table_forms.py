"""Parsing of JSON_TABLE and of table functions. They are kept as their text, since only Athena runs them."""

from __future__ import annotations

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.expressions import ExpressionParser


class TableFormParser(ExpressionParser):
    """What stands in FROM with a grammar of its own."""

    # ----------------------------------------------------------------------------- table functions
    def table_function(self) -> tree.RelationNode:
        """`TABLE(f(a, b => TABLE(t) PARTITION BY c))`."""
        start, first = self.now.start, self.at
        self.refuse("A table function", start)
        self.need("TABLE", "(")
        self.qualified()
        self.need("(")
        relations: list[tree.RelationNode] = []
        items: list[tree.Expr] = []
        if self.now.upper not in {")", "COPARTITION"}:
            self._argument(relations, items)
            while self.take(","):
                self._argument(relations, items)
        if self.take("COPARTITION"):
            self._copartition()
            while self.take(","):
                self._copartition()
        self.need(")", ")")
        return tree.OpaqueNode(start, tuple(relations), tuple(items), written=self.written(first))

    def _argument(self, relations: list[tree.RelationNode], items: list[tree.Expr]) -> None:
        if self.is_name() and self.ahead().upper == "=>":
            self.at += 2
        if self.peek("TABLE", "("):
            relations.append(self._table_argument())
        elif self.take("DESCRIPTOR", "("):
            self._described()
            while self.take(","):
                self._described()
            self.need(")")
        elif not self.take("CAST", "(", "NULL", "AS", "DESCRIPTOR", ")"):
            items.append(self.expression())

    def _described(self) -> None:
        self.name()
        if self.now.upper not in {",", ")"}:
            self.type()

    def _copartition(self) -> None:
        self.need("(")
        self.qualified()
        self.need(",")
        self.qualified()
        while self.take(","):
            self.qualified()
        self.need(")")

    def _table_argument(self) -> tree.RelationNode:
        start = self.now.start
        self.at += 2
        relation: tree.RelationNode
        relation = tree.SubqueryNode(start, self.query()) if self._query_ahead() else self.table()
        self.need(")")
        if not (self.peek("PARTITION", "BY") or self.peek("PRUNE", "WHEN") or self.peek("KEEP", "WHEN")):
            relation = self.alias(relation)
        if self.take("PARTITION", "BY") and not self.take("(", ")"):
            self.expression()
        if self.take("PRUNE") or self.take("KEEP"):
            self.need("WHEN", "EMPTY")
        if self.take("ORDER", "BY"):
            enclosed = self.take("(")
            self.sort_items()
            if enclosed:
                self.need(")")
        return relation

    # ---------------------------------------------------------------------------------- JSON_TABLE
    def json_table(self) -> tree.RelationNode:
        """`JSON_TABLE(a, 'path' PASSING b AS c COLUMNS (…))`; what stands behind COLUMNS names nothing."""
        start, first = self.now.start, self.at
        self.refuse("JSON_TABLE", start)
        self.need("JSON_TABLE", "(")
        items = self.json_source()
        self._columns()
        if self.take("PLAN"):
            if self.take("DEFAULT"):
                self._default_plan()
            else:
                self.need("(")
                self._plan()
                self.need(")")
        if self.take("ERROR") or self.take("EMPTY"):
            self.need("ON", "ERROR")
        self.need(")")
        return tree.OpaqueNode(start, (), items, written=self.written(first))

    def _columns(self) -> None:
        self.need("COLUMNS", "(")
        self._column()
        while self.take(","):
            self._column()
        self.need(")")

    def _column(self) -> None:
        nested = self.now.upper == "NESTED"
        if nested and (self.ahead().upper == "PATH" or self.ahead().kind in {"string", "unicode"}):
            self.at += 1
            self.take("PATH")
            self.string()
            if self.take("AS"):
                self.name()
            self._columns()
            return
        self.name()
        if self.take("FOR"):
            self.need("ORDINALITY")
            return
        self.type()
        as_json = self.json_format() is not None
        if self.take("PATH"):
            self.string()
        if as_json:
            self.json_layout()
        self.json_behaviours("json_query" if as_json else "json_value")

    def _default_plan(self) -> None:
        self.need("(")
        joins, ways = {"OUTER", "INNER"}, {"UNION", "CROSS"}
        if self.now.upper not in joins | ways:
            self.mismatch("'CROSS', 'INNER', 'OUTER', 'UNION'")
        others = ways if self.now.upper in joins else joins
        self.at += 1
        if self.take(","):
            if self.now.upper not in others:
                self.mismatch(", ".join([f"'{other}'" for other in sorted(others)]))
            self.at += 1
        self.need(")")

    def _plan(self) -> None:
        named = self.now.upper != "("
        self._plan_part()
        if named and (self.take("OUTER") or self.take("INNER")):
            self._plan_part()
            return
        way = self.now.upper
        if way in {"UNION", "CROSS"}:
            while self.take(way):
                self._plan_part()
        elif not named:
            self.mismatch("'CROSS', 'UNION'")

    def _plan_part(self) -> None:
        if self.take("("):
            self._plan()
            self.need(")")
        else:
            self.name()
