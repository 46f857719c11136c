"""A translated expression: DuckDB's SQL with Trino's type."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dapflow.trino.duckdb.storage import duck_type, literal
from dapflow.trino.types import UNKNOWN, Type

_SIMPLE = re.compile(r"[\w.\"$]+")
#: An argument longer than this is bound to a name instead of being written twice.
_LONG = 120
#: A call of a macro, which DuckDB writes out: its length says nothing.
_MACRO = re.compile(r"\bt_\w+\(")
#: DuckDB takes no subquery within a lambda; an argument beside one is written out after all.
_SUBQUERY = re.compile(r"\bSELECT\b")


@dataclass(slots=True)
class Value:
    """`const` is the Python value of a literal.

    `short` is SQL for a decimal of more than 18 digits that computes in 64 bits, and fails where those do not do.
    """

    sql: str
    type: Type
    const: Any = None
    short: str | None = None


def null(kind: Type = UNKNOWN) -> Value:
    """NULL of a type."""
    return Value(f"CAST(NULL AS {duck_type(kind)})", kind)


def simple(sql: str) -> bool:
    """Whether the text is a name or a number and may be repeated freely."""
    return _SIMPLE.fullmatch(sql) is not None


_names = itertools.count(1)


def let(sql: str, body: Callable[[str], str], *, limit: int = _LONG) -> str:
    """Use an expression more than once: names and short ones are repeated, others bound to a name."""
    if simple(sql) or (len(sql) <= limit and not _MACRO.search(sql)):
        return body(sql)
    name = fresh("v")
    bound = body(name)
    if _SUBQUERY.search(bound):
        return body(sql)
    return f"list_transform([{sql}], lambda {name}: {bound})[1]"


def fresh(prefix: str) -> str:
    """A name that no other part of the query uses."""
    return f"{prefix}{next(_names)}"


def failure(error_name: str, message_sql: str, kind: Type) -> str:
    """An expression that fails with Trino's error when it is evaluated."""
    return f"CAST(fail({literal(error_name + ': ')} || {message_sql}) AS {duck_type(kind)})"


def failure_text(error_name: str, message: str, kind: Type) -> str:
    """The same with a message that is known now."""
    return f"CAST(fail({literal(error_name + ': ' + message)}) AS {duck_type(kind)})"
