"""Parsing of the SQL standard's JSON functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.cursor import Cursor

if TYPE_CHECKING:
    from dapflow.trino.syntax.lexer import Token
    from dapflow.trino.syntax.tree import Expr


class JsonParser(Cursor):
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT and JSON_ARRAY."""

    def expression(self) -> Expr:
        """An expression; the part of the parser that reads expressions gives it."""
        raise NotImplementedError

    def json_call(self, token: Token) -> Expr | None:
        """One of the five, from its name on."""
        if self.ahead().upper != "(":
            return None
        self.at += 2
        name = token.upper.lower()
        if name == "json_object":
            found = self._object(token)
        elif name == "json_array":
            found = self._array_items(token)
        else:
            found = self._path_call(token, name)
        self.need(")")
        return found

    def _format(self) -> str | None:
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
        return value, self._format()

    def json_source(self) -> tuple[Expr, ...]:
        """The value, the path and what is passed to it, as JSON_TABLE has them."""
        found = [self._value()[0]]
        self.need(",")
        self.string()
        if self.take("AS"):
            self.name()
        if self.take("PASSING"):
            while True:
                found.append(self._value()[0])
                self.need("AS")
                self.name()
                if not self.take(","):
                    break
        return tuple(found)

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
        return tree.JsonCall(token.start, name, (source, path, tuple(passing)), tuple(self._clauses()))

    def _clauses(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        while True:
            if self.take("RETURNING"):
                found.append(("returning", self.type()))
                form = self._format()
                if form:
                    found.append(("format", form))
            elif self.take("WITHOUT"):
                self.take("ARRAY")
                self.need("WRAPPER")
                found.append(("wrapper", "without"))
            elif self.take("WITH"):
                kind = "conditional" if self.take("CONDITIONAL") else "unconditional"
                self.take("UNCONDITIONAL")
                self.take("ARRAY")
                self.need("WRAPPER")
                found.append(("wrapper", kind))
            elif self.now.upper in {"KEEP", "OMIT"}:
                found.append(("quotes", self.now.upper.lower()))
                self.at += 1
                self.need("QUOTES")
                if self.take("ON", "SCALAR"):
                    self.take("STRING")
                    self.take("TEXT")
            elif self.now.upper in {"NULL", "ERROR", "DEFAULT", "EMPTY", "TRUE", "FALSE", "UNKNOWN"}:
                found.append(self._on_clause())
            else:
                return found

    def _on_clause(self) -> tuple[str, Any]:
        word = self.now.upper
        self.at += 1
        behaviour: Any = word.lower()
        if word == "DEFAULT":
            behaviour = self.expression()
        elif word == "EMPTY":
            behaviour = "empty object" if self.take("OBJECT") else "empty array"
            if behaviour == "empty array":
                self.take("ARRAY")
        self.need("ON")
        if self.take("EMPTY"):
            return "on empty", behaviour
        self.need("ERROR")
        return "on error", behaviour

    def _constructor_clauses(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        while True:
            if self.take("NULL", "ON", "NULL"):
                found.append(("null", "null"))
            elif self.take("ABSENT", "ON", "NULL"):
                found.append(("null", "absent"))
            elif self.take("WITH", "UNIQUE"):
                self.take("KEYS")
                found.append(("unique", True))
            elif self.take("WITHOUT", "UNIQUE"):
                self.take("KEYS")
                found.append(("unique", False))
            elif self.take("RETURNING"):
                found.append(("returning", self.type()))
                form = self._format()
                if form:
                    found.append(("format", form))
            else:
                return found

    def _object(self, token: Token) -> Expr:
        members: list[tuple[Expr, Expr, str | None]] = []
        if not self.peek(")") and self.now.upper not in {"RETURNING"} and not self._clause_ahead():
            while True:
                keyed = self.now.upper == "KEY" and self.ahead().upper not in {":", "VALUE", ","}
                if keyed:
                    self.at += 1
                key = self.expression()
                if not self.take(":"):
                    self.need("VALUE")
                value, form = self._value()
                members.append((key, value, form))
                if not self.take(","):
                    break
        return tree.JsonCall(token.start, "json_object", tuple(members), tuple(self._constructor_clauses()))

    def _array_items(self, token: Token) -> Expr:
        items: list[tuple[Expr, str | None]] = []
        if not self.peek(")") and self.now.upper != "RETURNING" and not self._clause_ahead():
            items.append(self._value())
            while self.take(","):
                items.append(self._value())
        return tree.JsonCall(token.start, "json_array", tuple(items), tuple(self._constructor_clauses()))

    def _clause_ahead(self) -> bool:
        return self.peek("NULL", "ON", "NULL") or self.peek("ABSENT", "ON", "NULL")
