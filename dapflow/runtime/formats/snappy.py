"""Snappy, in which most Parquet files are compressed and for which MWAA's image has no library.

The format: https://github.com/google/snappy/blob/main/format_description.txt
"""

from __future__ import annotations


def unpacked(data: bytes) -> bytes:
    """The content of a block. Raises ValueError or IndexError where it makes no sense."""
    size, at = _length(data)
    out = bytearray()
    end = len(data)
    while at < end:
        tag = data[at]
        at += 1
        kind = tag & 3
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                extra = length - 60
                length = int.from_bytes(data[at : at + extra], "little") + 1
                at += extra
            out += data[at : at + length]
            at += length
            continue
        if kind == 1:
            length = (tag >> 2 & 7) + 4
            offset = tag >> 5 << 8 | data[at]
            at += 1
        else:
            width = 2 if kind == 2 else 4
            length = (tag >> 2) + 1
            offset = int.from_bytes(data[at : at + width], "little")
            at += width
        start = len(out) - offset
        if not offset or start < 0:
            raise ValueError("a copy of what is not there")
        if offset >= length:
            out += out[start : start + length]
        else:
            out += (out[start:] * (length // offset + 1))[:length]
    if len(out) != size:
        raise ValueError(f"{len(out)} bytes instead of {size}")
    return bytes(out)


def _length(data: bytes) -> tuple[int, int]:
    """The length of the content, and where it begins."""
    size = shift = at = 0
    while True:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, at
        shift += 7
