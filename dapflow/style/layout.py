"""How a statement is laid out: a line for each clause, and for each part of one that does not fit its line."""

from __future__ import annotations

from collections.abc import Iterator

from dapflow.style.documents import BLANK, HARD, LINE, SOFT, SPACE, Document, group, indent, remark, row, written
from dapflow.style.pieces import Piece
from dapflow.style.spacing import is_sign, is_spaced

_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"})
_JOINED = _JOINS | {"ON"}
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_CLAUSES = frozenset({"SELECT", "FROM", "WHERE", "HAVING", "WINDOW", "LIMIT", "OFFSET", "FETCH", "VALUES"}) | _SETS
_LISTS = frozenset({"GROUP", "ORDER", "PARTITION"})
#: What may follow a query that stands in brackets of its own.
_TAILS = frozenset({")", "ORDER", "LIMIT", "OFFSET", "FETCH"}) | _SETS
#: What begins a part of a window, or of a row pattern, without BY.
_PARTS = frozenset({"ROWS", "RANGE", "GROUPS", "MEASURES", "DEFINE", "PATTERN", "AFTER", "SUBSET"})
_ARMS = frozenset({"WHEN", "THEN", "ELSE", "END"})
_OPERATORS = frozenset({"+", "-", "||"})
_CLOSING = frozenset({")", "]"})
_NONE: frozenset[str] = frozenset()


