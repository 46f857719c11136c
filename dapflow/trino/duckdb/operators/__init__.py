"""Comparison, arithmetic and `||`, by type."""

from dapflow.trino.duckdb.operators.arithmetic import arithmetic, negate
from dapflow.trino.duckdb.operators.comparison import (
    comparable_form,
    compare,
    distinct_from,
    equal,
    holds_float,
    nan_lowest,
    plain,
)
from dapflow.trino.duckdb.operators.concat import concat
from dapflow.trino.duckdb.operators.decimals import divide

__all__ = [
    "arithmetic",
    "comparable_form",
    "compare",
    "concat",
    "distinct_from",
    "divide",
    "equal",
    "holds_float",
    "nan_lowest",
    "negate",
    "plain",
]
