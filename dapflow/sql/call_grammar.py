"""The grammar of calls: functions, casts, windows, and functions with words of their own between the arguments."""

from __future__ import annotations

from dapflow.sql.lexer import END, QUOTED, word_set
from dapflow.sql.reader import Unexpected
from dapflow.sql.type_grammar import TypeGrammar

# What may stand between and after the arguments of JSON functions; it names no table and no column.
_JSON_WORDS = word_set(
    """
    FORMAT JSON ENCODING UTF8 UTF16 UTF32 RETURNING NULL ERROR EMPTY ARRAY OBJECT ON TRUE FALSE UNKNOWN WITH
    WITHOUT CONDITIONAL UNCONDITIONAL WRAPPER KEEP OMIT QUOTES SCALAR STRING ABSENT UNIQUE KEYS
    """
)
_SORT = frozenset({"ASC", "DESC"})
_FRAME_UNITS = frozenset({"RANGE", "ROWS", "GROUPS"})
_PATTERN_PARTS = frozenset({"MEASURES", "AFTER", "INITIAL", "SEEK", "PATTERN", "SUBSET", "DEFINE"})


class CallGrammar(TypeGrammar):
    """A reader of calls."""

    def call(self, kind: str) -> None:
        """``name(…)``, the name being one word of this kind."""
        start = self.at
        if kind in {"CAST", "TRY_CAST"}:
            self.at += 2
            self.expression()
            self.take("AS")
            start = self.at
            self.type()
            self.types.append((self.starts[start], self.ends[self.at - 1]))
            self.take(")")
        elif kind == "SUBSTRING":
            self.at += 2
            self.value()
            if self.skip("FROM"):
                self.value()
                if self.skip("FOR"):
                    self.value()
            while self.skip(","):
                self.expression()
            self.take(")")
        elif kind == "POSITION":
            self.at += 2
            self.value()
            self.take("IN")
            self.value()
            self.take(")")
        else:
            if kind not in {QUOTED, "ROW"}:
                self.functions.append((self.starts[start], self.ends[start]))
            self.at += 1
            self.arguments()

    def arguments(self) -> None:
        """``(…)`` of a function and what may follow it: FILTER, OVER, WITHIN GROUP."""
        kinds = self.kinds
        close = self.closes[self.at]
        self.at += 1
        if kinds[self.at] == "*" and self.at + 1 == close:
            self.at += 1
        elif self.at != close and not self._labelled_star(close):
            quantifier = self.at if kinds[self.at] in {"DISTINCT", "ALL"} else None
            if quantifier is not None:
                self.at += 1
            self._argument()
            several = False
            while self.skip(","):
                several = True
                self._argument()
            if quantifier is not None and several:
                self.blank(quantifier, quantifier + 1)
            if kinds[self.at] == "ORDER":
                self.order_by()
        self.take(")")
        self.after_call()

    def _argument(self) -> None:
        """An argument, perhaps named: ``f(name => value)``; a ROW's fields may have names."""
        if self.kinds[self.at + 1] == "=>":
            self.name("the name of an argument")
            self.at += 1
        self.expression()
        if self.kinds[self.at] == "AS" and self.is_name(self.at + 1):
            self.at += 2

    def _labelled_star(self, close: int) -> bool:
        if self.is_name(self.at) and self.kinds[self.at + 1] == "." and self.kinds[self.at + 2] == "*":
            self.at = close
            return True
        return False

    def after_call(self) -> None:
        """What may follow the arguments of an aggregate or a window function."""
        if self.kinds[self.at] == "WITHIN" and self.kinds[self.at + 1] == "GROUP":
            self.at += 2
            self.take("(")
            self.order_by()
            self.take(")")
        if self.kinds[self.at] == "FILTER" and self.kinds[self.at + 1] == "(":
            self.at += 2
            self.take("WHERE")
            self.expression()
            self.take(")")
        if self.kinds[self.at] in {"IGNORE", "RESPECT"} and self.kinds[self.at + 1] == "NULLS":
            self.at += 2
            if self.kinds[self.at] != "OVER":
                raise Unexpected(self.at, "OVER")
        if self.kinds[self.at] == "OVER":
            self.over()

    def over(self) -> None:
        """``OVER w`` or ``OVER (…)``."""
        self.at += 1
        if self.kinds[self.at] == "(":
            self.window()
        else:
            self.name("( or the name of a window")

    def window(self) -> None:
        """``(PARTITION BY … ORDER BY … ROWS …)``."""
        close = self.closes[self.at]
        self.at += 1
        if self.is_name(self.at) and not (
            self.kinds[self.at] in _FRAME_UNITS | _PATTERN_PARTS
            or (self.kinds[self.at] == "PARTITION" and self.kinds[self.at + 1] == "BY")
        ):
            self.at += 1
        if self.skip("PARTITION"):
            self.take("BY")
            self.expressions()
        if self.kinds[self.at] == "ORDER":
            self.order_by()
        if any(self.kinds[index] in {"PATTERN", "MEASURES"} for index in range(self.at, close)):
            self.blank(self.at, close)
            self.at = close
        elif self.kinds[self.at] in _FRAME_UNITS:
            self.at += 1
            if self.skip("BETWEEN"):
                self._frame_bound()
                self.take("AND")
            self._frame_bound()
        self.take(")")

    def _frame_bound(self) -> None:
        if self.kinds[self.at] == "CURRENT" and self.kinds[self.at + 1] == "ROW":
            self.at += 2
            return
        if self.kinds[self.at] == "UNBOUNDED":
            self.at += 1
        else:
            self.value()
        if self.kinds[self.at] not in {"PRECEDING", "FOLLOWING"}:
            raise Unexpected(self.at, "PRECEDING or FOLLOWING")
        self.at += 1

    def order_by(self) -> None:
        """``ORDER BY a DESC NULLS LAST, b``."""
        self.take("ORDER")
        self.take("BY")
        while True:
            self.expression()
            if self.kinds[self.at] in _SORT:
                self.at += 1
            if self.kinds[self.at] == "NULLS":
                self.at += 1
                if self.kinds[self.at] not in {"FIRST", "LAST"}:
                    raise Unexpected(self.at, "FIRST or LAST")
                self.at += 1
            if not self.skip(","):
                return

    def trim(self) -> None:
        """``TRIM(BOTH 'x' FROM a)``."""
        self.at += 1
        self.take("(")
        if self.kinds[self.at] in {"LEADING", "TRAILING", "BOTH"}:
            self.at += 1
        if not self.skip("FROM"):
            self.value()
            if self.skip("FROM") or self.skip(","):
                self.value()
        else:
            self.value()
        self.take(")")

    def listagg(self) -> None:
        """``LISTAGG(a, ',') WITHIN GROUP (ORDER BY b)``."""
        self.functions.append((self.starts[self.at], self.ends[self.at]))
        self.at += 2
        if self.kinds[self.at] in {"DISTINCT", "ALL"}:
            self.at += 1
        self.expression()
        if self.skip(","):
            self.value()
        if self.kinds[self.at] == "ON" and self.kinds[self.at + 1] == "OVERFLOW":
            start = self.at
            while self.kinds[self.at] not in {")", END}:
                self.at += 1
            self.blank(start, self.at)
        self.take(")")
        self.after_call()

    def json(self, kind: str) -> None:
        """SQL/JSON functions: sqlglot takes their arguments, and only in part the clauses between and behind them."""
        close = self.closes[self.at + 1]
        if kind not in {"JSON_OBJECT", "JSON_TABLE"}:
            self.painted_functions.append((self.starts[self.at], self.ends[self.at]))
        self.at += 2
        if kind in {"JSON_OBJECT", "JSON_TABLE"}:
            returning = next((at for at in range(self.at, close) if self.kinds[at] == "RETURNING"), close)
            if kind == "JSON_OBJECT":
                self.blank(returning, close)
            self.at = close
        fresh = True  # at the begin of an argument, where NULL and TRUE are values
        while self.at < close:
            word, start = self.kinds[self.at], self.at
            self.at = self.closes.get(self.at, self.at) + 1
            if word in {"PASSING", "DEFAULT"} and not fresh:
                self.commas.append(self.starts[start])
                self.blank(start, self.at)
                fresh = True
            elif word == "AS" and not fresh:
                self.name()
                self.blank(start, self.at)
            elif word == "RETURNING" and not fresh:
                self.type()
                self.blank(start, self.at)
            elif word in _JSON_WORDS and not fresh:
                self.blank(start, self.at)
            else:
                fresh = word == ","
        self.take(")")
