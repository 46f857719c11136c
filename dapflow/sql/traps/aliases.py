"""Aliases that swallow a column because a comma is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dapflow.sql.traps.query_reading import QueryReading, Trap, bare, column, relations
from dapflow.trino.syntax import tree

_AS = re.compile(r"\bas\b", re.IGNORECASE)


def swallowed_columns(reading: QueryReading) -> Iterator[Trap]:
    """`SELECT id, trade status FROM …`: a column becomes the name of the one before it."""
    for select in reading.every(tree.Select):
        known = {name for relation in relations(select.source) for name in _columns(relation, reading)}
        for item in select.items:
            if not isinstance(item, tree.SelectItem) or item.alias is None or item.alias.lower() not in known:
                continue
            name = column(item.expr)
            pattern = re.compile(rf'[\w.\s"]*?\s("?{re.escape(item.alias)}"?)(?!\w)', re.IGNORECASE)
            written = pattern.match(reading.text, item.pos)
            if name is None or name[-1] == item.alias.lower() or written is None or _AS.search(written[0]):
                continue
            yield Trap(
                "swallowed-column",
                f"{item.alias} is a column of its own, and here it is only the name that {name[-1]} gets",
                written.start(1),
                f"a comma is missing before {item.alias}; if the name is meant, write AS {item.alias}",
            )


def _columns(relation: tree.RelationNode, reading: QueryReading) -> tuple[str, ...]:
    inner = bare(relation)
    table = reading.known(inner) if isinstance(inner, tree.TableNode) else None
    return table.columns if table else ()
