"""Queries stay in their S3 and Glue world: a list of ways out, none of which leads anywhere."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from botocore.exceptions import ClientError

from dapflow.athena.engine.session import Session
from tests.aws_servers import LocalAws

FILES = ("/etc/passwd", "file:///etc/passwd", "../../etc/passwd", "http://127.0.0.1:9/x", "/proc/self/environ")
READERS = (
    "read_csv",
    "read_csv_auto",
    "read_text",
    "read_blob",
    "read_json",
    "read_json_auto",
    "read_ndjson",
    "read_parquet",
    "parquet_scan",
    "parquet_metadata",
    "parquet_schema",
    "glob",
    "sniff_csv",
    "arrow_scan",
    "pandas_scan",
    "python_map_function",
    "query",
    "query_table",
    "seq_scan",
)
TABLES = (
    "duckdb_settings()",
    "duckdb_tables()",
    "duckdb_secrets()",
    "duckdb_functions()",
    "pragma_version()",
    "pragma_user_agent()",
    "pg_catalog.pg_tables",
    "sqlite_master",
    "duckdb_tables",
    "system.main.duckdb_settings",
    "temp.main.scan_0",
    "main.scan_0",
    "information_schema.settings",
    '"/etc/passwd"',
    "'/etc/passwd'",
    '"/etc/passwd.csv"',
    '"s3://lake/x.parquet"',
    '"x.parquet"',
)
FUNCTIONS = (
    "getenv('HOME')",
    "current_setting('temp_directory')",
    "set_config('a', 'b')",
    "getvariable('x')",
    "read_text('/etc/passwd')",
    "load_extension('httpfs')",
    "nextval('s')",
    "txid_current()",
    "in_search_path('a', 'b')",
    "pg_sleep(1)",
    "shell('ls')",
    "writefile('x', 'y')",
)
STATEMENTS = (
    "COPY (SELECT 1) TO '/tmp/out.csv'",
    "COPY t FROM '/etc/passwd'",
    "ATTACH '/tmp/x.db' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH x",
    "USE x",
    "PRAGMA database_list",
    "PRAGMA version",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '1GB'",
    "RESET memory_limit",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "CREATE MACRO f(x) AS x",
    "CREATE FUNCTION f(x) AS x",
    "CREATE SECRET s (TYPE s3)",
    "CREATE SEQUENCE s",
    "CREATE TYPE t AS ENUM ('a')",
    "CREATE INDEX i ON t (a)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE TABLE t (a int)",
    "CREATE TEMP VIEW v AS SELECT 1",
    "DROP MACRO f",
    "TRUNCATE t",
    "SUMMARIZE SELECT 1",
    "PIVOT t ON a",
    "FROM 'x.parquet'",
    "FROM t SELECT *",
    "IMPORT x",
    ".tables",
    "SELECT 1; ATTACH '/tmp/x.db'",
    "SELECT * FROM t AT (VERSION => 1)",
    "DESCRIBE SELECT 1",
    "SHOW ALL TABLES",
)
# The same behind something that is allowed, or in a place where the grammar of the engine below is wider than Trino's.
DISGUISES = (
    """SELECT * FROM "read_text"('/etc/passwd')""",
    """SELECT "read_text"('/etc/passwd')""",
    "SELECT * FROM main.read_text('/etc/passwd')",
    "SELECT system.main.getenv('HOME')",
    "SELECT READ_TEXT/**/('/etc/passwd')",
    "SELECT 1 FROM (VALUES 1) AS t(x) WHERE EXISTS (SELECT 1 FROM read_text('/etc/passwd'))",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM (VALUES getenv('HOME')) AS t(x)",
    "SELECT 1 ORDER BY getenv('HOME')",
    "SELECT count(*) FILTER (WHERE getenv('HOME') IS NOT NULL)",
    "SELECT transform(ARRAY['HOME'], x -> getenv(x))",
    "WITH t AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM t",
    "WITH read_text AS (SELECT 1 AS a) SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM UNNEST(glob('/etc/*')) AS t(x)",
    "SELECT * FROM (VALUES 1) AS t(x) CROSS JOIN LATERAL (SELECT * FROM read_text('/etc/passwd'))",
    "SELECT json_execute_serialized_sql('{}')",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT * FROM sql_auto_complete('SEL')",
    "SELECT * FROM duckdb_extensions()",
    "SELECT * FROM duckdb_logs",
    "SELECT * FROM pragma_storage_info('scan_0')",
    "SELECT * FROM read_duckdb('/tmp/x.db')",
    "SELECT * FROM which_secret('s3://lake/x', 's3')",
    "SELECT * FROM test_all_types()",
    "SELECT * FROM force_checkpoint()",
    "SELECT current_query()",
    "SELECT write_log('x')",
    "SELECT py_regexp_like('a', 'a')",
    "SELECT * FROM {'a': 1}",
    "SELECT COLUMNS(*) FROM (VALUES 1) AS t(x)",
    "SELECT * EXCLUDE (x) FROM (VALUES 1) AS t(x)",
    "SELECT '/etc/passwd'::blob",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 's3://lake/x.parquet'",
    "CREATE TABLE escaped WITH (external_location = 's3://lake/esc/') AS SELECT * FROM read_text('/etc/passwd')",
    "CREATE TABLE escaped WITH (external_location = 'file:///tmp/esc/') AS SELECT 1 AS a",
    "CREATE TABLE escaped WITH (external_location = '/tmp/esc/') AS SELECT 1 AS a",
    "UNLOAD (SELECT * FROM read_text('/etc/passwd')) TO 's3://lake/esc2/' WITH (format = 'PARQUET')",
    "UNLOAD (SELECT 1 AS a) TO 'file:///tmp/esc/' WITH (format = 'PARQUET')",
    "UNLOAD (SELECT 1 AS a) TO '/tmp/esc/' WITH (format = 'PARQUET')",
    "EXPLAIN SELECT * FROM read_text('/etc/passwd')",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/out.csv'",
    "EXECUTE IMMEDIATE 'COPY (SELECT 1) TO ''/tmp/out.csv'' (HEADER)'",
)
WAYS = (
    [f"SELECT * FROM {reader}('{FILES[index % len(FILES)]}')" for index, reader in enumerate(READERS)]
    + [f"SELECT * FROM TABLE({reader}('{FILES[index % len(FILES)]}'))" for index, reader in enumerate(READERS)]
    + [f"SELECT * FROM {table}" for table in TABLES]
    + [f"SELECT {function}" for function in FUNCTIONS]
    + list(STATEMENTS)
    + list(DISGUISES)
)


def test_the_list_is_long() -> None:
    assert len(set(WAYS)) >= 150


@pytest.mark.parametrize("sql", WAYS)
def test_there_is_no_way_out(aws: LocalAws, sql: str) -> None:
    try:
        answer = aws.run(sql)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRequestException"
        reason = error.response["Error"]["Message"]
    else:
        assert answer.state == "FAILED", answer.rows
        reason = answer.reason or ""
    assert "GENERIC_INTERNAL_ERROR" not in reason
    assert "duckdb" not in reason.lower().replace(sql.lower(), "").replace("duckdb_", "")


@pytest.mark.parametrize("location", ["file:///etc/", "/etc/", "../x/", "http://127.0.0.1/", "hdfs://x/y/"])
def test_tables_are_in_s3_only(aws: LocalAws, location: str) -> None:
    reason = aws.failure(f"CREATE EXTERNAL TABLE outside (a string) LOCATION '{location}'")
    assert "must be an S3 path" in reason


def test_a_table_that_another_client_put_outside_of_s3_is_not_read(aws: LocalAws) -> None:
    aws.glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "sneaky",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": "a", "Type": "string"}],
                "Location": "file:///etc/",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"},
            },
        },
    )
    assert "no valid S3 location" in aws.failure("SELECT a FROM sneaky")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/dapflow-escape.csv'",
        "ATTACH '/tmp/dapflow-escape.db' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SELECT * FROM a_variable_of_python",
    ],
)
def test_even_the_database_below_is_locked(tmp_path: Path, sql: str) -> None:
    a_variable_of_python = duckdb.sql("SELECT 1 AS a")
    assert a_variable_of_python is not None
    session = Session(tmp_path, 1 << 30)
    try:
        with pytest.raises(duckdb.Error):
            session.cursor().execute(sql)
    finally:
        session.close()
