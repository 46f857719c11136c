"""AND and OR end at the first term that decides, wherever they stand: what stands behind it may fail."""

from __future__ import annotations

import pytest

from tests.trino.conftest import Run

NUMBERS = "(VALUES 0, 1, 2) t(x)"
# False of 0, whose division fails, and of 1; true of 2.
HALF, NOT_HALF = "x <> 0 AND 2 / x = 1", "x = 0 OR 2 / x <> 1"
QUERIES = [
    (f"SELECT x, {HALF} FROM {NUMBERS} ORDER BY x", [("0", "false"), ("1", "false"), ("2", "true")]),
    (f"SELECT x, {NOT_HALF} FROM {NUMBERS} ORDER BY x", [("0", "true"), ("1", "true"), ("2", "false")]),
    (f"SELECT x FROM {NUMBERS} WHERE {HALF}", [("2",)]),
    (f"SELECT x FROM {NUMBERS} WHERE NOT ({NOT_HALF})", [("2",)]),
    (f"SELECT count(*) FILTER (WHERE {HALF}), bool_or({HALF}), max(x) FROM {NUMBERS}", [("1", "true", "2")]),
    (f"SELECT max(x) FROM {NUMBERS} GROUP BY {HALF} ORDER BY 1", [("1",), ("2",)]),
    (f"SELECT x FROM {NUMBERS} ORDER BY {HALF} DESC, x", [("2",), ("0",), ("1",)]),
    (f"SELECT x, count(*) OVER (PARTITION BY {HALF}) FROM {NUMBERS} ORDER BY x", [("0", "2"), ("1", "2"), ("2", "1")]),
    (f"SELECT coalesce({HALF}, true), if({HALF}, 1, 0) FROM {NUMBERS} WHERE x = 0", [("false", "0")]),
    (f"SELECT CASE WHEN NOT ({NOT_HALF}) THEN 1 END FROM {NUMBERS} ORDER BY x", [(None,), (None,), ("1",)]),
    (f"SELECT filter(ARRAY[0, 1, 2], x -> {HALF}), any_match(ARRAY[0], x -> {HALF})", [("[2]", "false")]),
    (f"SELECT max(x) > 1 AND 2 / max(x) = 1, min(x) = 0 OR 2 / min(x) = 1 FROM {NUMBERS}", [("true", "true")]),
    (f"SELECT a.x FROM {NUMBERS.replace('t(', 'a(')} JOIN (VALUES 1) b(y) ON a.x <> 0 AND 2 / a.x = y", [("2",)]),
    # Each of a longer chain stands behind all before it.
    (
        "SELECT regexp_like(x, '^[0-9]+$') AND CAST(x AS integer) <> 0 AND 6 / CAST(x AS integer) = 2 "
        "FROM (VALUES 'a', '0', '3') t(x) ORDER BY x",
        [("false",), ("true",), ("false",)],
    ),
    (
        "SELECT (x = 0 OR 2 / x = 2) AND (x <> 0 AND 2 / x = 2) FROM (VALUES 0, 1) t(x) ORDER BY x",
        [("false",), ("true",)],
    ),
    # What is not known decides nothing.
    (
        "SELECT n AND 1 / x = 1, n OR 1 / x = 1, n AND 1 / x = 2, n OR 1 / x = 2 "
        "FROM (VALUES (CAST(NULL AS boolean), 1)) t(n, x)",
        [(None, "true", "false", None)],
    ),
    # What differs from time to time is drawn once.
    (
        "SELECT count(*) FROM (SELECT random() < 0.5 AND 1 / x = 1 AS b FROM UNNEST(repeat(1, 1000)) t(x)) "
        "WHERE b IS NULL",
        [("0",)],
    ),
]


@pytest.mark.parametrize(("text", "rows"), QUERIES)
def test_terms_behind_the_one_that_decides_are_not_evaluated(
    run: Run, text: str, rows: list[tuple[object, ...]]
) -> None:
    assert run(text) == rows


@pytest.mark.parametrize("condition", ["2 / x = 1 AND x <> 0", "2 / x = 1 OR x = 0", "x <> 1 AND 2 / x = 1"])
def test_terms_before_it_are(run: Run, condition: str) -> None:
    with pytest.raises(Exception, match="DIVISION_BY_ZERO"):
        run(f"SELECT {condition} FROM {NUMBERS}")
