"""Parquet as a landing format: the files say the types of their columns, and Athena reads them where they lie."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from dapflow.manifest import Column
from dapflow.runtime.formats.landing_format import LandingFormat
from dapflow.runtime.formats.parquet_footers import read_footers
from dapflow.runtime.formats.parquet_moments import UnreadableError, check_moments, first_misfit
from dapflow.runtime.history import parquet_storage
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.landing.landed import Landed
from dapflow.runtime.landing.landing_files import check_doubled
from dapflow.runtime.landing.stream import UnpackedContent
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import FINE, NULLS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Parquet(LandingFormat):
    """Files whose footers tell columns, types and rows."""

    is_typed: ClassVar[bool] = True

    def inspect(self, inspection: Inspection) -> Landed:
        """The footers, and the pages of timestamps that Athena would round."""
        s3, files = inspection.target.s3, inspection.files
        footers = read_footers(s3, files)
        inspection.check_names(files[0], [name for name, _, _ in footers.columns])
        sizes = [item.size for item in files]
        check_doubled(
            files, footers.rows, lambda item: _digest(s3, item) if sizes.count(item.size) > 1 else item.uri.encode()
        )
        if any(not leaf.plain for leaves in footers.moments.values() for leaf in leaves):
            inspection.say("looking for timestamps of more than milliseconds")
        for item in files:
            check_moments(s3, item, footers.moments[item.uri])
        # A column of nothing but NULL is not read: its physical type says nothing. Timestamps that are finer than
        # Athena's are read as the numbers that they are (https://github.com/trinodb/trino/pull/9330).
        stored = [
            Column(inner, "bigint" if kind in FINE else kind) for _, inner, kind in footers.columns if kind != NULLS
        ]
        return Landed(
            tuple(files),
            tuple((name, kind) for name, _, kind in footers.columns),
            footers.rows,
            parquet_storage(stored, inspection.location),
            read_as={name: inner for name, inner, _ in footers.columns},
            moments=footers.moments,
        )

    def declared(self, s3: S3Client, item: Object) -> tuple[dict[str, str], int]:
        """What the footer says."""
        footers = read_footers(s3, [item])
        return {name: kind for name, _, kind in footers.columns}, footers.rows[item.uri]

    def misfit(self, s3: S3Client, landed: Landed, item: Object, column: str, wanted: str) -> str | None:
        """The first timestamp that has more than milliseconds, and its row group, if they can be read."""
        path = (landed.read_as.get(column, column),)
        for moments in landed.moments.get(item.uri, ()):
            if moments.path == path and wanted == "timestamp":
                with suppress(UnreadableError):
                    first = first_misfit(s3, item, moments)
                    return f"{first.text!r} in row group {first.row_group}" if first else None
        return None


def _digest(s3: S3Client, item: Object) -> bytes:
    content = UnpackedContent(s3, item)
    for _ in content:
        pass
    return content.digest
