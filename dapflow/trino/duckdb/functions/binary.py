"""Binary strings, encodings and digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
import zlib

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf

lowering("length(varbinary)", "octet_length($1)")
lowering("to_hex(varbinary)", "hex($1)")
lowering("from_hex(varchar)", "py_from_hex($1)", attempt="py_from_hex_or_null($1)")
lowering("from_hex(varbinary)", "py_from_hex(decode($1))")
lowering("to_base64(varbinary)", "base64($1)")
lowering("from_base64(varchar)", "py_from_base64($1)", attempt="py_from_base64_or_null($1)")
lowering("from_base64(varbinary)", "py_from_base64(decode($1))")
lowering("to_base64url(varbinary)", "translate(base64($1), '+/', '-_')")
lowering("from_base64url(varchar)", "py_from_base64(translate($1, '-_', '+/'))")
lowering("from_base64url(varbinary)", "py_from_base64(translate(decode($1), '-_', '+/'))")
lowering("to_base32(varbinary)", "py_to_base32($1)")
lowering("from_base32(varchar)", "py_from_base32($1)")
lowering("from_base32(varbinary)", "py_from_base32(decode($1))")
lowering("md5(varbinary)", "unhex(md5($1))")
lowering("sha256(varbinary)", "unhex(sha256($1))")
for _name in ("sha1", "sha512"):
    lowering(f"{_name}(varbinary)", f"py_digest($1, '{_name}')")
for _name in ("md5", "sha1", "sha256", "sha512"):
    lowering(f"hmac_{_name}(varbinary, varbinary)", f"py_hmac($1, $2, '{_name}')")
lowering("crc32(varbinary)", "py_crc32($1)")
lowering("xxhash64(varbinary)", "py_xxhash64($1)")
lowering("murmur3(varbinary)", "py_murmur3($1)")
for _bits, _type in ((32, "integer"), (64, "bigint")):
    lowering(f"to_big_endian_{_bits}({_type})", f"py_to_bytes(CAST($1 AS BIGINT), {_bits // 8})")
    lowering(f"from_big_endian_{_bits}(varbinary)", f"CAST(py_from_bytes($1, {_bits // 8}) AS $ret)")
lowering("to_ieee754_32(real)", "py_to_ieee(CAST($1 AS DOUBLE), '>f')")
lowering("to_ieee754_64(double)", "py_to_ieee($1, '>d')")
lowering("from_ieee754_32(varbinary)", "CAST(py_from_ieee($1, '>f') AS FLOAT)")
lowering("from_ieee754_64(varbinary)", "CAST(py_from_ieee($1, '>d') AS DOUBLE)")
lowering("reverse(varbinary)", "py_reverse_bytes($1)")
for _name in ("lpad", "rpad"):
    lowering(f"{_name}(varbinary, bigint, varbinary)", f"py_pad_bytes($1, $2, $3, '{_name}')")
for _name in ("substr", "substring"):
    lowering(f"{_name}(varbinary, bigint)", "py_substr_bytes($1, $2, 2147483647)")
    lowering(f"{_name}(varbinary, bigint, bigint)", "py_substr_bytes($1, $2, $3)")
lowering("uuid()", "CAST(uuid() AS VARCHAR)")


@udf("py_from_hex", ["VARCHAR"], "BLOB", or_null="py_from_hex_or_null")
def from_hex(text: str) -> bytes:
    """Bytes from pairs of hexadecimal digits."""
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError) as error:
        message = f"INVALID_FUNCTION_ARGUMENT: Illegal hex string: {error}"
        raise Failure(message) from None


@udf("py_from_base64", ["VARCHAR"], "BLOB", or_null="py_from_base64_or_null")
def from_base64(text: str) -> bytes:
    """Bytes from base 64."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"INVALID_FUNCTION_ARGUMENT: {error}"
        raise Failure(message) from None


@udf("py_to_base32", ["BLOB"], "VARCHAR")
def to_base32(data: bytes) -> str:
    """Base 32."""
    return base64.b32encode(data).decode()


@udf("py_from_base32", ["VARCHAR"], "BLOB")
def from_base32(text: str) -> bytes:
    """Bytes from base 32."""
    try:
        return base64.b32decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 8))
    except (binascii.Error, ValueError) as error:
        message = f"INVALID_FUNCTION_ARGUMENT: {error}"
        raise Failure(message) from None


@udf("py_digest", ["BLOB", "VARCHAR"], "BLOB")
def digest(data: bytes, name: str) -> bytes:
    """A digest by name."""
    return hashlib.new(name, data, usedforsecurity=False).digest()


@udf("py_hmac", ["BLOB", "BLOB", "VARCHAR"], "BLOB")
def keyed_digest(data: bytes, key: bytes, name: str) -> bytes:
    """A keyed digest by name."""
    return hmac.new(bytes(key), bytes(data), name).digest()


@udf("py_crc32", ["BLOB"], "BIGINT")
def crc32(data: bytes) -> int:
    """CRC-32."""
    return zlib.crc32(data)


@udf("py_to_bytes", ["BIGINT", "INTEGER"], "BLOB")
def to_bytes(number: int, size: int) -> bytes:
    """A number's bytes, the highest first."""
    return number.to_bytes(size, "big", signed=True)


