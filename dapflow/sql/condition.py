"""Conditions in SQL that stand by themselves, outside a statement."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.sql.mistakes import explained
from dapflow.sql.sql_text import SqlText
from dapflow.sql.statement import FileStatement, read_statement
from dapflow.trino.errors import QueryError, TooDeep
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.parser import Parser


def read_condition(condition: str, table: str) -> FileStatement:
    """The SELECT of a condition over the rows of a table. Raises DapflowError with the place in the condition.

    It is read alone first, so that nothing in it can close what stands around it: ``a) OR (b`` is no condition.
    """
    text = SqlText(condition)
    try:
        parser = Parser(condition)
        node = parser.expression()
        if parser.now.kind != "end":
            parser.mismatch("<EOF>")
    except (TooDeep, RecursionError):
        raise text.error("sql-syntax", "the condition is nested too deeply", 0) from None
    except QueryError as error:
        explanation = explained(text, error)
        raise DapflowError(
            "sql-syntax",
            explanation.message,
            line=explanation.line,
            column=explanation.column,
            hint=explanation.hint,
            athena=explanation.athena,
        ) from None
    for part in tree.nodes(node):
        if isinstance(part, tree.TableNode):
            message = "a condition is about one row, and names no tables"
            raise text.error("sql-syntax", message, part.pos, "write a SELECT in a file, and name it under sql")
        if isinstance(part, tree.Parameter):
            raise text.error("sql-syntax", "a condition takes no parameters", part.pos, "write the value")
    quoted = '"' + table.replace('"', '""') + '"'
    return read_statement(SqlText(f"SELECT (\n{condition}\n) AS condition FROM {quoted}"))  # noqa: S608
