"""UNLOAD: the rows of a query as files in S3."""

from __future__ import annotations

from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.queries import compiled
from dapflow.athena.engine.results import NOTHING, StatementOutcome
from dapflow.athena.engine.session import Work
from dapflow.athena.formats.writer import Writing, write_rows, writing_format
from dapflow.athena.storage.locations import parse_location
from dapflow.trino.duckdb import Statement

_PROPERTIES = frozenset({"format", "compression", "compression_level", "field_delimiter", "partitioned_by"})


def unload(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """Write the files; the target must be empty."""
    unknown = [name for name in statement.properties if name not in _PROPERTIES]
    if unknown:
        raise QueryFailed("INVALID_PROCEDURE_ARGUMENT", f"Unload property '{unknown[0]}' does not exist")
    target = parse_location(statement.location or "")
    if target is None:
        raise QueryFailed("INVALID_PROPERTY", f"Invalid location URI: {statement.location}")
    query = compiled(context, work, statement)
    names = [name.lower() for name in _names(statement)]
    writing = Writing(
        columns=query.columns,
        target=target.prefix,
        format=writing_format(statement.properties.get("format")),
        compression=str(statement.properties.get("compression", "GZIP")).upper(),
        delimiter=str(statement.properties.get("field_delimiter", "\x01")),
        partition_columns=tuple(names),
    )
    if not context.store.is_empty(target):
        raise QueryFailed(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table 'awsdatacatalog.{work.execution.database or 'default'}.unload' already "
            f"exists: {target}. You may need to manually clean the data at location '{target}' before retrying. "
            "Athena will not delete data in your account.",
        )
    written = write_rows(work, context.store, query, writing)
    return StatementOutcome(
        NOTHING, query.columns, written=[file.location for file in written.files], update_count=written.rows
    )


def _names(statement: Statement) -> list[str]:
    value = statement.properties.get("partitioned_by", [])
    if not isinstance(value, list):
        raise QueryFailed("INVALID_PROPERTY", "partitioned_by must be an array of column names")
    return [str(item) for item in value]
