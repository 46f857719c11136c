"""The parser's ground: a cursor over tokens, names and types."""

from __future__ import annotations

import sys
from typing import NoReturn

from dapflow.trino.errors import Mismatch, QueryError, TooDeep, Unsupported
from dapflow.trino.syntax.lexer import Token, fail, identifier_value, position, string_value, tokens
from dapflow.trino.types import INTERVAL_DS, INTERVAL_YM, Type, array, map_of, parse_type, row

RESERVED = frozenset(
    [
        "ALTER",
        "AND",
        "AS",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "CONSTRAINT",
        "CREATE",
        "CROSS",
        "CUBE",
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_PATH",
        "CURRENT_ROLE",
        "CURRENT_SCHEMA",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "DEALLOCATE",
        "DELETE",
        "DESCRIBE",
        "DISTINCT",
        "DROP",
        "ELSE",
        "END",
        "ESCAPE",
        "EXCEPT",
        "EXECUTE",
        "EXISTS",
        "EXTRACT",
        "FALSE",
        "FOR",
        "FROM",
        "FULL",
        "GROUP",
        "GROUPING",
        "HAVING",
        "IN",
        "INNER",
        "INSERT",
        "INTERSECT",
        "INTO",
        "IS",
        "JOIN",
        "JSON_ARRAY",
        "JSON_EXISTS",
        "JSON_OBJECT",
        "JSON_QUERY",
        "JSON_TABLE",
        "JSON_VALUE",
        "LEFT",
        "LIKE",
        "LISTAGG",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "NATURAL",
        "NORMALIZE",
        "NOT",
        "NULL",
        "ON",
        "OR",
        "ORDER",
        "OUTER",
        "PREPARE",
        "RECURSIVE",
        "RIGHT",
        "ROLLUP",
        "SELECT",
        "SKIP",
        "TABLE",
        "THEN",
        "TRIM",
        "TRUE",
        "UESCAPE",
        "UNION",
        "UNNEST",
        "USING",
        "VALUES",
        "WHEN",
        "WHERE",
        "WITH",
    ]
)

#: Types of DDL that queries do not know.
_HIVE_TYPES = frozenset({"string", "binary", "struct", "list"})
_UNITS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
_DAY_UNITS = frozenset(_UNITS[2:])

#: Brackets within brackets: more than any person writes. Each takes up to twenty frames of Python's to analyse.
_DEEPEST = 500
_FRAMES = 12_000
_DEPTHS = {"(": 1, "[": 1, ")": -1, "]": -1}


