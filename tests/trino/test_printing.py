"""Values as DuckDB's client returns them, in Athena's text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dapflow.trino.duckdb import print_value

CASES: list[tuple[Any, str, str | None]] = [
    (None, "integer", None),
    (True, "boolean", "true"),
    (1.5, "double", "1.5"),
    (1.71e10, "double", "1.71E10"),
    (-0.0, "double", "-0.0"),
    (float("inf"), "double", "Infinity"),
    (Decimal("0.10"), "decimal(3,2)", "0.10"),
    ("ab", "char(4)", "ab  "),
    (b"\x0a\xff", "varbinary", "0a ff"),
    (dt.datetime(2024, 6, 5), "timestamp(3)", "2024-06-05 00:00:00.000"),
    (dt.time(1, 2, 3), "time(0)", "01:02:03"),
    ([1, None], "array(integer)", "[1, null]"),
    ({"x": 1, "y": None}, "row(x integer, y varchar)", "{x=1, y=null}"),
    ({"k": [1.0]}, "map(varchar, array(double))", "{k=[1.0]}"),
]


@pytest.mark.parametrize(("value", "kind", "expected"), CASES)
def test_print_value(value: Any, kind: str, expected: str | None) -> None:
    assert print_value(value, kind) == expected
