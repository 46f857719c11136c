"""What there is to say of a statement that was asked: the findings of ``dapflow check``, over the tables of Glue."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.catalog.session_catalog import SessionCatalog
from dapflow.athena.engine.errors import QueryFailed
from dapflow.errors import DapflowError, DapflowErrors
from dapflow.review.examine import examine
from dapflow.sql import SqlText
from dapflow.sql.mistakes import explained, other_statement
from dapflow.sql.refusals import NOT_SUPPORTED_HERE, answered, refusal
from dapflow.trino.duckdb import QueryError, Relation, statement_kind

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

# What stands for the file of a statement that was given on the command line.
COMMAND_LINE = "SQL"

# What fails while it is run: Athena tells no place of it.
_WHILE_RUNNING = frozenset({"division-by-zero", "json-path"})


class _GlueTables:
    """The tables that Glue knows; a catalogue for the analyser."""

    def __init__(self, glue: GlueClient, database: str) -> None:
        self._metastore = Metastore(glue)
        self._session = SessionCatalog(self._metastore, database)

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.review.examine.Catalogue."""
        return self._session.relation(catalog, database, name)

    def has_database(self, database: str) -> bool:
        """See dapflow.review.examine.Catalogue."""
        return self._session.has_database(database)

    def tables(self) -> set[tuple[str, str]]:
        """See dapflow.review.examine.Catalogue. None of a database whose tables the caller may not list."""
        tables: set[tuple[str, str]] = set()
        with suppress(QueryFailed):
            for database in self._metastore.databases():
                with suppress(QueryFailed):
                    name = str(database["Name"])
                    tables |= {(name, str(table["Name"])) for table in self._metastore.tables(name)}
        return tables


def findings(glue: GlueClient, sql: str, database: str, file: str | None) -> list[DapflowError]:
    """The findings of a statement; of another one than a SELECT, those of the SELECT in it.

    What a ``file`` holds is on its way to be a data product, and is looked at as one.
    """
    text = SqlText(sql, file or COMMAND_LINE)
    try:
        statement = statement_kind(sql)
    except QueryError as error:
        return [refusal(text, error) if other_statement(text) else explained(text, error)]
    # What is prepared may have parameters, of which nobody knows the types.
    if statement.query is None or statement.kind == "prepare":
        return []
    inner = SqlText(statement.padded(sql), text.file)
    product = file is not None and statement.kind == "query"
    examined = examine(inner, _GlueTables(glue, database), database, product=product).findings
    for finding in examined:
        finding.source = text.line(finding.line) if finding.line is not None else None
    return examined


def failure(
    glue: GlueClient, reason: str, sql: str, database: str, file: str | None, checked: Sequence[DapflowError] = ()
) -> DapflowError:
    """Why Athena refused a statement or failed at it: what ``check`` says of it, or else Athena's words and a hint.

    ``checked`` are the findings of ``check``, where the statement is a transform of the project.
    """
    own = refusal(SqlText(sql, file or COMMAND_LINE), answered(reason), otherwise="query-failed")
    if any(_tells(finding, own) for finding in checked):
        return DapflowErrors(list(checked))
    try:
        examined = findings(glue, sql, database, file)
    except QueryFailed:  # the caller may ask Athena of what Glue does not show them
        return own
    for finding in examined:
        if finding.code == NOT_SUPPORTED_HERE or _came_true(finding, own):
            finding.severity = "error"
    return DapflowErrors(examined) if any(_tells(finding, own) for finding in examined) else own


def warnings(
    glue: GlueClient, sql: str, database: str, file: str | None, checked: Sequence[DapflowError] | None = None
) -> list[DapflowError]:
    """What there is to say of a statement that Athena took: whatever it is, it is no error."""
    try:
        examined = list(checked) if checked is not None else findings(glue, sql, database, file)
    except QueryFailed:  # Glue did not answer, and Athena did without it
        return []
    return [DapflowError(**{**finding.as_dict(), "severity": "warning", "fix": finding.fix}) for finding in examined]


def _came_true(finding: DapflowError, own: DapflowError) -> bool:
    """Whether a statement failed while it ran at what ``check`` was not sure that it would reach."""
    return own.line is None and finding.message == own.message


def _tells(finding: DapflowError, own: DapflowError) -> bool:
    """Whether a finding is what Athena refuses or fails at: ``own`` are its words."""
    if finding.severity != "error":
        return False
    if own.line is None:
        return finding.code in _WHILE_RUNNING or _came_true(finding, own)
    here = (finding.line, finding.column) == (own.line, own.column)
    return here or own.code in {finding.code, "sql-syntax"}
