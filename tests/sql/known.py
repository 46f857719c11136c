"""The tables that the SQL fixtures read, and what is found out about a statement, as text."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.sql import UNKNOWN, Columns, FileStatement, SqlColumn, SqlText, TableName, analyse, read_statement

GENERATION = tuple(SqlColumn(f"import_{part}", part) for part in ("year", "month", "day", "date"))
TABLES = {
    "flights": "year month day carrier tailnum time_hour",
    "airlines": "carrier name",
    "planes": "tailnum year",
    "repairs": "reference",
}


def columns_of(name: TableName) -> Columns:
    """The columns of a table: those of TABLES are declared, airports' are inferred, other tables are not known."""
    if name.name.endswith("$partitions"):
        return Columns(GENERATION)
    bare = name.name.removesuffix("_history")
    if bare == "airports":
        return Columns(GENERATION, 0)
    if bare not in TABLES:
        return UNKNOWN
    return Columns((*(SqlColumn(column) for column in TABLES[bare].split()), *GENERATION))


def statement_of(sql: str, file: str | None = None) -> FileStatement:
    """The statement of a text."""
    return read_statement(SqlText(sql, file))


def errors_of(sql: str, file: str | None = None) -> list[DapflowError]:
    """The mistakes of a text, in the order of the text."""
    try:
        statement = statement_of(sql, file)
    except DapflowError as error:
        return [error]
    _, errors = analyse(statement.outline, statement.text, columns_of)
    return sorted(errors, key=lambda error: (error.line or 0, error.column or 0))


def described(sql: str) -> str:
    """The tables with their places and the output columns, one a line."""
    statement = statement_of(sql)
    columns, errors = analyse(statement.outline, statement.text, columns_of)
    assert not errors, "\n\n".join(map(str, errors))
    lines = []
    for table in statement.tables:
        line, column = statement.text.place(table.start)
        alias = " with an alias" if table.alias else ""
        lines.append(f"table {line}:{column} {statement.sql[table.start : table.end]}{alias}")
    names = [column.name or "?" for column in columns.known]
    if columns.rest is not None:
        names.insert(columns.rest, "…")
    lines.append(f"columns {', '.join(names)}")
    passed = [column.generation for column in columns.known if column.generation]
    if passed:
        lines.append(f"passes {', '.join(passed)}")
    return "\n".join(lines) + "\n"
