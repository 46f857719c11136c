"""LIKE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dapflow.local.athena.trino.conversion import coerce
from dapflow.local.athena.trino.storage import literal
from dapflow.local.athena.trino.values import Value
from dapflow.sql.trino.types import VARCHAR, varchar

if TYPE_CHECKING:
    from dapflow.local.athena.trino.unit import Unit


def like_sql(value: Value, pattern: Value, escape: Value | None, pos: int, unit: Unit) -> str:
    """x LIKE pattern ESCAPE escape, with Trino's checks of the escape."""
    text = coerce(value, varchar(value.type.length)).sql
    shape = coerce(pattern, VARCHAR if pattern.type.base == "unknown" else varchar(pattern.type.length)).sql
    if escape is None:
        return f"({text} LIKE {shape})"
    if isinstance(escape.const, str) and isinstance(pattern.const, str):
        if len(escape.const) != 1:
            unit.fail("INVALID_FUNCTION_ARGUMENT", pos, "Escape string must be a single character")
        check_escape(pattern.const, escape.const, pos, unit)
        return f"({text} LIKE {literal(pattern.const)} ESCAPE {literal(escape.const)})"
    if escape.type.base == "unknown":
        return "CAST(NULL AS BOOLEAN)"
    unit.unsupported("LIKE with an escape or a pattern with an escape that is not a literal", pos)


def check_escape(pattern: str, escape: str, pos: int, unit: Unit) -> None:
    """An escape may stand only before %, _ or itself."""
    e = re.escape(escape)
    if re.search(rf"(?s)^(?:[^{e}]|{e}[%_{e}])*{e}(?![%_{e}])", pattern):
        unit.fail(
            "INVALID_FUNCTION_ARGUMENT",
            pos,
            "Escape character must be followed by '%', '_' or the escape character itself",
        )
