"""Databases."""

from __future__ import annotations

import re
from typing import Any

from dapflow.athena.ddl import failures, model
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.results import TEXT, StatementOutcome, text_outcome
from dapflow.athena.engine.session import Work
from dapflow.servers.patience import PatternError, matching


def create_database(context: Context, _work: Work, statement: model.CreateDatabase) -> StatementOutcome:
    """CREATE DATABASE."""
    if context.metastore.database(statement.name) is not None:
        if statement.if_not_exists:
            return StatementOutcome(TEXT)
        raise failures.execution(f"Database {statement.name} already exists")
    database: dict[str, Any] = {"Name": statement.name, "Parameters": statement.properties}
    if statement.comment is not None:
        database["Description"] = statement.comment
    if statement.location is not None:
        database["LocationUri"] = statement.location
    context.metastore.create_database(database)
    return StatementOutcome(TEXT)


def drop_database(context: Context, _work: Work, statement: model.DropDatabase) -> StatementOutcome:
    """DROP DATABASE."""
    if context.metastore.database(statement.name) is None:
        if statement.if_exists:
            return StatementOutcome(TEXT)
        raise failures.no_database(statement.name)
    tables = context.metastore.tables(statement.name)
    if tables and not statement.cascade:
        raise failures.execution(
            f"InvalidOperationException(message:Database {statement.name} is not empty. One or more tables exist.)"
        )
    for table in tables:
        context.metastore.drop_table(statement.name, table["Name"])
    context.metastore.drop_database(statement.name)
    return StatementOutcome(TEXT)


def alter_database(context: Context, _work: Work, statement: model.AlterDatabase) -> StatementOutcome:
    """ALTER DATABASE … SET DBPROPERTIES."""
    database = context.metastore.database(statement.name)
    if database is None:
        raise failures.no_database(statement.name)
    kept = {key: database[key] for key in ("Name", "Description", "LocationUri") if database.get(key)}
    parameters = {**(database.get("Parameters") or {}), **statement.properties}
    context.metastore.update_database(statement.name, {**kept, "Parameters": parameters})
    return StatementOutcome(TEXT)


def describe_database(context: Context, _work: Work, statement: model.DescribeDatabase) -> StatementOutcome:
    """DESCRIBE DATABASE."""
    database = context.metastore.database(statement.name)
    if database is None:
        raise failures.no_database(statement.name)
    line = "\t".join([database["Name"], database.get("Description", ""), database.get("LocationUri", "")])
    return text_outcome("db_name", [line])


def show_databases(context: Context, _work: Work, statement: model.ShowDatabases) -> StatementOutcome:
    """SHOW DATABASES."""
    names = [database["Name"] for database in context.metastore.databases()]
    shown = wanted(statement.pattern, names)
    return text_outcome("database_name", [name for name in names if name in shown])


def wanted(pattern: str | None, names: list[str]) -> set[str]:
    """The names that a pattern of Hive's asks for: ``*`` is any text, ``|`` between alternatives, else as usual."""
    if pattern is None:
        return set(names)
    choices = [re.sub(r"(?<!\.)\*", ".*", choice.strip()) for choice in pattern.split("|")]
    try:
        return set().union(*(matching(choice, names) for choice in choices))
    except PatternError as error:
        raise failures.semantic(10000, f"Invalid pattern: {pattern}") from error
    except TimeoutError as error:
        raise failures.semantic(10000, f"The pattern takes too long: {pattern}") from error
