"""Tables and databases that a text names and that are not there: what is said of them, with the nearest names."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from dapflow.errors import DapflowError
from dapflow.sql.outline import TableName
from dapflow.sql.sql_text import SqlText

CATALOG = "awsdatacatalog"


def missing_catalog(text: SqlText, name: TableName) -> DapflowError:
    """The finding for a catalog that is not Athena's own."""
    finding = text.error(
        "unknown-database",
        f"there is no catalog {name.catalog!r}",
        name.start,
        f"write database.table; the catalog is {CATALOG}",
    )
    return _saying(finding, "CATALOG_NOT_FOUND", f"Catalog '{name.catalog}' does not exist")


def missing_database(text: SqlText, name: TableName, database: str, databases: Collection[str]) -> DapflowError:
    """The finding for a database that is not there; ``databases`` are those that are."""
    hint = near_database(database, databases)
    finding = text.error("unknown-database", f"there is no database {database!r}", name.start, hint)
    return _saying(finding, "SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist")


def near_database(database: str, databases: Collection[str]) -> str:
    """What may have been meant by the name of a database that is not there."""
    near = difflib.get_close_matches(database, sorted(databases), n=3)
    if near:
        return f"did you mean {' or '.join(quoted(name) for name in near)}?"
    return "the databases are those of the services; add the service that owns the table"


def missing_table(text: SqlText, name: TableName, database: str, tables: Collection[tuple[str, str]]) -> DapflowError:
    """The finding for a table that is not in its database; ``tables`` are those that are there, with their database."""
    message = f"there is no table {name.name!r} in database {database!r}"
    hint = _near_table(name, database, tables)
    if name.database is None and name.name == "dual":
        hint = "leave FROM out: SELECT 1 AS one"
    finding = text.error("unknown-table", message, name.start, hint)
    return _saying(finding, "TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{name.name}' does not exist")


def quoted(name: str) -> str:
    """An identifier as Athena takes it, in double quotes where it needs them."""
    plain = name.replace("_", "a").isalnum() and not name[0].isdigit()
    return name if plain else f'"{name}"'


def _near_table(name: TableName, database: str, tables: Collection[tuple[str, str]]) -> str:
    here = sorted(table for owner, table in tables if owner == database)
    if f"{name.name}_history" in here:
        return f"{name.name} has no generation: dapflow run publishes one, of a service or of a single dataset"
    near = difflib.get_close_matches(name.name, here, n=3)
    if near:
        return f"did you mean {' or '.join(quoted(table) for table in near)}?"
    elsewhere = sorted(owner for owner, table in tables if table == name.name)
    if elsewhere:
        places = " or ".join(f"{quoted(owner)}.{quoted(name.name)}" for owner in elsewhere[:3])
        return f"did you mean {places}?"
    if name.database is None:
        return f"a name without a database is looked up in {quoted(database)}; add the source to service.yml?"
    if not here:
        return f"{quoted(database)} has no tables yet"
    return f"tables there: {', '.join(here[:8])}{' …' if len(here) > 8 else ''}"


def _saying(finding: DapflowError, error_name: str, words: str) -> DapflowError:
    """The finding with what Athena says of it."""
    finding.athena = f"{error_name}: line {finding.line}:{finding.column}: {words}"
    return finding
