"""Views as Athena keeps them in Glue."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.aws_servers import LocalAws


def stored(aws: LocalAws, name: str) -> dict[str, Any]:
    """The JSON of a view in Glue."""
    text = aws.glue.get_table(DatabaseName="db", Name=name)["Table"]["ViewOriginalText"]
    assert text.startswith("/* Presto View: ")
    assert text.endswith(" */")
    return dict(json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */"))))


def test_a_view_is_kept_as_athena_keeps_it(aws: LocalAws) -> None:
    sql = "SELECT 1 AS n, CAST(ROW(1, 'x') AS row(a integer, b varchar)) AS r,\n  'abc' AS s -- why\n"
    aws.query(f"CREATE OR REPLACE VIEW kept AS {sql}")
    data = stored(aws, "kept")
    assert (data["catalog"], data["schema"]) == ("awsdatacatalog", "db")
    assert data["originalSql"].startswith("SELECT 1 AS n")
    assert [(column["name"], column["type"]) for column in data["columns"]] == [
        ("n", "integer"),
        ("r", "row(a integer, b varchar)"),
        ("s", "varchar(3)"),
    ]
    table = aws.glue.get_table(DatabaseName="db", Name="kept")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW"
    assert table["ViewExpandedText"] == "/* Presto View */"
    assert table["Parameters"] == {"presto_view": "true", "comment": "Presto View"}
    assert [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]] == [
        ("n", "int"),
        ("r", "struct<a:int,b:string>"),
        ("s", "varchar(3)"),
    ]
    assert aws.query("SELECT r.b, n, s FROM kept") == [["x", "1", "abc"]]


def test_a_view_may_hold_types_that_hive_has_not(aws: LocalAws) -> None:
    aws.query("CREATE VIEW odd AS SELECT json_parse('[1]') AS j, NULL AS u, TIME '01:02:03' AS t")
    assert [column["type"] for column in stored(aws, "odd")["columns"]] == ["json", "unknown", "time(0)"]


def test_a_view_that_another_client_put_there_is_read(aws: LocalAws) -> None:
    data = {
        "originalSql": 'SELECT a FROM "db"."elsewhere_table"',
        "catalog": "awsdatacatalog",
        "schema": "db",
        "columns": [{"name": "a", "type": "bigint"}],
    }
    aws.query("CREATE TABLE elsewhere_table AS SELECT BIGINT '5' AS a")
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    aws.glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "foreign_view",
            "TableType": "VIRTUAL_VIEW",
            "ViewOriginalText": f"/* Presto View: {encoded} */",
            "ViewExpandedText": "/* Presto View */",
            "Parameters": {"presto_view": "true"},
            "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "bigint"}]},
        },
    )
    assert aws.query("SELECT a + 1 FROM foreign_view") == [["6"]]


def test_a_view_finds_its_tables_in_the_database_it_was_made_in(aws: LocalAws) -> None:
    aws.query("CREATE DATABASE IF NOT EXISTS second")
    aws.query("CREATE TABLE only_in_db AS SELECT 7 AS a")
    aws.query("CREATE VIEW second.seen AS SELECT a FROM only_in_db", database="db")
    assert aws.query("SELECT a FROM seen", database="second") == [["7"]]


def test_a_view_may_be_named_as_the_view_it_reads_in_another_database(aws: LocalAws) -> None:
    aws.query("CREATE DATABASE IF NOT EXISTS other_views")
    aws.query("CREATE VIEW twin AS SELECT 1 AS a")
    aws.query("CREATE VIEW other_views.twin AS SELECT a + 1 AS a FROM twin")
    assert aws.query("SELECT a FROM other_views.twin") == [["2"]]


def test_a_view_is_not_replaced_by_what_reads_it(aws: LocalAws) -> None:
    aws.query("CREATE VIEW first AS SELECT 1 AS a")
    aws.query("CREATE VIEW second AS SELECT * FROM first")
    assert aws.failure("CREATE OR REPLACE VIEW first AS SELECT a FROM first") == (
        "VIEW_IS_RECURSIVE: line 1:47: Statement would create a recursive view: awsdatacatalog.db.first"
    )
    assert "recursive view" in aws.failure("CREATE OR REPLACE VIEW first AS SELECT a FROM second")
    assert aws.query("SELECT a FROM second") == [["1"]]


def test_a_view_whose_table_changed_its_types_is_stale(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE base (a int, b string) STORED AS PARQUET LOCATION 's3://lake/base/'")
    aws.query("CREATE VIEW over_base AS SELECT * FROM base")
    aws.query("ALTER TABLE base REPLACE COLUMNS (a array<int>, b string)")
    assert aws.failure("SELECT * FROM over_base").startswith("VIEW_IS_STALE")


def test_a_view_is_replaced_only_where_the_statement_says_so(aws: LocalAws) -> None:
    aws.query("CREATE VIEW once AS SELECT 1 AS a")
    assert "already exists" in aws.failure("CREATE VIEW once AS SELECT 2 AS a")
    aws.query("CREATE OR REPLACE VIEW once AS SELECT 2 AS b")
    assert aws.query("SELECT b FROM once") == [["2"]]
    assert [row[0] for row in aws.query("SHOW CREATE VIEW once")] == ["CREATE VIEW db.once AS", "SELECT 2 AS b"]
    aws.query("DROP VIEW once")
    assert aws.failure("DROP VIEW once").startswith("TABLE_NOT_FOUND")
    aws.query("DROP VIEW IF EXISTS once")


def test_what_a_view_refuses(aws: LocalAws) -> None:
    assert aws.failure("CREATE VIEW r AS SELECT 1").startswith("MISSING_COLUMN_NAME")
    assert aws.failure("CREATE VIEW r AS SELECT 1 AS a, 2 AS A").startswith("DUPLICATE_COLUMN_NAME")
    assert aws.failure("CREATE VIEW r AS SELECT a FROM missing").startswith("TABLE_NOT_FOUND")
    assert aws.failure("CREATE VIEW missing_db.r AS SELECT 1 AS a").startswith("SCHEMA_NOT_FOUND")
    aws.query("CREATE EXTERNAL TABLE is_a_table (a int) LOCATION 's3://lake/x/'")
    assert aws.failure("CREATE OR REPLACE VIEW is_a_table AS SELECT 1 AS a").startswith("TABLE_ALREADY_EXISTS")
    aws.query("CREATE VIEW v1 AS SELECT 1 AS a")
    assert "Cannot drop a view" in aws.failure("DROP TABLE v1")


def test_an_unreadable_view_fails_by_name(aws: LocalAws) -> None:
    for name, text in (("hive_view", "SELECT 1"), ("torn_view", "/* Presto View: e30= */")):
        aws.glue.create_table(
            DatabaseName="db", TableInput={"Name": name, "TableType": "VIRTUAL_VIEW", "ViewOriginalText": text}
        )
        assert f"db.{name}" in aws.failure(f"SELECT * FROM {name}")
