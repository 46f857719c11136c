"""LIKE."""

from __future__ import annotations

from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.duckdb.values import Value, failure_text, let
from dapflow.trino.types import BOOLEAN

_NOT_SINGLE = "Escape string must be a single character"
_MISPLACED = "Escape character must be followed by '%', '_' or the escape character itself"


def like_sql(value: Value, pattern: Value, escape: Value | None) -> Sql:
    """x LIKE pattern ESCAPE escape, of texts. The analysis has checked an escape and pattern that are known now."""
    if escape is None:
        return sql("($text LIKE $pattern)", text=value.sql, pattern=pattern.sql)
    if isinstance(escape.const, str) and isinstance(pattern.const, str):
        known = {"pattern": Text(pattern.const), "escape": Text(escape.const)}
        return sql("($text LIKE $pattern ESCAPE $escape)", text=value.sql, **known)
    return let(pattern.sql, lambda p: let(escape.sql, lambda e: _computed(value.sql, p, e)))


def _computed(text: Sql, pattern: Sql, escape: Sql) -> Sql:
    """With Trino's checks of an escape that is known when the query runs."""
    # What is left of a pattern without what is escaped well holds no escape.
    return sql(
        "CASE WHEN $p IS NULL OR $e IS NULL THEN NULL WHEN length($e) <> 1 THEN $not_single "
        "WHEN contains(replace(replace(replace($p, $e || $e, ''), $e || '%', ''), $e || '_', ''), $e) "
        "THEN $misplaced ELSE like_escape($text, $p, $e) END",
        text=text,
        p=pattern,
        e=escape,
        not_single=failure_text("INVALID_FUNCTION_ARGUMENT", _NOT_SINGLE, BOOLEAN),
        misplaced=failure_text("INVALID_FUNCTION_ARGUMENT", _MISPLACED, BOOLEAN),
    )
