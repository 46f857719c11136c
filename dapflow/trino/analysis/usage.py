"""What a query reads: each place that names a table, with the columns and the conditions on partitions there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dapflow.trino.analysis.column_reader import ColumnReader
from dapflow.trino.analysis.findings import Place
from dapflow.trino.analysis.typed import ColumnRef, Expr
from dapflow.trino.analysis.typed_queries import Query, Table, ViewUse
from dapflow.trino.analysis.walk import deep, within


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table in FROM. Columns are in lower case and in the table's order, or as they come where it is not known.

    `partition_conditions` are terms of WHERE, or of an inner join's ON, that hold for every row and concern nothing but
    partition columns of the table. What a view reads has no place in the text.
    """

    table: tuple[str, ...]
    place: Place | None
    columns: tuple[str, ...]
    partition_conditions: tuple[Expr, ...]


def usage(query: Query) -> tuple[TableUse, ...]:
    """The tables that a query reads; not those of WITH queries that nothing names."""
    reader = _Usage()
    reader.whole(query)
    return tuple(reader.uses())


@dataclass(eq=False)
class _Usage(ColumnReader):
    """Reads a WITH query once for all places that name it, and notes conditions on the partitions of tables."""

    conditions: dict[int, list[Expr]] = field(default_factory=dict)

    def uses(self) -> Iterator[TableUse]:
        """What was found."""
        views = [source for source in self.sources.values() if isinstance(source, ViewUse)]
        in_views = {node.number for view in views for node in deep(view.query) if isinstance(node, Table)}
        for number, source in self.sources.items():
            if isinstance(source, Table):
                relation = source.relation
                names = source.parts if relation is None else (relation.catalog, relation.database, relation.name)
                order = {(column.written or "").lower(): i for i, column in enumerate(source.columns)}
                columns = sorted(self.used.get(number, ()), key=lambda name: order.get(name, len(order)))
                yield TableUse(
                    tuple(name.lower() for name in names),
                    None if number in in_views else source.place,
                    tuple(columns),
                    tuple(self.conditions.get(number, ())),
                )

    def condition(self, term: Expr) -> None:
        """See ColumnReader."""
        nodes = list(within(term))
        refs = [node for node in nodes if isinstance(node, ColumnRef)]
        numbers = {ref.relation for ref in refs}
        table = self.sources.get(next(iter(numbers))) if len(numbers) == 1 else None
        if not isinstance(table, Table) or table.relation is None or any(isinstance(node, Query) for node in nodes):
            return
        keys = {name.lower() for name in table.relation.partition_columns}
        if all(ref.outer == 0 and (table.columns[ref.position].written or "").lower() in keys for ref in refs):
            self.conditions.setdefault(table.number, []).append(term)
