"""What may come next where somebody is writing: tables, columns, functions, words, and the datasets of services."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol.types import CompletionItem, CompletionItemKind, MarkupContent, MarkupKind

from dapflow.editor.descriptions import function_text, table_text
from dapflow.editor.edited_project import ProjectSnapshot
from dapflow.editor.named_tables import TABLE_WORDS
from dapflow.editor.scope import ScopeRelation, TextScope, scope_at
from dapflow.editor.text_tokens import is_in_code, written_tokens
from dapflow.project.tables import DatasetTable
from dapflow.sql.text_names import name_of
from dapflow.trino.functions import FUNCTIONS, SPECIAL_FORMS
from dapflow.trino.syntax.lexer import Token
from dapflow.trino.syntax.quoting import name_text
from dapflow.trino.syntax.reserved_words import RESERVED

_CLAUSE_WORDS = ("LIMIT", "OFFSET", "OVER", "PARTITION", "FILTER", "WINDOW", "TRY_CAST", "COALESCE", "INTERVAL", "DATE")
#: Clauses in which a comma does not lead to another table.
_NO_TABLES = frozenset({"SELECT", "WHERE", "ON", "BY", "HAVING", "USING", "VALUES", "AND", "OR"})


def completions(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> list[CompletionItem]:
    """What may stand at a place; nothing in comments and quotes."""
    if file.endswith((".yml", ".yaml")):
        return list(_readable(snapshot, file, text, offset))
    if not is_in_code(text, offset):
        return []
    before = written_tokens(text[:offset])
    if before and before[-1].end == offset and before[-1].kind == "word":
        before.pop()  # the word that is being written
    qualifier = _qualifier(before)
    tables = snapshot.seen_from(snapshot.service(file))
    if qualifier and _wants_table(before[: -2 * len(qualifier)]):
        return list(_tables(snapshot, file, qualifier[-1]))
    scope = scope_at(text, offset, tables, tables.database)
    if qualifier:
        relations = [relation for relation in scope.relations if relation.name == qualifier[-1]]
        return [item for relation in relations for item in _columns(relation)]
    if _wants_table(before):
        return [*_queries(scope), *_tables(snapshot, file, None), *_databases(snapshot)]
    return [*_names(scope), *_functions(), *_words()]


def _qualifier(before: list[Token]) -> list[str]:
    """The names between dots that end before the place."""
    parts: list[str] = []
    at = len(before)
    while at >= 2 and before[at - 1].upper == "." and before[at - 2].kind in {"word", "quoted"}:
        parts.insert(0, name_of(before[at - 2]))
        at -= 2
    return parts


def _wants_table(before: list[Token]) -> bool:
    """Whether a table's name comes next: behind FROM, JOIN, or a comma in FROM."""
    if not before or before[-1].upper != ",":
        return bool(before) and before[-1].upper in TABLE_WORDS
    depth = 0
    for token in reversed(before):
        depth += (token.upper in {")", "]"}) - (token.upper in {"(", "["})
        if depth < 0:
            return False
        if not depth and token.upper in {"FROM", "JOIN"}:
            return True
        if not depth and token.upper in _NO_TABLES:
            return False
    return False


def _tables(snapshot: ProjectSnapshot, file: str, database: str | None) -> Iterator[CompletionItem]:
    """The tables of a database; of the service's own without one."""
    service = snapshot.service(file)
    if database is None and service is None:
        return
    tables = snapshot.compilation.tables
    wanted = tables.logical(database or (service.database if service else ""))
    for node in tables.nodes.values():
        if node.database != wanted:
            continue
        for name in dict.fromkeys([node.current, node.history]):
            table = tables.at(node.database, name) or DatasetTable(node, "current")
            yield CompletionItem(
                name,
                kind=CompletionItemKind.Class,
                detail=node.id if name == node.current else f"every generation of {node.id}",
                documentation=_markdown(table_text(snapshot, table)),
                insert_text=name_text(name),
                sort_text=f"1{name}",
            )


def _databases(snapshot: ProjectSnapshot) -> Iterator[CompletionItem]:
    for service in snapshot.compilation.project.services.values():
        for zone, database in service.databases.items():
            yield CompletionItem(
                database,
                kind=CompletionItemKind.Module,
                detail=f"{zone} zone of {service.title}",
                insert_text=name_text(database),
                sort_text=f"2{database}",
            )


def _queries(scope: TextScope) -> Iterator[CompletionItem]:
    for name in scope.queries:
        yield CompletionItem(name, kind=CompletionItemKind.Variable, detail="WITH", sort_text=f"0{name}")


def _columns(relation: ScopeRelation) -> Iterator[CompletionItem]:
    for place, column in enumerate(relation.columns):
        yield CompletionItem(
            column.name,
            kind=CompletionItemKind.Field,
            detail=f"{column.type} · {relation.name}",
            insert_text=name_text(column.name),
            sort_text=f"0{place:05}",
        )


def _names(scope: TextScope) -> Iterator[CompletionItem]:
    """The columns at hand, and the relations that may stand before one."""
    for relation in scope.relations:
        yield from _columns(relation)
        yield CompletionItem(relation.name, kind=CompletionItemKind.Variable, sort_text=f"1{relation.name}")


def _functions() -> Iterator[CompletionItem]:
    for function in FUNCTIONS.values():
        yield CompletionItem(
            function.name,
            kind=CompletionItemKind.Function,
            detail=function.texts[0],
            documentation=_markdown(function_text(function)),
            sort_text=f"2{function.name}",
        )
    for name in SPECIAL_FORMS:
        yield CompletionItem(name, kind=CompletionItemKind.Function, sort_text=f"2{name}")


def _words() -> Iterator[CompletionItem]:
    for word in sorted({*RESERVED, *_CLAUSE_WORDS}):
        yield CompletionItem(word, kind=CompletionItemKind.Keyword, sort_text=f"3{word}")


def _readable(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> Iterator[CompletionItem]:
    """In ``reads`` of a service.yml: the services, and the datasets of others."""
    lines = text[:offset].splitlines() or [""]
    keys = [match[1] for line in lines if (match := re.match(r"([a-z_]+):", line))]
    if not file.endswith("/service.yml") or not keys or keys[-1] != "reads":
        return
    own = snapshot.service(file)
    for node in snapshot.compilation.tables.nodes.values():
        if own is not None and node.service.name == own.name:
            continue
        yield CompletionItem(node.id, kind=CompletionItemKind.Class, detail=node.service.title)
    for service in snapshot.compilation.project.services.values():
        if service is not own:
            for zone in service.databases:
                name = f"{service.name}.{zone}"
                yield CompletionItem(name, kind=CompletionItemKind.Module, detail=f"all of {zone} of {service.title}")


def _markdown(text: str) -> MarkupContent:
    return MarkupContent(MarkupKind.Markdown, text)
