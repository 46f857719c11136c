"""The moment of publication: one catalog call lets a generation's partitions point at the staged objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from dapflow.errors import DapflowError
from dapflow.manifest import Column
from dapflow.runtime.catalog import MOST_PARTITIONS_AT_ONCE, Partition
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import parquet_storage
from dapflow.runtime.staged_files import StagedFiles
from dapflow.runtime.target import Target

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Piece:
    """What becomes one partition: a prefix, and what lies there."""

    prefix: str
    rows: int = 0
    bytes: int = 0


# Values of the further partition columns to their piece; without such columns, the one piece has no values.
Pieces = dict[tuple[str, ...], Piece]


def pieces_of(target: Target, generation: Generation, location: str, files: StagedFiles) -> Pieces:
    """Part what was staged by the further partition columns.

    Raises DapflowError ``partition-value`` or ``too-many-partitions``.
    """
    extra = target.dataset.generation.extra
    if not extra:
        return {(): Piece(location, sum(files.rows.values()), files.bytes)}
    pieces: Pieces = {}
    for item in files.objects:
        folders = item.uri.removeprefix(location).split("/")[:-1]
        values = _values(target, [folder.partition("=") for folder in folders], item.uri)
        before = pieces.get(values, Piece(location + "/".join(folders) + "/"))
        pieces[values] = Piece(before.prefix, before.rows + files.rows[item.uri], before.bytes + item.size)
    changed = pieces.keys() | {each.values[4:] for each in target.partitions(generation)}
    if len(changed) > MOST_PARTITIONS_AT_ONCE:
        raise DapflowError(
            "too-many-partitions",
            f"generation {generation} has or had {len(changed)} values of {', '.join(extra)}, and one catalog call "
            f"changes {MOST_PARTITIONS_AT_ONCE} partitions at most",
            file=target.file,
            hint="partition by a column with fewer values",
        )
    return pieces


@dataclass(frozen=True)
class Change:
    """A change of the catalog that publishes a generation: all at once, whatever the number of partitions."""

    generation: Generation
    location: str
    columns: Sequence[Column]
    pieces: Pieces
    parameters: dict[str, str]

    def apply(self, target: Target, before: Sequence[Partition]) -> None:
        """Let the generation be what lies at ``location``. ``before``: its partitions as they are."""
        catalog, database, table = target.catalog, target.place.database, target.place.history
        if not target.dataset.generation.extra:
            catalog.put_partition(database, table, self._partition((), self.pieces[()]))
            return
        old = {each.values[4:] for each in before}
        if not old:
            if self.pieces:
                catalog.create_partitions(database, table, [self._partition(*each) for each in self.pieces.items()])
            return
        # Values that are new are created empty, which no reader notices; then one call moves all of them at once; then
        # those that have no rows any more are removed, which no reader notices either.
        empty = Piece(f"{self.location}_empty/")
        if created := [self._partition(values, empty) for values in self.pieces if values not in old]:
            catalog.create_partitions(database, table, created)
        everything = sorted(self.pieces.keys() | old)
        moved = [self._partition(values, self.pieces.get(values, empty)) for values in everything]
        catalog.update_partitions(database, table, moved)
        if gone := [(*self.generation.values, *values) for values in old if values not in self.pieces]:
            catalog.delete_partitions(database, table, gone)

    def _partition(self, values: tuple[str, ...], piece: Piece) -> dict[str, Any]:
        noted = {"dapflow.rows": str(piece.rows), "dapflow.bytes": str(piece.bytes)}
        return {
            "Values": [*self.generation.values, *values],
            "StorageDescriptor": parquet_storage(self.columns, piece.prefix),
            "Parameters": {"classification": "parquet", **self.parameters, **noted},
        }


def _values(target: Target, pairs: Sequence[tuple[str, str, str]], uri: str) -> tuple[str, ...]:
    extra = target.dataset.generation.extra
    if tuple(name for name, _, _ in pairs) != extra:
        raise DapflowError("staged-files", f"{uri} does not lie in a folder for each of {', '.join(extra)}")
    for name, _, value in pairs:
        if value in (NO_VALUE, ""):
            raise DapflowError(
                "partition-value",
                f"the partition column {name} is NULL or empty in some rows",
                file=target.file,
                hint=f"write coalesce({name}, 'unknown') AS {name}",
            )
    return tuple(unquote(value) for _, _, value in pairs)
