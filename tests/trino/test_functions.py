"""The table of functions."""

import pytest

from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.functions import FUNCTIONS, is_refused_by_name
from dapflow.trino.functions.binding import resolve
from dapflow.trino.functions.table import Signature, read_signature
from dapflow.trino.types import parse_type

_REPLACE = "regexp_replace(varchar(x), varchar(p), varchar(r))"


class Value:
    """An argument of a type."""

    def __init__(self, text: str) -> None:
        self.type = parse_type(text)


def chosen(name: str, *types: str) -> tuple[str, str]:
    """The signature of a call and the type of its result."""
    resolved = resolve(FUNCTIONS[name].signatures, [Value(t) for t in types])
    assert resolved is not None
    return resolved.signature.text, str(resolved.type)


def test_each_signature_is_computed_and_each_function_documented() -> None:
    signatures: list[Signature] = [signature for row in FUNCTIONS.values() for signature in row.signatures]
    assert {signature.text for signature in signatures} == set(REGISTRY.templates)
    for row in FUNCTIONS.values():
        assert row.about.endswith("."), row.name
        assert not is_refused_by_name(row.name)
        assert {signature.name for signature in row.signatures} == {row.name}


@pytest.mark.parametrize(
    ("name", "types", "signature", "result"),
    [
        ("sum", ["decimal(5,2)"], "sum(decimal(p,s))", "decimal(38,2)"),
        ("sum", ["smallint"], "sum(bigint)", "bigint"),
        ("round", ["decimal(38,2)", "integer"], "round(decimal(p,s), integer)", "decimal(38,2)"),
        ("regexp_replace", ["varchar(2)", "varchar(1)", "varchar(3)"], _REPLACE, "varchar(11)"),
        ("regexp_replace", ["varchar", "varchar(1)", "varchar(3)"], _REPLACE, "varchar"),
        ("zip", ["array(date)", "array(bigint)"], "zip(array(A), array(B))", "array(row(date, bigint))"),
        ("concat", ["char(2)", "char(3)"], "concat(char(x), char(y))", "char(5)"),
        ("greatest", ["integer", "double"], "greatest(O, O...)", "double"),
    ],
)
def test_the_signature_that_trino_chooses(name: str, types: list[str], signature: str, result: str) -> None:
    assert chosen(name, *types) == (signature, result)


def test_what_is_computed_with_lengths_is_read() -> None:
    assert read_signature("f(decimal(p,s)) -> decimal(max(p - s, 1), 0)").result.numbers == ("max(p - s, 1)", "0")
