"""Each text is parsed once for all who look at it, as long as there are not too many."""

from __future__ import annotations

import pytest

from dapflow.trino.errors import Unsupported
from dapflow.trino.syntax.statements import parse, read_statement


def test_readers_of_a_text_get_one_tree() -> None:
    assert parse("SELECT 1 AS a") is read_statement("SELECT 1 AS a").query


def test_only_so_much_text_is_kept() -> None:
    first = parse("SELECT 2 AS a")
    for number in range(5):
        read_statement(f"SELECT '{number}{'x' * 600_000}' AS a")
    assert parse("SELECT 2 AS a") is not first
    assert parse("SELECT 2 AS a") == first


def test_what_the_embedded_athena_lacks_is_refused_each_time() -> None:
    text = "SELECT a\nFROM t FOR VERSION AS OF 1"
    for _ in range(2):
        with pytest.raises(Unsupported) as refused:
            parse(text)
        assert (refused.value.line, refused.value.column) == (2, 8)
    assert read_statement(text).end == len(text)
