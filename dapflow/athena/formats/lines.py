"""Text files as lines: decompressed, decoded, cut, in blocks that bound the memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.storage.locations import Location

_BLOCK_BYTES = 8 << 20


def _open(file: Path, place: Location) -> IO[bytes]:
    """The content of a file; as in Hive, the name's ending says how it is compressed."""
    ending = place.key.rpartition(".")[2].lower()
    if ending == "gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]
    if ending == "bz2":
        return bz2.open(file, "rb")
    if ending in {"xz", "lzma"}:
        return lzma.open(file, "rb")
    if ending in {"zst", "lz4", "snappy"}:
        codec = {"zst": "zstd", "lz4": "lz4", "snappy": "snappy"}[ending]
        stream: Any = pa.CompressedInputStream(pa.OSFile(str(file)), codec)
        return stream  # type: ignore[no-any-return]
    return file.open("rb")


def blocks(file: Path, place: Location, skip_lines: int = 0) -> Iterator[str]:
    """The text in blocks of whole lines that end in ``\\n`` alone; bytes that are not UTF-8 become U+FFFD."""
    # A line may be longer than any number of blocks: its pieces are joined once.
    rest: list[bytes] = []
    first = True
    try:
        with _open(file, place) as stream:
            while chunk := stream.read(_BLOCK_BYTES):
                # A carriage return at the end of a block may be half of a line's end.
                cut = chunk.rfind(b"\n") + 1
                if not cut:
                    rest.append(chunk)
                else:
                    data, rest = b"".join([*rest, chunk[:cut]]), [chunk[cut:]]
                    text, skip_lines = _skipped(_decoded(data, first), skip_lines)
                    first = False
                    if text:
                        yield text
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        raise QueryFailed(
            "HIVE_CURSOR_ERROR", f"Failed to read file at {place}: the compressed data is damaged"
        ) from error
    last = b"".join(rest)
    if last:
        text, _ = _skipped(_decoded(last, first), skip_lines)
        if text:
            yield text if text.endswith("\n") else text + "\n"


def _decoded(data: bytes, first: bool) -> str:
    if first and data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    text = data.decode("utf-8", errors="replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _skipped(text: str, count: int) -> tuple[str, int]:
    start = 0
    while count and start < len(text):
        end = text.find("\n", start)
        start = end + 1 if end >= 0 else len(text)
        count -= 1
    return text[start:], count


def line_arrays(file: Path, place: Location, skip_lines: int = 0) -> Iterator[pa.Array]:
    """Arrow arrays of lines without their ends. Empty lines are kept: they are rows."""
    for text in blocks(file, place, skip_lines):
        lines = text.split("\n")
        lines.pop()
        yield pa.array(lines, pa.string())


def header_lines(properties: dict[str, str], parameters: dict[str, str]) -> int:
    """``skip.header.line.count``, which may stand in either place."""
    text = parameters.get("skip.header.line.count", properties.get("skip.header.line.count", "0"))
    try:
        return max(0, int(text))
    except ValueError:
        raise QueryFailed(
            "HIVE_INVALID_METADATA", f"Invalid value for skip.header.line.count property: {text}"
        ) from None
