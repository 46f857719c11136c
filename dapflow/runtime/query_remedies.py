"""What helps where Athena fails at a query, by the name that it gives the error.

The names are Trino's: https://github.com/trinodb/trino/blob/479/core/trino-spi/src/main/java/io/trino/spi/StandardErrorCode.java
"""

from __future__ import annotations

import re

_NAME = re.compile(r"([A-Z][A-Z_]+): ")
_PLACE = re.compile(r"\bline \d+:\d+: ")
_REMEDIES = {
    "COLUMN_NOT_FOUND": "`dapflow check` names the columns that there are",
    "DIVISION_BY_ZERO": "divide by NULLIF(divisor, 0), which gives NULL instead",
    "EXCEEDED_LOCAL_MEMORY_LIMIT": "let it read or join less at once: fewer columns, a filter before the join",
    "EXCEEDED_TIME_LIMIT": "let it read less: Athena ends a query after half an hour",
    "FUNCTION_NOT_FOUND": "`dapflow check` says what Athena has instead",
    "INVALID_CAST_ARGUMENT": "TRY_CAST instead of CAST gives NULL for what does not fit",
    "INVALID_FUNCTION_ARGUMENT": "TRY(…) around the function gives NULL for what it does not take",
    "NUMERIC_VALUE_OUT_OF_RANGE": "CAST to a wider type before it is computed: bigint, decimal(38, s), double",
    "SUBQUERY_MULTIPLE_ROWS": "keep the subquery to one row: an aggregate, or LIMIT 1 after ORDER BY",
    "SYNTAX_ERROR": "`dapflow check` shows the place",
    "TABLE_NOT_FOUND": "`dapflow check` names the tables that there are",
    "TYPE_MISMATCH": "CAST one side to the type of the other",
}


def error_name(reason: str) -> str:
    """Athena's name of an error, such as ``DIVISION_BY_ZERO``; empty where it says none."""
    match = _NAME.match(reason)
    return match[1] if match else ""


def without_place(reason: str) -> str:
    """The same without its line and column, which are those of what was sent, and of no file that people know."""
    return _PLACE.sub("", reason)


def query_remedy(reason: str) -> str | None:
    """What helps; None where nobody knows."""
    return _REMEDIES.get(error_name(reason))
