"""What runs leave behind, written down before they make it, so that nothing is left for ever.

An entry is a small object below ``<dataset>/_runs/``. It names the prefixes and the temporary tables of one run. Every
publication of the dataset sweeps the entries that are old enough; what a partition points at is never touched.
Temporary tables are found by their names as well, so that one that no entry names goes too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.manifest import Dataset
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.objects import delete_object, delete_prefix, list_objects, read_aged, write_object
from dapflow.runtime.temporary import temporary_tables

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A run that has not published by then has failed: longer than any query, its retries and their delays.
UNFINISHED_SECONDS = 24 * 3600
_REPLACED = "replaced-"


class Journal:
    """The journal of one dataset."""

    def __init__(self, s3: S3Client, catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation) -> None:
        self.s3 = s3
        self.catalog = catalog
        self.dataset = dataset
        self.place = place
        self.prefix = f"{place.prefix}_runs/"

    def write(self, name: str, *, locations: Iterable[str] = (), tables: Iterable[str] = ()) -> None:
        """Write what a run may leave behind; a later entry of this name takes the place of it."""
        self._write(name, locations, tables)

    def replaced(self, name: str, locations: Iterable[str]) -> None:
        """Write which prefixes a publication is about to replace."""
        self._write(_REPLACED + name, locations, ())

    def sweep(self, live: Callable[[], set[str]], grace_seconds: float) -> list[str]:
        """Delete what is old enough, but no prefix that holds one in ``live``; the prefixes that were deleted.

        What was replaced is old enough after the time of grace, what a run left behind when the run must have ended.
        """
        old = [item for item in list_objects(self.s3, self.prefix) if _over(item.name, item.modified, grace_seconds)]
        entries = []
        for item in old:
            try:
                text, modified = read_aged(self.s3, item.uri)
            except ClientError:
                continue  # another run swept it just now
            if _over(item.name, modified, grace_seconds):  # else another attempt took the run up just now
                entries.append((item.uri, json.loads(text)))
        deleted = self.discard([location for _, entry in entries for location in entry["locations"]], live)
        for uri, entry in entries:
            for table in entry["tables"]:
                self.catalog.delete_table(self.place.database, table)
            delete_object(self.s3, uri)
        for table in temporary_tables(self.catalog, self.dataset, self.place):
            if _age(table.get("UpdateTime") or table["CreateTime"]) >= UNFINISHED_SECONDS:
                self.catalog.delete_table(self.place.database, table["Name"])
        return deleted

    def discard(self, locations: Iterable[str], live: Callable[[], set[str]]) -> list[str]:
        """Delete the objects below prefixes of the dataset that no location in ``live`` shares; what was deleted.

        A prefix outside the dataset's own was not made here; whoever made it deletes it.
        """
        own = sorted({location for location in locations if location.startswith(self.place.prefix)})
        kept = {f"{location.rstrip('/')}/" for location in live()} if own else set()
        unused = [
            location
            for location in own
            if not any(prefix.startswith(location) or location.startswith(prefix) for prefix in kept)
        ]
        return [location for location in unused if delete_prefix(self.s3, location)]

    def _write(self, name: str, locations: Iterable[str], tables: Iterable[str]) -> None:
        entry = {"locations": list(locations), "tables": list(tables)}
        write_object(self.s3, f"{self.prefix}{name}.json", json.dumps(entry).encode())


def _over(name: str, modified: datetime, grace_seconds: float) -> bool:
    return _age(modified) >= (grace_seconds if name.startswith(_REPLACED) else UNFINISHED_SECONDS)


def _age(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
