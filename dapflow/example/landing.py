"""Put the exports where the services' databases would put them: the landing bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.example.nightly import NightlyExport, exports
from dapflow.example.package_data import YEAR

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST_NIGHT = date(YEAR, 1, 2)  # the weather arrives a day late, so the first night has none
LAST_NIGHT = date(YEAR, 12, 31)


@dataclass(frozen=True)
class LandedObject:
    """One object of the landing bucket. ``written`` is False when the very same bytes were there already."""

    service: str
    table: str
    generation: date
    uri: str
    rows: int
    size: int
    written: bool


@dataclass(frozen=True)
class LandedExports:
    """What ``land`` found and did, in the order of the nights."""

    objects: tuple[LandedObject, ...]

    @property
    def written(self) -> tuple[LandedObject, ...]:
        """The objects that were new or differed."""
        return tuple(item for item in self.objects if item.written)

    @property
    def unchanged(self) -> tuple[LandedObject, ...]:
        """The objects that were there already."""
        return tuple(item for item in self.objects if not item.written)


def snapshots() -> list[date]:
    """The nights that land unless others are asked for: the last three of 2013."""
    return [date(YEAR, 12, day) for day in (29, 30, 31)]


def land(
    s3_client: S3Client,
    landing_uri: str,
    dates: Sequence[date] | None = None,
    progress: Callable[[LandedObject], None] | None = None,
) -> LandedExports:
    """Write the exports of ``dates`` below ``landing_uri`` (``s3://bucket/`` or ``s3://bucket/prefix/``).

    The bytes of an export are always the same, so an object that is there with the same ETag is left alone.
    ``progress`` is called once an object. Raises DapflowError ``example-date`` for a night without data.
    """
    nights = sorted(set(snapshots() if dates is None else dates))
    for night in nights:
        if not FIRST_NIGHT <= night <= LAST_NIGHT:
            raise DapflowError(
                "example-date",
                f"the example has no export of {night}",
                hint=f"it has one for each night from {FIRST_NIGHT} to {LAST_NIGHT}",
            )
    bucket, _, prefix = landing_uri.removeprefix("s3://").partition("/")
    objects = []
    for export in exports(nights) if nights else ():
        objects.append(_put(s3_client, bucket, prefix, export))
        if progress is not None:
            progress(objects[-1])
    return LandedExports(tuple(objects))


def _put(s3_client: S3Client, bucket: str, prefix: str, export: NightlyExport) -> LandedObject:
    key = f"{prefix}{export.service}/{export.table}/{export.generation.isoformat()}/{export.file_name}"
    md5 = hashlib.md5(export.content, usedforsecurity=False).hexdigest()
    there = s3_client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    same = any(item["Key"] == key and item["ETag"].strip('"') == md5 for item in there)
    if not same:
        s3_client.put_object(Bucket=bucket, Key=key, Body=export.content)
    return LandedObject(
        export.service,
        export.table,
        export.generation,
        f"s3://{bucket}/{key}",
        export.rows,
        len(export.content),
        written=not same,
    )
