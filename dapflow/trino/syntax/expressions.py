"""Parsing of expressions, by Trino's precedences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import Token
from dapflow.trino.syntax.operands import OperandParser

if TYPE_CHECKING:
    from dapflow.trino.syntax.tree import Expr

_BINDING = {"||": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3}
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class ExpressionParser(OperandParser):
    """Expressions."""

    def expression(self) -> Expr:
        """Any expression: OR binds least."""
        first = self._conjunction()
        if self.tokens[self.at].upper != "OR":
            return first
        terms = [first]
        while self.take("OR"):
            terms.append(self._conjunction())
        return tree.Logical(first.pos, "OR", tuple(terms))

    def _conjunction(self) -> Expr:
        first = self._negation()
        if self.tokens[self.at].upper != "AND":
            return first
        terms = [first]
        while self.take("AND"):
            terms.append(self._negation())
        return tree.Logical(first.pos, "AND", tuple(terms))

    def _negation(self) -> Expr:
        token = self.tokens[self.at]
        if token.upper == "NOT":
            self.at += 1
            return tree.Not(token.start, self._negation())
        return self._predicate()

    def _predicate(self) -> Expr:
        value = self.value()
        token = self.tokens[self.at]
        op = _COMPARISONS.get(token.upper)
        if op is not None:
            self.at += 1
            if self.now.upper in {"ALL", "ANY", "SOME"} and self.ahead().upper == "(":
                quantifier = "ALL" if self.now.upper == "ALL" else "ANY"
                self.at += 2
                query = self.query()
                self.need(")")
                return tree.Quantified(token.start, op, quantifier, value, query, end=self.tokens[self.at - 1].end)
            return tree.Binary(token.start, op, value, self.value())
        if token.kind != "word":
            return value
        if token.upper == "IS":
            return self._is(value, token)
        negated = token.upper == "NOT" and self.ahead().upper in {"BETWEEN", "IN", "LIKE"}
        if negated:
            self.at += 1
        test = self._tested(value, token)
        if test is None:
            return value
        return tree.Not(token.start, test) if negated else test

    def _is(self, value: Expr, token: Token) -> Expr:
        self.at += 1
        negated = self.take("NOT")
        test: Expr
        if self.take("NULL"):
            test = tree.IsNull(token.start, value, end=self.tokens[self.at - 1].end)
        elif self.take("DISTINCT", "FROM"):
            test = tree.Binary(token.start, "IS DISTINCT FROM", value, self.value())
        else:
            self.mismatch("'DISTINCT', 'NOT', 'NULL'")
        return tree.Not(token.start, test) if negated else test

    def _tested(self, value: Expr, token: Token) -> Expr | None:
        if self.take("BETWEEN"):
            low = self.value()
            self.need("AND")
            return tree.Between(token.start, value, low, self.value())
        if self.take("IN"):
            self.need("(")
            items = self.query_or(lambda: self.expressions(")"))
            if isinstance(items, tree.QueryNode):
                return tree.InQuery(token.start, value, items, end=self.tokens[self.at - 1].end)
            return tree.InList(token.start, value, items, end=self.tokens[self.at - 1].end)
        if self.take("LIKE"):
            pattern = self.value()
            escape = self.value() if self.take("ESCAPE") else None
            return tree.Like(token.start, value, pattern, escape)
        return None

    def expressions(self, close: str) -> tuple[Expr, ...]:
        """Expressions between commas up to a closing bracket."""
        items = [self.expression()]
        while self.take(","):
            items.append(self.expression())
        self.need(close)
        return tuple(items)

    # ------------------------------------------------------------------------------------- values
    def value(self, least: int = 1) -> Expr:
        """A value: operands between operators that bind as `least` or tighter."""
        left = self._operand()
        while True:
            token = self.tokens[self.at]
            binding = _BINDING.get(token.upper, 0)
            if binding < least:
                return left
            self.at += 1
            left = tree.Binary(token.start, token.upper, left, self.value(binding + 1))

    def _operand(self) -> Expr:
        token = self.tokens[self.at]
        if token.upper in {"-", "+"}:
            self.at += 1
            return tree.Unary(token.start, token.upper, self._operand())
        value = self._primary()
        if token.upper != "(":
            value.end = self.tokens[self.at - 1].end
        value = self._postfix(value)
        while self.peek("AT", "TIME", "ZONE"):
            token = self.now
            self.at += 3
            zone = self.interval(self.now) if self.peek("INTERVAL") else None
            if zone is None:
                zone = tree.Literal(self.now.start, "string", self.string())
            value = tree.AtTimeZone(token.start, value, zone)
        return value

    def _postfix(self, value: Expr) -> Expr:
        while True:
            following = self.tokens[self.at].upper
            if following == "[":
                self.at += 1
                index = self.value()
                self.need("]")
                value = tree.Subscript(value.pos, value, index, end=self.tokens[self.at - 1].end)
            elif following == "." and self.is_name(self.tokens[self.at + 1]):
                self.at += 1
                at = self.now.start
                written = self.name()
                value = tree.Deref(value.pos, value, written.lower(), written, at, end=self.tokens[self.at - 1].end)
                if self.now.upper == "(":
                    value = self._call(value.pos, *self._function(value))
                    value.end = self.tokens[self.at - 1].end
            else:
                return value
