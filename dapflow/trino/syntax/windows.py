"""Parsing of windows, and of what stands behind the parentheses of a call."""

from __future__ import annotations

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.row_patterns import RowPatternParser

_FRAMES = frozenset({"RANGE", "ROWS", "GROUPS"})


class WindowParser(RowPatternParser):
    """Windows."""

    def call_tail(self, call: tree.Call) -> tree.Expr:
        """FILTER, IGNORE NULLS and OVER after the parenthesis."""
        if self.take("FILTER", "(", "WHERE"):
            call.filter = self.expression()
            self.need(")")
        if not call.star and (self.peek("IGNORE", "NULLS") or self.peek("RESPECT", "NULLS")):
            call.nulls = self.now.upper
            self.at += 2
            if self.now.upper != "OVER":
                self.mismatch("'OVER'")
        if self.now.upper == "OVER" and (self.ahead().upper == "(" or self.is_name(self.ahead())):
            self.at += 1
            call.over = self.window() if self.now.upper == "(" else tree.Window(self.now.start, self.name().lower())
        return call

    def sort_items(self) -> tuple[tree.SortItem, ...]:
        """Keys of an ORDER BY."""
        items = []
        while True:
            start = self.now.start
            value = self.expression()
            descending = self.take("DESC")
            if not descending:
                self.take("ASC")
            nulls = None
            if self.take("NULLS"):
                nulls = self.take("FIRST")
                if not nulls:
                    self.need("LAST")
            items.append(tree.SortItem(start, value, descending, nulls))
            if not self.take(","):
                return tuple(items)

    def window(self) -> tree.Window:
        """A window in parentheses."""
        window = tree.Window(self.now.start)
        self.need("(")
        if self.is_name() and not self._window_begins():
            window.existing = self.name().lower()
        if self.take("PARTITION", "BY"):
            items = [self.expression()]
            while self.take(","):
                items.append(self.expression())
            window.partition = tuple(items)
        if self.take("ORDER", "BY"):
            window.order = self.sort_items()
        first, start = self.at, self.now.start
        self.measures()
        window.measures = self.written(first)
        if window.measures or self.now.upper in _FRAMES:
            if self.now.upper not in _FRAMES:
                self.mismatch("'GROUPS', 'RANGE', 'ROWS'")
            window.unit = self.now.upper
            self.at += 1
            if self.take("BETWEEN"):
                window.low = self._bound()
                self.need("AND")
                window.high = self._bound()
            else:
                window.low = self._bound()
            first = self.at
            self.pattern()
            window.pattern = self.written(first)
            if window.measures or window.pattern:
                self.refuse("Pattern recognition in a window", start)
        self.need(")")
        return window

    def _window_begins(self) -> bool:
        """Whether a word is the first of a part of a window, and not the name of another one."""
        if self.now.upper in _FRAMES:
            return not (self.ahead().upper in {")", "ORDER", *_FRAMES} or self.ahead(2).upper == "BY")
        return self.now.upper == "MEASURES" or self.peek("PARTITION", "BY")

    def _bound(self) -> tree.FrameBound:
        start = self.now.start
        for words in (("UNBOUNDED", "PRECEDING"), ("UNBOUNDED", "FOLLOWING"), ("CURRENT", "ROW")):
            if self.take(*words):
                return tree.FrameBound(start, " ".join(words).lower())
        value = self.expression()
        if self.take("PRECEDING"):
            return tree.FrameBound(start, "preceding", value)
        self.need("FOLLOWING")
        return tree.FrameBound(start, "following", value)
