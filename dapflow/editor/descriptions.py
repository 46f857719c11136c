"""What is said of tables and functions, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from dapflow.editor.edited_project import ProjectSnapshot
from dapflow.project.tables import DatasetTable
from dapflow.trino.catalogue import ColumnMetadata, NotKnown
from dapflow.trino.functions import Function

_MOST_COLUMNS = 60


def table_text(snapshot: ProjectSnapshot, table: DatasetTable) -> str:
    """A table: whose it is, which generations it shows, its columns."""
    dataset = snapshot.manifest.datasets.get(table.node.id)
    service = table.node.service
    parts = [f"**{table.node.id}** {_shown(table)}"]
    if dataset is not None and dataset.description:
        parts.append(dataset.description)
    owner = f"{service.title}, {service.owner.text}" if service.owner else service.title
    parts.append(f"Owner: {owner}")
    name = (table.node.history if table.kind == "history" else table.node.current) + table.suffix
    relation = snapshot.seen_from(service).relation(None, table.node.database, name)
    if isinstance(relation, NotKnown):
        parts.append(f"Glue alone knows its columns: `dapflow columns {table.node.id}` prints them.")
    else:
        comments = {column.name: column.comment for column in (dataset.columns if dataset else None) or ()}
        if dataset is not None and dataset.transform is not None:
            comments.update(dataset.transform.comments)
        parts.append(columns_text(relation.columns, comments))
    return "\n\n".join(parts)


def columns_text(columns: Iterable[ColumnMetadata], comments: dict[str, str | None] | None = None) -> str:
    """Columns as a table."""
    rows = [f"| `{column.name}` | `{column.type}` | {(comments or {}).get(column.name) or ''} |" for column in columns]
    more = [f"| … | {len(rows) - _MOST_COLUMNS} more | |"] if len(rows) > _MOST_COLUMNS else []
    return "\n".join(["| column | type | |", "| --- | --- | --- |", *rows[:_MOST_COLUMNS], *more])


def function_text(function: Function) -> str:
    """A function: how it is called, what it gives."""
    signatures = "\n".join(function.texts)
    return f"```sql\n{signatures}\n```\n\n{function.about}\n\n[Trino's documentation]({function.source})"


def _shown(table: DatasetTable) -> str:
    if not table.node.has_generations:
        return "a table that something else makes, without generations"
    columns = ", ".join(f"`{name}`" for name in table.node.generation.names)
    if table.suffix:
        return f"the `{table.suffix}` of its history"
    if table.kind == "history":
        return f"every generation, told apart by {columns}"
    return f"the newest generation, as {columns} say"
