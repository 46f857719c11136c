"""What is drawn by lot is drawn for each row that a condition stands behind, wherever DuckDB would like to ask it."""

from __future__ import annotations

import pytest

from dapflow.trino.duckdb import QueryError
from tests.trino.conftest import Run

#: Each keeps about half of 1,000 rows: far from none and from all, and as far from three quarters and from a quarter.
HALVES = [
    "SELECT count(*) FROM t WHERE random() < 0.5",
    "SELECT count(*) FROM t WHERE x > 0 AND (y = 1 AND rand() < 0.5)",
    "SELECT count(*) FROM t WHERE CAST(uuid() AS varchar) < '8'",
    "SELECT count(*) FROM t WHERE shuffle(ARRAY[1, 2])[1] = 1",
    "SELECT count(*) FROM t WHERE EXISTS (SELECT 1 FROM one WHERE z = y AND random() < 2) AND random(10) < 5",
    "SELECT count(*) FROM t TABLESAMPLE BERNOULLI (50)",
    "SELECT count(*) FROM UNNEST(sequence(1, 1000)) u(x) TABLESAMPLE SYSTEM (50)",
    "SELECT count(*) FROM UNNEST(sequence(1, 1000)) u(x) WHERE random() < 0.5",
    "SELECT count(*) FROM UNNEST(sequence(1, 1000)) WITH ORDINALITY u(x, n) WHERE random() < 0.5",
    "SELECT count(*) FROM UNNEST(map(sequence(1, 1000), sequence(1, 1000))) u(k, v) WHERE random() < 0.5",
    "SELECT count(*) FROM (SELECT * FROM (SELECT x + 1 FROM UNNEST(sequence(1, 1000)) u(x))) WHERE random() < 0.5",
    "SELECT count(*) FROM (VALUES sequence(1, 1000)) v(a) CROSS JOIN UNNEST(a) u(x) WHERE random() < 0.5",
    "SELECT count(*) FROM one CROSS JOIN LATERAL (SELECT * FROM t WHERE z * random() < 0.5)",
    "SELECT count(*) FROM one CROSS JOIN t WHERE z * random() < 0.5",
    "SELECT count(*) FROM one JOIN t ON z * random() < 0.5",
    "SELECT count(*) FROM one JOIN t ON z = y AND z * random() < 0.5",
    "SELECT count(z) FROM t LEFT JOIN one ON z = y AND z * random() < 0.5",
    "SELECT count(z) FROM one RIGHT JOIN t ON z = y AND z * random() < 0.5",
    "SELECT count(*) FILTER (WHERE z = y) FROM t FULL JOIN one ON z = y AND z * random() < 0.5",
    "SELECT 10 * count(*) FROM (SELECT DISTINCT x / 10 FROM t) WHERE random() < 0.5",
    "SELECT count(*) FROM (SELECT x FROM t UNION SELECT x FROM t) WHERE random() < 0.5",
    "SELECT count(*) FROM (SELECT x FROM t INTERSECT SELECT x FROM t) WHERE random() < 0.5",
    "SELECT sum(n) FROM (SELECT x / 10, count(*) n FROM t GROUP BY 1) WHERE random() < 0.5",
    "SELECT count(*) FROM t WHERE x IN (SELECT x FROM UNNEST(sequence(1, 1000)) u(x) WHERE random() < 0.5)",
]

#: Conditions that hold always, though nobody knows it before: what there is besides them stays as it is.
ALWAYS = [
    ("SELECT k, a.n, b.n FROM (VALUES (1, 2)) a(k, n) JOIN (VALUES (1, 3)) b(k, n) USING (k) WHERE random() < 2", 1),
    ("SELECT k FROM (VALUES 1) a(k) FULL JOIN (VALUES 2) b(k) USING (k) WHERE k + random() < 9 ORDER BY k", 2),
    ("SELECT c.x FROM one JOIN (t a JOIN t b ON a.x = b.x AND random() < 2) ON z = a.y JOIN t c ON a.x = c.x", 1000),
    ("SELECT x, (SELECT max(z) FROM one WHERE z = y) FROM t WHERE random() < 2", 1000),
    ("SELECT y, sum(x) FROM t WHERE random() < 2 GROUP BY y HAVING sum(x) = 500500 AND random() < 2", 1),
    ("SELECT x FROM t WHERE x > 1 AND random() < 1 / (x - 1) + 2", 999),
    ("SELECT max(z) FROM one HAVING random() < 2", 1),
    ("SELECT 1 WHERE random() < 2", 1),
]
#: How many different numbers are drawn: each place that names a WITH query has its own, and one place has one.
DRAWS = [
    ("WITH a AS (SELECT random() r) SELECT r FROM a UNION SELECT r FROM a", 2),
    (
        "WITH a AS (SELECT uuid() r), b AS (SELECT r FROM a) "
        "SELECT r FROM b UNION SELECT r FROM b UNION SELECT r FROM a",
        3,
    ),
    ("WITH a AS (SELECT random() r) SELECT x.r FROM (SELECT r FROM a) x JOIN (VALUES 1, 2) y ON x.r < 2 GROUP BY 1", 1),
    (
        "WITH RECURSIVE a(n, r) AS (SELECT 1, random() UNION ALL SELECT n + 1, random() FROM a WHERE n < 3) "
        "SELECT r FROM a UNION SELECT r FROM a",
        6,
    ),
    (
        "WITH a AS (SELECT shuffle(sequence(1, 100)) r), b AS (SELECT 1 AS n) SELECT a.r FROM a, b UNION "
        "SELECT (SELECT r FROM a) FROM b",
        2,
    ),
]
_TABLES = (
    "WITH one AS (SELECT 1 AS z FROM (VALUES 1) w(i)), t AS (SELECT 10 * i + j AS x, 1 AS y FROM (SELECT * FROM "
    "UNNEST(sequence(0, 99)) v(i)) CROSS JOIN (SELECT * FROM UNNEST(sequence(1, 10)) w(j))) "
)


@pytest.mark.parametrize("query", HALVES)
def test_each_row_is_drawn_for_itself(query: str, run: Run) -> None:
    ((count,),) = run(_TABLES + query)
    assert 350 < int(count or 0) < 650


def test_groups_are_whole_where_having_draws(run: Run) -> None:
    groups = run(_TABLES + "SELECT x / 10, count(*) FROM t GROUP BY 1 HAVING x / 10 * random() < 25 ORDER BY 1")
    assert {count for _, count in groups[1:-1]} == {"10"}
    assert 10 < len(groups) < 90


@pytest.mark.parametrize(("query", "rows"), ALWAYS)
def test_what_stands_beside_a_draw_stays(query: str, rows: int, run: Run) -> None:
    assert len(run(_TABLES + query)) == rows


@pytest.mark.parametrize(("query", "numbers"), DRAWS)
def test_a_with_query_is_drawn_for_each_place_that_names_it(query: str, numbers: int, run: Run) -> None:
    assert len(run(query)) == numbers


def test_what_would_be_drawn_without_end_is_refused(run: Run) -> None:
    levels = [f"e{i} AS (SELECT a.r FROM e{i - 1} a, e{i - 1} b)" for i in range(1, 40)]
    with pytest.raises(QueryError, match=r"NOT_SUPPORTED: line 1:.*A WITH query that draws by lot"):
        run(f"WITH e0 AS (SELECT random() r), {', '.join(levels)} SELECT count(*) FROM e39 a, e39 b")
