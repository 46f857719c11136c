"""Numbers inside nested values: Athena reads those with a point or an exponent as doubles, which hold 15 digits."""

from __future__ import annotations

import pytest

from dapflow.runtime.landing.nested import MisfitError, fitted


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[9007199254740993.0]", "array<bigint>"),
        ("[9007199254740993e0]", "array<bigint>"),
        ("[12345678901234567891e-2]", "array<decimal(20,2)>"),
        ('{"x":12345678901234567E-1}', "struct<x:decimal(20,1)>"),
        ('{"x":9007199254740993e0}', "map<string,double>"),
    ],
)
def test_what_a_double_does_not_hold_does_not_fit(text: str, kind: str) -> None:
    with pytest.raises(MisfitError):
        fitted(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[9007199254740993]", "array<bigint>"),
        ("[12345678901234567891]", "array<decimal(20,0)>"),
        ("[1e300,0.1,1e3]", "array<double>"),
        ("[1234567890123.45]", "array<decimal(20,2)>"),
    ],
)
def test_what_it_holds_fits_as_it_is_written(text: str, kind: str) -> None:
    assert fitted(text, kind) == text
