"""Files of this machine, read as the ingest reads objects of S3."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dapflow.errors import DapflowError
from dapflow.runtime.objects import Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class _Files:
    """Files of this machine, read as the ingest reads objects of S3."""

    def get_object(self, *, Key: str, Range: str, **_others: Any) -> dict[str, Any]:  # noqa: N803 (as boto3 has it)
        first, _, end = Range.removeprefix("bytes=").partition("-")
        with Path(f"/{Key}").open("rb") as file:
            if first:
                file.seek(int(first))
                return {"Body": io.BytesIO(file.read(int(end) - int(first) + 1))}
            file.seek(-int(end), io.SEEK_END)
            return {"Body": io.BytesIO(file.read())}


FILES = cast("S3Client", _Files())
# What stands for a bucket before the path of a file of this machine.
_BUCKET = "s3://file"


def local_object(path: Path) -> Object:
    """A file as an object."""
    return Object(f"{_BUCKET}{path.absolute()}", path.stat().st_size, "", datetime.now(UTC))


def at_path(error: DapflowError) -> DapflowError:
    """The same error at the file of this machine."""
    error.file = error.file and error.file.removeprefix(_BUCKET)
    return error


def path_of(item: Object) -> str:
    """Where the file of an object is."""
    return item.uri.removeprefix(_BUCKET)
