"""Executions through the API: states, results, refusals."""

from __future__ import annotations

import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws_servers import RESULTS, LocalAws


def test_a_select_gives_its_rows_after_a_header(aws: LocalAws) -> None:
    answer = aws.run("SELECT 1 AS a, 'x' AS b")
    assert (answer.state, answer.columns, answer.rows) == ("SUCCEEDED", ["a", "b"], [["1", "x"]])
    page = aws.athena.get_query_results(QueryExecutionId=answer.id)
    assert page["ResultSet"]["Rows"][0]["Data"] == [{"VarCharValue": "a"}, {"VarCharValue": "b"}]


def test_null_is_a_cell_without_value_and_an_empty_text_is_not(aws: LocalAws) -> None:
    assert aws.query("SELECT CAST(NULL AS varchar) AS a, '' AS b, 'x' AS c") == [[None, "", "x"]]
    assert aws.query("SELECT 'x' AS a, CAST(NULL AS varchar) AS b") == [["x", None]]
    assert aws.query("SELECT CAST(NULL AS varchar) AS a") == [[None]]


def test_the_result_file_quotes_every_value_and_leaves_null_empty(aws: LocalAws) -> None:
    answer = aws.run("SELECT 1 AS a, CAST(NULL AS varchar) AS b, 'say \"hi\",\nyou' AS c, '' AS d")
    assert answer.rows == [["1", None, 'say "hi",\nyou', ""]]
    assert answer.execution["ResultConfiguration"]["OutputLocation"] == f"{RESULTS}{answer.id}.csv"
    assert aws.body(f"results/{answer.id}.csv").decode() == '"a","b","c","d"\n"1",,"say ""hi"",\nyou",""\n'
    deadline = time.monotonic() + 10
    while f"results/{answer.id}.csv.metadata" not in aws.keys(f"results/{answer.id}"):
        assert time.monotonic() < deadline, "the metadata follows the result within moments"


def test_the_result_and_its_metadata_are_there_when_the_query_has_succeeded(aws: LocalAws) -> None:
    for number in range(10):
        identity = aws.run(f"SELECT {number} AS n").id
        listed = aws.s3.list_objects_v2(Bucket="lake", Prefix=f"results/{identity}")["Contents"]
        assert [item["Key"] for item in listed] == [f"results/{identity}.csv", f"results/{identity}.csv.metadata"]


def test_a_query_that_fails_or_is_stopped_leaves_nothing_in_s3(aws: LocalAws) -> None:
    failed = aws.run("SELECT 1 / (n - n) FROM (VALUES 1) AS t(n)")
    assert failed.state == "FAILED"
    stopped = aws.start(f"SELECT count(*) FROM {NUMBERS} CROSS JOIN {NUMBERS} CROSS JOIN {NUMBERS}")
    aws.athena.stop_query_execution(QueryExecutionId=stopped)
    assert aws.wait(stopped)["Status"]["State"] == "CANCELLED"
    assert aws.keys(f"results/{failed.id}") == []
    assert aws.keys(f"results/{stopped}") == []


def test_results_come_in_pages_of_a_thousand_with_the_header_first(aws: LocalAws) -> None:
    sql = "SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n"
    answer = aws.run(sql)
    assert [row[0] for row in answer.rows] == [str(n) for n in range(1, 2501)]
    first = aws.athena.get_query_results(QueryExecutionId=answer.id)
    assert len(first["ResultSet"]["Rows"]) == 1000
    assert first["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "1"}]
    small = aws.athena.get_query_results(QueryExecutionId=answer.id, MaxResults=3, NextToken=first["NextToken"])
    assert [row["Data"][0]["VarCharValue"] for row in small["ResultSet"]["Rows"]] == ["1000", "1001", "1002"]


NUMBERS = "(SELECT 9000 * (a - 1) + b AS n FROM UNNEST(sequence(1, 30)) AS x(a), UNNEST(sequence(1, 9000)) AS y(b))"
ROWS = f"SELECT n, if(n % 3 = 0, NULL, concat('say \"', CAST(n AS varchar), '\",')) AS s FROM {NUMBERS}"


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 60_000])
def test_results_of_any_size_have_one_form(aws: LocalAws, count: int) -> None:
    identity = aws.start(f"{ROWS} WHERE n <= {count} ORDER BY n")
    aws.wait(identity)
    lines = [f'"{n}",' + ("" if n % 3 == 0 else f'"say ""{n}"","') for n in range(1, count + 1)]
    assert aws.body(f"results/{identity}.csv").decode() == "".join(line + "\n" for line in ['"n","s"', *lines])
    page = aws.athena.get_query_results(QueryExecutionId=identity, MaxResults=5)["ResultSet"]["Rows"]
    cells = [[{"VarCharValue": "3"}, {}], [{"VarCharValue": "4"}, {"VarCharValue": 'say "4",'}]]
    assert [row["Data"] for row in page[3:]] == (cells if count > 3 else [])


