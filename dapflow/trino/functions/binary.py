"""Functions of bytes."""

from dapflow.trino.functions.table import Function, function

_PAGE = "binary"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The bytes in hexadecimal digits.",
        "to_hex(varbinary) -> varchar",
    ),
    function(
        _PAGE,
        "The bytes that hexadecimal digits stand for.",
        "from_hex(varchar) -> varbinary",
        "from_hex(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The bytes in base64.",
        "to_base64(varbinary) -> varchar",
    ),
    function(
        _PAGE,
        "The bytes that base64 stands for.",
        "from_base64(varchar) -> varbinary",
        "from_base64(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The bytes in the base64 for URLs.",
        "to_base64url(varbinary) -> varchar",
    ),
    function(
        _PAGE,
        "The bytes that the base64 for URLs stands for.",
        "from_base64url(varchar) -> varbinary",
        "from_base64url(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The bytes in base32.",
        "to_base32(varbinary) -> varchar",
    ),
    function(
        _PAGE,
        "The bytes that base32 stands for.",
        "from_base32(varchar) -> varbinary",
        "from_base32(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The MD5 digest of the bytes.",
        "md5(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The SHA-256 digest of the bytes.",
        "sha256(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The SHA-1 digest of the bytes.",
        "sha1(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The SHA-512 digest of the bytes.",
        "sha512(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The HMAC with MD5 of the bytes, by a key.",
        "hmac_md5(varbinary, varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The HMAC with SHA-1 of the bytes, by a key.",
        "hmac_sha1(varbinary, varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The HMAC with SHA-256 of the bytes, by a key.",
        "hmac_sha256(varbinary, varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The HMAC with SHA-512 of the bytes, by a key.",
        "hmac_sha512(varbinary, varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The CRC-32 of the bytes.",
        "crc32(varbinary) -> bigint",
    ),
    function(
        _PAGE,
        "The xxHash64 of the bytes.",
        "xxhash64(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The MurmurHash3 of the bytes, in 128 bits.",
        "murmur3(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The SpookyHash, version 2, of the bytes, in 32 bits.",
        "spooky_hash_v2_32(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The SpookyHash, version 2, of the bytes, in 64 bits.",
        "spooky_hash_v2_64(varbinary) -> varbinary",
    ),
    function(
        _PAGE,
        "The integer as four bytes, the highest first.",
        "to_big_endian_32(integer) -> varbinary",
    ),
    function(
        _PAGE,
        "The integer in four bytes, the highest first.",
        "from_big_endian_32(varbinary) -> integer",
    ),
    function(
        _PAGE,
        "The bigint as eight bytes, the highest first.",
        "to_big_endian_64(bigint) -> varbinary",
    ),
    function(
        _PAGE,
        "The bigint in eight bytes, the highest first.",
        "from_big_endian_64(varbinary) -> bigint",
    ),
    function(
        _PAGE,
        "The real as four bytes by IEEE 754.",
        "to_ieee754_32(real) -> varbinary",
    ),
    function(
        _PAGE,
        "The double as eight bytes by IEEE 754.",
        "to_ieee754_64(double) -> varbinary",
    ),
    function(
        _PAGE,
        "The real in four bytes by IEEE 754.",
        "from_ieee754_32(varbinary) -> real",
    ),
    function(
        _PAGE,
        "The double in eight bytes by IEEE 754.",
        "from_ieee754_64(varbinary) -> double",
    ),
)
