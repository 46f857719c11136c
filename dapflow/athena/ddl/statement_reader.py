"""The reader that the statements of the Hive side are written with."""

from __future__ import annotations

from dapflow.athena.catalog.hive_types import from_hive, to_hive
from dapflow.athena.ddl.hive_lexer import HiveToken, failure, tokens
from dapflow.athena.ddl.model import HiveColumn, Spec
from dapflow.athena.engine.errors import QueryFailed
from dapflow.trino.duckdb import QueryError

# The words that Athena's guide reserves in DDL, but TIME, which its own examples use as a plain name.
_WORDS = """
ALL ALTER AND ARRAY AS AUTHORIZATION BETWEEN BIGINT BINARY BOOLEAN BOTH BY CASE CAST CHAR COLUMN COMMIT CONF
CONSTRAINT CREATE CROSS CUBE CURRENT CURRENT_DATE CURRENT_TIMESTAMP CURSOR DATABASE DATE DAYOFWEEK DECIMAL DELETE
DESCRIBE DISTINCT DIV DOUBLE DROP ELSE END EXCHANGE EXISTS EXTENDED EXTERNAL EXTRACT FALSE FETCH FLOAT FLOOR
FOLLOWING FOR FOREIGN FROM FULL FUNCTION GRANT GROUP GROUPING HAVING IF IMPORT IN INNER INSERT INT INTEGER
INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LESS LIKE LOCAL MACRO MAP MORE NONE NOT NULL NUMERIC OF ON ONLY OR
ORDER OUT OUTER OVER PARTIALSCAN PARTITION PERCENT PRECEDING PRECISION PRESERVE PRIMARY PROCEDURE RANGE READS
REDUCE REFERENCES REGEXP REVOKE RIGHT RLIKE ROLLBACK ROLLUP ROW ROWS SELECT SET SMALLINT START TABLE TABLESAMPLE
THEN TIMESTAMP TO TRANSFORM TRIGGER TRUE TRUNCATE UNBOUNDED UNION UNIQUEJOIN UPDATE USER USING UTC_TIMESTAMP
VALUES VARCHAR VIEWS WHEN WHERE WINDOW WITH
"""
_RESERVED = frozenset(_WORDS.split())


class StatementReader:
    """A position in the tokens of a statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        while len(self.tokens) > 1 and self.tokens[-2].upper == ";":
            del self.tokens[-2]
        self.at = 0

    @property
    def now(self) -> HiveToken:
        """The token that is next."""
        return self.tokens[self.at]

    def ahead(self, count: int) -> HiveToken:
        """The token that comes after ``count`` others, or the end."""
        return self.tokens[min(self.at + count, len(self.tokens) - 1)]

    def take(self, *words: str) -> bool:
        """Go past the words if they are next."""
        upper = [token.upper for token in self.tokens[self.at : self.at + len(words)]]
        if upper == list(words):
            self.at += len(words)
            return True
        return False

    def need(self, *words: str) -> None:
        """Go past the words; they must be next."""
        for word in words:
            if not self.take(word):
                raise self.mismatch(f"'{word}'")

    def mismatch(self, expected: str) -> QueryError:
        """The error that something else is next."""
        return failure(self.text, self.now.start, f"mismatched input '{self.now.text}'. Expecting: {expected}")

    def skip(self) -> None:
        """Go past the rest."""
        self.at = len(self.tokens) - 1

    def finish(self) -> None:
        """Nothing may follow."""
        if self.now.kind != "end":
            raise self.mismatch("<EOF>")

    def name(self) -> str:
        """A name, in backticks or plain. A reserved word needs the backticks."""
        if self.now.kind not in {"word", "name", "number"} or self.now.upper in _RESERVED:
            raise self.mismatch("<identifier>")
        self.at += 1
        return self.tokens[self.at - 1].value.lower()

    def qualified(self) -> tuple[str, ...]:
        """A name with what it is in. ```db.table``` in one pair of backticks is accepted, as in Athena."""
        parts = self.name().split(".")
        while self.take("."):
            parts.append(self.name())
        return tuple(parts)

    def string(self) -> str:
        """A string."""
        if self.now.kind != "string":
            raise self.mismatch("<string>")
        self.at += 1
        return self.tokens[self.at - 1].value

    def integer(self) -> int:
        """A number without a fraction."""
        if self.now.kind != "number" or not self.now.text.isdigit():
            raise self.mismatch("<integer>")
        self.at += 1
        return int(self.tokens[self.at - 1].text)

    def properties(self) -> dict[str, str]:
        """``('key'='value', …)``."""
        self.need("(")
        properties: dict[str, str] = {}
        while True:
            key = self.string()
            self.need("=")
            properties[key] = self.string()
            if self.take(")"):
                return properties
            self.need(",")

    def partition(self) -> Spec:
        """``PARTITION (column = value, …)``."""
        self.need("PARTITION", "(")
        spec: Spec = {}
        while True:
            key = self.name()
            self.need("=")
            spec[key] = self._constant()
            if self.take(")"):
                return spec
            self.need(",")

    def _constant(self) -> str:
        if self.now.upper in {"DATE", "TIMESTAMP"} and self.tokens[self.at + 1].kind == "string":
            self.at += 1
        if self.now.kind not in {"string", "number"} and self.now.upper not in {"TRUE", "FALSE"}:
            raise self.mismatch("<constant>")
        self.at += 1
        return self.tokens[self.at - 1].value

    def columns(self) -> tuple[HiveColumn, ...]:
        """``(name type [COMMENT '…'], …)``."""
        self.need("(")
        columns: list[HiveColumn] = []
        while True:
            columns.append(self.column())
            if self.take(")"):
                return tuple(columns)
            self.need(",")

    def column(self) -> HiveColumn:
        """``name type [COMMENT '…']``."""
        name = self.name()
        self.take(":")
        kind = self._type()
        return HiveColumn(name, kind, self.string() if self.take("COMMENT") else None)

    def _type(self) -> str:
        start, depth = self.at, 0
        while self.now.kind in {"word", "number", "name"} or self.now.upper in set("<>(),:"):
            sign = self.now.upper
            if sign == "COMMENT" or (depth == 0 and sign in {",", ")"}):
                break
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(sign, 0)
            self.at += 1
        words = self.tokens[start : self.at]
        if not words:
            raise self.mismatch("<type>")
        text = "".join(token.value for token in words)
        try:
            hive = to_hive(from_hive(text.lower()))
        except QueryFailed:
            hive = None
        if hive is None:
            raise failure(self.text, words[0].start, f"mismatched input '{words[0].text}'. Expecting: <type>")
        return hive
