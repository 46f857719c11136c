"""Athena SQL as a tree: one statement of a file, the tables it names, its columns."""

from dapflow.sql.analysis import Analysis, analyse
from dapflow.sql.columns import UNKNOWN, Column, Columns
from dapflow.sql.references import TableName, table_names
from dapflow.sql.statement import Statement, read_statement
from dapflow.sql.text import SqlText

__all__ = [
    "UNKNOWN",
    "Analysis",
    "Column",
    "Columns",
    "SqlText",
    "Statement",
    "TableName",
    "analyse",
    "read_statement",
    "table_names",
]
