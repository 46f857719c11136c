"""Athena SQL as a tree: one statement of a file, the tables it names, its columns."""

from dapflow.sql.references import TableName, table_names
from dapflow.sql.statement import Statement, read_statement
from dapflow.sql.text import SqlText

__all__ = ["SqlText", "Statement", "TableName", "read_statement", "table_names"]