def test_a_late_row_that_fails_fails_the_query(aws: LocalAws) -> None:
    # More than once: with DuckDB's own threads for writing, one such query in a few never came to its end.
    for row in range(250_000, 250_006):
        assert aws.failure(f"SELECT 1 / (n - {row}) AS a FROM {NUMBERS}") == "DIVISION_BY_ZERO: Division by zero"


def test_a_query_is_stopped_while_its_rows_are_written(aws: LocalAws) -> None:
    identity = aws.start("SELECT a.n, b.n FROM UNNEST(sequence(1, 9000)) AS a(n), UNNEST(sequence(1, 9000)) AS b(n)")
    started = time.monotonic()
    aws.athena.stop_query_execution(QueryExecutionId=identity)
    assert aws.wait(identity)["Status"]["State"] == "CANCELLED"
    assert time.monotonic() - started < 10


def test_who_asks_early_sees_the_end_of_a_short_query_at_once(aws: LocalAws) -> None:
    identity = aws.start("SELECT 1 AS a")
    states: list[str] = []
    while not states or states[-1] in {"QUEUED", "RUNNING"}:
        states.append(aws.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]["State"])
    # Each answer may wait 100 ms for the end: without that there would be dozens of questions.
    assert (states[-1], len(states) < 30) == ("SUCCEEDED", True)


def test_column_info_has_athenas_types_and_precisions(aws: LocalAws) -> None:
    answer = aws.run(
        "SELECT 1 AS i, CAST(1 AS bigint) AS l, DECIMAL '1.25' AS d, 'abc' AS s, true AS b, 1.5 AS f, ARRAY[1] AS arr"
    )
    page = aws.athena.get_query_results(QueryExecutionId=answer.id)
    shown = [
        (column["Name"], column["Type"], column["Precision"], column["Scale"], column["CaseSensitive"])
        for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    ]
    assert shown == [
        ("i", "integer", 10, 0, False),
        ("l", "bigint", 19, 0, False),
        ("d", "decimal", 3, 2, False),
        ("s", "varchar", 3, 0, True),
        ("b", "boolean", 0, 0, False),
        ("f", "double", 17, 0, False),
        ("arr", "array", 0, 0, False),
    ]


def test_a_syntax_error_is_refused_by_the_call_itself(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as caught:
        aws.start("SELEC 1")
    error: Any = caught.value.response
    assert error["Error"]["Code"] == "InvalidRequestException"
    assert error["AthenaErrorCode"] == "MALFORMED_QUERY"
    assert error["Error"]["Message"].startswith("line 1:1: mismatched input 'SELEC'")


def test_an_unknown_table_fails_the_execution(aws: LocalAws) -> None:
    answer = aws.run("SELECT * FROM nowhere")
    assert answer.state == "FAILED"
    assert answer.reason == "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.nowhere' does not exist"
    assert answer.execution["Status"]["AthenaError"]["ErrorCategory"] == 2
    with pytest.raises(ClientError, match=r"Query did not finish successfully. Final query state: FAILED"):
        aws.athena.get_query_results(QueryExecutionId=answer.id)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT *\nFROM t MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS true)", "line 2:8: MATCH_RECOGNIZE"),
        (
            "INSERT INTO t SELECT * FROM t FOR VERSION AS OF 1",
            "line 1:31: Time travel (FOR VERSION or TIMESTAMP AS OF)",
        ),
        ("SELECT st_point(1, 2)", "line 1:8: Function st_point"),
    ],
)
def test_what_only_aws_can_run_is_accepted_and_fails_by_name(aws: LocalAws, sql: str, reason: str) -> None:
    aws.query("CREATE EXTERNAL TABLE IF NOT EXISTS t (a int) STORED AS PARQUET LOCATION 's3://lake/only_aws/'")
    assert aws.failure(sql) == f"NOT_SUPPORTED: {reason} is not supported"


@pytest.mark.parametrize("sql", ["SELECT * FROM nowhere", "SHOW TABLES", "SELECT 1"])
def test_an_unknown_catalog_fails_the_execution(aws: LocalAws, sql: str) -> None:
    context = {"Catalog": "elsewhere", "Database": "db"}
    assert aws.failure(sql, QueryExecutionContext=context) == "CATALOG_NOT_FOUND: Catalog 'elsewhere' not found"
    assert aws.run("SHOW TABLES", QueryExecutionContext=context | {"Catalog": "AwsDataCatalog"}).state == "SUCCEEDED"


def test_a_trailing_semicolon_is_accepted(aws: LocalAws) -> None:
    assert aws.query("SELECT 1;") == [["1"]]


def test_the_same_client_request_token_is_the_same_execution(aws: LocalAws) -> None:
    token = str(uuid.uuid4())
    first = aws.start("SELECT 1", ClientRequestToken=token)
    assert aws.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        aws.start("SELECT 2", ClientRequestToken=token)
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        aws.start("SELECT 1", "another", ClientRequestToken=token)


