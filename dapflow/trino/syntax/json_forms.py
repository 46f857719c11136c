"""Parsing of the SQL standard's JSON functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.grammar import Grammar

if TYPE_CHECKING:
    from dapflow.trino.syntax.lexer import Token
    from dapflow.trino.syntax.tree import Expr

#: The first words of what ON EMPTY and ON ERROR may do.
_BEHAVIOURS = {
    "json_exists": frozenset({"TRUE", "FALSE", "UNKNOWN", "ERROR"}),
    "json_value": frozenset({"ERROR", "NULL", "DEFAULT"}),
    "json_query": frozenset({"ERROR", "NULL", "EMPTY"}),
}


class JsonParser(Grammar):
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT and JSON_ARRAY."""

    def json_call(self, token: Token) -> Expr | None:
        """One of the five, from its name on."""
        if self.ahead().upper != "(":
            return None
        self.at += 2
        name = token.upper.lower()
        if name == "json_object":
            call = self._object(token)
        elif name == "json_array":
            call = self._array_items(token)
        else:
            call = self._path_call(token, name)
        self.need(")")
        return call

    def json_format(self) -> str | None:
        """FORMAT JSON, if it comes next, with its encoding."""
        if not self.take("FORMAT", "JSON"):
            return None
        return self.need("ENCODING") and self._encoding() if self.peek("ENCODING") else "JSON"

    def _encoding(self) -> str:
        encoding = self.now.upper
        if encoding not in {"UTF8", "UTF16", "UTF32"}:
            self.mismatch("'UTF16', 'UTF32', 'UTF8'")
        self.at += 1
        return encoding

    def _value(self) -> tuple[Expr, str | None]:
        value = self.expression()
        return value, self.json_format()

    def json_source(self) -> tuple[Expr, ...]:
        """The value, the path and what is passed to it, as JSON_TABLE has them."""
        exprs = [self._value()[0]]
        self.need(",")
        self.string()
        if self.take("AS"):
            self.name()
        if self.take("PASSING"):
            while True:
                exprs.append(self._value()[0])
                self.need("AS")
                self.name()
                if not self.take(","):
                    break
        return tuple(exprs)

    def _path_call(self, token: Token, name: str) -> Expr:
        source = self._value()
        self.need(",")
        start = self.now.start
        path = tree.Literal(start, "string", self.string())
        passing: list[tuple[Expr, str | None, str]] = []
        if self.take("PASSING"):
            while True:
                value, form = self._value()
                self.need("AS")
                quoted = self.now.kind == "quoted"
                passed = self.name()
                # A name without quotes is in capitals, and the path is to say it so.
                passing.append((value, form, passed if quoted else passed.upper()))
                if not self.take(","):
                    break
        return tree.JsonCall(token.start, name, (source, path, tuple(passing)), tuple(self._clauses(name)))

    def _clauses(self, name: str) -> list[tuple[str, Any]]:
        clauses: list[tuple[str, Any]] = []
        if name != "json_exists" and self.take("RETURNING"):
            clauses.append(("returning", self.type()))
            if name == "json_query" and (form := self.json_format()):
                clauses.append(("format", form))
        if name == "json_query":
            clauses += self.json_layout()
        return clauses + self.json_behaviours(name)

    def json_behaviours(self, name: str) -> list[tuple[str, Any]]:
        """ON EMPTY and ON ERROR, as the function has them."""
        behaviours: list[tuple[str, Any]] = []
        ends = ["ERROR"] if name == "json_exists" else ["EMPTY", "ERROR"]
        while ends and self.now.upper in _BEHAVIOURS[name]:
            behaviour = self._behaviour()
            self.need("ON")
            if self.now.upper not in ends:
                self.mismatch(", ".join([f"'{end}'" for end in ends]))
            behaviours.append((f"on {self.now.upper.lower()}", behaviour))
            ends = ends[ends.index(self.now.upper) + 1 :]
            self.at += 1
        return behaviours

    def json_layout(self) -> list[tuple[str, Any]]:
        """What JSON_QUERY does with arrays and with the quotes of a text."""
        layout: list[tuple[str, Any]] = []
        if self.now.upper in {"WITH", "WITHOUT"}:
            kind = "without"
            if not self.take("WITHOUT"):
                self.at += 1
                kind = "conditional" if self.take("CONDITIONAL") else "unconditional"
                if kind == "unconditional":
                    self.take("UNCONDITIONAL")
            self.take("ARRAY")
            self.need("WRAPPER")
            layout.append(("wrapper", kind))
        if self.now.upper in {"KEEP", "OMIT"}:
            layout.append(("quotes", self.now.upper.lower()))
            self.at += 1
            self.need("QUOTES")
            if self.take("ON"):
                self.need("SCALAR", "STRING")
        return layout

    def _behaviour(self) -> Any:
        word = self.now.upper
        self.at += 1
        if word == "DEFAULT":
            return self.expression()
        if word != "EMPTY":
            return word.lower()
        if self.take("OBJECT"):
            return "empty object"
        self.need("ARRAY")
        return "empty array"

    def _object(self, token: Token) -> Expr:
        members: list[tuple[Expr, Expr, str | None]] = []
        clauses: list[tuple[str, Any]] = []
        if not self.peek(")") and self.now.upper != "RETURNING":
            members.append(self._member())
            while self.take(","):
                members.append(self._member())
            clauses = self._nulls()
            if self.now.upper in {"WITH", "WITHOUT"}:
                clauses.append(("unique", self.now.upper == "WITH"))
                self.at += 1
                self.need("UNIQUE")
                self.take("KEYS")
        return tree.JsonCall(token.start, "json_object", tuple(members), tuple(clauses + self._returning()))

    def _member(self) -> tuple[Expr, Expr, str | None]:
        keyed = self.now.upper == "KEY" and self.ahead().upper not in {":", "VALUE", ","}
        if keyed:
            self.at += 1
        key = self.expression()
        if keyed or not self.take(":"):
            self.need("VALUE")
        value, form = self._value()
        return key, value, form

    def _array_items(self, token: Token) -> Expr:
        items: list[tuple[Expr, str | None]] = []
        clauses: list[tuple[str, Any]] = []
        if not self.peek(")") and self.now.upper != "RETURNING":
            items.append(self._value())
            while self.take(","):
                items.append(self._value())
            clauses = self._nulls()
        return tree.JsonCall(token.start, "json_array", tuple(items), tuple(clauses + self._returning()))

    def _nulls(self) -> list[tuple[str, Any]]:
        for word in ("NULL", "ABSENT"):
            if self.take(word, "ON", "NULL"):
                return [("null", word.lower())]
        return []

    def _returning(self) -> list[tuple[str, Any]]:
        if not self.take("RETURNING"):
            return []
        clauses: list[tuple[str, Any]] = [("returning", self.type())]
        form = self.json_format()
        return [*clauses, ("format", form)] if form else clauses