class StatementLayout:
    """Reads the pieces of one statement, whose grammar has been checked."""

    def __init__(self, pieces: list[Piece]) -> None:
        self._pieces = pieces
        self._at = 0
        #: Whether clauses of a query may begin here; in other brackets FROM and its like mean something else.
        self._in_query = True

    def statement(self) -> Document:
        """The document of the whole."""
        parts = [self._query(HARD)]
        while self._now.token.kind != "end":
            parts.append(self._take())
        return row([*parts, *_before(self._now), HARD])

    # --------------------------------------------------------------------------------------- pieces
    @property
    def _now(self) -> Piece:
        return self._pieces[self._at]

    def _ahead(self) -> Piece:
        return self._pieces[min(self._at + 1, len(self._pieces) - 1)]

    def _take(self) -> Document:
        """The piece at hand, with its comments."""
        piece = self._now
        self._at += 1
        after = [remark(comment.text, own_line=False) for comment in piece.after]
        return row([*_before(piece), written(piece.text, kept=piece.kept), *after])

    def _take_words(self, *words: str) -> Document:
        """The keyword at hand, and these as far as they follow it."""
        parts = [self._take()]
        while self._now.is_keyword and self._now.word in words:
            parts += [SPACE, self._take()]
        return row(parts)

    def _comes(self, *words: str) -> bool:
        return self._now.is_keyword and self._now.word in words

    def _ends(self) -> bool:
        return self._now.word in {*_CLOSING, ";"} or self._now.token.kind == "end"

    def _clause_begins(self) -> bool:
        if not self._now.is_keyword:
            return False
        word = self._now.word
        if word in _LISTS and self._ahead().word == "BY":
            return True
        if not self._in_query:
            return word in _PARTS
        if word == "FROM":
            return self._pieces[self._at - 1].word != "DISTINCT"  # IS DISTINCT FROM
        return word in _CLAUSES

    # -------------------------------------------------------------------------------------- queries
    def _query(self, between: Document) -> Document:
        """A query up to where its brackets end, with this between its clauses."""
        outside, self._in_query = self._in_query, True
        parts: list[Document] = []
        while not self._ends():
            if parts:
                parts.append(between)
            if self._comes("WITH"):
                parts += [self._with(), between, BLANK]
            parts += self._clause(between)
        self._in_query = outside
        return row(parts)

    def _clause(self, between: Document) -> Iterator[Document]:
        word = self._now.word if self._now.is_keyword else ""
        if word == "SELECT":
            yield self._list(self._take_words("DISTINCT", "ALL"))
        elif word == "FROM":
            yield from self._from(between)
        elif word in {"WHERE", "HAVING"}:
            yield row([self._take(), SPACE, self._condition()])
        elif word in {"GROUP", "ORDER"}:
            yield self._list(self._take_words("BY", "DISTINCT", "ALL"))
        elif word in {"WINDOW", "VALUES"}:
            yield self._list(self._take())
        elif word in _SETS:
            yield self._take_words("ALL", "DISTINCT")
        else:
            yield row([self._part(), SPACE, self._run()])

    def _with(self) -> Document:
        parts = [self._take_words("RECURSIVE"), SPACE]
        while True:
            parts += [self._run("AS"), SPACE, self._take(), SPACE, self._bracket(HARD)]
            if self._now.word != ",":
                return row(parts)
            parts += [self._take(), HARD, BLANK]

    def _from(self, between: Document) -> Iterator[Document]:
        head = self._take()
        items = [self._relation()]
        while self._now.word == ",":
            items += [row([items.pop(), self._take()]), self._relation()]
        yield _listed(head, items) if len(items) > 1 else row([head, SPACE, *items])
        while self._comes(*_JOINS):
            yield between
            yield row([self._take_words(*_JOINS, "OUTER"), SPACE, self._relation()])

    def _relation(self) -> Document:
        relation = self._run(*_JOINED)
        conditions: list[Document] = []
        while self._comes("ON"):
            conditions += [LINE, self._take(), SPACE, *self._terms(*_JOINED)]
        return group(relation, indent(*conditions))

    def _list(self, head: Document) -> Document:
        """What stands between commas behind a word."""
        items = [self._condition()]
        while self._now.word == ",":
            comma = self._take()
            items += [row([items.pop(), comma]), self._condition()]
        return _listed(head, items)

    # ---------------------------------------------------------------------------------- expressions
    def _condition(self, *stops: str) -> Document:
        """Terms between AND and OR: up to a comma, the end of the brackets, a clause or one of these words."""
        first, *others = self._terms(*stops)
        return group(first, indent(*others)) if others else first

    def _terms(self, *stops: str) -> list[Document]:
        terms = [self._run(*stops)]
        while self._comes("AND", "OR"):
            terms += [LINE, self._take(), SPACE, self._run(*stops)]
        return terms

    def _run(self, *stops: str) -> Document:
        """Pieces of one line, which may end before an operator."""
        parts: list[Document] = []
        rows: list[Document] = []
        start, betweens = self._at, 0
        while not (self._ends() or self._now.word == "," or self._comes(*stops) or self._clause_begins()):
            if self._comes("AND", "OR"):
                if not betweens:
                    break
                betweens -= 1
            betweens += self._comes("BETWEEN")
            if self._at > start and self._is_spaced():
                if self._is_operator():
                    rows += [row(parts), LINE]
                    parts = []
                else:
                    parts.append(SPACE)
            parts.append(self._part())
        return group(rows[0], indent(*rows[1:], *parts)) if rows else row(parts)

    def _is_spaced(self) -> bool:
        return is_spaced(self._before_last(), self._pieces[self._at - 1], self._now)

    def _is_operator(self) -> bool:
        return self._now.word in _OPERATORS and not is_sign(self._pieces[self._at - 1], self._now)

    def _before_last(self) -> Piece | None:
        return self._pieces[self._at - 2] if self._at > 1 else None

    def _part(self) -> Document:
        if self._now.word in {"(", "["}:
            return self._bracket(LINE)
        return self._case() if self._comes("CASE") else self._take()

    def _case(self) -> Document:
        head = [self._take()]
        if not self._comes("WHEN"):
            head += [SPACE, self._condition(*_ARMS)]
        arms: list[Document] = []
        while self._comes("WHEN", "ELSE"):
            arm = [self._take(), SPACE, self._condition(*_ARMS)]
            if self._comes("THEN"):
                arm.append(indent(LINE, self._take(), SPACE, self._condition(*_ARMS)))
            arms += [LINE, group(*arm)]
        return group(*head, indent(*arms), LINE, self._take())

    def _bracket(self, between: Document) -> Document:
        opening = self._take()
        if self._now.word in _CLOSING and not self._now.before:
            return row([opening, self._take()])
        inner = self._query(between) if self._query_begins(self._at) else self._bracketed()
        comments = [part for comment in self._now.before for part in (SOFT, remark(comment.text, own_line=True))]
        self._now.before = []
        edge = HARD if between.hard else SOFT
        return group(opening, indent(edge, inner, *comments), edge, self._take())

    def _query_begins(self, at: int) -> bool:
        piece = self._pieces[at]
        if piece.word == "(":
            return self._query_begins(at + 1) and self._pieces[self._behind(at)].word in _TAILS
        if piece.word == "TABLE" and self._pieces[at + 1].word == "(":
            return False
        return piece.is_keyword and piece.word in _QUERIES

    def _behind(self, at: int) -> int:
        """Where the brackets end that begin at a piece."""
        depth = 0
        while True:
            word = self._pieces[at].word
            depth += (word in {"(", "["}) - (word in _CLOSING)
            at += 1
            if not depth:
                return at

    def _bracketed(self) -> Document:
        """Items between commas; the parts of a window each on a line of its own where they do not fit one."""
        outside, self._in_query = self._in_query, False
        parts: list[Document] = []
        while not self._ends():
            if parts:
                parts.append(LINE)
            if self._clause_begins():
                parts.append(self._list(self._take_words("BY")))
            else:
                parts.append(self._condition())
                if self._now.word == ",":
                    parts.append(self._take())
        self._in_query = outside
        return row(parts)


def _before(piece: Piece) -> list[Document]:
    parts: list[Document] = []
    for comment in piece.before:
        parts += [*([BLANK] if comment.blank else []), remark(comment.text, own_line=True)]
    return [*parts, BLANK] if piece.blank else parts


def _listed(head: Document, items: list[Document]) -> Document:
    return group(head, indent(*[part for item in items for part in (LINE, item)]))
