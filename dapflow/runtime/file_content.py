"""What names the content of a landing file, on this machine and in S3: gzip or not, the same rows are the same."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dapflow.errors import DapflowError
from dapflow.runtime.landing.stream import is_gzip
from dapflow.runtime.objects import Object, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Metadata in which bytes and content of a landed file are named. An ETag names no bytes where KMS encrypts them.
SHA256 = "dapflow-sha256"
CONTENT = "dapflow-content-sha256"
_CHUNK = 1 << 20
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)

Advance = Callable[[int], None]


class _Readable(Protocol):
    def read(self, amt: int, /) -> bytes: ...


@dataclass(frozen=True)
class LocalFile:
    """A file that shall land.

    Attributes:
        bytes: with ``modified`` it tells whether the file has changed.
        sha256: names its bytes.
        content: names what an ingest reads of it, which differs where it is gzip.
        content_bytes: how many bytes that are.
    """

    path: Path
    bytes: int
    modified: int
    sha256: str
    content: str
    content_bytes: int

    @property
    def name(self) -> str:
        """Its name in the landing folder."""
        return self.path.name


def read_local(path: Path, advance: Advance = lambda _: None) -> LocalFile:
    """Look at a file as far as a landing needs it. ``advance`` is told how many bytes were read.

    Raises OSError, and DapflowError ``landing-format`` for gzip that is damaged.
    """
    before = path.stat()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    sha256 = content = digest.hexdigest()
    size = before.st_size
    if is_gzip(path.name):
        try:
            with gzip.open(path) as file:
                content, size = _content_of(file)
        except _DAMAGED as error:
            raise DapflowError(
                "landing-format", f"the gzip data is damaged: {error}", file=str(path), hint="export it again"
            ) from error
    return LocalFile(path, before.st_size, before.st_mtime_ns, sha256, content, size)


def notes(file: LocalFile) -> dict[str, str]:
    """The metadata with which a file lands."""
    return {SHA256: file.sha256, CONTENT: file.content}


def digests(s3: S3Client, item: Object) -> tuple[str, str]:
    """What names the bytes and the content of a landed file: what its landing noted, else what reading it gives."""
    bucket, key = split_uri(item.uri)
    noted = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    if SHA256 in noted and (CONTENT in noted or not is_gzip(item.name)):
        return noted[SHA256], noted.get(CONTENT, noted[SHA256])
    sha256, _ = _content_of(s3.get_object(Bucket=bucket, Key=key)["Body"])
    if not is_gzip(item.name):
        return sha256, sha256
    with suppress(*_DAMAGED):  # which the ingest says
        return sha256, _content_of(gzip.open(s3.get_object(Bucket=bucket, Key=key)["Body"]))[0]
    return sha256, sha256


def _content_of(file: _Readable) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
