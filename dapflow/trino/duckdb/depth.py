"""How deeply expressions and types may be nested: beyond that DuckDB takes minutes to bind them, or all memory.

Trino knows no such limits; it ends with a stack overflow somewhat later.
"""

from __future__ import annotations

from functools import lru_cache

from dapflow.trino.analysis.findings import Place
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.types import Type

#: How much DuckDB may have to read for one expression (see `Sql.weight`): it takes about a second.
_HEAVIEST = 2_000_000
#: Types within types. To read a field of a row takes DuckDB as long as the row's type is, for each level anew.
_DEEPEST_TYPE = 50


def check_depth(value: Sql, t: Type, place: Place | None, lowering: Lowering) -> None:
    """Refuse an expression that is nested too deeply. Raises Unsupported."""
    if value.weight > _HEAVIEST:
        lowering.unsupported("An expression nested this deeply", place)
    if t.args and _levels(t) > _DEEPEST_TYPE:
        lowering.unsupported(f"A type of more than {_DEEPEST_TYPE} levels", place)


@lru_cache(maxsize=4096)
def _levels(t: Type) -> int:
    return 1 + max(map(_levels, t.args), default=0)
