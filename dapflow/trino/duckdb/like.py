"""LIKE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.storage import literal
from dapflow.trino.duckdb.values import Value, failure_text, let
from dapflow.trino.types import BOOLEAN, VARCHAR, varchar

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import Unit

_NOT_SINGLE = "Escape string must be a single character"
_MISPLACED = "Escape character must be followed by '%', '_' or the escape character itself"


def like_sql(value: Value, pattern: Value, escape: Value | None, pos: int, unit: Unit) -> str:
    """x LIKE pattern ESCAPE escape, with Trino's checks of the escape."""
    text = coerce(value, varchar(value.type.length)).sql
    shape = coerce(pattern, VARCHAR if pattern.type.base == "unknown" else varchar(pattern.type.length)).sql
    if escape is None:
        return f"({text} LIKE {shape})"
    if isinstance(escape.const, str) and isinstance(pattern.const, str):
        if len(escape.const) != 1:
            unit.fail("INVALID_FUNCTION_ARGUMENT", pos, _NOT_SINGLE)
        if _misplaced(pattern.const, escape.const):
            unit.fail("INVALID_FUNCTION_ARGUMENT", pos, _MISPLACED)
        return f"({text} LIKE {literal(pattern.const)} ESCAPE {literal(escape.const)})"
    if escape.type.base == "unknown":
        return "CAST(NULL AS BOOLEAN)"
    return _computed(text, shape, coerce(escape, VARCHAR).sql)


def _computed(text: str, shape: str, escape: str) -> str:
    """LIKE with a pattern or an escape that is known when the query runs; only then can they be checked."""
    not_single, misplaced = (
        failure_text("INVALID_FUNCTION_ARGUMENT", one, BOOLEAN) for one in (_NOT_SINGLE, _MISPLACED)
    )

    def checked(p: str, e: str) -> str:
        # What is left of a pattern without what is escaped well holds no escape.
        rest = f"replace(replace(replace({p}, {e} || {e}, ''), {e} || '%', ''), {e} || '_', '')"
        return (
            f"CASE WHEN {p} IS NULL OR {e} IS NULL THEN NULL WHEN length({e}) <> 1 THEN {not_single} "
            f"WHEN contains({rest}, {e}) THEN {misplaced} ELSE like_escape({text}, {p}, {e}) END"
        )

    return let(shape, lambda p: let(escape, lambda e: checked(p, e)))


def _misplaced(pattern: str, escape: str) -> bool:
    """Whether the escape stands before anything but %, _ or itself."""
    e = re.escape(escape)
    return re.search(rf"(?s)^(?:[^{e}]|{e}[%_{e}])*{e}(?![%_{e}])", pattern) is not None
