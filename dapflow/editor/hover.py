"""What stands at a place: the type of an expression, a table, a WITH query, a function."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.editor.definitions import given_name_at
from dapflow.editor.descriptions import columns_text, function_text, table_text
from dapflow.editor.edited_project import ProjectSnapshot
from dapflow.editor.named_tables import table_at
from dapflow.editor.scope import query_columns, scope_at
from dapflow.editor.text_tokens import written_tokens
from dapflow.review.project_tables import ProjectTables
from dapflow.sql.text_names import Span, name_of, named_token
from dapflow.trino.analysis import Analysed, analyse, typed
from dapflow.trino.analysis.walk import deep
from dapflow.trino.functions import FUNCTIONS
from dapflow.trino.syntax.lexer import Token


@dataclass(frozen=True)
class HoverText:
    """Markdown, and what of the text it is about."""

    markdown: str
    span: Span


def hover_at(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> HoverText | None:
    """What there is to say of a place."""
    named = table_at(snapshot, file, text, offset)
    if named is not None:
        name, table = named
        return HoverText(table_text(snapshot, table), Span(name.start, name.end))
    read_tokens = written_tokens(text)
    token = named_token(read_tokens, offset)
    tables = snapshot.seen_from(snapshot.service(file))
    analysed = analyse(text, tables, tables.database)
    if token is not None:
        if (function := _function(read_tokens, token)) is not None:
            return HoverText(function, Span(token.start, token.end))
        if (given := _given(text, offset, tables)) is not None:
            return HoverText(given, Span(token.start, token.end))
    return _expression(text, analysed, offset)


def _function(read_tokens: list[Token], token: Token) -> str | None:
    following = next((after for after in read_tokens if after.start >= token.end), None)
    function = FUNCTIONS.get(name_of(token))
    return function_text(function) if function is not None and following and following.upper == "(" else None


def _given(text: str, offset: int, tables: ProjectTables) -> str | None:
    """The columns of the WITH query or the aliased relation whose name stands at a place."""
    given = given_name_at(text, offset)
    if given is None:
        return None
    if given.kind == "query":
        columns = query_columns(text, given.name, tables, tables.database)
    else:
        relations = scope_at(text, offset, tables, tables.database).relations
        columns = next((relation.columns for relation in relations if relation.name == given.name), ())
    return f"**{given.name}**\n\n{columns_text(columns)}" if columns else None


def _expression(text: str, analysed: Analysed, offset: int) -> HoverText | None:
    """The type of the innermost expression around a place."""
    best: typed.Expr | None = None
    for node in deep(analysed.query) if analysed.query is not None else ():
        if not isinstance(node, typed.Expr) or node.type.is_unchecked:
            continue
        start, end, _ = node.place
        # Of those with one place the inner is what is written, the outer what Trino makes of it.
        if start <= offset <= end and (best is None or end - start <= best.place.end - best.place.start):
            best = node
    if best is None:
        return None
    written = " ".join(text[best.place.start : best.place.end].split())
    shown = written if len(written) <= 80 else f"{written[:79]}…"
    return HoverText(f"```sql\n{shown}\n```\n\n`{best.type}`", Span(best.place.start, best.place.end))
