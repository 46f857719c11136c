"""How many bytes Athena scans to read a table: by the sizes of its partitions, and the columns that are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dapflow.manifest import Dataset
from dapflow.publications.published import Publications
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.catalog import Partition
from dapflow.runtime.current_view import newest_partitions
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import Object, list_objects, read_object
from dapflow.runtime.parquet_footer import FooterError, read_column_sizes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A landing file is read to look at its values, and to load it.
_READINGS_OF_A_FILE = 2
# Files of the newest partition whose footers are read; the others are taken to be like them.
_MOST_FOOTERS = 8


@dataclass(frozen=True)
class ReadSize:
    """What reading some columns of a table scans: ``scanned`` of its ``bytes``, in so many ``generations``.

    ``footers``: whether the files say what each column takes; else the whole of them is taken to be read.
    """

    bytes: int
    scanned: int
    generations: int
    footers: bool


class ScanSizes:
    """The sizes of what is published now. Each table is looked at once. Raises DapflowError ``aws``."""

    def __init__(self, publications: Publications) -> None:
        self._publications = publications
        self._partitions: dict[tuple[str, str], list[Partition]] = {}
        self._shares: dict[str, dict[str, float] | None] = {}

    def landed(self, dataset_id: str) -> tuple[Generation, int] | None:
        """The newest generation for which files of a raw table have landed, and their bytes; None without any."""
        landed = self._publications.landed(dataset_id)
        return (landed[-1], landed_bytes(self._publications, dataset_id, landed[-1])) if landed else None

    def read(self, dataset_id: str, kind: str, columns: Collection[str] | None) -> ReadSize | None:
        """What reading a current view or a history scans, of these columns or of all; None where there is nothing."""
        dataset = self._publications.manifest.dataset(dataset_id)
        s3 = self._publications.clients_of(dataset_id).s3
        with aws_errors():
            if not dataset.has_generations:
                return self._plain(dataset, s3, columns)
            partitions = self._read(dataset, kind)
            if not partitions:
                return None
            size = sum(_size(s3, partition) for partition in partitions)
            newest = max(partitions, key=lambda partition: partition.values)
            share = self._share(s3, newest.location, columns)
        days = len({partition.generation for partition in partitions})
        return ReadSize(size, round(size * (1 if share is None else share)), days, share is not None)

    def _read(self, dataset: Dataset, kind: str) -> list[Partition]:
        if (dataset.id, kind) not in self._partitions:
            place = DatasetLocation.of(dataset, self._publications.environment)
            catalog = self._publications.catalog_of(dataset.id)
            self._partitions[dataset.id, kind] = (
                newest_partitions(catalog, dataset, place, None)
                if kind == "current"
                else catalog.partitions(place.database, place.history)
            )
        return self._partitions[dataset.id, kind]

    def _plain(self, dataset: Dataset, s3: S3Client, columns: Collection[str] | None) -> ReadSize | None:
        """Of a table without generations; of a view that someone else made nothing is known."""
        place = DatasetLocation.of(dataset, self._publications.environment)
        table = self._publications.catalog_of(dataset.id).table(place.database, place.current)
        location = str(((table or {}).get("StorageDescriptor") or {}).get("Location") or "")
        if not location:
            return None
        size = sum(item.size for item in list_objects(s3, _folder(location)))
        share = self._share(s3, location, columns)
        return ReadSize(size, round(size * (1 if share is None else share)), 0, share is not None)

    def _share(self, s3: S3Client, location: str, columns: Collection[str] | None) -> float | None:
        """Which part of the files below a prefix some columns take; None where they do not say."""
        if location not in self._shares:
            files = [item for item in list_objects(s3, _folder(location)) if item.size]
            self._shares[location] = _column_shares(s3, files[:_MOST_FOOTERS])
        shares = self._shares[location]
        if shares is None or columns is None:
            return None if shares is None else 1.0
        return sum(shares.get(column, 0) for column in columns)


def landed_bytes(publications: Publications, dataset_id: str, generation: Generation) -> int:
    """What loading the landing files of a generation scans: all of them, twice. Raises DapflowError ``aws``."""
    place = DatasetLocation.of(publications.manifest.dataset(dataset_id), publications.environment)
    with aws_errors():
        files = list_objects(publications.clients_of(dataset_id).s3, place.landed(generation))
    return _READINGS_OF_A_FILE * sum(file.size for file in files)


def _column_shares(s3: S3Client, files: Sequence[Object]) -> dict[str, float] | None:
    """Which part of some files each column takes; None where they are not Parquet."""
    sizes: Counter[str] = Counter()
    for item in files:
        try:
            sizes.update(read_column_sizes(partial(_tail, s3, item)))
        except FooterError:
            return None
    whole = sum(item.size for item in files)
    return {name: size / whole for name, size in sizes.items()}


def _tail(s3: S3Client, item: Object, length: int) -> bytes:
    return read_object(s3, item.uri, f"-{min(length, item.size)}")


def _size(s3: S3Client, partition: Partition) -> int:
    """As it was noted when it was published; else what lies there."""
    noted = partition.parameters.get(glue_parameters.BYTES)
    if noted is not None:
        return int(noted)
    return sum(item.size for item in list_objects(s3, _folder(partition.location))) if partition.location else 0


def _folder(location: str) -> str:
    return location if location.endswith("/") else f"{location}/"
