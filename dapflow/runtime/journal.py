"""What runs leave behind, written down before they make it, so that nothing is left for ever.

An entry is a small object below ``<dataset>/_runs/``. It names the prefixes and the temporary tables of one run. Every
publication of the dataset sweeps the entries that are old enough; what a partition points at is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.runtime.catalog import Catalog
from dapflow.runtime.objects import delete_object, delete_prefix, list_objects, read_object, write_object
from dapflow.runtime.place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A run that has not published by then has failed: longer than any query, its retries and their delays.
UNFINISHED_SECONDS = 24 * 3600


class Journal:
    """The journal of one dataset."""

    def __init__(self, s3: S3Client, catalog: Catalog, place: Place) -> None:
        self.s3 = s3
        self.catalog = catalog
        self.place = place
        self.prefix = f"{place.prefix}_runs/"

    def write(self, name: str, *, replaced: bool, locations: Iterable[str] = (), tables: Iterable[str] = ()) -> None:
        """Write an entry. ``replaced``: nothing reads it any more after the time of grace; else a run may be on it."""
        entry = {"replaced": replaced, "locations": list(locations), "tables": list(tables)}
        write_object(self.s3, self._uri(name), json.dumps(entry).encode())

    def forget(self, name: str) -> None:
        """Remove an entry."""
        delete_object(self.s3, self._uri(name))

    def sweep(self, live: Callable[[], set[str]], grace_seconds: float) -> list[str]:
        """Delete what entries name that are old enough, but no prefix in ``live``; the prefixes that were deleted."""
        now = datetime.now(UTC)
        ages = {found: (now - found.modified).total_seconds() for found in list_objects(self.s3, self.prefix)}
        old = {found: age for found, age in ages.items() if age >= min(grace_seconds, UNFINISHED_SECONDS)}
        kept = live() if old else set()
        deleted = []
        for found, age in old.items():
            try:
                entry = json.loads(read_object(self.s3, found.uri))
            except ClientError:
                continue  # another run swept it just now
            if age < (grace_seconds if entry["replaced"] else UNFINISHED_SECONDS):
                continue
            for location in entry["locations"]:
                # A prefix outside the dataset's own was not made here; whoever made it deletes it.
                used = any(each.startswith(location) for each in kept)
                if not used and location.startswith(self.place.prefix):
                    delete_prefix(self.s3, location)
                    deleted.append(location)
            for table in entry["tables"]:
                self.catalog.delete_table(self.place.database, table)
            with suppress(ClientError):
                delete_object(self.s3, found.uri)
        return deleted

    def _uri(self, name: str) -> str:
        return f"{self.prefix}{name}.json"
