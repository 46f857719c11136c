"""The text by which the first rows of a query, or of one of its WITH, are asked for."""

from __future__ import annotations

import pytest

from dapflow.errors import DapflowError
from dapflow.sql.preview import first_rows_text, with_query_text

SQL = """\
-- WITH fake AS (SELECT 0)
WITH a AS (SELECT ')' AS x -- )
), "B b" (y) AS (SELECT x FROM a), c AS (SELECT nothing FROM nowhere) SELECT * FROM c
"""


def test_a_with_query_is_read_after_those_before_it() -> None:
    asked = with_query_text(SQL, "b B")
    text, _, added = asked.rpartition("\n")
    assert SQL.startswith(text)  # so each place in it is that in the file
    assert text.endswith("(SELECT x FROM a)")
    assert added == 'SELECT * FROM "b b"'


def test_a_with_query_that_there_is_not_is_named() -> None:
    with pytest.raises(DapflowError, match="no WITH query 'd'") as error:
        with_query_text(SQL, "d", "x.sql")
    assert (error.value.code, error.value.file) == ("unknown-cte", "x.sql")
    with pytest.raises(DapflowError) as error:
        with_query_text("SELECT 1", "d")
    assert error.value.hint == "it has no WITH at its beginning"


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "SELECT 1 -- why", "(SELECT 1)", "VALUES 1", "TABLE t", "SELECT 1 AS n ORDER BY n OFFSET 2 ROWS"],
)
def test_a_limit_is_put_behind_it(sql: str) -> None:
    assert first_rows_text(sql, 3) == f"{sql}\nLIMIT 3"


@pytest.mark.parametrize("end", ["LIMIT 2", "LIMIT ALL", "FETCH FIRST ROW ONLY", "FETCH FIRST 2 ROWS WITH TIES"])
def test_its_own_limit_stays(end: str) -> None:
    sql = f"SELECT n FROM t ORDER BY n {end}"
    assert first_rows_text(sql, 3) == sql
