"""Parsing of expressions that have a grammar of their own: CASE, CAST, EXTRACT, TRIM and their like."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.json_forms import JsonParser
from dapflow.trino.syntax.lexer import Token, fail

if TYPE_CHECKING:
    from dapflow.trino.syntax.tree import Expr

#: Fields of EXTRACT; each is the name of a function too.
EXTRACT_FIELDS = frozenset(
    [
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "day_of_month",
        "day_of_week",
        "dow",
        "day_of_year",
        "doy",
        "year_of_week",
        "yow",
        "hour",
        "minute",
        "second",
        "timezone_hour",
        "timezone_minute",
    ]
)

_SIDES = {"LEADING": "ltrim", "TRAILING": "rtrim", "BOTH": "trim"}


class FormParser(JsonParser):
    """Special forms; each reader stands at the form's first word."""

    def case(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        operand = None if self.peek("WHEN") else self.expression()
        whens = []
        while self.take("WHEN"):
            condition = self.expression()
            self.need("THEN")
            whens.append((condition, self.expression()))
        if not whens:
            self.mismatch("'WHEN'")
        default = self.expression() if self.take("ELSE") else None
        if not self.take("END"):
            self.mismatch("'ELSE', 'END', 'WHEN'")
        return tree.Case(token.start, operand, tuple(whens), default)

    def cast(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        if self.ahead().upper != "(":
            return None
        self.at += 2
        value = self.expression()
        self.need("AS")
        kind = self.type()
        self.need(")")
        return tree.Cast(token.start, value, kind, token.upper == "TRY_CAST")

    def literal_word(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        if token.upper == "NULL":
            return tree.Literal(token.start, "null", None)
        return tree.Literal(token.start, "boolean", token.upper == "TRUE")

    def exists(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        self.need("(")
        query = self.query()
        self.need(")")
        return tree.Exists(token.start, query)

    def array(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        if self.ahead().upper != "[":
            return None
        self.at += 2
        if self.take("]"):
            return tree.ArrayNode(token.start, ())
        return tree.ArrayNode(token.start, self.expressions("]"))

    def row(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        if self.ahead().upper != "(":
            return None
        self.at += 2
        return tree.RowNode(token.start, self.expressions(")"))

    def interval(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        following = self.ahead()
        signed = following.upper in {"+", "-"}
        if not (following.kind == "string" or (signed and self.ahead(2).kind == "string")):
            return None
        self.at += 1
        sign = -1 if self.take("-") else 1
        if signed and sign == 1:
            self.need("+")
        text = self.string()
        start = self.unit()
        end = self.unit() if self.take("TO") else None
        return tree.IntervalLiteral(token.start, sign, text, start, end)

    def extract(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        self.need("(")
        place = self.now.start
        field = self.name().lower()
        if field not in EXTRACT_FIELDS:
            fail(self.text, place, f"Invalid EXTRACT field: {field}")
        self.need("FROM")
        value = self.value()
        self.need(")")
        return tree.Call(token.start, field, (value,), extracts=True)

    def trim(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        self.need("(")
        mode = "trim"
        if self.now.upper in _SIDES and self.ahead().upper not in {")", ","}:
            mode = _SIDES[self.now.upper]
            self.at += 1
            first = None if self.peek("FROM") else self.value()
            self.need("FROM")
        elif self.take("FROM"):
            first = None
        else:
            first = self.value()
            if not self.take("FROM"):
                arguments = (first, self.value()) if self.take(",") else (first,)
                self.need(")")
                return tree.Call(token.start, mode, arguments)
        value = self.value()
        self.need(")")
        return tree.Call(token.start, mode, (value,) if first is None else (value, first))

    def _has_inside(self, word: str) -> bool:
        """Whether FROM or IN divides what stands in the brackets behind this token."""
        return self.ahead().upper == "(" and word in self._dividing.get(self.at + 1, ())

    @cached_property
    def _dividing(self) -> dict[int, set[str]]:
        """What divides the inside of brackets, by their place among the tokens; no word of CASE, DISTINCT or NOT IN."""
        dividing: dict[int, set[str]] = {}
        opened: list[int] = []
        for at, token in enumerate(self.tokens):
            word = token.upper
            if word in {"(", "[", "CASE"}:
                opened.append(at)
            elif word in {")", "]", "END"}:
                del opened[-1:]
            elif word in {"FROM", "IN"} and opened and self.tokens[at - 1].upper not in {"DISTINCT", "NOT"}:
                dividing.setdefault(opened[-1], set()).add(word)
        return dividing

    def substring(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        if not self._has_inside("FROM"):
            return None
        self.at += 2
        value = self.value()
        self.need("FROM")
        args = [value, self.value()]
        if self.take("FOR"):
            args.append(self.value())
        self.need(")")
        return tree.Call(token.start, "substr", tuple(args))

    def position(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        if not self._has_inside("IN"):
            return None
        self.at += 2
        needle = self.value()
        self.need("IN")
        value = self.value()
        self.need(")")
        return tree.Call(token.start, "strpos", (value, needle))

    def normalize(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        self.need("(")
        value = self.value()
        form = "NFC"
        if self.take(","):
            form = self.now.upper
            if form not in {"NFC", "NFD", "NFKC", "NFKD"}:
                self.mismatch("'NFC', 'NFD', 'NFKC', 'NFKD'")
            self.at += 1
        self.need(")")
        return tree.Call(token.start, "normalize", (value, tree.Literal(token.start, "string", form)))

    def listagg(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        self.need("(")
        distinct = self.take("DISTINCT")
        args = [self.expression()]
        if self.take(","):
            separator = self.now.start
            args.append(tree.Literal(separator, "string", self.string()))
        extra: tuple[object, ...] = ()
        if self.take("ON", "OVERFLOW") and not self.take("ERROR"):
            self.need("TRUNCATE")
            filler = self.string() if self.now.kind == "string" else "..."
            counts = self.take("WITH")
            if not counts:
                self.need("WITHOUT")
            self.need("COUNT")
            extra = (filler, counts)
        self.need(")")
        self.need("WITHIN", "GROUP", "(", "ORDER", "BY")
        order = self.sort_items()
        self.need(")")
        return tree.Call(token.start, "listagg", tuple(args), False, distinct, order, extra=extra)

    def grouping(self, token: Token) -> Expr | None:
        """Read the form that the name says."""
        self.at += 1
        self.need("(")
        columns: list[Expr] = []
        while not self.take(")"):
            if columns:
                self.need(",")
            columns.append(self.column())
        return tree.Call(token.start, "grouping", tuple(columns))

    def column(self) -> Expr:
        """Names between dots."""
        start = self.now.start
        written = self.name()
        expr: Expr = tree.Ident(start, written.lower(), written, self.tokens[self.at - 1].kind == "quoted")
        while self.take("."):
            at = self.now.start
            written = self.name()
            expr = tree.Deref(start, expr, written.lower(), written, at, end=self.tokens[self.at - 1].end)
        return expr
