"""Statements are told apart, and their parts found."""

from __future__ import annotations

import pytest

from dapflow.trino.duckdb import QueryError, statement_kind

KINDS = [
    ("SELECT 1", "query"),
    ("  -- why\n(SELECT 1)", "query"),
    ("VALUES 1;", "query"),
    ("CREATE OR REPLACE VIEW a.v AS SELECT 1", "create_view"),
    ("DROP VIEW IF EXISTS v", "drop_view"),
    ("SHOW CREATE VIEW v", "show_create_view"),
    ("CREATE TABLE t WITH (format = 'PARQUET') AS SELECT 1", "ctas"),
    ("CREATE EXTERNAL TABLE `t` (a int) LOCATION 's3://b/'", "ddl"),
    ("ALTER TABLE `t` ADD PARTITION (d='1')", "ddl"),
    ("INSERT INTO t (a, b) SELECT 1, 2", "insert"),
    ("UNLOAD (SELECT 1) TO 's3://b/p/' WITH (format = 'JSON')", "unload"),
    ("EXPLAIN (TYPE DISTRIBUTED) SELECT 1", "explain"),
    ("PREPARE p FROM SELECT ?", "prepare"),
    ("EXECUTE p USING 1, concat('a', 'b')", "execute"),
    ("DEALLOCATE PREPARE p", "deallocate"),
    ("DELETE FROM t WHERE a = 1", "delete"),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_kind(text: str, kind: str) -> None:
    assert statement_kind(text).kind == kind


def test_ctas_in_parts() -> None:
    text = (
        "CREATE TABLE IF NOT EXISTS db.t\nWITH (partitioned_by = ARRAY['d'], bucket_count = 3) AS SELECT 1 "
        "AS d WITH NO DATA"
    )
    statement = statement_kind(text)
    assert (statement.target, statement.properties) == (("db", "t"), {"partitioned_by": ["d"], "bucket_count": 3})
    assert (statement.query, statement.with_data, statement.if_not_exists) == ("SELECT 1 AS d", False, True)
    padded = statement.padded(text)
    assert padded.index("SELECT") == text.index("SELECT")
    assert padded.count("\n") == 1


def test_execute_takes_its_arguments_apart() -> None:
    assert statement_kind("EXECUTE p USING 1, f(2, 3), ARRAY[4, 5]").arguments == ("1", "f(2, 3)", "ARRAY[4, 5]")


@pytest.mark.parametrize("text", ["", "SELEC 1", "SELECT 1; SELECT 2", "UNLOAD (SELECT 1", "EXECUTE"])
def test_what_is_no_statement_is_a_syntax_error(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        statement_kind(text)
    assert caught.value.error_name == "SYNTAX_ERROR"