@udf("py_from_bytes", ["BLOB", "INTEGER"], "BIGINT")
def from_bytes(data: bytes, size: int) -> int:
    """The number of so many bytes, the highest first."""
    if len(data) != size:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: expected {size}-byte input, but got instead: {len(data)}")
    return int.from_bytes(data, "big", signed=True)


@udf("py_to_ieee", ["DOUBLE", "VARCHAR"], "BLOB")
def to_ieee(number: float, form: str) -> bytes:
    """A floating point number's bytes."""
    return struct.pack(form, number)


@udf("py_from_ieee", ["BLOB", "VARCHAR"], "VARCHAR")
def from_ieee(data: bytes, form: str) -> str:
    """The floating point number of some bytes, as text: a NaN would reach DuckDB as NULL."""
    size = struct.calcsize(form)
    if len(data) != size:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Input floating-point value must be exactly {size} bytes long")
    return repr(float(struct.unpack(form, data)[0]))


@udf("py_reverse_bytes", ["BLOB"], "BLOB")
def reverse_bytes(data: bytes) -> bytes:
    """The bytes from the last to the first."""
    return bytes(data)[::-1]


@udf("py_pad_bytes", ["BLOB", "BIGINT", "BLOB", "VARCHAR"], "BLOB")
def pad_bytes(data: bytes, size: int, pad: bytes, side: str) -> bytes:
    """Bytes filled up to a size."""
    if not 0 <= size <= 2147483647:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]")
    if not pad:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Padding bytes must not be empty")
    if size <= len(data):
        return bytes(data)[:size]
    fill = (bytes(pad) * (size // len(pad) + 1))[: size - len(data)]
    return fill + data if side == "lpad" else data + fill


@udf("py_substr_bytes", ["BLOB", "BIGINT", "BIGINT"], "BLOB")
def substr_bytes(data: bytes, start: int, length: int) -> bytes:
    """A part of the bytes; a negative start counts from the end."""
    size = len(data)
    if start == 0 or length <= 0 or abs(start) > size:
        return b""
    first = start - 1 if start > 0 else size + start
    return bytes(data)[first : first + length]


_MASK = 2**64 - 1


def _rotated(x: int, by: int) -> int:
    return ((x << by) | (x >> (64 - by))) & _MASK


@udf("py_murmur3", ["BLOB"], "BLOB")
def murmur3(data: bytes) -> bytes:
    """MurmurHash3, 128 bits, for machines of 64 bits, seed 0."""
    c1, c2, h1, h2 = 0x87C37B91114253D5, 0x4CF5AD432745937F, 0, 0
    data = bytes(data)
    whole = len(data) // 16
    for i in range(whole):
        k1, k2 = struct.unpack_from("<QQ", data, i * 16)
        h1 ^= _rotated(k1 * c1 & _MASK, 31) * c2 & _MASK
        h1 = ((_rotated(h1, 27) + h2) * 5 + 0x52DCE729) & _MASK
        h2 ^= _rotated(k2 * c2 & _MASK, 33) * c1 & _MASK
        h2 = ((_rotated(h2, 31) + h1) * 5 + 0x38495AB5) & _MASK
    k1, k2 = struct.unpack("<QQ", data[whole * 16 :].ljust(16, b"\0"))
    h2 ^= _rotated(k2 * c2 & _MASK, 33) * c1 & _MASK
    h1 ^= _rotated(k1 * c1 & _MASK, 31) * c2 & _MASK
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & _MASK
    h2 = (h2 + h1) & _MASK
    h1, h2 = _mixed(h1), _mixed(h2)
    h1 = (h1 + h2) & _MASK
    return struct.pack("<QQ", h1, (h2 + h1) & _MASK)


def _mixed(k: int) -> int:
    k = (k ^ (k >> 33)) * 0xFF51AFD7ED558CCD & _MASK
    k = (k ^ (k >> 33)) * 0xC4CEB9FE1A85EC53 & _MASK
    return k ^ (k >> 33)


_P1, _P2, _P3, _P4, _P5 = (
    11400714785074694791,
    14029467366897019727,
    1609587929392839161,
    9650029242287828579,
    2870177450012600261,
)


def _round(acc: int, lane: int) -> int:
    return _rotated((acc + lane * _P2) & _MASK, 31) * _P1 & _MASK


@udf("py_xxhash64", ["BLOB"], "BLOB")
def xxhash64(data: bytes) -> bytes:
    """XXH64, seed 0."""
    data = bytes(data)
    size, at = len(data), 0
    if size >= 32:
        v = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while at <= size - 32:
            lanes = struct.unpack_from("<4Q", data, at)
            v = [_round(acc, lane) for acc, lane in zip(v, lanes, strict=True)]
            at += 32
        h = sum(_rotated(acc, by) for acc, by in zip(v, (1, 7, 12, 18), strict=True)) & _MASK
        for acc in v:
            h = ((h ^ _round(0, acc)) * _P1 + _P4) & _MASK
    else:
        h = _P5
    h = (h + size) & _MASK
    while at + 8 <= size:
        h = (_rotated(h ^ _round(0, struct.unpack_from("<Q", data, at)[0]), 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= size:
        h = (_rotated(h ^ (struct.unpack_from("<I", data, at)[0] * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        h = _rotated(h ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    h = (h ^ (h >> 33)) * _P2 & _MASK
    h = (h ^ (h >> 29)) * _P3 & _MASK
    return struct.pack(">Q", h ^ (h >> 32))
