"""Reading a ``.sql`` file: one SELECT, as Athena takes it inside ``UNLOAD (…)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from dapflow.errors import DapflowError
from dapflow.limits import MOST_STATEMENT_BYTES
from dapflow.sql.mistakes import explained
from dapflow.sql.outline import QueryOutline, TableName
from dapflow.sql.outliner import outline
from dapflow.sql.sql_text import SqlText
from dapflow.sql.steadiness import unsteady_parts
from dapflow.trino.errors import QueryError, TooDeep
from dapflow.trino.syntax import statements, tree
from dapflow.trino.syntax.lexer import tokens

# The UNLOAD around the SELECT carries an S3 URI, which may hold 1,024 bytes.
MAX_BYTES = MOST_STATEMENT_BYTES - 1_280


@dataclass(frozen=True)
class FileStatement:
    """One query.

    ``sql`` is the file's text up to the ``;`` that ends it, so that offsets in ``sql`` and in ``text`` are the same.
    ``tables`` are the tables it names, in the order of the text. ``items`` are the offsets of the items of the SELECT
    list that names the output; empty for VALUES and TABLE. ``unsteady`` is what may give other rows over the same
    tables.
    """

    text: SqlText
    sql: str
    tables: tuple[TableName, ...]
    items: tuple[int, ...]
    unsteady: tuple[str, ...]
    _outlined: Callable[[], QueryOutline]

    @cached_property
    def outline(self) -> QueryOutline:
        """Which tables and columns it names where, and what it puts out."""
        return self._outlined()

    def item(self, number: int) -> int:
        """Where an item of the SELECT list begins."""
        return self.items[number] if number < len(self.items) else len(self.sql) - len(self.sql.lstrip())


def read_statement(text: SqlText) -> FileStatement:
    """Parse the one query of a file. Raises DapflowError ``sql-…``."""
    size = len(text.text.encode())
    if size > MAX_BYTES:
        raise DapflowError(
            "sql-too-long",
            f"the statement has {size:,} bytes; inside its UNLOAD, Athena takes {MAX_BYTES:,}",
            file=text.file,
            line=1,
            column=1,
            hint="split it into two transforms, one reading the other",
        )
    try:
        statement = statements.read_statement(text.text)
        query, tables = outline(statement.query)
    except (TooDeep, RecursionError):
        raise text.error("sql-syntax", "the statement is nested too deeply", 0) from None
    except QueryError as error:
        raise explained(text, error) from None
    for token in tokens(text.text) if statement.query.parameters else ():
        if token.upper == "?":
            message = "expected a value: a transform takes no parameters, found '?'"
            raise text.error("sql-syntax", message, token.start, "write the value")
    unsteady = unsteady_parts(statement.query, tables)
    sql, items = text.text[: statement.end], _items(statement.query)
    return FileStatement(text, sql, tuple(tables), items, unsteady, lambda: query)


def _items(node: tree.QueryNode) -> tuple[int, ...]:
    body = node.body
    while not isinstance(body, tree.Select):
        if isinstance(body, tree.SetOperation):
            body = body.left
        elif isinstance(body, tree.Nested):
            body = body.query.body
        else:
            return ()
    return tuple([item.pos for item in body.items])
