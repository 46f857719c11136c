"""Two queries as one: their columns become those of the whole."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce
from dapflow.trino.analysis.typed import OutputRef
from dapflow.trino.analysis.typed_queries import OutputColumn, QueryBody
from dapflow.trino.syntax import tree


def combined(
    columns: tuple[OutputColumn, ...],
    node: tree.SetOperation,
    left: QueryBody,
    right: QueryBody,
    context: AnalysisContext,
) -> typed_queries.SetOperation:
    """The rows of both sides under these columns."""
    return typed_queries.SetOperation(
        columns=columns,
        place=context.place(node),
        op=node.op,
        all=node.all,
        left=left,
        right=right,
        left_items=_converted(columns, left),
        right_items=_converted(columns, right),
    )


def output_refs(columns: Sequence[OutputColumn], body: QueryBody) -> list[OutputRef]:
    """References to the output columns of a body."""
    return [OutputRef(type=column.type, place=body.place, position=i) for i, column in enumerate(columns)]


def _converted(columns: Sequence[OutputColumn], side: QueryBody) -> tuple[typed.Expr, ...]:
    """The columns of a side as the types of the whole."""
    refs = output_refs(side.columns, side)
    return tuple(coerce(ref, column.type) for ref, column in zip(refs, columns, strict=False))
