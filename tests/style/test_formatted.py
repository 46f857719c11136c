"""The house style, and that a text stays the same under it but for spaces, ends of lines and capitals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapflow.errors import DapflowError
from dapflow.sql import SqlText, read_statement
from dapflow.style import formatted as module
from dapflow.style.formatted import formatted
from dapflow.trino.syntax.lexer import comments, tokens
from tests.trino import corpus

ROOT = Path(__file__).parents[2]
LONGER = count()
FILES = sorted([*(ROOT / "tests/fixtures/sql/valid").rglob("*.sql"), *(ROOT / "transforms").rglob("*.sql")])


def comments_in(text: str) -> list[str]:
    return [comment.text.rstrip() for comment in comments(text)]


def styled(text: str) -> str:
    return formatted(SqlText(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select A, Count(*) as N from T", "SELECT A, count(*) AS N\nFROM T\n"),
        ("select cast(a as VARCHAR(3)), -1 - -a from t;", "SELECT CAST(a AS varchar(3)), -1 - -a\nFROM t;\n"),
        ("select a, x.date from t order by date 	desc", "SELECT a, x.date\nFROM t\nORDER BY date DESC\n"),
        ("select '{{ a }}' as x, '{%' as y from t", "SELECT '{{ a }}' AS x, '{%' AS y\nFROM t\n"),
        ("select 'a\n   b' as x", "SELECT 'a\n   b' AS x\n"),
        ("select a\r\n, b\r\nfrom t", "SELECT a, b\r\nFROM t\r\n"),
        ("with a as (select 1 as n) select * from a", "WITH a AS (\n  SELECT 1 AS n\n)\n\nSELECT *\nFROM a\n"),
        (
            "select a -- of a\n     , b /* of b */, c\n-- of from\nfrom t -- of t",
            "SELECT\n  a, -- of a\n  b /* of b */,\n  c\n-- of from\nFROM t -- of t\n",
        ),
        (
            "select case when a between 1 and 2 and b then 1 end from t where x is distinct from y or z in (1,2)",
            "SELECT CASE WHEN a BETWEEN 1 AND 2 AND b THEN 1 END\nFROM t\nWHERE x IS DISTINCT FROM y OR z IN (1, 2)\n",
        ),
    ],
)
def test_the_house_style(text: str, expected: str) -> None:
    assert styled(text) == expected


def test_what_does_not_fit_a_line_is_on_several() -> None:
    text = (
        "select a, sum(b) over (partition by first_of_them, second_of_them order by third_of_them "
        "rows between unbounded preceding and current row) as total from first_table f left join second_table s "
        "on f.identifier_of_a = s.identifier_of_a and f.identifier_of_b = s.identifier_of_b"
    )
    assert styled(text) == (
        "SELECT\n  a,\n  sum(b) OVER (\n    PARTITION BY first_of_them, second_of_them\n    ORDER BY third_of_them\n"
        "    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW\n  ) AS total\nFROM first_table f\n"
        "LEFT JOIN second_table s\n  ON f.identifier_of_a = s.identifier_of_a\n"
        "  AND f.identifier_of_b = s.identifier_of_b\n"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_valid_text_is_formatted(file: Path) -> None:
    text = file.read_bytes().decode("utf-8-sig")
    after = styled(text)
    assert comments_in(after) == comments_in(text)
    assert [t.text.upper() for t in tokens(after)] == [t.text.upper() for t in tokens(text)]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_comments_and_spaces_anywhere_are_no_hindrance(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(FILES)).read_bytes().decode("utf-8-sig")
    starts = [token.start for token in tokens(text)]
    added = st.sampled_from([" -- a\n", "\n-- b\n", " /* c */ ", "\n/* d\n  e */\n", "\n\n\n", "\t", "\r\n"])
    for start in sorted(data.draw(st.lists(st.sampled_from(starts), max_size=4, unique=True)), reverse=True):
        text = text[:start] + data.draw(added) + text[start:]
    try:
        read_statement(SqlText(text))
    except DapflowError:
        return  # `U&'…'` and its like are torn apart
    assert comments_in(styled(text)) == comments_in(text)


@pytest.mark.parametrize(
    "text", ["", "-- nothing", "select", "select {{ a }} from t", "select 'a", "select 1; select 2"]
)
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(DapflowError) as refused:
        styled(text)
    assert refused.value.code.startswith(("sql-", "placeholder"))


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (lambda text: text.replace("1", "2"), "it would have other words"),
        (lambda text: text.replace("-- why", ""), "its comments would change"),
        (lambda text: text + " " * next(LONGER), "laid out twice it is not what it is when laid out once"),
        (lambda text: "SELECT 'a", "Athena would refuse it"),
    ],
)
def test_a_layout_that_changes_the_text_is_refused(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[str], str], why: str
) -> None:
    laid_out = module._laid_out
    monkeypatch.setattr(module, "_laid_out", lambda *given: fault(laid_out(*given)))
    with pytest.raises(DapflowError, match=why) as refused:
        styled("select 1 as a -- why\n")
    assert (refused.value.code, refused.value.line) == ("not-formatted", 1)


def test_a_comment_that_says_what_to_ignore_stays_with_its_words() -> None:
    long = (
        "round(100 * first_of_the_counts / second_of_the_counts, 1) AS the_share_of_the_first_in_the_second_in_percent"
    )
    ignore = "-- dapflow: ignore integer-division whole percents are what is asked for"
    assert styled(f"select {long} {ignore}\n, b from t") == f"SELECT\n  {long}, {ignore}\n  b\nFROM t\n"
    assert styled(f"select b,\n{ignore}\n{long}\nfrom t") == f"SELECT\n  b,\n  {ignore}\n  {long}\nFROM t\n"
    assert styled(f"select a, {long} {ignore}\nfrom t") == f"SELECT a, {long} {ignore}\nFROM t\n"
    with pytest.raises(DapflowError, match="would be about another line") as refused:
        styled(f"select a,\nb / c as d, {long} {ignore}\nfrom t")
    assert refused.value.code == "not-formatted"


@pytest.mark.slow
@pytest.mark.skipif(corpus.folder() is None, reason="the corpus is not at hand")
def test_every_query_of_trinos_own_tests_is_formatted() -> None:
    place = corpus.folder()
    assert place is not None
    refused = set()
    for text in corpus.texts(place):
        try:
            styled(text)
        except DapflowError as error:
            refused.add((error.code, text))
    assert {text for code, text in refused if code == "not-formatted"} == set()
