"""Parsing of what stands between operators: literals, names, calls, and what is in parentheses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from dapflow.trino.errors import QueryError
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.forms import FormParser
from dapflow.trino.syntax.json_forms import JsonParser
from dapflow.trino.syntax.lexer import Token, fail, identifier_value, position, string_value
from dapflow.trino.syntax.windows import WindowParser
from dapflow.trino.types import parse_type

if TYPE_CHECKING:
    from dapflow.trino.syntax.tree import Expr

_SPECIAL = frozenset(
    [
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "CURRENT_USER",
        "CURRENT_CATALOG",
        "CURRENT_SCHEMA",
        "CURRENT_PATH",
        "CURRENT_ROLE",
    ]
)
_QUERY = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})

T = TypeVar("T")


class OperandParser(WindowParser):
    """Operands."""

    def _function(self, node: Expr) -> tuple[str, str]:
        """The name of a function with its catalog and schema, in lower case and as written."""
        names: list[str] = []
        while isinstance(node, tree.Deref):
            names.append(node.written)
            node = node.base
        if not isinstance(node, tree.Ident):
            self.mismatch("<EOF>")
        written = ".".join([node.written, *reversed(names)])
        return written.lower(), written

    def _primary(self) -> Expr:
        token = self.tokens[self.at]
        kind = token.kind
        if kind in {"integer", "decimal", "double"}:
            self.at += 1
            # Athena runs Trino with parse-decimal-literals-as-double: `1.2` is a double, `DECIMAL '1.2'` a decimal.
            return tree.Literal(token.start, "integer" if kind == "integer" else "double", token.text.replace("_", ""))
        if kind in {"string", "unicode"}:
            self.at += 1
            return tree.Literal(token.start, "string", self._unicode(token))
        if kind == "binary":
            self.at += 1
            return self._binary(token)
        if kind == "quoted":
            return self._named(token)
        if kind == "word":
            return self._word(token)
        if token.upper == "(":
            return self._parenthesis(token)
        if token.upper == "?":
            self.at += 1
            self.parameters += 1
            return tree.Parameter(token.start, self.parameters - 1)
        self.mismatch()

    def _unicode(self, token: Token) -> str:
        if token.kind != "unicode" or not self.take("UESCAPE"):
            return string_value(token)
        escape = self.string()
        if len(escape) != 1 or escape in "+'\" " or escape in "0123456789abcdefABCDEF":
            fail(self.text, token.start, "Unicode escape must be a single character that no escape sequence holds")
        return string_value(token, escape)

    def _binary(self, token: Token) -> Expr:
        digits = "".join(token.text[2:-1].split())
        if len(digits) % 2:
            fail(self.text, token.start, "Binary literal must contain an even number of digits")
        if any(c not in "0123456789abcdefABCDEF" for c in digits):
            fail(self.text, token.start, "Binary literal can only contain hexadecimal digits")
        return tree.Literal(token.start, "binary", bytes.fromhex(digits))

    def _parenthesis(self, token: Token) -> Expr:
        lambda_ = self._lambda_names()
        if lambda_ is not None:
            return tree.Lambda(token.start, lambda_, self.expression())
        self.at += 1
        inner = self.query_or(lambda: self.expressions(")"))
        if isinstance(inner, tree.QueryNode):
            return tree.ScalarQuery(token.start, inner, end=self.tokens[self.at - 1].end)
        return inner[0] if len(inner) == 1 else tree.RowNode(token.start, inner, end=self.tokens[self.at - 1].end)

    def _lambda_names(self) -> tuple[str, ...] | None:
        """Names of a lambda in parentheses, or None if this is none."""
        at = self.at + 1
        names = []
        while self.is_name(self.tokens[at]):
            names.append(self.tokens[at])
            at += 1
            if self.tokens[at].upper != "," or not self.is_name(self.tokens[at + 1]):
                break
            at += 1
        if self.tokens[at].upper != ")" or self.tokens[min(at + 1, len(self.tokens) - 1)].upper != "->":
            return None
        self.at = at + 2
        return tuple(identifier_value(token).lower() for token in names)

    def _word(self, token: Token) -> Expr:
        upper = token.upper
        following = self.ahead()
        reader = _WORDS.get(upper)
        if reader is not None:
            form: Expr | None = reader(self, token)
            if form is not None:
                return form
        if upper in _SPECIAL:
            self.at += 1
            precision = None
            if (
                upper not in {"CURRENT_DATE", "CURRENT_USER"}
                and self.now.upper == "("
                and self.ahead().kind == "integer"
            ):
                precision = int(self.ahead().text)
                self.at += 2
                self.need(")")
            return tree.Special(token.start, upper, precision)
        if upper == "DOUBLE" and following.upper == "PRECISION" and self.ahead(2).kind == "string":
            self.at += 2
            return tree.TypedLiteral(token.start, "double", self.string())
        if following.kind in {"string", "unicode"} and self.is_name(token):
            return self._typed(token, token.text.lower())
        return self._named(token)

    def _typed(self, token: Token, name: str) -> Expr:
        """`DATE '2020-01-01'`; any type will do."""
        try:
            parse_type(name)
        except QueryError as error:
            raise QueryError(error.error_name, error.message, *position(self.text, token.start)) from None
        self.at += 1
        return tree.TypedLiteral(token.start, name, self.string())

    def _named(self, token: Token) -> Expr:
        if self.ahead().upper == "->":
            name = self.name()
            self.at += 1
            return tree.Lambda(token.start, (name.lower(),), self.expression())
        if self.matching and token.upper in {"RUNNING", "FINAL"} and self.is_name(self.ahead()):
            self.at += 1
            token = self.now
        if self.ahead().upper == "(" and (token.kind == "quoted" or self._may_call(token)):
            self.at += 1
            return self._call(token.start, token.text.strip('"').lower(), token.text)
        if token.kind == "quoted" and self.ahead().kind == "string":
            return self._typed(token, token.text.strip('"').lower())
        if not self.is_name(token):
            self.mismatch()
        written = self.name()
        if self.now.upper == "OVER" and (self.ahead().upper == "(" or self.is_name(self.ahead())):
            # A measure of row pattern recognition, `label OVER w`, and no column.
            self.refuse("Pattern recognition in a window", token.start)
            first = self.at - 1
            self.at += 1
            self.window() if self.now.upper == "(" else self.name()
            return tree.OpaqueExpr(token.start, self.written(first))
        return tree.Ident(token.start, written.lower(), written, token.kind == "quoted")

    def _may_call(self, token: Token) -> bool:
        return self.is_name(token) or token.upper in {"LISTAGG", "LEFT", "RIGHT"}

    def _call(self, start: int, name: str, written: str) -> Expr:
        self.need("(")
        star = distinct = False
        args: tuple[Expr, ...] = ()
        order: tuple[tree.SortItem, ...] = ()
        if self.matching and self.is_name() and self.ahead().upper == "." and self.ahead(2).upper == "*":
            self.at += 2
        if self.take("*"):
            star = True
            self.need(")")
        elif not self.take(")"):
            distinct = self.take("DISTINCT")
            if not distinct:
                self.take("ALL")
            items = [self.expression()]
            while self.take(","):
                items.append(self.expression())
            args = tuple(items)
            if self.take("ORDER", "BY"):
                order = self.sort_items()
            self.need(")")
        return self.call_tail(tree.Call(start, name, args, star, distinct, order, written=written))

    def _query_ahead(self) -> bool:
        """Whether a query follows, maybe inside parentheses."""
        at = self.at
        while self.tokens[at].upper == "(":
            at += 1
        return self.tokens[at].upper in _QUERY and self.tokens[at].kind == "word"

    def query_or(self, other: Callable[[], T]) -> tree.QueryNode | T:
        """What an opening parenthesis begins, up to the closing one: a query, or what `other` reads."""
        if not self._query_ahead():
            return other()
        start, parameters, refused = self.at, self.parameters, self.refused
        try:
            query = self.query()
            self.need(")")
        except QueryError as error:
            if self.tokens[start].upper != "(":
                raise
            # `((SELECT 1) + 1)` starts like a query and is none. If nothing fits, the error further on is the better.
            self.at, self.parameters, self.refused = start, parameters, refused
            try:
                return other()
            except QueryError as second:
                raise max(error, second, key=_place_of_error) from None
        return query


def _place_of_error(error: QueryError) -> tuple[int, int]:
    return error.line or 0, error.column or 0


_WORDS = {
    "CASE": FormParser.case,
    "CAST": FormParser.cast,
    "TRY_CAST": FormParser.cast,
    "NULL": FormParser.literal_word,
    "TRUE": FormParser.literal_word,
    "FALSE": FormParser.literal_word,
    "EXISTS": FormParser.exists,
    "ARRAY": FormParser.array,
    "ROW": FormParser.row,
    "INTERVAL": FormParser.interval,
    "EXTRACT": FormParser.extract,
    "TRIM": FormParser.trim,
    "SUBSTRING": FormParser.substring,
    "POSITION": FormParser.position,
    "NORMALIZE": FormParser.normalize,
    "LISTAGG": FormParser.listagg,
    "GROUPING": FormParser.grouping,
    "JSON_VALUE": JsonParser.json_call,
    "JSON_QUERY": JsonParser.json_call,
    "JSON_EXISTS": JsonParser.json_call,
    "JSON_OBJECT": JsonParser.json_call,
    "JSON_ARRAY": JsonParser.json_call,
}
