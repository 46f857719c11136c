"""Snappy and Zstandard blocks of Avro files by pyarrow: fastavro needs further packages for its own codecs."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO

import pyarrow as pa
from fastavro import _read, _write

_SNAPPY, _ZSTD = pa.Codec("snappy"), pa.Codec("zstd")


def register() -> None:
    """Make fastavro read and write these blocks."""
    readers: dict[str, Any] = _read.BLOCK_READERS
    writers: dict[str, Any] = vars(_write)["BLOCK_WRITERS"]
    readers |= {"snappy": _read_snappy, "zstandard": _read_zstandard}
    writers |= {"snappy": _write_snappy, "zstandard": _write_zstandard}


def _read_snappy(stream: BinaryIO) -> BinaryIO:
    """A block of snappy ends in the checksum of what it holds. Raises ValueError where that is another."""
    data = stream.read(_read_long(stream))
    body, checksum = data[:-4], data[-4:]
    held = bytes(_SNAPPY.decompress(body, _long_at(body), asbytes=True))
    if zlib.crc32(held).to_bytes(4, "big") != checksum:
        raise ValueError("the checksum of a block is another")
    return io.BytesIO(held)


def _read_zstandard(stream: BinaryIO) -> BinaryIO:
    data = stream.read(_read_long(stream))
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as decompressed:
        return io.BytesIO(decompressed.read())


def _write_snappy(stream: Any, block: bytes, _level: int | None) -> None:
    data = _SNAPPY.compress(block, asbytes=True) + zlib.crc32(block).to_bytes(4, "big")
    stream.write(_long(len(data)) + data)


def _write_zstandard(stream: Any, block: bytes, _level: int | None) -> None:
    data = _ZSTD.compress(block, asbytes=True)
    stream.write(_long(len(data)) + data)


def _long_at(data: bytes) -> int:
    """The number of seven bits a byte that begins the data: Snappy's length of what it holds."""
    return _read_varint(io.BytesIO(data))


def _read_long(stream: BinaryIO) -> int:
    """Avro's long."""
    number = _read_varint(stream)
    return (number >> 1) ^ -(number & 1)


def _read_varint(stream: BinaryIO) -> int:
    number = shift = 0
    while True:
        byte = stream.read(1)[0]
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number
        shift += 7


def _long(number: int) -> bytes:
    encoded, rest = bytearray(), number << 1
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest])
