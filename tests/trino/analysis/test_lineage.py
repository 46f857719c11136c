"""Lineage, what is read, and meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.trino.analysis import analyse, derivations, lineage, meaning, usage
from tests.trino.analysis.catalogue import Tables, analysed

FOLDER = Path(__file__).parent


def cases(file: str) -> list[list[str]]:
    """The paragraphs of a file, in lines."""
    return [case.strip().split("\n") for case in (FOLDER / file).read_text(encoding="utf-8").split("\n\n")]


CASES = [
    (case[0], [line for line in case if line.startswith("= ")], [line[2:] for line in case if line.startswith("~ ")])
    for case in cases("lineage.txt")
]
MEANINGS = ["\n".join(case) for case in cases("meaning.txt")]
SAME = [text[2:] for text in MEANINGS if text.startswith("= ")]
UNLIKE = [text[2:] for text in MEANINGS if text.startswith("! ")]


def shown(text: str) -> str:
    query = analysed(text).query
    assert query is not None
    traced = lineage(query)

    def listed(origins: object) -> str:
        assert isinstance(origins, frozenset)
        order = ("identity", "expression", "aggregate", "window", "filter", "join key")
        ordered = sorted(
            origins, key=lambda origin: (order.index(origin.how) if origin.how in order[:4] else 9, origin)
        )
        return ", ".join(f"{origin.table[-1]}.{origin.column} {origin.how}" for origin in ordered) or "-"

    rows = [f"rows {listed(traced.rows)}"] if traced.rows else []
    return " / ".join([*map(listed, traced.columns), *rows])


@pytest.mark.parametrize(("text", "expected"), [(text, lines[0]) for text, lines, _ in CASES if lines])
def test_lineage(text: str, expected: str) -> None:
    assert f"= {shown(text)}" == expected


def used(text: str) -> list[str]:
    query = analysed(text).query
    assert query is not None
    reads = []
    for read in usage(query):
        name = text[read.place.start : read.place.end] if read.place else f"({read.table[-1]})"
        conditions = [text[slice(*condition.place[:2])] for condition in read.partition_conditions]
        reads.append(" ".join([name, ",".join(read.columns), *conditions]))
    return reads


@pytest.mark.parametrize(("text", "expected"), [(text, used) for text, _, used in CASES if used])
def test_what_is_read(text: str, expected: list[str]) -> None:
    assert used(text) == expected


def hashed(text: str) -> str:
    analysis = analyse(text, Tables(), "air")
    assert analysis.query is not None
    assert analysis.node is not None
    assert not analysis.findings
    return meaning(analysis.query, analysis.node)


def test_meaning_is_the_same_for_texts_that_only_look_different() -> None:
    assert len({hashed(text) for text in SAME}) == 1


def test_meaning_differs_where_rows_types_or_names_may() -> None:
    assert len({hashed(text) for text in (SAME[0], *UNLIKE)}) == len(UNLIKE) + 1


def test_a_subquery_means_the_same_wherever_it_stands() -> None:
    text = (
        "SELECT carrier FROM flights WHERE year = (SELECT max(f.year) FROM flights f WHERE f.carrier = flights.carrier)"
    )
    other = text.replace("f.", "g.").replace("flights f ", "flights g ")
    assert hashed(text) == hashed(other)
    assert hashed(text) != hashed(text.replace("f.carrier = ", "f.origin = "))


def test_names_of_fields_are_keys_of_json_and_count() -> None:
    def both(name: str) -> tuple[object, str]:
        text = f"SELECT json_format(CAST(CAST(ROW(year) AS ROW({name} bigint)) AS json)) AS j FROM flights"
        query = analysed(text).query
        assert query is not None
        return derivations(query), hashed(text)

    assert both("a") == both("A") == both('"a"')
    assert both("a")[1] != both('"A"')[1]
    assert both("a")[0] != both('"A"')[0]


def test_where_columns_are_not_known_the_text_counts() -> None:
    assert hashed("SELECT lower(a) FROM foreign") == hashed("select LOWER( A )\nfrom foreign")
    assert hashed("SELECT lower(a) FROM foreign") != hashed("SELECT lower(b) FROM foreign")
    assert hashed("SELECT lower(a) FROM foreign") != hashed("SELECT lower(a) AS b FROM foreign")
