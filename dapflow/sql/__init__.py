"""Athena SQL: one statement of a file, the tables it names, its columns."""

from dapflow.sql.analysis import analyse
from dapflow.sql.columns import UNKNOWN, Column, Columns
from dapflow.sql.outline import TableName
from dapflow.sql.statement import Statement, read_statement
from dapflow.sql.text import SqlText

__all__ = ["UNKNOWN", "Column", "Columns", "SqlText", "Statement", "TableName", "analyse", "read_statement"]
