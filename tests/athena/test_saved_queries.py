"""Named queries, prepared statements, parameters, catalogs."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws_servers import LocalAws


def test_named_queries(aws: LocalAws) -> None:
    token = uuid.uuid4().hex
    made = {"Name": "n", "Database": "db", "QueryString": "SELECT 1", "ClientRequestToken": token}
    identity = aws.athena.create_named_query(**made)["NamedQueryId"]
    assert aws.athena.create_named_query(**made)["NamedQueryId"] == identity
    aws.athena.update_named_query(NamedQueryId=identity, Name="m", QueryString="SELECT 2")
    query = aws.athena.get_named_query(NamedQueryId=identity)["NamedQuery"]
    assert (query["Name"], query["QueryString"], query["WorkGroup"]) == ("m", "SELECT 2", "primary")
    assert aws.athena.list_named_queries()["NamedQueryIds"] == [identity]
    missing = str(uuid.uuid4())
    batch = aws.athena.batch_get_named_query(NamedQueryIds=[identity, missing])
    assert [item["NamedQueryId"] for item in batch["UnprocessedNamedQueryIds"]] == [missing]
    aws.athena.delete_named_query(NamedQueryId=identity)
    with pytest.raises(ClientError, match="was not found"):
        aws.athena.get_named_query(NamedQueryId=identity)


def test_prepared_statements_by_the_api_and_by_sql_are_the_same(aws: LocalAws) -> None:
    aws.athena.create_prepared_statement(
        StatementName="by_api",
        WorkGroup="primary",
        QueryStatement="SELECT n + ? AS m FROM (VALUES 1, 2) AS t(n) WHERE n = ?",
    )
    assert aws.query("EXECUTE by_api USING 10, 2") == [["12"]]
    aws.query("PREPARE by_sql FROM SELECT ? AS a")
    prepared = aws.athena.get_prepared_statement(StatementName="by_sql", WorkGroup="primary")["PreparedStatement"]
    assert prepared["QueryStatement"] == "SELECT ? AS a"
    assert aws.query("EXECUTE by_sql USING 'it''s'") == [["it's"]]
    assert aws.query("EXECUTE by_sql", ExecutionParameters=["7"]) == [["7"]]
    listed = aws.athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    assert {item["StatementName"] for item in listed} == {"by_api", "by_sql"}
    aws.athena.update_prepared_statement(StatementName="by_sql", WorkGroup="primary", QueryStatement="SELECT 1 AS one")
    assert aws.query("EXECUTE by_sql") == [["1"]]
    aws.query("DEALLOCATE PREPARE by_sql")
    with pytest.raises(ClientError, match="PreparedStatement by_sql was not found in workGroup primary"):
        aws.start("EXECUTE by_sql")
    with pytest.raises(ClientError) as caught:
        aws.athena.get_prepared_statement(StatementName="by_sql", WorkGroup="primary")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_execution_parameters_stand_for_question_marks(aws: LocalAws) -> None:
    answer = aws.run("SELECT ? AS a, ? + 1 AS b", ExecutionParameters=["'x'", "41"])
    assert answer.rows == [["x", "42"]]
    assert answer.execution["ExecutionParameters"] == ["'x'", "41"]


def test_execution_parameters_that_are_no_expressions_are_strings(aws: LocalAws) -> None:
    values = ["bare", "two words", "it's", "2024-06-05", "1 + 1", "true", "null", "DATE '2024-06-05'", "upper('x')"]
    answer = aws.run(f"SELECT {', '.join('?' * len(values))}", ExecutionParameters=values)
    assert answer.rows == [["bare", "two words", "it's", "2013", "2", "true", None, "2024-06-05", "X"]]
    assert answer.types[:2] == ["varchar", "varchar"]
    # In EXECUTE a name is a column, and there is none.
    aws.query("PREPARE one FROM SELECT ?")
    assert aws.query("EXECUTE one", ExecutionParameters=["bare"]) == [["bare"]]
    assert aws.failure("EXECUTE one USING bare").startswith("COLUMN_NOT_FOUND")


@pytest.mark.parametrize(
    ("sql", "values", "expected", "given"),
    [
        ("SELECT ?", [], 1, 0),
        ("SELECT ? LIMIT ?", ["1"], 2, 1),
        ("SELECT 1", ["1"], 0, 1),
        ("SELECT ?", ["1", "2"], 1, 2),
    ],
)
def test_parameters_are_counted(aws: LocalAws, sql: str, values: list[str], expected: int, given: int) -> None:
    more: dict[str, Any] = {"ExecutionParameters": values} if values else {}
    assert aws.failure(sql, **more) == (
        f"INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected {expected} but found {given}"
    )


def test_explain_tells_what_is_read(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE explained (a int) STORED AS PARQUET LOCATION 's3://lake/explained/'")
    answer = aws.run("EXPLAIN SELECT a + 1 AS b FROM explained")
    assert (answer.columns, answer.execution["SubstatementType"]) == (["Query Plan"], "EXPLAIN")
    assert [row[0] or "" for row in answer.rows] == [
        "Query Plan",
        "Query Plan",
        "Fragment 0 [SINGLE]",
        "    Output layout: [b]",
        "    Output partitioning: SINGLE []",
        "    Output[columnNames = [b]]",
        "    │   Layout: [b:integer]",
        "    └─ TableScan[table = awsdatacatalog:db:explained]",
        "           Layout: [a:integer]",
        "",
    ]
    plan = json.loads("\n".join(row[0] or "" for row in aws.query("EXPLAIN (FORMAT JSON) SELECT a FROM explained")[2:]))
    assert plan["0"]["outputs"] == [{"symbol": "a", "type": "integer"}]
    assert plan["0"]["children"][0]["descriptor"] == {"table": "awsdatacatalog:db:explained"}
    assert aws.query("EXPLAIN (TYPE VALIDATE) SELECT a FROM explained") == [["true"]]
    assert aws.query("EXPLAIN (TYPE DISTRIBUTED, FORMAT TEXT) SELECT 1") == aws.query("EXPLAIN SELECT 1")
    with pytest.raises(ClientError, match="line 1:15: mismatched input 'ALL'"):
        aws.start("EXPLAIN (TYPE ALL) SELECT 1")
    assert aws.failure("EXPLAIN (TYPE IO) SELECT 1") == "NOT_SUPPORTED: EXPLAIN (TYPE IO) is not supported"
    assert aws.failure("EXPLAIN SELECT b FROM explained").startswith("COLUMN_NOT_FOUND")
    assert any("Output: 0 rows" in (row[0] or "") for row in aws.query("EXPLAIN ANALYZE SELECT a FROM explained"))


def test_information_schema_is_computed_from_glue(aws: LocalAws) -> None:
    aws.query(
        "CREATE EXTERNAL TABLE informed (a int, b array<string>) PARTITIONED BY (p string) LOCATION 's3://lake/i/'"
    )
    aws.query("CREATE VIEW informed_view AS SELECT 1.5 AS x")
    sql = (
        "SELECT column_name, data_type, ordinal_position FROM information_schema.columns "
        "WHERE table_schema = 'db' AND table_name = '%s' ORDER BY 3"
    )
    assert aws.query(sql % "informed") == [["a", "integer", "1"], ["b", "array(varchar)", "2"], ["p", "varchar", "3"]]
    assert aws.query(sql % "informed_view") == [["x", "double", "1"]]
    tables = (
        "SELECT table_name, table_type FROM information_schema.tables "
        "WHERE table_schema = 'db' AND table_name LIKE 'informed%' ORDER BY 1"
    )
    assert aws.query(tables) == [["informed", "BASE TABLE"], ["informed_view", "VIEW"]]
    assert ["db"] in aws.query("SELECT schema_name FROM information_schema.schemata")


def test_data_catalogs_databases_and_table_metadata(aws: LocalAws) -> None:
    catalogs = aws.athena.list_data_catalogs()["DataCatalogsSummary"]
    assert catalogs[0] == {"CatalogName": "AwsDataCatalog", "Type": "GLUE"}
    assert aws.athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
    assert "db" in {item["Name"] for item in aws.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]}
    assert aws.athena.get_database(CatalogName="AwsDataCatalog", DatabaseName="db")["Database"]["Name"] == "db"
    aws.query("CREATE EXTERNAL TABLE described (a int COMMENT 'c') PARTITIONED BY (p string) LOCATION 's3://lake/d/'")
    place = {"CatalogName": "AwsDataCatalog", "DatabaseName": "db"}
    table = aws.athena.get_table_metadata(**place, TableName="described")["TableMetadata"]
    assert table["Columns"] == [{"Name": "a", "Type": "int", "Comment": "c"}]
    assert table["PartitionKeys"] == [{"Name": "p", "Type": "string"}]
    assert table["Parameters"]["location"] == "s3://lake/d"
    listed = aws.athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="db", Expression="descr.*")
    assert [item["Name"] for item in listed["TableMetadataList"]] == ["described"]
    # PyAthena reads the error code out of the text.
    envelope = re.compile(
        r"Entity Not Found \(Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; "
        r"Request ID: [0-9a-f-]{36}; Proxy: null\)"
    )
    for ask in (
        lambda: aws.athena.get_table_metadata(**place, TableName="missing"),
        lambda: aws.athena.get_database(CatalogName="AwsDataCatalog", DatabaseName="missing"),
        lambda: aws.athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="missing"),
    ):
        with pytest.raises(ClientError) as caught:
            ask()
        error = caught.value.response["Error"]
        assert error["Code"] == "MetadataException"
        assert envelope.fullmatch(error["Message"])


def test_an_operation_of_another_kind_is_refused_by_name(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ListSessions is not supported"):
        aws.athena.list_sessions(WorkGroup="primary")
