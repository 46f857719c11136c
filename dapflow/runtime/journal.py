"""What runs leave behind, written down before they make it, so that nothing is left for ever.

An entry is a small object below ``<dataset>/_runs/``. It names the prefixes and the temporary tables of one run. Every
publication of the dataset sweeps the entries that are old enough; what a partition points at is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.runtime.catalog import Catalog
from dapflow.runtime.objects import Object, delete_object, delete_prefix, list_objects, read_object, write_object
from dapflow.runtime.place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A run that has not published by then has failed: longer than any query, its retries and their delays.
UNFINISHED_SECONDS = 24 * 3600
_REPLACED = "replaced-"


class Journal:
    """The journal of one dataset."""

    def __init__(self, s3: S3Client, catalog: Catalog, place: Place) -> None:
        self.s3 = s3
        self.catalog = catalog
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
        old = [each for each in list_objects(self.s3, self.prefix) if _age(each) >= _life(each, grace_seconds)]
        kept = live() if old else set()
        deleted = []
        for found in old:
            try:
                entry = json.loads(read_object(self.s3, found.uri))
            except ClientError:
                continue  # another run swept it just now
            for location in entry["locations"]:
                # A prefix outside the dataset's own was not made here; whoever made it deletes it.
                used = any(each.startswith(location) for each in kept)
                if not used and location.startswith(self.place.prefix) and delete_prefix(self.s3, location):
                    deleted.append(location)
            for table in entry["tables"]:
                self.catalog.delete_table(self.place.database, table)
            delete_object(self.s3, found.uri)
        return deleted

    def _write(self, name: str, locations: Iterable[str], tables: Iterable[str]) -> None:
        entry = {"locations": list(locations), "tables": list(tables)}
        write_object(self.s3, f"{self.prefix}{name}.json", json.dumps(entry).encode())


def _age(entry: Object) -> float:
    return (datetime.now(UTC) - entry.modified).total_seconds()


def _life(entry: Object, grace_seconds: float) -> float:
    return grace_seconds if entry.name.startswith(_REPLACED) else UNFINISHED_SECONDS
