"""What the parts of the parser ask of each other: an expression may hold a query, which holds expressions."""

from __future__ import annotations

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.type_forms import TypeParser


class Grammar(TypeParser):
    """Each of these is given by a part of the parser that stands further up."""

    def expression(self) -> tree.Expr:
        """Any expression."""
        raise NotImplementedError

    def expressions(self, close: str) -> tuple[tree.Expr, ...]:
        """Expressions between commas up to a closing bracket."""
        raise NotImplementedError

    def value(self, least: int = 1) -> tree.Expr:
        """A value: operands between operators that bind as `least` or tighter."""
        raise NotImplementedError

    def query(self) -> tree.QueryNode:
        """A query."""
        raise NotImplementedError

    def sort_items(self) -> tuple[tree.SortItem, ...]:
        """Keys of an ORDER BY."""
        raise NotImplementedError

    def call_tail(self, call: tree.Call) -> tree.Expr:
        """FILTER, IGNORE NULLS and OVER after the parenthesis."""
        raise NotImplementedError

    def qualified(self) -> list[str]:
        """Names between dots."""
        raise NotImplementedError

    def table(self) -> tree.TableNode:
        """A table by its name."""
        raise NotImplementedError

    def alias(self, relation: tree.RelationNode) -> tree.RelationNode:
        """A relation with the name that follows it, if one does."""
        raise NotImplementedError