class Cursor:
    """Tokens and a place among them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = tokens(text)
        self._make_room()
        # Some ends more, so that looking ahead needs no care.
        self.found += self.found[-1:] * 3
        self.at = 0
        self.parameters = 0
        #: Where the statement ends, without the `;` behind it.
        self.end = len(text)
        #: The first construct that Athena knows and the embedded Athena does not.
        self.refused: Unsupported | None = None
        #: Whether a row pattern's expressions are read: RUNNING, FINAL and `label.*` may stand in them alone.
        self.matching = False

    def _make_room(self) -> None:
        """Refuse brackets within brackets by number, and let Python's stack reach as deep. Raises TooDeep."""
        if sys.getrecursionlimit() < _FRAMES:
            sys.setrecursionlimit(_FRAMES)
        if self.text.count("(") + self.text.count("[") <= _DEEPEST:
            return
        depth = 0
        for token in self.found:
            depth += _DEPTHS.get(token.upper, 0)
            if depth > _DEEPEST:
                raise TooDeep

    @property
    def now(self) -> Token:
        """The token at hand."""
        return self.found[self.at]

    def ahead(self, count: int = 1) -> Token:
        """A token further on."""
        return self.found[self.at + count]

    def peek(self, word: str, *more: str) -> bool:
        """Whether the next tokens are these words or operators."""
        found, at = self.found, self.at
        if found[at].upper != word:
            return False
        return not more or tuple([token.upper for token in found[at + 1 : at + 1 + len(more)]]) == more

    def take(self, word: str, *more: str) -> bool:
        """Step over these words if they come next."""
        if self.found[self.at].upper != word or (more and not self.peek(word, *more)):
            return False
        self.at += 1 + len(more)
        return True

    def need(self, *words: str) -> Token:
        """Step over these words or fail."""
        for word in words:
            if self.found[self.at].upper != word:
                self.mismatch(f"'{word}'")
            self.at += 1
        return self.found[self.at - 1]

    def mismatch(self, expected: str = "<expression>") -> NoReturn:
        """Fail at the token at hand."""
        shown = "<EOF>" if self.now.kind == "end" else self.now.text
        raise Mismatch(shown, expected, position(self.text, self.now.start), self.now.start)

    def refuse(self, construct: str, offset: int) -> None:
        """Note that a construct is not carried by the embedded Athena; it is read all the same."""
        if self.refused is None:
            self.refused = Unsupported(construct, *position(self.text, offset))

    def written(self, first: int) -> str:
        """What was read from a token on, with nothing but spaces between the tokens."""
        return " ".join([token.text for token in self.found[first : self.at]])

    # -------------------------------------------------------------------------------------- names
    def is_name(self, token: Token | None = None) -> bool:
        """Whether a token can be an identifier."""
        token = token or self.now
        return token.kind == "quoted" or (token.kind == "word" and token.upper not in RESERVED)

    def name(self) -> str:
        """An identifier, as written."""
        token = self.now
        if not self.is_name(token):
            self.mismatch("<identifier>")
        if token.text == '""':
            fail(self.text, token.start, "Zero-length delimited identifier not allowed")
        self.at += 1
        return identifier_value(token)

    def names(self) -> tuple[str, ...]:
        """Identifiers in parentheses."""
        self.need("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.need(")")
        return tuple(found)

    def string(self) -> str:
        """A string literal."""
        if self.now.kind not in {"string", "unicode"}:
            self.mismatch("<string>")
        self.at += 1
        return string_value(self.found[self.at - 1])

    def unit(self) -> str:
        """A unit of intervals, in capitals."""
        unit = self.now.upper
        if unit not in _UNITS:
            self.mismatch("'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'")
        self.at += 1
        return unit

    # -------------------------------------------------------------------------------------- types
    def type(self) -> Type:
        """A type, as in CAST."""
        start = self.now.start
        try:
            found = self._simple_type()
        except QueryError as error:
            if error.line is None:
                error.line, error.column = position(self.text, start)
            raise
        while self.take("ARRAY"):
            if self.take("["):
                if self.now.kind != "integer":
                    self.mismatch("<integer>")
                self.at += 1
                self.need("]")
            found = array(found)
        return found

    def _simple_type(self) -> Type:
        token = self.now
        upper = token.upper
        if token.kind not in {"word", "quoted"}:
            self.mismatch("<type>")
        following = self.ahead().upper
        if upper == "ROW" and following == "(":
            self.at += 2
            return self._row_type()
        if upper in {"ARRAY", "MAP"} and following in {"<", "("}:
            self.at += 2
            close = ">" if following == "<" else ")"
            first = self.type()
            if upper == "ARRAY":
                self._close(close)
                return array(first)
            self.need(",")
            second = self.type()
            self._close(close)
            return map_of(first, second)
        if upper == "INTERVAL" and self.ahead().upper in _UNITS:
            self.at += 1
            unit = self.unit()
            if self.take("TO"):
                self.unit()
            return INTERVAL_DS if unit in _DAY_UNITS else INTERVAL_YM
        if upper in {"TIME", "TIMESTAMP"}:
            return self._time_type(upper.lower())
        if upper == "DOUBLE" and following == "PRECISION":
            self.at += 2
            return parse_type("double")
        self.at += 1
        base = identifier_value(token).lower()
        if base in _HIVE_TYPES:
            raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {base}")
        if not self.take("("):
            return parse_type(base)
        arguments = []
        while True:
            if self.now.kind == "integer":
                arguments.append(self.now.text)
                self.at += 1
            else:
                arguments.append(str(self.type()))
            if self.take(")"):
                break
            self.need(",")
        return parse_type(f"{base}({','.join(arguments)})")

    def _close(self, close: str) -> None:
        if close == ">" and self.now.upper == ">=":
            self.mismatch("'>'")
        self.need(close)

    def _time_type(self, base: str) -> Type:
        self.at += 1
        precision = 3
        if self.take("("):
            if self.now.kind != "integer":
                self.mismatch("<integer>")
            precision = int(self.now.text)
            self.at += 1
            self.need(")")
            if precision > 12:
                raise QueryError("TYPE_NOT_FOUND", f"{base.upper()} precision must be in range [0, 12]: {precision}")
        if self.take("WITH", "TIME", "ZONE"):
            return Type(base + "_tz", precision=precision)
        self.take("WITHOUT", "TIME", "ZONE")
        return Type(base, precision=precision)

    def _row_type(self) -> Type:
        fields: list[Type] = []
        names: list[str | None] = []
        while True:
            name = None
            following = self.ahead()
            starts = following.kind in {"word", "quoted"} and not self._two_words(self.now.upper, following.upper)
            starts = starts or (following.upper == "ARRAY" and self.ahead(2).upper in {"(", "<"})
            if self.now.kind in {"word", "quoted"} and starts:
                name = self.name()
            fields.append(self.type())
            names.append(name)
            if self.take(")"):
                return row(*fields, names=tuple(names))
            self.need(",")

    @staticmethod
    def _two_words(first: str, second: str) -> bool:
        """Whether two words belong to one type, as in DOUBLE PRECISION."""
        return (
            (first == "DOUBLE" and second == "PRECISION")
            or (first in {"TIME", "TIMESTAMP"} and second in {"WITH", "WITHOUT"})
            or (first == "INTERVAL" and second in _UNITS)
            or second == "ARRAY"
        )
