"""TRY: NULL where an expression fails.

An error costs DuckDB a hundred times what a NULL does, so that one is made only where there is no other way: what fails
most, a conversion, gives NULL of its own accord where all around it makes NULL of NULL.
"""

from __future__ import annotations

from dataclasses import replace

from dapflow.trino.analysis import typed, typed_calls
from dapflow.trino.analysis.walk import parts, rebuilt
from dapflow.trino.coercion import as_decimal
from dapflow.trino.duckdb import calls
from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.duckdb.lifting import tried
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.values import Value
from dapflow.trino.types import Type

#: What cannot fail: values, and what is computed before the expression.
_SURE = (
    typed.Literal, typed.ColumnRef, typed.OutputRef, typed.KeyRef, typed.AggregateRef, typed.WindowRef,
    typed.LambdaParameter, typed.SessionValue, typed.Try,
)  # fmt: skip
#: What cannot fail unless a part of it does.
_QUIET = (
    typed.RowField, typed.RowOf, typed.ArrayOf, typed.Comparison, typed.Between, typed.InList,
    typed.Logical, typed.Not, typed.IsNull, typed.Case, typed.CaseOperand, typed.CountedResult,
    typed.Coalesce, typed.NullIf,
)  # fmt: skip
#: What gives NULL where one of its parts is NULL.
_STRICT = (
    typed.Coerce, typed.RowField, typed.Element, typed.Arithmetic, typed.Negate, typed.Like,
)  # fmt: skip


def attempt(node: typed.Try, lowering: Lowering) -> Value:
    """TRY(x)."""
    inner = node.expr
    if isinstance(inner, typed_calls.Call) and _has_attempt(inner):
        inner = replace(inner, args=tuple(map(_null_on_failure, inner.args)))
        if all(map(cannot_fail, inner.args)):
            return calls.attempt(inner, lowering)
    else:
        inner = _null_on_failure(inner)
    if cannot_fail(inner):
        return Value(lowering.sql(inner), node.type)
    return Value(tried(lowering.sql(inner)), node.type)


def _null_on_failure(node: typed.Expr) -> typed.Expr:
    """An expression that gives NULL in place of some of its failures, and else the same."""
    if isinstance(node, typed.Cast):
        return replace(node, expr=_null_on_failure(node.expr), safe=True)
    if isinstance(node, typed_calls.Call) and _has_attempt(node):
        call = replace(node, args=tuple(map(_null_on_failure, node.args)))
        return typed.Try(type=node.type, place=node.place, expr=call)
    return rebuilt(node, _null_on_failure) if isinstance(node, _STRICT) else node


def _has_attempt(node: typed_calls.Call) -> bool:
    return node.signature in REGISTRY.attempts


def cannot_fail(node: object) -> bool:
    """Whether an expression cannot fail."""
    if isinstance(node, _SURE):
        return True
    if isinstance(node, typed.Cast):
        return node.safe and cannot_fail(node.expr)
    if isinstance(node, typed.Coerce):
        return _holds(node.expr.type, node.type) and cannot_fail(node.expr)
    return isinstance(node, _QUIET) and all(map(cannot_fail, parts(node)))


def _holds(source: Type, target: Type) -> bool:
    """Whether a coercion never fails: a decimal may have too few digits before its point."""
    if source.base == "unknown" or not (source.args or target.args or target.base == "decimal"):
        return True
    digits = as_decimal(source)
    return digits is not None and digits.precision - digits.scale <= target.precision - target.scale
