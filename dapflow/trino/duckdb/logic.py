"""AND and OR: as in Trino, no term is evaluated where one before it decides.

DuckDB keeps to that where it chooses rows, by WHERE and its like or by the WHEN of a CASE, and not where it computes a
value: there, a term that may fail stands in a CASE behind those before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis import typed
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import Sql, joined, sql
from dapflow.trino.duckdb.trying import cannot_fail
from dapflow.trino.duckdb.values import Value, let
from dapflow.trino.types import BOOLEAN

#: What is longer is computed once, though that takes a lambda; a chain of chains would grow without end.
_LONG = 2_000


def logical(node: typed.Logical, lowering: Lowering) -> Value:
    """The value of a chain of one operator."""
    return Value(_chain(node.op, node.terms, lowering), BOOLEAN)


def choosing(node: typed.Expr, lowering: Lowering) -> Sql:
    """A condition by which rows are chosen."""
    if isinstance(node, typed.Logical):
        return joined(f" {node.op} ", [sql("($term)", term=choosing(term, lowering)) for term in node.terms])
    return lowering.sql(node)


def _chain(op: str, terms: Sequence[typed.Expr], lowering: Lowering) -> Sql:
    risky = next((i for i, term in enumerate(terms) if i and not cannot_fail(term)), len(terms))
    before = sql("($terms)", terms=joined(f" {op} ", [lowering.sql(term) for term in terms[:risky]]))
    if risky == len(terms):
        return before
    rest = _chain(op, terms[risky:], lowering)
    template = (
        "CASE WHEN ($before) IS FALSE THEN FALSE ELSE ($before AND $rest) END"
        if op == "AND"
        else "CASE WHEN ($before) IS TRUE THEN TRUE ELSE ($before OR $rest) END"
    )
    return let(before, lambda known: sql(template, before=known, rest=rest), limit=_LONG)
