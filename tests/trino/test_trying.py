"""TRY and TRY_CAST: NULL where the expression fails, and nowhere else; and what is random is computed once."""

from __future__ import annotations

import pytest

from tests.trino.conftest import Run


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # What fails deep inside is the failure of the whole, though a function makes something of a NULL.
        ("TRY(format('%d', CAST(x AS integer)))", None),
        ("TRY(slice(ARRAY[1, 2], 1, CAST(x AS integer)))", None),
        ("TRY(contains(CAST(ARRAY[x, '1'] AS array(integer)), 1))", None),
        ("TRY(split('a,b', ',', CAST(x AS integer)))", None),
        ("TRY(concat(CAST(x AS integer), ARRAY[1]))", None),
        ("TRY(CAST(x AS integer) IS NULL)", None),
        ("TRY(coalesce(CAST(x AS integer), 5))", None),
        ("TRY(CASE WHEN CAST(x AS integer) = 1 THEN 1 ELSE 2 END)", None),
        ("TRY(ARRAY[CAST(x AS integer)])", None),
        ("TRY(transform(ARRAY[x], y -> CAST(y AS integer)))", None),
        ("TRY(CAST(x AS integer) + 1)", None),
        ("TRY(CAST(date_parse(x, '%Y') AS date))", None),
        ("TRY(date_parse(CAST(CAST(x AS integer) AS varchar), '%Y'))", None),
        ("TRY(1 / (length(x) - length(x)))", None),
        # A decimal that the other side's digits do not fit into fails, though nobody wrote a CAST.
        ("TRY(DECIMAL '0.1234567890123456789012345678901234567' = length(x) + 10)", None),
        # What does not fail stays what it is.
        ("TRY(CAST(NULL AS integer) IS NULL)", "true"),
        ("TRY(coalesce(TRY_CAST(x AS integer), 5))", "5"),
        ("TRY(x)", "a"),
        ("TRY(CAST('12' AS integer) + 1)", "13"),
        ("TRY(max(x) || 'b')", "ab"),
        ("TRY(max(1) FILTER (WHERE EXISTS (SELECT 1)))", "1"),
        ("TRY(random() > 2)", "false"),
    ],
)
def test_try(run: Run, expression: str, expected: str | None) -> None:
    group = "" if "max(" in expression else " GROUP BY x"
    assert run(f"SELECT {expression} FROM (VALUES 'a') t(x){group}") == [(expected,)]


def test_what_is_random_is_computed_once(run: Run) -> None:
    rows = "FROM UNNEST(sequence(1, 5000)) t(i)"
    third = "CAST(floor(random() * 3) AS integer)"
    assert run(f"SELECT min(CASE {third} WHEN 0 THEN 1 WHEN 1 THEN 1 WHEN 2 THEN 1 ELSE 0 END) {rows}") == [("1",)]
    # Of numbers that are drawn twice, 36 of 100 would lie between.
    assert run(f"SELECT count_if(random() BETWEEN 0.4 AND 0.6) BETWEEN 800 AND 1200 {rows}") == [("true",)]


def test_an_aggregate_keeps_its_subquery(run: Run) -> None:
    source = "FROM (VALUES 1e0, 2e0) t(x)"
    assert run(f"SELECT round(max(x) FILTER (WHERE x IN (SELECT 2e0)), 1) {source}") == [("2.0",)]
    assert run(f"SELECT nullif(sum(x) FILTER (WHERE x IN (SELECT 2e0)), 3) {source}") == [("2.0",)]


def test_the_operand_of_case_is_written_once(run: Run) -> None:
    case = "x"
    for _ in range(12):
        case = f"CASE {case} WHEN 1 THEN 2 WHEN 2 THEN 1 END"
    assert run(f"SELECT {case} FROM (VALUES 1) t(x)") == [("1",)]
