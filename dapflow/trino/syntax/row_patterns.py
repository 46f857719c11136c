"""Parsing of row pattern recognition: MATCH_RECOGNIZE, and patterns in windows.

It is read by its grammar and kept as its text, since only Athena runs it.
"""

from __future__ import annotations

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.forms import FormParser

_PATTERN_ENDS = frozenset({")", ",", "-}"})


class RowPatternParser(FormParser):
    """MATCH_RECOGNIZE behind a relation, and the parts of a window that have to do with patterns."""

    def matched(self, relation: tree.RelationNode, first: int) -> tree.RelationNode:
        """MATCH_RECOGNIZE (…) of a relation, whose first token is given too."""
        start = self.now.start
        self.refuse("MATCH_RECOGNIZE", start)
        self.need("MATCH_RECOGNIZE", "(")
        if self.take("PARTITION", "BY"):
            self.expression()
            while self.take(","):
                self.expression()
        if self.take("ORDER", "BY"):
            self.sort_items()
        self.measures()
        self._rows_per_match()
        self.pattern(required=True)
        self.need(")")
        return tree.OpaqueNode(start, (relation,), written=self.written(first))

    def measures(self) -> None:
        """MEASURES, if they come next."""
        if self.take("MEASURES"):
            self._pattern_expression()
            self.need("AS")
            self.name()
            while self.take(","):
                self._pattern_expression()
                self.need("AS")
                self.name()

    def _rows_per_match(self) -> None:
        if self.take("ONE"):
            self.need("ROW", "PER", "MATCH")
        elif self.take("ALL"):
            self.need("ROWS", "PER", "MATCH")
            if self.take("SHOW") or self.take("OMIT"):
                self.need("EMPTY", "MATCHES")
            elif self.take("WITH"):
                self.need("UNMATCHED", "ROWS")

    def pattern(self, *, required: bool = False) -> None:
        """From AFTER MATCH to DEFINE; in a window each part may be left out."""
        if self.take("AFTER"):
            self.need("MATCH", "SKIP")
            self._skip_to()
        if not self.take("INITIAL"):
            self.take("SEEK")
        if required or self.peek("PATTERN"):
            self.need("PATTERN", "(")
            self._alternatives()
            self.need(")")
        if self.take("SUBSET"):
            self._subset()
            while self.take(","):
                self._subset()
        if required or self.peek("DEFINE"):
            self.need("DEFINE")
            self._definition()
            while self.take(","):
                self._definition()

    def _skip_to(self) -> None:
        if self.take("PAST"):
            self.need("LAST", "ROW")
            return
        self.need("TO")
        if not self.take("NEXT", "ROW"):
            if self.now.upper in {"FIRST", "LAST"} and self.is_name(self.ahead()):
                self.at += 1
            self.name()

    def _subset(self) -> None:
        self.name()
        self.need("=")
        self.names()

    def _definition(self) -> None:
        self.name()
        self.need("AS")
        self._pattern_expression()

    def _pattern_expression(self) -> None:
        before, self.matching = self.matching, True
        try:
            self.expression()
        finally:
            self.matching = before

    def _alternatives(self) -> None:
        while True:
            self._pattern_part()
            self._quantifier()
            if not self.take("|") and self.now.upper in _PATTERN_ENDS:
                return

    def _pattern_part(self) -> None:
        if self.take("^") or self.take("$") or self.take("(", ")"):
            return
        if self.take("("):
            self._alternatives()
            self.need(")")
        elif self.take("{-"):
            self._alternatives()
            self.need("-}")
        elif self.take("PERMUTE", "("):
            self._alternatives()
            while self.take(","):
                self._alternatives()
            self.need(")")
        else:
            self.name()

    def _quantifier(self) -> None:
        if self.take("{"):
            exact = self._count_given()
            if not (exact and self.peek("}")):
                self.need(",")
                self._count_given()
            self.need("}")
        elif not (self.take("*") or self.take("+") or self.take("?")):
            return
        self.take("?")

    def _count_given(self) -> bool:
        given = self.now.kind == "integer"
        self.at += given
        return given
