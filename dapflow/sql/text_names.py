"""What the names of WITH queries and aliases stand for in a text: where each is given, and where it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import Token, identifier_value, tokens


class Span(NamedTuple):
    """From a character to before another one."""

    start: int
    end: int


@dataclass(eq=False)
class GivenName:
    """A name that a text gives to a query or a relation; of a table without an alias, the last part of its own name."""

    kind: Literal["query", "alias", "table"]
    name: str
    place: Span
    uses: list[Span] = field(default_factory=list)

    def stands_at(self, offset: int) -> bool:
        """Whether it is this name that stands at a place."""
        return any(span.start <= offset <= span.end for span in (self.place, *self.uses))


#: What a name means at a place. A table is known by its name with and without its database.
Names = dict[str, GivenName]


def given_names(text: str, query: tree.QueryNode) -> list[GivenName]:
    """The names that a text gives, in the order of their places."""
    reader = _NameReader(tokens(text))
    reader.query(query, {}, {})
    return sorted(reader.given, key=lambda name: name.place)


def table_uses(text: str, query: tree.QueryNode) -> dict[int, GivenName]:
    """The tables that a text names, by where the name begins, and where columns are said to be theirs."""
    reader = _NameReader(tokens(text))
    reader.query(query, {}, {})
    return reader.tables


class _NameReader:
    def __init__(self, read_tokens: list[Token]) -> None:
        self.given: list[GivenName] = []
        self.tables: dict[int, GivenName] = {}
        self._tokens = read_tokens
        self._number = {token.start: number for number, token in enumerate(read_tokens)}

    def query(self, node: tree.QueryNode, queries: Names, around: Names) -> None:
        """A query. ``queries`` are those of WITH that it may name, ``around`` the relations of the queries around."""
        queries = dict(queries)
        for cte in node.ctes:
            given = self._give("query", cte.name, cte.pos)
            self.query(cte.query, {**queries, cte.name: given} if node.recursive else queries, around)
            queries[cte.name] = given
        names = self._body(node.body, queries, around)
        self._expressions((node.order, node.offset, node.limit), queries, names)

    def _body(self, node: tree.BodyNode, queries: Names, around: Names) -> Names:
        if isinstance(node, tree.Select):
            names = dict(around)
            if node.source is not None:
                self._relation(node.source, queries, names)
            self._expressions((node.items, node.where, node.groups, node.having, node.windows), queries, names)
            return names
        if isinstance(node, tree.SetOperation):
            self._body(node.left, queries, around)
            self._body(node.right, queries, around)
        elif isinstance(node, tree.Nested):
            self.query(node.query, queries, around)
        elif isinstance(node, tree.TableBody):
            self._relation(node.table, queries, {})
        else:
            self._expressions(tree.children(node), queries, around)
        return around

    def _relation(self, node: tree.RelationNode, queries: Names, names: Names) -> None:
        """What stands in FROM; its name is added to ``names``, which has those to the left of it."""
        if isinstance(node, tree.TableNode):
            given = queries.get(node.parts[0]) if len(node.parts) == 1 else None
            if given is not None:
                given.uses.append(self._span(node.pos))
                names[node.parts[-1]] = given
                return
            for first in range(len(node.parts)):
                names[".".join(node.parts[first:])] = self._table(node)
        elif isinstance(node, tree.AliasNode):
            self._relation(node.relation, queries, dict(names))
            names[node.name] = self._give("alias", node.name, node.pos)
        elif isinstance(node, tree.SubqueryNode):
            self.query(node.query, queries, names if node.lateral else {})
        elif isinstance(node, tree.JoinNode):
            self._relation(node.left, queries, names)
            self._relation(node.right, queries, names)
            self._expressions((node.on,), queries, names)
        elif isinstance(node, tree.OpaqueNode):
            for relation in node.relations:
                self._relation(relation, queries, names)
        elif isinstance(node, tree.SampleNode):
            self._relation(node.relation, queries, names)
        else:
            self._expressions(tree.children(node), queries, names)

    def _expressions(self, parts: tuple[Any, ...], queries: Names, names: Names) -> None:
        for part in parts:
            if isinstance(part, tuple):
                self._expressions(part, queries, names)
            elif isinstance(part, tree.QueryNode):
                self.query(part, queries, names)
            elif isinstance(part, tree.Lambda):
                outside = {name: given for name, given in names.items() if name not in part.names}
                self._expressions((part.body,), queries, outside)
            elif isinstance(part, tree.Node):
                self._use(part.base if isinstance(part, tree.Deref | tree.AllColumns) else None, names)
                self._expressions(tree.children(part), queries, names)

    def _use(self, base: tree.Expr | None, names: Names) -> None:
        parts: list[str] = []
        at = base
        while isinstance(at, tree.Deref):
            parts.append(at.name)
            at = at.base
        if not isinstance(at, tree.Ident):
            return
        given = names.get(".".join((at.name, *reversed(parts))))
        if given is not None and (given.kind == "table" or not parts):
            given.uses.append(self._span(base.at if isinstance(base, tree.Deref) else at.pos))

    def _table(self, node: tree.TableNode) -> GivenName:
        if node.pos not in self.tables:
            last = self._number[node.pos] + 2 * (len(node.parts) - 1)
            token = self._tokens[last]
            self.tables[node.pos] = GivenName("table", node.parts[-1], Span(token.start, token.end))
        return self.tables[node.pos]

    def _give(self, kind: Literal["query", "alias"], name: str, start: int) -> GivenName:
        given = GivenName(kind, name, self._span(start))
        self.given.append(given)
        return given

    def _span(self, start: int) -> Span:
        """The name that stands at a place, or behind AS there."""
        number = self._number[start]
        if self._tokens[number].upper == "AS":
            number += 1
        return Span(self._tokens[number].start, self._tokens[number].end)


def named_token(read_tokens: list[Token], offset: int) -> Token | None:
    """The name that stands at a place."""
    for token in read_tokens:
        if token.start <= offset <= token.end and token.kind in {"word", "quoted"}:
            return token
    return None


def name_of(token: Token) -> str:
    """The name that a token stands for, in small letters, as Athena's names are."""
    return identifier_value(token).lower()
