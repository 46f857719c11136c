"""Some rows of the tables that a transform reads, from a platform where they are published, without personal values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.lineage import ProductLineage
from dapflow.manifest import Column, Dataset
from dapflow.runtime.checks.conditions import text_literal
from dapflow.runtime.dataset_location import DatasetLocation, quoted
from dapflow.runtime.generation import Generation
from dapflow.trino.types import Type, parse_type

_NESTED = frozenset({"array", "map", "row"})
#: Numbers that stand for others, in types of few digits too.
_MOST_MASKED = 99
_WHOLE = frozenset({"tinyint", "smallint", "integer", "bigint", "decimal", "double", "real"})


class SampledPlatform(Protocol):
    """A platform that can be asked."""

    def rows(self, sql: str) -> list[list[str | None]]:
        """What a SELECT gives, as Athena's texts; None for NULL."""
        ...

    def columns(self, dataset: Dataset) -> Sequence[Column]:
        """The columns of a dataset, generation columns left out. Raises DapflowError where it is not published."""
        ...


@dataclass(frozen=True)
class SampledTable:
    """Rows of a table: texts by column, JSON where a column is nested. ``kind`` is of a Reference."""

    dataset: Dataset
    kind: str
    types: dict[str, Type]
    declared: dict[str, str]
    rows: list[dict[str, str | None]]


@dataclass
class TableSample:
    """Rows of several tables that go together as far as the keys of their joins tell, and their newest generation.

    ``personal`` are columns of personal data, whatever table they are in: what is so in a table is so in those that
    are joined to it.
    """

    platform: SampledPlatform
    environment: Environment
    rows: int
    personal: frozenset[str]
    tables: list[SampledTable] = field(default_factory=list)
    generation: Generation | None = None
    _keys: set[str] = field(default_factory=set)
    _masks: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, dataset: Dataset, kind: str, wanted: set[str] | None, joined_by: set[str]) -> None:
        """Take rows of a table, of the wanted columns or all. Raises DapflowError where it is not published."""
        place = DatasetLocation.of(dataset, self.environment)
        columns = [c for c in self.platform.columns(dataset) if wanted is None or c.name in wanted]
        types = {column.name: parse_type(column.type) for column in columns}
        keys = dataset.generation.names[3:] if dataset.has_generations else ()
        table = quoted(place.database, place.history if kind == "history" else place.current)
        listed = ", ".join([*(_selected(name, t) for name, t in types.items()), *map(quoted, keys)]) or "1"
        order = f" ORDER BY {quoted(keys[0])} DESC" if kind == "history" and keys else ""
        matching = self._matching(joined_by & types.keys())
        select = f"SELECT {listed} FROM {table}"  # noqa: S608 - identifiers are quoted
        sampled = self.platform.rows(f"{select}{matching}{order} LIMIT {self.rows}")
        if not sampled and matching:
            sampled = self.platform.rows(f"{select}{order} LIMIT {self.rows}")
        rows = [dict(zip([*types, *keys], row, strict=False)) for row in sampled]
        self._keys |= {text for row in rows for name in joined_by if (text := row.get(name)) is not None}
        self._note_generation(rows, keys)
        masked = [self._masked(row, types) for row in rows]
        declared = {column.name: column.type for column in columns}
        self.tables.append(SampledTable(dataset, kind, types, declared, masked))

    def _matching(self, joined_by: set[str]) -> str:
        """A condition for rows that may be joined to those that were taken before."""
        if not self._keys:
            return ""
        known = ", ".join(map(text_literal, sorted(self._keys)))
        conditions = [f"CAST({quoted(name)} AS varchar) IN ({known})" for name in sorted(joined_by)]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _note_generation(self, rows: list[dict[str, str | None]], keys: Sequence[str]) -> None:
        for row in rows:
            date = row.get(keys[0]) if keys else None
            generation = Generation.of_values(("", "", "", date)) if date is not None else None
            if generation is not None and (self.generation is None or generation > self.generation):
                self.generation = generation

    def _masked(self, row: dict[str, str | None], types: dict[str, Type]) -> dict[str, str | None]:
        """A row without personal values. The same value becomes the same, so that joins by it stay."""
        return {
            name: self._mask(name, text, types[name]) if name in self.personal and text is not None else text
            for name, text in row.items()
        }

    def _mask(self, name: str, text: str, t: Type) -> str | None:
        number = self._masks.setdefault((name, text), 1 + sum(column == name for column, _ in self._masks))
        if t.base in {"varchar", "char"}:
            mask = f"{name} {number}"
            return mask if t.length is None or len(mask) <= t.length else str(number)[: t.length]
        if number > _MOST_MASKED:
            return None
        if t.base in _WHOLE:
            return str(number) if t.base != "decimal" or t.precision - t.scale > 1 else None
        if t.base == "date":
            return f"20{number:02}-01-01"
        return f"20{number:02}-01-01 00:00:00" if t.base == "timestamp" else None


def sample(
    platform: SampledPlatform,
    environment: Environment,
    dataset: Dataset,
    datasets: dict[str, Dataset],
    lineage: ProductLineage | None,
    rows: int,
) -> TableSample:
    """Some rows of each table that a transform reads, in the order of its text."""
    wanted: dict[str, set[str]] = defaultdict(set)
    joined_by: dict[str, set[str]] = defaultdict(set)
    if lineage is not None:
        for read in lineage.reads:
            wanted[read.dataset].update(read.columns)
        for origin in lineage.rows:
            if origin.how == "join key":
                joined_by[origin.dataset].add(origin.column)
    kinds: dict[str, str] = {}
    for reference in dataset.transform.references if dataset.transform is not None else ():
        kinds[reference.dataset] = "history" if reference.kind == "history" else kinds.get(reference.dataset, "current")
    personal = frozenset(dataset.personal).union(*(datasets[name].personal for name in kinds))
    taken = TableSample(platform, environment, rows, personal)
    for name, kind in kinds.items():
        columns = wanted.get(name)
        taken.add(datasets[name], kind, None if columns is None or "*" in columns else columns, joined_by[name])
    if all(not table.rows for table in taken.tables):
        problem = f"nothing that {dataset.name} reads has a row to take"
        raise DapflowError("no-sample", problem, hint="run the service first, or write the test by hand")
    return taken


def _selected(name: str, t: Type) -> str:
    if t.base in _NESTED:
        return f"json_format(CAST({quoted(name)} AS json)) AS {quoted(name)}"
    if t.base == "varbinary":
        return f"from_utf8({quoted(name)}) AS {quoted(name)}"
    return quoted(name)
