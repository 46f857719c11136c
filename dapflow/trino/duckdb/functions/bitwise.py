"""Bits of numbers."""

from __future__ import annotations

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf

for _name, _op in (("and", "&"), ("or", "|")):
    lowering(f"bitwise_{_name}(bigint, bigint)", f"($1 {_op} $2)")
lowering("bitwise_xor(bigint, bigint)", "xor($1, $2)")
lowering("bitwise_not(bigint)", "(~$1)")
lowering("bit_count(bigint, bigint)", "py_bit_count($1, $2)")
for _t, _bits in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64)):
    for _name in ("left_shift", "right_shift", "right_shift_arithmetic"):
        lowering(f"bitwise_{_name}({_t}, bigint)", f"CAST(py_{_name}(CAST($1 AS BIGINT), $2, {_bits}) AS $ret)")


def _signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


@udf("py_bit_count", ["BIGINT", "BIGINT"], "BIGINT")
def bit_count(number: int, bits: int) -> int:
    """Ones in a number of so many bits."""
    if not 2 <= bits <= 64:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Bits specified in bit_count must be between 2 and 64, got {bits}")
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise Failure(
            f"INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. {number} can "
            f"not be represented with {bits} bits"
        )
    return (number & ((1 << bits) - 1)).bit_count()


@udf("py_left_shift", ["BIGINT", "BIGINT", "INTEGER"], "BIGINT")
def left_shift(number: int, shift: int, bits: int) -> int:
    """Shift left; bits past the width are lost."""
    return _signed(number << shift, bits) if 0 <= shift < bits else 0


@udf("py_right_shift", ["BIGINT", "BIGINT", "INTEGER"], "BIGINT")
def right_shift(number: int, shift: int, bits: int) -> int:
    """Shift right, filling with zeros."""
    return _signed((number & ((1 << bits) - 1)) >> shift, bits) if 0 <= shift < bits else 0


@udf("py_right_shift_arithmetic", ["BIGINT", "BIGINT", "INTEGER"], "BIGINT")
def right_shift_arithmetic(number: int, shift: int, bits: int) -> int:
    """Shift right, filling with the sign."""
    return number >> shift if 0 <= shift < bits else (-1 if number < 0 else 0)
