"""The grammar of types, as CAST takes them."""

from __future__ import annotations

from dapflow.sql.lexer import INTEGER, STRING
from dapflow.sql.reader import Reader, Unexpected

_INTERVAL_FIELDS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK"})
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


class TypeGrammar(Reader):
    """A reader of types and intervals."""

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
            self.interval_field()
            self.take("TO")
            self.interval_field()
        elif kind == "DOUBLE" and self.kinds[self.at] == "PRECISION":
            self.at += 1
        elif self.kinds[self.at] == "(":
            self.at += 1
            self._type_parameter()
            while self.skip(","):
                self._type_parameter()
            self.take(")")
        elif kind in {"ARRAY", "MAP"} and self.kinds[self.at] == "<":
            self.at += 1
            self.type()
            if kind == "MAP":
                self.take(",")
                self.type()
            self.take(">")
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

    def interval(self) -> None:
        """``INTERVAL '1' DAY``."""
        self.at += 1
        if self.kinds[self.at] in {"+", "-"}:
            self.at += 1
        self.take(STRING)
        self.interval_field()
        if self.kinds[self.at] == "TO":
            self.at += 1
            self.interval_field()

    def interval_field(self) -> None:
        """``YEAR``, ``MONTH`` …"""
        if self.kinds[self.at] not in _INTERVAL_FIELDS:
            raise Unexpected(self.at, "YEAR, MONTH, DAY, HOUR, MINUTE or SECOND")
        self.at += 1
