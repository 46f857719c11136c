"""Carrying out the statements of the Hive side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dapflow.athena.ddl import databases, model, partitions, show_statements, tables
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.results import StatementOutcome
from dapflow.athena.engine.session import Work

Handler = Callable[[Context, Work, Any], StatementOutcome]

_HANDLERS: dict[type[model.HiveStatement], Handler] = {
    model.CreateDatabase: databases.create_database,
    model.DropDatabase: databases.drop_database,
    model.AlterDatabase: databases.alter_database,
    model.DescribeDatabase: databases.describe_database,
    model.ShowDatabases: databases.show_databases,
    model.CreateTable: tables.create_table,
    model.DropTable: tables.drop_table,
    model.SetProperties: tables.set_properties,
    model.ChangeColumns: tables.change_columns,
    model.ChangeColumn: tables.change_column,
    model.SetLocation: tables.set_location,
    model.AddPartitions: partitions.add_partitions,
    model.DropPartitions: partitions.drop_partitions,
    model.RenamePartition: partitions.rename_partition,
    model.RepairTable: partitions.repair_table,
    model.ShowTables: show_statements.show_tables,
    model.ShowColumns: show_statements.show_columns,
    model.ShowPartitions: show_statements.show_partitions,
    model.ShowCreateTable: show_statements.show_create_table,
    model.ShowProperties: show_statements.show_properties,
    model.DescribeTable: show_statements.describe_table,
}


def run_hive(context: Context, work: Work, statement: model.HiveStatement) -> StatementOutcome:
    """Run a statement to its outcome. Raises QueryFailed."""
    if isinstance(statement, model.ForIceberg):
        raise QueryFailed("NOT_SUPPORTED", f"{statement.what} is for Iceberg tables, which are not supported")
    return _HANDLERS[type(statement)](context, work, statement)
