"""The table of the project that a text names at a place, also in a text that is not finished."""

from __future__ import annotations

from dapflow.editor.edited_project import ProjectSnapshot
from dapflow.editor.text_tokens import written_tokens
from dapflow.errors import DapflowError
from dapflow.project.tables import DatasetTable
from dapflow.sql import SqlText, TableName, read_statement
from dapflow.sql.text_names import name_of
from dapflow.trino.syntax.lexer import Token

#: Words behind which a table's name stands.
TABLE_WORDS = frozenset({"FROM", "JOIN", "TABLE"})


def table_at(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> tuple[TableName, DatasetTable] | None:
    """The table that is named at a place, and the place of its name."""
    service = snapshot.service(file)
    for name in table_names(text):
        if name.start <= offset <= name.end and service is not None:
            try:
                table = snapshot.compilation.tables.find(name, service, SqlText(text, file))
            except DapflowError:
                return None
            return (name, table) if table is not None else None
    return None


def table_names(text: str) -> list[TableName]:
    """The tables that a text names; where it cannot be read, what stands behind FROM and JOIN, without WITH queries."""
    try:
        return list(read_statement(SqlText(text)).tables)
    except DapflowError:
        return list(_names_behind(written_tokens(text)))


def _names_behind(read_tokens: list[Token]) -> list[TableName]:
    queries = {
        name_of(token)
        for token, following, bracket in zip(read_tokens, read_tokens[1:], read_tokens[2:], strict=False)
        if following.upper == "AS" and bracket.upper == "("
    }
    names: list[TableName] = []
    at = 0
    while at < len(read_tokens):
        at += 1
        if read_tokens[at - 1].upper not in TABLE_WORDS:
            continue
        parts: list[Token] = []
        while at < len(read_tokens) and read_tokens[at].kind in {"word", "quoted"} and len(parts) < 3:
            parts.append(read_tokens[at])
            at += 1
            if at >= len(read_tokens) or read_tokens[at].upper != ".":
                break
            at += 1
        if parts and not (len(parts) == 1 and name_of(parts[0]) in queries):
            catalog, database, name = [None] * (3 - len(parts)) + [name_of(part) for part in parts]
            names.append(TableName(catalog, database, name or "", parts[0].start, parts[-1].end, alias=True))
    return names
