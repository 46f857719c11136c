"""Trino's functions: one table of what each takes and gives. How DuckDB computes them is in `duckdb/functions`."""

from dapflow.trino.functions import (
    aggregates,
    arrays,
    binary,
    bitwise,
    comparison,
    datetime,
    json,
    maps,
    mathematics,
    others,
    real,
    regexp,
    statistics,
    strings,
    url,
    windows,
)
from dapflow.trino.functions.refused import is_refused_by_name
from dapflow.trino.functions.table import Function, Signature

_TOPICS = (
    aggregates,
    arrays,
    binary,
    bitwise,
    comparison,
    datetime,
    json,
    maps,
    mathematics,
    others,
    real,
    regexp,
    statistics,
    strings,
    url,
    windows,
)

#: Every function with a signature, by name.
FUNCTIONS: dict[str, Function] = {row.name: row for topic in _TOPICS for row in topic.FUNCTIONS}
#: What is written like a function and has rules of its own.
SPECIAL_FORMS = frozenset({"coalesce", "if", "nullif", "try", "typeof", "grouping"})
#: Names of aggregates, by which a query is known to aggregate.
AGGREGATES = frozenset(name for name, row in FUNCTIONS.items() if row.kind == "aggregate")
#: Names of all functions that can be run.
NAMES = frozenset((*FUNCTIONS, *SPECIAL_FORMS))

__all__ = ["AGGREGATES", "FUNCTIONS", "NAMES", "SPECIAL_FORMS", "Function", "Signature", "is_refused_by_name"]
