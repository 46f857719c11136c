"""What a DuckDB connection needs before it runs compiled queries, and what its errors mean."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import Udf
from dapflow.trino.duckdb.macros import Macro, ordered_macros
from dapflow.trino.errors import QueryError

if TYPE_CHECKING:
    import duckdb

_OWN = re.compile(r"(?:^|[ :])([A-Z][A-Z]+(?:_[A-Z0-9]+)+): (.*)", re.DOTALL)
_TYPES = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint", "INT128": "decimal"}


def prepare_connection(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the macros, functions and settings that compiled queries rely on.

    Once for a database: its cursors share them.
    """
    provide(connection, ordered_macros(), REGISTRY.udfs.values())
    connection.execute("SET TimeZone = 'UTC'")


def fix_clock(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Let it be `now`, in UTC, for all queries of a database from now on."""
    connection.execute(f"CREATE OR REPLACE MACRO t_now() AS TIMESTAMP '{now.isoformat(sep=' ')}'")


def provide(connection: duckdb.DuckDBPyConnection, macros: Iterable[Macro], udfs: Iterable[Udf]) -> None:
    """Make some of the macros and functions."""
    from duckdb.func import FunctionNullHandling  # noqa: PLC0415 (who only compiles needs no DuckDB)

    for udf in udfs:
        # DuckDB's own handling of NULL would refuse functions that return NULL.
        connection.create_function(
            udf.name,
            _strict(udf.function, udf.or_null),
            list(udf.params),
            udf.result,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    connection.execute(";".join(f"CREATE OR REPLACE MACRO {macro.definition}" for macro in macros))


def _strict(function: Callable[..., Any], or_null: bool) -> Callable[..., Any]:
    """The function, giving NULL when any argument is NULL, and with `or_null` when it fails."""
    caught = Failure if or_null else ()

    def call(*args: Any) -> Any:
        for arg in args:
            if arg is None:
                return None
        try:
            return function(*args)
        except caught:
            return None

    # DuckDB counts the parameters of what it is given.
    call.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return call


def translate_error(error: Exception) -> QueryError:
    """What Trino would say of an error that DuckDB raised while running a compiled query."""
    if isinstance(error, QueryError):
        return error
    text = str(error)
    own = _OWN.search(text)
    if own:
        message = own[2].split("\n\nLINE ")[0].split("\nLINE ")[0]
        return QueryError(own[1], message.strip())
    for pattern, name, message in _MEANINGS:
        m = re.search(pattern, text, re.DOTALL)
        if m:
            return QueryError(name, message(m))
    return QueryError("GENERIC_INTERNAL_ERROR", "The query failed in the engine")


def _overflow(m: re.Match[str]) -> str:
    kind = _TYPES.get(m[2], "decimal")
    return f"{kind} {m[1]} overflow: {m[3]}"


def _no_positive(m: re.Match[str]) -> str:
    """The least number of a type has no positive one beside it, and tells which type it is."""
    kind = {"-128": "tinyint", "-32768": "smallint", "-2147483648": "integer"}.get(m[1], "bigint")
    return f"Value {m[1]} is out of range for abs({kind})"


_MEANINGS = (
    (r"Division by zero", "DIVISION_BY_ZERO", lambda _: "Division by zero"),
    (r"Overflow in (\w+) of (\w+) \((.*?)\)", "NUMERIC_VALUE_OUT_OF_RANGE", _overflow),
    (r"Overflow in \w+ of DECIMAL", "NUMERIC_VALUE_OUT_OF_RANGE", lambda _: "Decimal overflow"),
    (
        r"Type (\w+) with value (\S+) can't be cast because the value is out of range for the destination type (\w+)",
        "NUMERIC_VALUE_OUT_OF_RANGE",
        lambda m: f"Out of range for {_TYPES.get(m[3], m[3].lower())}: {m[2]}",
    ),
    # Casts that a query asks for check themselves: what is left are results of arithmetic.
    (r"to (?:type )?DECIMAL\(", "NUMERIC_VALUE_OUT_OF_RANGE", lambda _: "Decimal overflow"),
    (r"Overflow on abs\((-\d+)\)", "NUMERIC_VALUE_OUT_OF_RANGE", _no_positive),
    (r"Out of Range Error", "NUMERIC_VALUE_OUT_OF_RANGE", lambda _: "Value out of range"),
    (r"QUANTILE can only take", "INVALID_FUNCTION_ARGUMENT", lambda _: "Percentile must be between 0 and 1"),
    (r"Map keys must be unique", "INVALID_FUNCTION_ARGUMENT", lambda _: "Duplicate map keys are not allowed"),
    (r"Map keys can not be NULL", "INVALID_FUNCTION_ARGUMENT", lambda _: "map key cannot be null"),
    (
        r"More than one row returned by a subquery",
        "SUBQUERY_MULTIPLE_ROWS",
        lambda _: "Scalar sub-query has returned multiple rows",
    ),
    (r"Conversion Error", "INVALID_CAST_ARGUMENT", lambda _: "Value cannot be cast to the type wanted"),
    (r"Out of Memory", "EXCEEDED_LOCAL_MEMORY_LIMIT", lambda _: "Query exceeded the memory limit"),
    (r"INTERRUPT", "USER_CANCELED", lambda _: "Query was canceled"),
    (r"Max expression depth", "STACK_OVERFLOW", lambda _: "statement is too large (stack overflow during analysis)"),
)
