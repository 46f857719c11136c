"""Functions of bits."""

from dapflow.trino.functions.table import Function, function

_PAGE = "bitwise"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "Both numbers joined by a bitwise AND.",
        "bitwise_and(bigint, bigint) -> bigint",
    ),
    function(
        _PAGE,
        "Both numbers joined by a bitwise OR.",
        "bitwise_or(bigint, bigint) -> bigint",
    ),
    function(
        _PAGE,
        "Both numbers joined by a bitwise XOR.",
        "bitwise_xor(bigint, bigint) -> bigint",
    ),
    function(
        _PAGE,
        "The number with every bit turned over.",
        "bitwise_not(bigint) -> bigint",
    ),
    function(
        _PAGE,
        "How many bits of a number of so many bits are set.",
        "bit_count(bigint, bigint) -> bigint",
    ),
    function(
        _PAGE,
        "The bits moved to the left.",
        "bitwise_left_shift(tinyint, bigint) -> tinyint",
        "bitwise_left_shift(smallint, bigint) -> smallint",
        "bitwise_left_shift(integer, bigint) -> integer",
        "bitwise_left_shift(bigint, bigint) -> bigint",
    ),
    function(
        _PAGE,
        "The bits moved to the right, zeros following.",
        "bitwise_right_shift(tinyint, bigint) -> tinyint",
        "bitwise_right_shift(smallint, bigint) -> smallint",
        "bitwise_right_shift(integer, bigint) -> integer",
        "bitwise_right_shift(bigint, bigint) -> bigint",
    ),
    function(
        _PAGE,
        "The bits moved to the right, the sign's bit following.",
        "bitwise_right_shift_arithmetic(tinyint, bigint) -> tinyint",
        "bitwise_right_shift_arithmetic(smallint, bigint) -> smallint",
        "bitwise_right_shift_arithmetic(integer, bigint) -> integer",
        "bitwise_right_shift_arithmetic(bigint, bigint) -> bigint",
    ),
)
