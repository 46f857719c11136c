"""Parsing of types, as in CAST."""

from __future__ import annotations

from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.cursor import Cursor
from dapflow.trino.syntax.lexer import identifier_value, position
from dapflow.trino.types import INTERVAL_DS, INTERVAL_YM, Type, array, map_of, parse_type, row

#: Types of DDL that queries do not know.
_HIVE_TYPES = frozenset({"string", "binary", "struct", "list"})
_UNITS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
_DAY_UNITS = frozenset(_UNITS[2:])


class TypeParser(Cursor):
    """Types, and units of intervals."""

    def unit(self) -> str:
        """A unit of intervals, in capitals."""
        unit = self.now.upper
        if unit not in _UNITS:
            self.mismatch("'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'")
        self.at += 1
        return unit

    def type(self) -> Type:
        """A type, as in CAST."""
        start = self.now.start
        try:
            t = self._simple_type()
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
            t = array(t)
        return t

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
                # As other names in types, one without quotes is in small letters: it is a key of JSON.
                name = self.name() if self.now.kind == "quoted" else self.name().lower()
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
