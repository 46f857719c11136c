"""The grammar of Athena's expressions. See ``grammar``."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.sql.lexer import END, INTEGER, NUMBER, QUOTED, RESERVED, STRING, Words, word_set

QUERY_STARTS = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "||"})
_COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>", "!="})
_LITERALS = frozenset({STRING, INTEGER, NUMBER, "NULL", "TRUE", "FALSE"})
_NULLARY = frozenset(
    {"CURRENT_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_PATH", "CURRENT_DATE", "CURRENT_ROLE"}
)
_CLOCKS = frozenset({"CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"})
_JSON_FUNCTIONS = frozenset({"JSON_EXISTS", "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT", "JSON_ARRAY", "JSON_TABLE"})
# What may stand between and after the arguments of JSON functions; it names no table and no column.
_JSON_WORDS = word_set(
    """
    FORMAT JSON ENCODING UTF8 UTF16 UTF32 RETURNING NULL ERROR EMPTY ARRAY OBJECT ON TRUE FALSE UNKNOWN WITH
    WITHOUT CONDITIONAL UNCONDITIONAL WRAPPER KEEP OMIT QUOTES SCALAR STRING ABSENT UNIQUE KEYS
    """
)
# Types that may stand before a text: DATE '2013-12-31'.
_LITERAL_TYPES = word_set(
    """
    DATE TIME TIMESTAMP DECIMAL JSON UUID IPADDRESS BOOLEAN TINYINT SMALLINT INTEGER INT BIGINT REAL DOUBLE
    FLOAT CHAR VARCHAR VARBINARY IPPREFIX COLOR HYPERLOGLOG P4HYPERLOGLOG GEOMETRY NUMBER
    """
)
_INTERVAL_FIELDS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK"})
_SORT = frozenset({"ASC", "DESC"})
_FRAME_UNITS = frozenset({"RANGE", "ROWS", "GROUPS"})
_PATTERN_PARTS = frozenset({"MEASURES", "AFTER", "INITIAL", "SEEK", "PATTERN", "SUBSET", "DEFINE"})

# Types of other databases, and of Athena's DDL, that a query cannot name.
FOREIGN_TYPES = {
    "STRING": "varchar",
    "TEXT": "varchar",
    "NVARCHAR": "varchar",
    "NVARCHAR2": "varchar",
    "VARCHAR2": "varchar",
    "NCHAR": "char",
    "DATETIME": "timestamp",
    "DATETIME2": "timestamp",
    "SMALLDATETIME": "timestamp",
    "INT64": "bigint",
    "UNSIGNED": "bigint",
    "SIGNED": "bigint",
    "LONG": "bigint",
    "BOOL": "boolean",
    "BIT": "boolean",
    "MONEY": "decimal(19,4)",
}
VALUE = "a column or a value"


class Unexpected(Exception):
    """The word at ``index`` cannot stand there; ``expected`` says what can."""

    def __init__(self, index: int, expected: str) -> None:
        super().__init__(expected)
        self.index = index
        self.expected = expected


class Expressions:
    """A reader of expressions. ``at`` is the index of the next word.

    It also notes what sqlglot may stumble over, so that it can be painted over: ``blanks`` are pieces of the text that
    are free of names, ``commas`` and ``zeros`` places where a comma or a number says enough, ``functions`` the names of functions (sqlglot knows
    some by other arguments) and ``types`` the types of casts.
    """

    def __init__(self, words: Words) -> None:
        self.kinds = words.kinds
        self.starts = words.starts
        self.ends = words.ends
        self.closes = words.closes
        self.at = 0
        self.blanks: list[tuple[int, int]] = []
        self.commas: list[int] = []
        self.zeros: list[int] = []
        self.functions: list[tuple[int, int]] = []
        self.types: list[tuple[int, int]] = []

    def query(self) -> None:
        """A whole query; the grammar of queries brings it."""
        raise NotImplementedError

    # -- words

    def take(self, kind: str) -> None:
        """Step over a word that must be there."""
        if self.kinds[self.at] != kind:
            raise Unexpected(self.at, kind)
        self.at += 1

    def skip(self, kind: str) -> bool:
        """Step over a word that may be there."""
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        return False

    def is_name(self, index: int) -> bool:
        """Whether the word can be the name of something."""
        kind = self.kinds[index]
        return kind == QUOTED or (kind not in RESERVED and (kind[:1].isalpha() or kind[:1] == "_"))

    def name(self, what: str = "a name") -> None:
        """Step over a name."""
        if not self.is_name(self.at):
            raise Unexpected(self.at, what)
        self.at += 1

    def names(self, what: str) -> None:
        """``(a, b)``."""
        self.take("(")
        self.name(what)
        while self.skip(","):
            self.name(what)
        self.take(")")

    def blank(self, first: int, last: int) -> None:
        """Hide the words from ``first`` to before ``last`` from sqlglot."""
        if first < last:
            self.blanks.append((self.starts[first], self.ends[last - 1]))

    # -- expressions

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

    def expressions(self) -> None:
        """``a, b``: one at least."""
        self.expression()
        while self.kinds[self.at] == ",":
            self.at += 1
            self.expression()

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
            self._call(kind)
            return
        if follower == "->":
            self.at += 2
            self.expression()
            return
        if follower == STRING and kind != QUOTED:
            if kind == "INTERVAL":
                self._interval()
            elif kind in _LITERAL_TYPES:
                self.at += 2
            else:
                raise Unexpected(self.at + 1, "an operator or a comma")
            return
        if kind == "INTERVAL" and follower in {"+", "-"} and kinds[self.at + 2] == STRING:
            self._interval()
            return
        if kind == "ARRAY" and follower == "[":
            self.at += 2
            if kinds[self.at] != "]":
                self.expressions()
            self.take("]")
            return
        if kind == "DOUBLE" and follower == "PRECISION" and kinds[self.at + 2] == STRING:
            self.at += 3
            return
        if kind in {"TIMESTAMP", "TIME"} and follower in {"WITH", "WITHOUT"} and kinds[self.at + 2] == "TIME":
            self.at += 4
            self.take(STRING)
            return
        start = self.at
        self.at += 1
        while kinds[self.at] == "." and kinds[self.at + 1] != "*":
            self.at += 1
            self.name("a name after the dot")
        if kinds[self.at] == "(":
            self._arguments()
        elif kinds[self.at] == "OVER":
            # A measure of row pattern recognition, `label OVER w`, and no column.
            self._over()
            self.blank(start, self.at)
            self.zeros.append(self.starts[start])

    def _interval(self) -> None:
        self.at += 1
        if self.kinds[self.at] in {"+", "-"}:
            self.at += 1
        self.take(STRING)
        self._interval_field()
        if self.kinds[self.at] == "TO":
            self.at += 1
            self._interval_field()

    def _interval_field(self) -> None:
        if self.kinds[self.at] not in _INTERVAL_FIELDS:
            raise Unexpected(self.at, "YEAR, MONTH, DAY, HOUR, MINUTE or SECOND")
        self.at += 1

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

    # -- calls and special forms

    def _call(self, kind: str) -> None:
        start = self.at
        if kind in {"CAST", "TRY_CAST"}:
            self.at += 2
            self.expression()
            self.take("AS")
            start = self.at
            self.type()
            self.types.append((self.starts[start], self.ends[self.at - 1]))
            self.take(")")
        elif kind == "SUBSTRING":
            self.at += 2
            self.value()
            if self.skip("FROM"):
                self.value()
                if self.skip("FOR"):
                    self.value()
            while self.skip(","):
                self.expression()
            self.take(")")
        elif kind == "POSITION":
            self.at += 2
            self.value()
            self.take("IN")
            self.value()
            self.take(")")
        else:
            if kind != QUOTED and kind != "ROW":
                self.functions.append((self.starts[start], self.ends[start]))
            self.at += 1
            self._arguments()

    def _arguments(self) -> None:
        """``(…)`` of a function and what may follow it: FILTER, OVER, WITHIN GROUP."""
        kinds = self.kinds
        close = self.closes[self.at]
        self.at += 1
        if kinds[self.at] == "*" and self.at + 1 == close:
            self.at += 1
        elif self.at != close and not self._labelled_star(close):
            quantifier = self.at if kinds[self.at] in {"DISTINCT", "ALL"} else None
            if quantifier is not None:
                self.at += 1
            self._argument()
            several = False
            while self.skip(","):
                several = True
                self._argument()
            if quantifier is not None and several:
                self.blank(quantifier, quantifier + 1)
            if kinds[self.at] == "ORDER":
                self.order_by()
        self.take(")")
        self.after_call()

    def _argument(self) -> None:
        """An argument, perhaps named: ``f(name => value)``; a ROW's fields may have names."""
        if self.kinds[self.at + 1] == "=>":
            self.name("the name of an argument")
            self.at += 1
        self.expression()
        if self.kinds[self.at] == "AS" and self.is_name(self.at + 1):
            self.at += 2

    def _labelled_star(self, close: int) -> bool:
        if self.is_name(self.at) and self.kinds[self.at + 1] == "." and self.kinds[self.at + 2] == "*":
            self.at = close
            return True
        return False

    def after_call(self) -> None:
        """What may follow the arguments of an aggregate or a window function."""
        if self.kinds[self.at] == "WITHIN" and self.kinds[self.at + 1] == "GROUP":
            self.at += 2
            self.take("(")
            self.order_by()
            self.take(")")
        if self.kinds[self.at] == "FILTER" and self.kinds[self.at + 1] == "(":
            self.at += 2
            self.take("WHERE")
            self.expression()
            self.take(")")
        if self.kinds[self.at] in {"IGNORE", "RESPECT"} and self.kinds[self.at + 1] == "NULLS":
            self.at += 2
            if self.kinds[self.at] != "OVER":
                raise Unexpected(self.at, "OVER")
        if self.kinds[self.at] == "OVER":
            self._over()

    def _over(self) -> None:
        self.at += 1
        if self.kinds[self.at] == "(":
            self.window()
        else:
            self.name("( or the name of a window")

    def window(self) -> None:
        """``(PARTITION BY … ORDER BY … ROWS …)``."""
        close = self.closes[self.at]
        self.at += 1
        if self.is_name(self.at) and not (
            self.kinds[self.at] in _FRAME_UNITS | _PATTERN_PARTS
            or (self.kinds[self.at] == "PARTITION" and self.kinds[self.at + 1] == "BY")
        ):
            self.at += 1
        if self.skip("PARTITION"):
            self.take("BY")
            self.expressions()
        if self.kinds[self.at] == "ORDER":
            self.order_by()
        if any(self.kinds[index] in {"PATTERN", "MEASURES"} for index in range(self.at, close)):
            self.blank(self.at, close)
            self.at = close
        elif self.kinds[self.at] in _FRAME_UNITS:
            self.at += 1
            if self.skip("BETWEEN"):
                self._frame_bound()
                self.take("AND")
            self._frame_bound()
        self.take(")")

    def _frame_bound(self) -> None:
        if self.kinds[self.at] == "CURRENT" and self.kinds[self.at + 1] == "ROW":
            self.at += 2
            return
        if self.kinds[self.at] == "UNBOUNDED":
            self.at += 1
        else:
            self.value()
        if self.kinds[self.at] not in {"PRECEDING", "FOLLOWING"}:
            raise Unexpected(self.at, "PRECEDING or FOLLOWING")
        self.at += 1

    def order_by(self) -> None:
        """``ORDER BY a DESC NULLS LAST, b``."""
        self.take("ORDER")
        self.take("BY")
        while True:
            self.expression()
            if self.kinds[self.at] in _SORT:
                self.at += 1
            if self.kinds[self.at] == "NULLS":
                self.at += 1
                if self.kinds[self.at] not in {"FIRST", "LAST"}:
                    raise Unexpected(self.at, "FIRST or LAST")
                self.at += 1
            if not self.skip(","):
                return

    def _reserved(self, kind: str) -> None:
        """A form that begins with a reserved word."""
        start = self.at
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
        elif kind == "CAST" and self.kinds[start + 1] == "(":
            self._call(kind)
        elif kind == "EXTRACT":
            self.at += 1
            self.take("(")
            self.name("a field such as YEAR")
            self.take("FROM")
            self.value()
            self.take(")")
        elif kind == "TRIM":
            self._trim()
        elif kind in {"NORMALIZE", "GROUPING"} and self.kinds[start + 1] == "(":
            self.at += 2
            self.expressions()
            self.take(")")
        elif kind == "LISTAGG" and self.kinds[start + 1] == "(":
            self._listagg()
        elif kind in _JSON_FUNCTIONS and self.kinds[start + 1] == "(":
            self._json(kind)
        elif kind == "?":
            raise Unexpected(self.at, "a value: a transform takes no parameters")
        else:
            raise Unexpected(self.at, VALUE)

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

    def _trim(self) -> None:
        self.at += 1
        self.take("(")
        if self.kinds[self.at] in {"LEADING", "TRAILING", "BOTH"}:
            self.at += 1
        if not self.skip("FROM"):
            self.value()
            if self.skip("FROM") or self.skip(","):
                self.value()
        else:
            self.value()
        self.take(")")

    def _listagg(self) -> None:
        self.functions.append((self.starts[self.at], self.ends[self.at]))
        self.at += 2
        if self.kinds[self.at] in {"DISTINCT", "ALL"}:
            self.at += 1
        self.expression()
        if self.skip(","):
            self.value()
        if self.kinds[self.at] == "ON" and self.kinds[self.at + 1] == "OVERFLOW":
            start = self.at
            while self.kinds[self.at] not in {")", END}:
                self.at += 1
            self.blank(start, self.at)
        self.take(")")
        self.after_call()

    def _json(self, kind: str) -> None:
        """SQL/JSON functions: sqlglot takes their arguments, and only in part the clauses between and behind them."""
        close = self.closes[self.at + 1]
        self.functions.append((self.starts[self.at], self.ends[self.at]))
        self.at += 2
        if kind in {"JSON_OBJECT", "JSON_TABLE"}:
            returning = next((at for at in range(self.at, close) if self.kinds[at] == "RETURNING"), close)
            if kind == "JSON_OBJECT":
                self.blank(returning, close)
            self.at = close
        fresh = True  # at the begin of an argument, where NULL and TRUE are values
        while self.at < close:
            word, start = self.kinds[self.at], self.at
            self.at = self.closes.get(self.at, self.at) + 1
            if word in {"PASSING", "DEFAULT"} and not fresh:
                self.commas.append(self.starts[start])
                self.blank(start, self.at)
                fresh = True
            elif word == "AS" and not fresh:
                self.name()
                self.blank(start, self.at)
            elif word == "RETURNING" and not fresh:
                self.type()
                self.blank(start, self.at)
            elif word in _JSON_WORDS and not fresh:
                self.blank(start, self.at)
            else:
                fresh = word == ","
        self.take(")")

    # -- types

    def type(self) -> None:
        """A type, as CAST takes it."""
        kind = self.kinds[self.at]
        if kind in FOREIGN_TYPES:
            raise Unexpected(self.at, f"a type of Athena, such as {FOREIGN_TYPES[kind]}")
        self.name("a type such as varchar")
        if kind == "ROW" and self.kinds[self.at] == "(":
            self.at += 1
            self._row_field()
            while self.skip(","):
                self._row_field()
            self.take(")")
        elif kind == "INTERVAL":
            self._interval_field()
            self.take("TO")
            self._interval_field()
        elif kind == "DOUBLE" and self.kinds[self.at] == "PRECISION":
            self.at += 1
        elif self.kinds[self.at] == "(":
            self.at += 1
            self._type_parameter()
            while self.skip(","):
                self._type_parameter()
            self.take(")")
        elif kind in {"ARRAY", "MAP"} and self.kinds[self.at] == "<":
            raise Unexpected(self.at, f"( : {kind.lower()}(…), not {kind.lower()}<…>")
        if kind in {"TIMESTAMP", "TIME"} and self.kinds[self.at] in {"WITH", "WITHOUT"}:
            self.at += 1
            self.take("TIME")
            self.take("ZONE")
        while self.kinds[self.at] == "ARRAY":
            self.at += 1

    def _row_field(self) -> None:
        """``name type`` or a type alone."""
        follower = self.kinds[self.at + 1]
        # `a array(bigint)` has a name, `bigint array` has none.
        if follower == "ARRAY":
            named = self.kinds[self.at + 2] in {"(", "ARRAY"}
        else:
            named = follower not in {"(", ",", ")", "PRECISION", "WITH", "WITHOUT"}
        if named:
            self.name("the name of a field")
        self.type()

    def _type_parameter(self) -> None:
        if not self.skip(INTEGER):
            self.type()
