"""The files of a query: listed, fetched, converted; each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from dapflow.athena.catalog.partitions import TablePartition
from dapflow.athena.engine.session import Work
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.parquet import Footers, ParquetFooter
from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.object_store import Listings, ObjectStore, S3Object


@dataclass(frozen=True)
class DataFile:
    """An object of a scan's partition and its local copy, in Parquet."""

    item: S3Object
    partition: int
    local: Path
    footer: ParquetFooter


class Bringer:
    """Brings objects to the local disk in a form that DuckDB reads."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._footers = Footers()

    def at_hand(self, reader: FormatReader, item: S3Object, local: Path) -> ParquetFooter | None:
        """The footer of an object that is here, and ``local`` its Parquet form; None if it has to be brought."""
        identity = item.identity if reader.convert is None else _derived(item, reader)
        footer = self._footers.known(identity)
        return footer if footer is not None and self.store.linked(identity, local) else None

    def bring(self, work: Work, reader: FormatReader, item: S3Object, local: Path) -> ParquetFooter:
        """Make ``local`` the object's Parquet form, and read its footer."""
        work.execution.check()
        if reader.convert is None:
            self.store.fetch(item, local)
            return self._footers.read(item.identity, local, item.location)
        convert: Callable[[Path, Path, Location], None] = reader.convert
        self.store.derive(item, reader.form, local, lambda source, part: convert(source, part, item.location))
        return self._footers.read(_derived(item, reader), local, item.location)


def _derived(item: S3Object, reader: FormatReader) -> str:
    return f"{item.identity}\n{reader.form}"


class QueryFiles:
    """The objects that one query reads."""

    def __init__(self, bringer: Bringer, work: Work, listings: Listings) -> None:
        self._bringer = bringer
        self._work = work
        self._listings = listings
        self._local: dict[tuple[str, str], tuple[Path, ParquetFooter]] = {}

    def fetch(self, scans: Sequence[tuple[list[TablePartition], list[FormatReader]]]) -> None:
        """Bring what the scans need, side by side."""
        directory = self._work.directory / "files"
        directory.mkdir(exist_ok=True)
        pending: dict[tuple[str, str], tuple[Path, Future[ParquetFooter]]] = {}
        for partitions, readers in scans:
            for partition, reader in zip(partitions, readers, strict=True):
                for item in self._listings.of(partition.location):
                    key = (item.identity, reader.form)
                    if key not in pending and key not in self._local:
                        local = directory / f"{len(self._work.places)}.parquet"
                        self._work.places[str(local)] = str(item.location)
                        footer = self._bringer.at_hand(reader, item, local)
                        if footer is not None:
                            self._local[key] = (local, footer)
                            continue
                        future = self._bringer.store.submit(self._bringer.bring, self._work, reader, item, local)
                        pending[key] = (local, future)
        try:
            self._local.update({key: (local, future.result()) for key, (local, future) in pending.items()})
        finally:
            for _, future in pending.values():
                future.cancel()

    def of(self, partitions: list[TablePartition], readers: list[FormatReader]) -> list[DataFile]:
        """The files of a scan."""
        return [
            DataFile(item, index, *self._local[item.identity, readers[index].form])
            for index, partition in enumerate(partitions)
            for item in self._listings.of(partition.location)
        ]
