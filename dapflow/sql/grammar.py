"""Athena's grammar of one query: says where a text departs from it.

sqlglot reads many dialects at once and forgives much: a comma before FROM, a parenthesis that never closes, clauses
in any order. Athena forgives nothing. This reader builds no tree; it only refuses, at the word where Athena would,
and notes what sqlglot must not see (see ``Expressions``).
"""

from __future__ import annotations

from dapflow.sql.expressions import Expressions
from dapflow.sql.lexer import END, INTEGER, Words
from dapflow.sql.reader import VALUE, Unexpected

_SET_OPERATIONS = frozenset({"UNION", "EXCEPT", "INTERSECT"})
_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"})
# Words that are no reserved ones and yet begin what may follow a table, so that they are no alias there.
_AFTER_TABLE = frozenset({"TABLESAMPLE", "MATCH_RECOGNIZE", "WINDOW", "LIMIT", "OFFSET", "FETCH"})


class Grammar(Expressions):
    """A reader of one statement. ``bare_values`` are the VALUES that stand beside UNION and its likes.

    ``unknown_functions`` are places where the name of a table function says enough. ``items`` are the words with which
    the items of the SELECT list begin that names the output.
    """

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self.bare_values: list[int] = []
        self.unknown_functions: list[int] = []
        self.items: list[int] = []
        self._first_select = True

    def statement(self) -> None:
        """The whole text. Raises Unexpected."""
        self.query()
        if self.kinds[self.at] != END:
            raise Unexpected(self.at, "the end of the statement")

    def query(self) -> None:
        """WITH, SELECT and its likes, ORDER BY, OFFSET, LIMIT."""
        if self.kinds[self.at] == "WITH":
            first, self._first_select = self._first_select, False
            self._with()
            self._first_select = first
        self._term()
        if self.kinds[self.at] == "ORDER":
            self.order_by()
        if self.kinds[self.at] == "OFFSET":
            self.at += 1
            self.take(INTEGER)
            if self.kinds[self.at] in {"ROW", "ROWS"}:
                self.at += 1
        if self.kinds[self.at] == "LIMIT":
            self.at += 1
            if not self.skip("ALL"):
                self._count()
        elif self.kinds[self.at] == "FETCH":
            self._fetch()

    def _count(self) -> None:
        if self.kinds[self.at] != INTEGER:
            raise Unexpected(self.at, "a number of rows")
        self.at += 1

    def _fetch(self) -> None:
        self.at += 1
        if self.kinds[self.at] not in {"FIRST", "NEXT"}:
            raise Unexpected(self.at, "FIRST or NEXT")
        self.at += 1
        self.skip(INTEGER)
        if self.kinds[self.at] not in {"ROW", "ROWS"}:
            raise Unexpected(self.at, "ROW or ROWS")
        self.at += 1
        if self.skip("WITH"):
            self.take("TIES")
        else:
            self.take("ONLY")

    def _with(self) -> None:
        self.at += 1
        self.skip("RECURSIVE")
        while True:
            self.name("the name of a WITH query")
            if self.kinds[self.at] == "(":
                self.names("the name of a column")
            self.take("AS")
            self.take("(")
            self.query()
            self.take(")")
            if not self.skip(","):
                return

    def _term(self) -> None:
        """Queries joined by UNION, EXCEPT, INTERSECT."""
        values = [self.at] if self.kinds[self.at] == "VALUES" else []
        self._primary()
        while self.kinds[self.at] in _SET_OPERATIONS:
            self.at += 1
            if self.kinds[self.at] in {"ALL", "DISTINCT"}:
                self.at += 1
            if self.kinds[self.at] == "VALUES":
                values.append(self.at)
            self._primary()
            self.bare_values.extend(values)
            values = []

    def _primary(self) -> None:
        kind = self.kinds[self.at]
        if kind == "SELECT":
            self._select()
        elif kind == "VALUES":
            self._first_select = False
            self.at += 1
            self.expressions()
        elif kind == "TABLE":
            self._first_select = False
            self.at += 1
            self._table_name()
        elif kind == "(":
            self.at += 1
            self.query()
            self.take(")")
        else:
            raise Unexpected(self.at, "SELECT")

    def _select(self) -> None:
        self.at += 1
        kinds = self.kinds
        if kinds[self.at] in {"DISTINCT", "ALL"}:
            self.at += 1
        items = self.items if self._first_select else []
        self._first_select = False
        items.append(self.at)
        self._select_item()
        while self.skip(","):
            items.append(self.at)
            self._select_item()
        if self.skip("FROM"):
            self._relation()
            while self.skip(","):
                self._relation()
        if self.skip("WHERE"):
            self.expression()
        if self.skip("GROUP"):
            self._group_by()
        if self.skip("HAVING"):
            self.expression()
        if kinds[self.at] == "WINDOW" and kinds[self.at + 2] == "AS":
            self.at += 1
            self._window_definition()
            while self.skip(","):
                self._window_definition()

    def _window_definition(self) -> None:
        self.name("the name of a window")
        self.take("AS")
        if self.kinds[self.at] != "(":
            raise Unexpected(self.at, "(")
        self.window()

    def _select_item(self) -> None:
        kinds = self.kinds
        if self.skip("*"):
            return
        self.expression()
        if kinds[self.at] == "." and kinds[self.at + 1] == "*":
            self.at += 2
            if kinds[self.at] == "AS":
                self.at += 1
                self.names("the name of a column")
            return
        if self.skip("AS"):
            self.name("a name for the column")
        elif self.is_name(self.at) and not (kinds[self.at] in _AFTER_TABLE and self._begins_clause()):
            self.at += 1

    def _begins_clause(self) -> bool:
        """Whether LIMIT and such begin their clause here, or are a mere name."""
        kind, follower = self.kinds[self.at], self.kinds[self.at + 1]
        if kind in {"LIMIT", "OFFSET"}:
            return follower in {INTEGER, "ALL", "?"}
        if kind == "FETCH":
            return follower in {"FIRST", "NEXT"}
        if kind == "WINDOW":
            return self.kinds[self.at + 2] == "AS"
        return follower in {"(", "BERNOULLI", "SYSTEM"}

    def _group_by(self) -> None:
        self.take("BY")
        if self.kinds[self.at] in {"DISTINCT", "ALL"}:
            self.at += 1
        self._grouping_element()
        while self.skip(","):
            self._grouping_element()

    def _grouping_element(self) -> None:
        kind = self.kinds[self.at]
        if kind in {"ROLLUP", "CUBE"}:
            self.at += 1
            self._grouping_sets()
        elif kind == "GROUPING" and self.kinds[self.at + 1] == "SETS":
            self.at += 2
            self._grouping_sets()
        elif kind == "(" and self.closes[self.at] == self.at + 1:
            self.at += 2
        else:
            self.expression()

    def _grouping_sets(self) -> None:
        close = self.closes.get(self.at)
        self.take("(")
        while self.at != close:
            self._grouping_element()
            if self.at != close:
                self.take(",")
                if self.at == close:
                    raise Unexpected(self.at, VALUE)
        self.take(")")

    # -- FROM

    def _relation(self) -> None:
        """A table and what is joined to it."""
        self._sampled()
        while self.kinds[self.at] in _JOINS:
            self._join()

    def _join(self) -> None:
        natural = self.skip("NATURAL")
        if not natural and self.skip("CROSS"):
            self.take("JOIN")
            self._sampled()
            return
        if self.kinds[self.at] in {"LEFT", "RIGHT", "FULL"}:
            self.at += 1
            self.skip("OUTER")
        else:
            self.skip("INNER")
        self.take("JOIN")
        if natural:
            self._sampled()
            return
        # `a JOIN b JOIN c ON … ON …` nests: the right side may hold joins of its own, as long as no ON has come.
        self._relation()
        self._criteria()

    def _criteria(self) -> None:
        if self.skip("ON"):
            self.expression()
        elif self.skip("USING"):
            self.names("the name of a column")
        else:
            raise Unexpected(self.at, "ON and the condition of the JOIN")

    def _sampled(self) -> None:
        self._aliased()
        if self.kinds[self.at] == "MATCH_RECOGNIZE" and self.kinds[self.at + 1] == "(":
            self._match_recognize()
            self._alias()
        if self.kinds[self.at] == "TABLESAMPLE":
            self.at += 1
            if self.kinds[self.at] not in {"BERNOULLI", "SYSTEM"}:
                raise Unexpected(self.at, "BERNOULLI or SYSTEM")
            self.at += 1
            self.take("(")
            self.expression()
            self.take(")")

    def _match_recognize(self) -> None:
        """A language of its own, which Athena judges; to sqlglot it is a table function that nothing is known of."""
        start, close = self.at, self.closes[self.at + 1]
        self.blank(start, start + 1)
        self.commas.append(self.starts[start])
        self.unknown_functions.append(self.starts[start] + 2)
        self.blank(start + 2, close)
        self.at = close
        self.take(")")

    def _aliased(self) -> None:
        kind = self.kinds[self.at]
        follower = self.kinds[self.at + 1]
        if kind == "(":
            self.at += 1
            self._query_or(self._relation)
            self.take(")")
        elif kind == "UNNEST":
            self.at += 1
            self.take("(")
            self.expressions()
            self.take(")")
            if self.kinds[self.at] == "WITH" and self.kinds[self.at + 1] == "ORDINALITY":
                self.at += 2
        elif kind == "LATERAL" and follower == "(":
            self.at += 2
            self.query()
            self.take(")")
        elif kind == "TABLE" and follower == "(":
            self.at = self.closes[self.at + 1] + 1
        elif kind == "JSON_TABLE" and follower == "(":
            self.json(kind)
        else:
            self._table_name()
            if self.skip("FOR"):
                self._period()
        self._alias()

    def _period(self) -> None:
        if self.kinds[self.at] not in {"TIMESTAMP", "VERSION", "SYSTEM_TIME", "SYSTEM_VERSION"}:
            raise Unexpected(self.at, "TIMESTAMP or VERSION")
        self.at += 1
        self.take("AS")
        self.take("OF")
        self.value()

    def _table_name(self) -> None:
        self.name("a table")
        parts = 1
        while self.skip("."):
            self.name("the name of a table")
            parts += 1
        if parts > 3:
            raise Unexpected(self.at - 1, "catalog.database.table at most")

    def _alias(self) -> None:
        if self.skip("AS"):
            self.name("a name for the table")
        elif self.is_name(self.at) and not (self.kinds[self.at] in _AFTER_TABLE and self._begins_clause()):
            self.at += 1
        else:
            return
        if self.kinds[self.at] == "(":
            self.names("the name of a column")
