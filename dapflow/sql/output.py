"""Mistakes in the names of a query's output columns, of which a table will be made."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.sql.columns import Columns, SqlColumn
from dapflow.sql.statement import FileStatement


def nameless_columns(statement: FileStatement, columns: Columns) -> list[DapflowError]:
    """An error for each column that has no name."""
    return [
        statement.text.error(
            "unnamed-column",
            f"column {number} of the output has no name",
            statement.item(column.item),
            "name it: AS name, behind the expression",
        )
        for number, column in enumerate(columns.known, 1)
        if column.name is None
    ]


def repeated_columns(statement: FileStatement, columns: Columns) -> dict[str, DapflowError]:
    """An error by the first name that is there twice, for each pair of items of the SELECT list."""
    errors: dict[str, DapflowError] = {}
    first: dict[str, SqlColumn] = {}
    items: set[tuple[int, int]] = set()
    for column in columns.known:
        if column.name is None:
            continue
        other = first.setdefault(column.name, column)
        # Two stars may share many names; one error for the pair is enough.
        if other is not column and (other.item, column.item) not in items:
            items.add((other.item, column.item))
            line, _ = statement.text.place(statement.item(other.item))
            errors[column.name] = statement.text.error(
                "duplicate-column",
                f"the output has two columns {column.name!r}, the first in line {line}",
                statement.item(column.item),
                "give one another name with AS; instead of *, list the columns that are needed",
            )
    return errors
