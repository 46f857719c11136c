"""The bytes of a landing file from its start to its end, in bounded memory."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import error_code
from dapflow.runtime.objects import Object, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The first span is short, because often the header alone is wanted; while one is worked on, the next is fetched.
_FIRST_SPAN = 256 * 1024
_SPAN = 4 * 1024 * 1024
_TRIES = 4
_CHANGED = ("PreconditionFailed", "412", "NoSuchKey", "404")


def changed(item: Object) -> DapflowError:
    """The error for a file that is not what was listed any more."""
    return DapflowError(
        "landing-changed",
        "the file was exchanged while it was read",
        file=item.uri,
        hint="run it again when the landing is complete",
    )


def spans(s3: S3Client, item: Object, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """An object, or its bytes from ``start`` to ``end``, in pieces.

    Raises DapflowError ``landing-changed`` when it is another object than was listed.
    """
    end = item.size if end is None else min(end, item.size)
    if start >= end:
        return
    yield _span(s3, item, start, min(start + _FIRST_SPAN, end))
    edges = [*range(start + _FIRST_SPAN, end, _SPAN), end]
    if len(edges) < 2:
        return
    with ThreadPoolExecutor(1, thread_name_prefix="landing") as pool:
        ahead = pool.submit(_span, s3, item, edges[0], edges[1])
        for first, last in [*pairwise(edges[1:]), (0, 0)]:
            data = ahead.result()
            if last:
                ahead = pool.submit(_span, s3, item, first, last)
            yield data


def _span(s3: S3Client, item: Object, start: int, end: int) -> bytes:
    bucket, key = split_uri(item.uri)
    for left in reversed(range(_TRIES)):
        try:
            answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{end - 1}", IfMatch=f'"{item.etag}"')
            return answer["Body"].read()
        except ClientError as error:
            if error_code(error) in _CHANGED:
                raise changed(item) from error
            raise
        except BotoCoreError:  # a connection that broke off within the body, which botocore does not repeat
            if not left:
                raise
    raise AssertionError


@dataclass
class UnpackedContent:
    """The unpacked content of a landing file.

    Attributes:
        members: how many members of gzip were begun by the last reading (0: it is no gzip).
        digest: names what was read by the last reading that came to the end.
    """

    s3: S3Client
    item: Object
    members: int = field(default=0, init=False)
    digest: bytes = field(default=b"", init=False)

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of some megabytes. Raises DapflowError ``landing-format`` or ``landing-changed``."""
        self.members = 0
        hashed = hashlib.blake2b(digest_size=16)
        pieces = spans(self.s3, self.item)
        for piece in self._unpacked(pieces) if is_gzip(self.item.name) else pieces:
            hashed.update(piece)
            yield piece
        self.digest = hashed.digest()

    def _unpacked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Gzip may hold several members, one behind the other, and zeros at its end (RFC 1952, 2.2)."""
        reader: zlib._Decompress | None = None
        try:
            for packed in pieces:
                data = packed
                while data:
                    if reader is None:
                        data = data.lstrip(b"\0") if self.members else data
                        if not data:
                            break
                        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
                        self.members += 1
                    if unpacked := reader.decompress(data, _SPAN):
                        yield unpacked
                    data = reader.unused_data if reader.eof else reader.unconsumed_tail
                    if reader.eof:
                        reader = None
        except zlib.error as error:
            words = "the gzip data is damaged" if self.members > 1 else "the file is named .gz, but is not gzip"
            raise DapflowError("landing-format", words, file=self.item.uri, hint="land it again") from error
        if reader is not None:
            raise DapflowError(
                "landing-format", "the gzip data ends too early", file=self.item.uri, hint="land the whole file again"
            )

    def open(self) -> io.BufferedReader:
        """The content as a binary file."""
        return io.BufferedReader(_Raw(iter(self)), _FIRST_SPAN)


def is_gzip(name: str) -> bool:
    """Whether Athena will take a file of this name as gzip: it goes by nothing else."""
    return name.lower().endswith(".gz")


class _Raw(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        room = memoryview(buffer)
        size = min(len(room), len(self._piece))
        room[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size
