"""The grammar of expressions."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.sql.call_grammar import CallGrammar
from dapflow.sql.lexer import INTEGER, NUMBER, QUOTED, RESERVED, STRING, word_set
from dapflow.sql.reader import VALUE, Unexpected

QUERY_STARTS = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "||"})
_COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>", "!="})
_LITERALS = frozenset({STRING, INTEGER, NUMBER, "NULL", "TRUE", "FALSE"})
_NULLARY = frozenset(
    {"CURRENT_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_PATH", "CURRENT_DATE", "CURRENT_ROLE"}
)
_CLOCKS = frozenset({"CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"})
_JSON_FUNCTIONS = frozenset({"JSON_EXISTS", "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT", "JSON_ARRAY", "JSON_TABLE"})
_SPECIAL_CALLS = _JSON_FUNCTIONS | {"CAST", "EXTRACT", "TRIM", "LISTAGG", "NORMALIZE", "GROUPING"}
# Words that may begin a literal without being followed by a text.
_LITERAL_STARTS = frozenset({"ARRAY", "INTERVAL", "DOUBLE", "TIMESTAMP", "TIME"})
# Types that may stand before a text: DATE '2013-12-31'.
_LITERAL_TYPES = word_set(
    """
    DATE TIME TIMESTAMP DECIMAL JSON UUID IPADDRESS BOOLEAN TINYINT SMALLINT INTEGER INT BIGINT REAL DOUBLE
    FLOAT CHAR VARCHAR VARBINARY IPPREFIX COLOR HYPERLOGLOG P4HYPERLOGLOG GEOMETRY NUMBER
    """
)


class Expressions(CallGrammar):
    """A reader of expressions."""

    def expression(self) -> None:
        """A boolean expression: values, predicates, NOT, AND, OR."""
        kinds = self.kinds
        while True:
            while kinds[self.at] == "NOT":
                self.at += 1
            self.value()
            self._predicate()
            kind = kinds[self.at]
            if kind not in {"AND", "OR"}:
                return
            self.at += 1

    def value(self) -> None:
        """A value: operands joined by arithmetic."""
        kinds = self.kinds
        while True:
            while kinds[self.at] in {"-", "+"}:
                self.at += 1
            self._operand()
            if kinds[self.at] not in _ARITHMETIC:
                return
            self.at += 1

    def _predicate(self) -> None:
        kind = self.kinds[self.at]
        if kind in _COMPARISONS:
            self.at += 1
            if self.kinds[self.at] in {"ALL", "ANY", "SOME"} and self.kinds[self.at + 1] == "(":
                self.at += 2
                self.query()
                self.take(")")
            else:
                self.value()
            return
        if kind == "IS":
            self.at += 1
            self.skip("NOT")
            if self.skip("NULL"):
                return
            if not self.skip("DISTINCT"):
                raise Unexpected(self.at, "NULL")
            self.take("FROM")
            self.value()
            return
        if kind == "NOT":
            kind = self.kinds[self.at + 1]
            if kind not in {"BETWEEN", "IN", "LIKE"}:
                raise Unexpected(self.at + 1, "BETWEEN, IN or LIKE")
            self.at += 1
        if kind == "BETWEEN":
            self.at += 1
            self.value()
            self.take("AND")
            self.value()
        elif kind == "IN":
            self.at += 1
            self.take("(")
            self._query_or(self.expressions)
            self.take(")")
        elif kind == "LIKE":
            self.at += 1
            self.value()
            if self.skip("ESCAPE"):
                self.value()

    def _operand(self) -> None:
        kinds = self.kinds
        kind = kinds[self.at]
        if kind == QUOTED or (kind not in RESERVED and (kind[:1].isalpha() or kind[:1] == "_")):
            self._named()
        elif kind in _LITERALS:
            self.at += 1
            if kind == STRING:
                self._uescape()
        elif kind == "(":
            self._parenthesis()
        else:
            self._reserved(kind)
        while True:
            kind = kinds[self.at]
            if kind == "[":
                self.at += 1
                self.value()
                self.take("]")
            elif kind == "." and kinds[self.at + 1] != "*":
                self.at += 1
                self.name("the name of a field")
            elif kind == "AT" and kinds[self.at + 1] == "TIME":
                self.at += 2
                self.take("ZONE")
                self._operand()
            else:
                return

    def _uescape(self) -> None:
        if self.skip("UESCAPE"):
            self.take(STRING)

    def _named(self) -> None:
        """What begins with a name: a column, a call, a typed literal, a lambda."""
        kinds = self.kinds
        kind, follower = kinds[self.at], kinds[self.at + 1]
        if follower == "(":
            self.call(kind)
        elif follower == "->":
            self.at += 2
            self.expression()
        elif (follower == STRING and kind != QUOTED) or kind in _LITERAL_STARTS:
            self._typed_literal(kind, follower)
        else:
            self._column()

    def _typed_literal(self, kind: str, follower: str) -> None:
        """``DATE '2013-12-31'``, ``ARRAY[1]``, ``INTERVAL '1' DAY``; or a column that is called like a type."""
        kinds = self.kinds
        after = kinds[self.at + 2]
        if kind == "INTERVAL" and (follower == STRING or (follower in {"+", "-"} and after == STRING)):
            self.interval()
        elif kind == "ARRAY" and follower == "[":
            self.at += 2
            if kinds[self.at] != "]":
                self.expressions()
            self.take("]")
        elif kind == "DOUBLE" and follower == "PRECISION" and after == STRING:
            self.at += 3
        elif kind in {"TIMESTAMP", "TIME"} and follower in {"WITH", "WITHOUT"} and after == "TIME":
            self.at += 4
            self.take(STRING)
        elif follower != STRING:
            self._column()
        elif kind in _LITERAL_TYPES:
            self.at += 2
        else:
            raise Unexpected(self.at + 1, "an operator or a comma")

    def _column(self) -> None:
        """``a``, ``t.a``; or a call of a function with a qualified name."""
        kinds = self.kinds
        start = self.at
        self.at += 1
        while kinds[self.at] == "." and kinds[self.at + 1] != "*":
            self.at += 1
            self.name("a name after the dot")
        if kinds[self.at] == "(":
            self.arguments()
        elif kinds[self.at] == "OVER":
            # A measure of row pattern recognition, `label OVER w`, and no column.
            self.over()
            self.blank(start, self.at)
            self.zeros.append(self.starts[start])

    def _parenthesis(self) -> None:
        """``(a)``, a row ``(a, b)``, a subquery, or the parameters of a lambda."""
        close = self.closes[self.at]
        if self.kinds[close + 1] == "->":
            self.at += 1
            if self.at != close:
                self.name("a parameter of the lambda")
                while self.skip(","):
                    self.name("a parameter of the lambda")
            self.take(")")
            self.take("->")
            self.expression()
            return
        self.at += 1
        self._query_or(self.expressions)
        self.take(")")

    def _query_or(self, other: Callable[[], None]) -> None:
        """Inside parentheses: a query, or else what ``other`` reads."""
        ahead = self.at
        while self.kinds[ahead] == "(":
            ahead += 1
        if self.kinds[ahead] not in QUERY_STARTS:
            other()
            return
        if ahead == self.at:
            self.query()
            return
        # `((SELECT 1) UNION …)` is a query, `((SELECT 1) + 1)` is not: only reading on can tell.
        start = self.at
        try:
            self.query()
            if self.kinds[self.at] == ")":
                return
            first = Unexpected(self.at, ")")
        except Unexpected as problem:
            first = problem
        self.at = start
        try:
            other()
        except Unexpected as problem:
            raise max(first, problem, key=lambda one: one.index) from None

    def _reserved(self, kind: str) -> None:
        """A form that begins with a reserved word."""
        called = self.kinds[self.at + 1] == "("
        if kind == "CASE":
            self._case()
        elif kind in _NULLARY:
            self.at += 1
        elif kind in _CLOCKS:
            self.at += 1
            if self.skip("("):
                self.take(INTEGER)
                self.take(")")
        elif kind == "EXISTS":
            self.at += 1
            self.take("(")
            self.query()
            self.take(")")
        elif called and kind in _SPECIAL_CALLS:
            self._special_call(kind)
        elif kind == "?":
            raise Unexpected(self.at, "a value: a transform takes no parameters")
        else:
            raise Unexpected(self.at, VALUE)

    def _special_call(self, kind: str) -> None:
        """A function whose name is a reserved word."""
        if kind == "CAST":
            self.call(kind)
        elif kind == "EXTRACT":
            self.at += 2
            self.name("a field such as YEAR")
            self.take("FROM")
            self.value()
            self.take(")")
        elif kind == "TRIM":
            self.trim()
        elif kind == "LISTAGG":
            self.listagg()
        elif kind in _JSON_FUNCTIONS:
            self.json(kind)
        else:
            self.at += 2
            self.expressions()
            self.take(")")

    def _case(self) -> None:
        self.at += 1
        if self.kinds[self.at] != "WHEN":
            self.expression()
        if self.kinds[self.at] != "WHEN":
            raise Unexpected(self.at, "WHEN")
        while self.skip("WHEN"):
            self.expression()
            self.take("THEN")
            self.expression()
        if self.skip("ELSE"):
            self.expression()
        if self.kinds[self.at] != "END":
            raise Unexpected(self.at, "WHEN, ELSE or END of the CASE")
        self.at += 1
