"""Athena SQL: one statement of a file, the tables it names, its columns."""

from dapflow.sql.columns import UNKNOWN, Columns, SqlColumn
from dapflow.sql.outline import TableName
from dapflow.sql.query_columns import analyse
from dapflow.sql.sql_text import SqlText
from dapflow.sql.statement import FileStatement, read_statement

__all__ = ["UNKNOWN", "Columns", "FileStatement", "SqlColumn", "SqlText", "TableName", "analyse", "read_statement"]
