"""Reading a ``.sql`` file: one SELECT, as Athena takes it inside ``UNLOAD (…)``."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError

from dapflow.errors import DapflowError
from dapflow.sql.outline import Query, TableName
from dapflow.sql.outliner import outline
from dapflow.sql.syntax import check_syntax
from dapflow.sql.text import SqlText

# Athena takes 262,144 bytes a statement. The UNLOAD around the SELECT carries an S3 URI, which may hold 1,024 bytes.
MAX_BYTES = 262_144 - 1_280
_TRINO = Dialect.get_or_raise("trino")


@dataclass(frozen=True)
class Statement:
    """One query.

    ``sql`` is the file's text up to the ``;`` that ends it, so that offsets in ``sql`` and in ``text`` are the same.
    ``tables`` are the tables it names, in the order of the text. ``items`` are the offsets of the items of the SELECT
    list that names the output; empty for VALUES and TABLE.
    """

    text: SqlText
    sql: str
    outline: Query
    tables: tuple[TableName, ...]
    items: tuple[int, ...]

    def item(self, number: int) -> int:
        """Where an item of the SELECT list begins."""
        return self.items[number] if number < len(self.items) else len(self.sql) - len(self.sql.lstrip())


def read_statement(text: SqlText) -> Statement:
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
    checked = check_syntax(text)
    tree = _parse(checked.readable())
    if isinstance(tree, Exception):
        plain = _parse(checked.readable(plain=True))
        if isinstance(plain, Exception):
            raise _gap(text, tree)
        tree = plain
    try:
        query, tables = outline(tree)
    except RecursionError:
        raise text.error("sql-syntax", "the statement is nested too deeply", 0) from None
    grammar = checked.grammar
    return Statement(text, checked.sql, query, tuple(tables), tuple(grammar.starts[index] for index in grammar.items))


def _parse(readable: str) -> exp.Expr | Exception:
    """The tree of a query, or why sqlglot cannot read it."""
    try:
        tree = _TRINO.parser().parse(_TRINO.tokenize(readable), readable)[0]
    except (SqlglotError, RecursionError, AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        # Athena's grammar took it, so this is a gap of sqlglot's, which may show as an error of Python's own.
        return error
    if not isinstance(tree, exp.Query | exp.Values):
        return TypeError("not a query")
    return tree


def _gap(text: SqlText, error: Exception) -> DapflowError:
    """Something that Athena may take and that cannot be analysed here."""
    details = getattr(error, "errors", None) or [{}]
    line, column = details[0].get("line"), details[0].get("col")
    word = details[0].get("highlight")
    where = f" at '{word}'" if word else ""
    number = line if isinstance(line, int) else 1
    return DapflowError(
        "sql-unsupported",
        f"dapflow cannot read this construct{where}",
        file=text.file,
        line=number,
        column=max(1, column - len(word or "x") + 1) if isinstance(column, int) else 1,
        hint="write it another way; Athena itself may know it",
        source=text.line(number),
    )
