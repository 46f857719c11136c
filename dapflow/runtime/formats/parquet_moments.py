"""Timestamps of Parquet files that are finer than Athena's milliseconds: found by reading the pages that hold them.

Athena rounds them to milliseconds without a word. Where it can show the number that the file holds (a plain column of
64 bits, read as ``bigint``), its own query checks the values. Here are the others: timestamps of 96 bits, as Spark,
Hive and Athena itself write them, and those within nested columns.

The format: https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dapflow.errors import DapflowError
from dapflow.runtime.formats import snappy
from dapflow.runtime.landing.stream import spans
from dapflow.runtime.objects import Object, read_object
from dapflow.runtime.parquet_footer import (
    DATA_PAGES,
    DICTIONARY_ENCODINGS,
    Chunk,
    FooterError,
    Moments,
    read_chunks,
)
from dapflow.runtime.thrift import Compact

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Of the format: kinds of pages, encodings, codecs.
_DICTIONARY_PAGE, _DATA_PAGE_2 = 2, 3
_PLAIN, _BIT_PACKED = 0, 4
_UNCOMPRESSED, _SNAPPY, _GZIP = 0, 1, 2
_CODECS = {3: "LZO", 4: "Brotli", 5: "LZ4", 6: "Zstandard", 7: "LZ4"}
_ENCODINGS = {5: "DELTA_BINARY_PACKED", 9: "BYTE_STREAM_SPLIT"}
# A header may hold statistics of some length; pages are of a megabyte, and by some writers as large as a row group.
_LONGEST_HEADER = 64 * 1024
_LARGEST_PAGE = 256 * 1024 * 1024
_EPOCH_IN_JULIAN_DAYS = 2_440_588
_NANOS = 1_000_000_000
_DAY = 86_400 * _NANOS


# What to do about moments that have more than milliseconds.
CUT = "Athena's tables keep milliseconds: cut the values in the export (pandas: .dt.floor('ms'))"


class UnreadableError(ValueError):
    """Values are written in a way that is not read here; how, in words."""


@dataclass(frozen=True)
class FineMoment:
    """A moment that has more than milliseconds: as text, and the number of its row group."""

    text: str
    row_group: int


def check_moments(s3: S3Client, item: Object, moments: Sequence[Moments]) -> None:
    """Look at all values of leaves that Athena cannot show.

    Raises DapflowError ``landing-value`` for one that has more than milliseconds, ``parquet`` where that is not seen.
    """
    for leaf in moments:
        if leaf.plain:
            continue
        try:
            misfit = first_misfit(s3, item, leaf)
        except UnreadableError as error:
            raise DapflowError(
                "parquet",
                f"column {_named(leaf)}: whether its timestamps fit cannot be seen: the values are {error}",
                file=item.uri,
                hint="write the file with Snappy or gzip, "
                + ("or its timestamps in 64 bits" if leaf.old else "or its timestamps in milliseconds")
                + " (Spark: spark.sql.parquet.outputTimestampType=TIMESTAMP_MILLIS)",
            ) from error
        if misfit is not None:
            raise DapflowError(
                "landing-value",
                f"column {_named(leaf)}: {misfit.text!r} in row group {misfit.row_group} is no timestamp(3)",
                file=item.uri,
                hint=f"{CUT}, or export them as text",
            )


def first_misfit(s3: S3Client, item: Object, moments: Moments) -> FineMoment | None:
    """The first moment of a leaf that has more than milliseconds. Row groups are counted from 0.

    Raises UnreadableError, or DapflowError ``parquet`` or ``landing-changed``.
    """
    try:
        groups = read_chunks(lambda length: read_object(s3, item.uri, f"-{min(length, item.size)}"), {moments.leaf})
        for number, group in enumerate(groups):
            chunk = group[moments.leaf]
            for values in _values(_Pages(spans(s3, item, chunk.start, chunk.end), chunk), moments):
                text = _misfit(values, moments)
                if text is not None:
                    return FineMoment(text, number)
    except UnreadableError:
        raise
    except (FooterError, IndexError, KeyError, ValueError, struct.error, zlib.error) as error:
        raise DapflowError("parquet", f"column {_named(moments)} cannot be read: {error}", file=item.uri) from error
    return None


def _named(moments: Moments) -> str:
    return ".".join(moments.path)


class _Pages:
    """The pages of a chunk, one in memory at a time."""

    def __init__(self, pieces: Iterator[bytes], chunk: Chunk) -> None:
        self.codec = chunk.codec
        self._pieces = pieces
        self._left = chunk.end - chunk.start
        self._data = b""
        self._at = 0

    def header(self) -> dict[int, Any] | None:
        """The header of the next page; None behind the last one."""
        if not self._left:
            return None
        self._fill(_LONGEST_HEADER)
        reader = Compact(self._data, self._at)
        header = reader.struct()
        self._move(reader.at - self._at)
        if not (0 <= header[3] <= self._left and header[2] >= 0):
            raise ValueError("a page is longer than its column")
        return header

    def skip(self, size: int) -> None:
        """Pass over the content of a page."""
        while size > len(self._data) - self._at:
            rest = len(self._data) - self._at
            self._move(rest)
            size -= rest
            self._fill(1)
        self._move(size)

    def take(self, size: int) -> bytes:
        """The content of a page, as it is packed."""
        if size > _LARGEST_PAGE:
            raise UnreadableError(f"in a page of {size} bytes")
        self._fill(size)
        content = self._data[self._at : self._at + size]
        if len(content) < size:
            raise ValueError("a page ends too early")
        self._move(size)
        return content

    def _move(self, size: int) -> None:
        self._at += size
        self._left -= size

    def _fill(self, size: int) -> None:
        """Hold this many bytes, or all that are left."""
        parts = [self._data[self._at :]]
        held = len(parts[0])
        if held >= size or held >= self._left:
            return
        while held < min(size, self._left):
            piece = next(self._pieces, None)
            if piece is None:
                raise ValueError("the file ends too early")
            parts.append(piece)
            held += len(piece)
        self._data, self._at = b"".join(parts), 0


def _values(pages: _Pages, moments: Moments) -> Iterator[bytes]:
    """The values of a leaf as they are in memory: those of the dictionary, and those that are not in it."""
    while header := pages.header():
        size, packed = header[2], header[3]
        if header[1] == _DICTIONARY_PAGE:
            yield _unpacked(pages.take(packed), size, pages.codec)
            continue
        if header[1] not in DATA_PAGES:
            pages.skip(packed)
            continue
        second = header[1] == _DATA_PAGE_2
        page = header[8 if second else 5]
        encoding = page[4 if second else 2]
        if encoding in DICTIONARY_ENCODINGS:
            pages.skip(packed)
            continue
        if encoding != _PLAIN:
            raise UnreadableError(f"written as {_ENCODINGS.get(encoding, f'encoding {encoding}')}")
        content = pages.take(packed)
        if not second:
            yield _without_levels(_unpacked(content, size, pages.codec), page, moments)
            continue
        levels = page[5] + page[6]
        codec = pages.codec if page.get(7, True) else _UNCOMPRESSED
        yield _unpacked(content[levels:], size - levels, codec)


def _unpacked(content: bytes, size: int, codec: int) -> bytes:
    if size > _LARGEST_PAGE:
        raise UnreadableError(f"in a page of {size} bytes")
    if codec == _UNCOMPRESSED or not size:
        return content[:size]
    if codec == _SNAPPY:
        return snappy.unpacked(content)
    if codec == _GZIP:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, size)
    raise UnreadableError(f"compressed with {_CODECS.get(codec, f'codec {codec}')}")


def _without_levels(content: bytes, page: dict[int, Any], moments: Moments) -> bytes:
    """The values of a page, before which stand its repetition and definition levels."""
    at = 0
    for level, encoding in ((moments.repetition, page[4]), (moments.definition, page[3])):
        if not level:
            continue
        if encoding == _BIT_PACKED:
            at += (page[1] * level.bit_length() + 7) // 8
        else:
            at += 4 + int.from_bytes(content[at : at + 4], "little")
    return content[at:]


def _misfit(values: bytes, moments: Moments) -> str | None:
    """The first value that has more than milliseconds, as text."""
    if moments.old:
        for nanos, day in struct.iter_unpack("<qi", values):
            if nanos % 1_000_000:
                return _text((day - _EPOCH_IN_JULIAN_DAYS) * _DAY + nanos, 9)
        return None
    unit = 10 ** (moments.digits - 3)
    for (number,) in struct.iter_unpack("<q", values):
        if number % unit:
            return _text(number, moments.digits)
    return None


def _text(number: int, digits: int) -> str:
    """A number of fractions of a second since 1970 as a timestamp."""
    seconds, fraction = divmod(number, 10**digits)
    try:
        second = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except OverflowError:
        return str(number)
    return f"{second:%Y-%m-%d %H:%M:%S}.{fraction:0{digits}d}"