def test_an_output_location_is_required(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        aws.athena.start_query_execution(QueryString="SELECT 1")


@pytest.mark.parametrize("location", ["http://lake/x", "lake/results", "s3:/lake"])
def test_an_output_location_is_an_s3_path(aws: LocalAws, location: str) -> None:
    with pytest.raises(ClientError, match="not a valid S3 path"):
        aws.start("SELECT 1", ResultConfiguration={"OutputLocation": location})


def test_a_result_bucket_that_is_not_there_fails_the_query(aws: LocalAws) -> None:
    reason = aws.failure("SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket/x/"})
    assert "s3://no-such-bucket/x/" in reason


def test_unknown_executions_are_refused(aws: LocalAws) -> None:
    missing = str(uuid.uuid4())
    for call in (aws.athena.get_query_execution, aws.athena.get_query_results, aws.athena.stop_query_execution):
        with pytest.raises(ClientError, match=f"QueryExecution {missing} was not found"):
            call(QueryExecutionId=missing)


def test_batch_get_tells_what_it_found_and_what_not(aws: LocalAws) -> None:
    known, missing = aws.run("SELECT 1").id, str(uuid.uuid4())
    answer = aws.athena.batch_get_query_execution(QueryExecutionIds=[known, missing])
    assert [item["QueryExecutionId"] for item in answer["QueryExecutions"]] == [known]
    assert [item["QueryExecutionId"] for item in answer["UnprocessedQueryExecutionIds"]] == [missing]


def test_executions_are_listed_newest_first_in_pages(aws: LocalAws) -> None:
    ids = [aws.run(f"SELECT {number}").id for number in range(3)]
    page = aws.athena.list_query_executions(MaxResults=2)
    assert page["QueryExecutionIds"] == [ids[2], ids[1]]
    assert aws.athena.list_query_executions(MaxResults=2, NextToken=page["NextToken"])["QueryExecutionIds"][0] == ids[0]


def test_a_query_over_262144_bytes_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="262144"):
        aws.start("SELECT '" + "x" * 262_144 + "'")


def test_a_running_query_is_stopped(aws: LocalAws) -> None:
    identity = aws.start(
        "SELECT count(*) FROM UNNEST(sequence(1, 9000)) AS a(x), UNNEST(sequence(1, 9000)) AS b(y), "
        "UNNEST(sequence(1, 9000)) AS c(z) WHERE (x * y) % 7 = z % 5"
    )
    aws.athena.stop_query_execution(QueryExecutionId=identity)
    execution = aws.wait(identity)
    assert execution["Status"]["State"] == "CANCELLED"
    aws.athena.stop_query_execution(QueryExecutionId=identity)
    assert aws.wait(identity)["Status"]["State"] == "CANCELLED"


def test_what_was_asked_of_result_reuse_is_told_and_nothing_is_reused(aws: LocalAws) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    for _ in range(2):
        execution = aws.run("SELECT 1", ResultReuseConfiguration=reuse).execution
        assert execution["ResultReuseConfiguration"] == reuse
        assert execution["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": False}
        assert execution["Statistics"]["QueryQueueTimeInMillis"] > 0


def test_runtime_statistics_count_rows(aws: LocalAws) -> None:
    answer = aws.run("SELECT n FROM UNNEST(sequence(1, 7)) AS t(n)")
    figures = aws.athena.get_query_runtime_statistics(QueryExecutionId=answer.id)["QueryRuntimeStatistics"]
    assert figures["Rows"]["OutputRows"] == 7


def test_parameters_that_the_api_does_not_allow_are_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Member must have value less than or equal to 1000"):
        aws.athena.get_query_results(QueryExecutionId="x", MaxResults=1001)


@pytest.mark.parametrize("bucket", ["b\r\nX-Evil: 1\r\nY:", "a b", "€", "a?list-type=2&x="])
def test_a_place_that_is_no_bucket_s_is_refused_or_fails(aws: LocalAws, bucket: str) -> None:
    with contextlib.suppress(ClientError):
        answer = aws.run("SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{bucket}/results/"})
        assert answer.state == "FAILED"
        assert answer.reason is not None
        assert "inside the server" not in answer.reason


def test_one_token_starts_one_query_however_many_ask_at_once(aws: LocalAws) -> None:
    def start(token: str) -> str:
        return aws.start("SELECT 1", ClientRequestToken=token)

    assert aws.query("SELECT 1") == [["1"]]
    tokens = [str(uuid.uuid4()) for _ in range(30)]
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(start, [token for token in tokens for _ in range(4)]))
    assert len(set(ids)) == len(tokens)
    assert all(len(set(ids[at : at + 4])) == 1 for at in range(0, len(ids), 4))
