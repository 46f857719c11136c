"""SpookyHash, version 2, which is in the public domain. Source: burtleburtle.net/bob/hash/spooky.html."""

from __future__ import annotations

import struct

from dapflow.trino.duckdb.functions.registry import lowering, udf

lowering("spooky_hash_v2_32(varbinary)", "py_spooky($1, 4)")
lowering("spooky_hash_v2_64(varbinary)", "py_spooky($1, 8)")

_MASK = (1 << 64) - 1
_CONSTANT = 0xDEADBEEFDEADBEEF
#: Fewer bytes than this are hashed in another way.
_LONG = 192
#: By how many bits each step turns a word.
_SHORT_MIX = (50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36)
_SHORT_END = (15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63)
_LONG_MIX = (11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46)
_LONG_END = (44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54)


@udf("py_spooky", ["BLOB", "INTEGER"], "BLOB")
def spooky(data: bytes, size: int) -> bytes:
    """The lowest bytes of the hash with seed 0, the highest of them first."""
    data = bytes(data)
    hashed = _short(data) if len(data) < _LONG else _long(data)
    return hashed.to_bytes(8, "big")[8 - size :]


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK


def _short(data: bytes) -> int:
    h = [0, 0, _CONSTANT, _CONSTANT]
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        # Of two pairs of words, one goes in before the mixing and one behind it.
        first = 0 if at % 32 else 2
        for i, word in enumerate(struct.unpack_from("<2Q", data, at), first):
            h[i] = (h[i] + word) & _MASK
        if first:
            for step, bits in enumerate(_SHORT_MIX, 2):
                a, b, c = step % 4, (step + 1) % 4, (step + 2) % 4
                h[a] = (_rotated(h[a], bits) + h[b]) & _MASK
                h[c] ^= h[a]
    rest = data[whole:]
    last = struct.unpack("<2Q", rest.ljust(16, b"\0")) if rest else (_CONSTANT, _CONSTANT)
    h[2] = (h[2] + last[0]) & _MASK
    h[3] = (h[3] + last[1] + (len(data) << 56)) & _MASK
    for step, bits in enumerate(_SHORT_END, 3):
        a, b = step % 4, (step - 1) % 4
        h[a] ^= h[b]
        h[b] = _rotated(h[b], bits)
        h[a] = (h[a] + h[b]) & _MASK
    return h[0]


def _long(data: bytes) -> int:
    h = [0, 0, _CONSTANT] * 4
    whole = len(data) // 96 * 96
    for at in range(0, whole, 96):
        for i, (word, bits) in enumerate(zip(struct.unpack_from("<12Q", data, at), _LONG_MIX, strict=True)):
            before = (i + 11) % 12
            h[i] = (h[i] + word) & _MASK
            h[(i + 2) % 12] ^= h[(i + 10) % 12]
            h[before] ^= h[i]
            h[i] = _rotated(h[i], bits)
            h[before] = (h[before] + h[(i + 1) % 12]) & _MASK
    rest = data[whole:].ljust(95, b"\0") + bytes([len(data) - whole])
    h = [(state + word) & _MASK for state, word in zip(h, struct.unpack("<12Q", rest), strict=True)]
    for _ in range(3):
        for i, bits in enumerate(_LONG_END):
            before, after = (i + 11) % 12, (i + 1) % 12
            h[before] = (h[before] + h[after]) & _MASK
            h[(i + 2) % 12] ^= h[before]
            h[after] = _rotated(h[after], bits)
    return h[0]
