"""Landing files in a form that Athena's own reader takes without loss: JSON lines in which every value is text.

Used for whatever that reader would not read as it is written: other encodings, line breaks in quotes, escapes, JSON.
The landing files stay; what is written here is removed after the load.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dapflow.runtime.objects import write_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Several files of some size let Athena read them side by side, and bound what is held in memory.
_PART_BYTES = 8 * 1024 * 1024
_BATCH_ROWS = 1000
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class ConvertedFile:
    """One landing file on its way. Equal landing files give equal objects, so that a retry may write them again.

    Args:
        prefix: where the objects go.
        number: the landing file's place among those of the generation; the objects' names begin with it.
    """

    def __init__(self, s3: S3Client, prefix: str, number: int) -> None:
        self.s3 = s3
        self.prefix = prefix
        self.number = number
        self.rows = 0
        self._part = 0
        self._batch: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._packed = bytearray()
        # The fastest level: the worker's one processor is what a load waits for. No time stands in this header.
        self._gzip = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        self._begun = False

    def write(self, values: Mapping[str, str | None]) -> None:
        """Write a row: column names to text, or None for NULL."""
        self._batch.append(_encode(values))
        self.rows += 1
        if len(self._batch) >= _BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._put()

    def _flush(self) -> None:
        if self._batch:
            self._packed += self._gzip.compress(("\n".join(self._batch) + "\n").encode())
            self._batch.clear()
            self._begun = True
            if len(self._packed) >= _PART_BYTES:
                self._put()

    def _put(self) -> None:
        if self._begun:
            name = f"{self.number:05d}-{self._part:05d}.json.gz"
            write_object(self.s3, self.prefix + name, bytes(self._packed + self._gzip.flush()))
            self._part += 1
            self._begin()


def number_of(uri: str) -> int:
    """The place of the landing file that an object was made of."""
    return int(uri.rpartition("/")[2].partition("-")[0])
