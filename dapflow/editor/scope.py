"""Which relations and columns an expression may name at a place of a text that is not finished.

The relations of the FROM around the place are cut out of the text, each is asked for its columns by a query of its own,
and a mistake elsewhere hides none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dapflow.editor.text_tokens import written_tokens
from dapflow.sql.text_names import name_of
from dapflow.trino.analysis import analyse
from dapflow.trino.catalogue import Catalogue, ColumnMetadata
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import Token
from dapflow.trino.syntax.reserved_words import RESERVED
from dapflow.trino.syntax.statements import read_statement

#: What ends the FROM of a SELECT.
_ENDS = frozenset({"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "WINDOW", "UNION", "INTERSECT"})
_ENDS |= frozenset({"EXCEPT", "SELECT"})
_JOINS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "OUTER"})
_OPENING, _CLOSING = frozenset({"(", "["}), frozenset({")", "]"})


@dataclass(frozen=True)
class ScopeRelation:
    """A relation by the name that its columns are known by."""

    name: str
    columns: tuple[ColumnMetadata, ...]


@dataclass(frozen=True)
class TextScope:
    """The relations at a place, and the names of the WITH queries that stand before it."""

    relations: tuple[ScopeRelation, ...]
    queries: tuple[str, ...]


def scope_at(text: str, offset: int, catalogue: Catalogue, database: str) -> TextScope:
    """What may be named at a place."""
    read_tokens = written_tokens(text)
    reader = _ScopeReader(text, read_tokens, catalogue, database)
    return reader.at(sum(token.end < offset or (token.end == offset and not _is_word(token)) for token in read_tokens))


def query_columns(text: str, name: str, catalogue: Catalogue, database: str) -> tuple[ColumnMetadata, ...]:
    """The columns of a WITH query of a text."""
    return _ScopeReader(text, written_tokens(text), catalogue, database).query_columns(name)


class _ScopeReader:
    def __init__(self, text: str, read_tokens: list[Token], catalogue: Catalogue, database: str) -> None:
        self._text = text
        self._tokens = read_tokens
        self._catalogue = catalogue
        self._database = database

    def at(self, number: int) -> TextScope:
        """The scope before a token."""
        queries = [(name, body) for name, body in self._with_queries(number) if _is_query(body)]
        heads = [f"{name} AS ({body})" for name, body in queries]
        relations = [
            ScopeRelation(name, self._columns(heads, written)) for name, written in self._relations(self._level(number))
        ]
        return TextScope(tuple(relations), tuple(name for name, _ in queries))

    def query_columns(self, wanted: str) -> tuple[ColumnMetadata, ...]:
        """The columns of a WITH query."""
        queries = [(name, body) for name, body in self._with_queries(len(self._tokens)) if _is_query(body)]
        return self._columns([f"{name} AS ({body})" for name, body in queries], wanted)

    def _columns(self, heads: list[str], relation: str) -> tuple[ColumnMetadata, ...]:
        head = f"WITH {', '.join(heads)} " if heads else ""
        return analyse(f"{head}SELECT * FROM {relation}", self._catalogue, self._database).columns or ()

    def _with_queries(self, number: int) -> Iterator[tuple[str, str]]:
        """The queries of the WITH that begins the text, as far as they end before a token."""
        at = 1
        if not self._tokens or self._tokens[0].upper != "WITH":
            return
        while at + 2 < number and self._tokens[at + 1].upper == "AS" and self._tokens[at + 2].upper == "(":
            end = self._behind(at + 2)
            if end > number:
                return
            yield self._tokens[at].text, self._text[self._tokens[at + 2].end : self._tokens[end - 1].start]
            if end >= len(self._tokens) or self._tokens[end].upper != ",":
                return
            at = end + 1

    def _behind(self, at: int) -> int:
        """The number of the token behind the brackets that begin at one; past the end where they are open."""
        depth = 0
        while at < len(self._tokens):
            depth += (self._tokens[at].upper in _OPENING) - (self._tokens[at].upper in _CLOSING)
            at += 1
            if not depth:
                return at
        return len(self._tokens) + 1

    def _level(self, number: int) -> range:
        """The tokens of the SELECT around a token: from its word to what ends it."""
        first, depth = number, 0
        while first > 0:
            word = self._tokens[first - 1].upper
            depth += (word in _CLOSING) - (word in _OPENING)
            if word == "SELECT" and depth <= 0:
                break
            first -= 1
        last, depth = first, 0
        while last < len(self._tokens):
            word = self._tokens[last].upper
            depth += (word in _OPENING) - (word in _CLOSING)
            if depth < 0 or (not depth and word in {"UNION", "INTERSECT", "EXCEPT", ";"}):
                break
            last += 1
        return range(first, last)

    def _relations(self, level: range) -> Iterator[tuple[str, str]]:
        """The relations of a SELECT's FROM by their names, as they are written."""
        at = next((number for number in self._outer(level) if self._tokens[number].upper == "FROM"), level.stop)
        while at < level.stop and self._tokens[at].upper not in _ENDS:
            word = self._tokens[at].upper
            at += 1
            if word not in {"FROM", "JOIN", ","} or at >= level.stop:
                continue
            first = at
            if self._tokens[at].upper in {"LATERAL", "UNNEST"}:
                at += 1
            if at < level.stop and self._tokens[at].upper == "(":
                at = self._behind(at)
            else:
                at = self._behind_name(at, level.stop)
            yield from self._named(first, min(at, level.stop), level.stop)

    def _outer(self, level: range) -> Iterator[int]:
        """The tokens of a level that stand in no brackets within it."""
        at = level.start
        while at < level.stop:
            yield at
            at = self._behind(at) if self._tokens[at].upper in _OPENING else at + 1

    def _behind_name(self, at: int, stop: int) -> int:
        while at < stop and _is_word(self._tokens[at]):
            at += 1
            if at >= stop or self._tokens[at].upper != ".":
                break
            at += 1
        return at

    def _named(self, first: int, at: int, stop: int) -> Iterator[tuple[str, str]]:
        """The relation from a token to before another one, with the name that follows."""
        if first == at:
            return
        end = at
        if at < stop and self._tokens[at].upper == "AS":
            at += 1
        name = self._tokens[end - 1]
        if at < stop and _is_word(self._tokens[at]) and self._tokens[at].upper not in RESERVED:
            name, end = self._tokens[at], at + 1
            if end < stop and self._tokens[end].upper == "(":
                end = self._behind(end)
        if _is_word(name) and end <= stop:
            yield name_of(name), self._text[self._tokens[first].start : self._tokens[end - 1].end]


def _is_query(text: str) -> bool:
    try:
        read_statement(text)
    except QueryError:
        return False
    return True


def _is_word(token: Token) -> bool:
    return token.kind in {"word", "quoted"}
