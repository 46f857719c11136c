"""How the Hive side says that something is wrong: reasons without an error name."""

from __future__ import annotations

from dapflow.athena.engine.errors import QueryFailed

_TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


def semantic(code: int, message: str) -> QueryFailed:
    """What the analysis finds."""
    return QueryFailed("", f"FAILED: SemanticException [Error {code}]: {message}")


def execution(message: str) -> QueryFailed:
    """What carrying it out finds."""
    return QueryFailed("", _TASK + message)


def missing_keys(spec: str, count: int) -> QueryFailed:
    """A specification of a partition that leaves partition columns out."""
    return QueryFailed(
        "", f"FAILED: SemanticException partition spec {spec} doesn't contain all ({count}) partition columns"
    )


def no_table(name: str) -> QueryFailed:
    """A table that is not there."""
    return semantic(10001, f"Table not found {name}")


def no_database(name: str) -> QueryFailed:
    """A database that is not there."""
    return semantic(10072, f"Database does not exist: {name}")
