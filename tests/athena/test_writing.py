"""UNLOAD, CREATE TABLE AS and INSERT."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from dapflow.runtime.parquet_footer import read_footer
from tests.aws_servers import LocalAws

ROWS = (
    "SELECT * FROM (VALUES "
    "(1, 'x', DATE '2024-06-05', TIMESTAMP '2024-06-05 01:02:03.004', CAST(1.5 AS decimal(10,2))), "
    "(2, NULL, NULL, NULL, NULL)) AS t(n, s, d, ts, dec)"
)


def manifest(aws: LocalAws, identity: str) -> list[str]:
    location: str = aws.wait(identity)["Statistics"]["DataManifestLocation"]
    return aws.body(location.removeprefix("s3://lake/")).decode().split()


def test_unload_writes_typed_parquet_and_a_manifest(aws: LocalAws) -> None:
    answer = aws.run(f"UNLOAD ({ROWS}) TO 's3://lake/unloaded/a/' WITH (format = 'PARQUET', compression = 'SNAPPY')")
    assert answer.state == "SUCCEEDED", answer.reason
    keys = aws.keys("unloaded/a/")
    assert manifest(aws, answer.id) == [f"s3://lake/{key}" for key in keys]
    table = pq.read_table(io.BytesIO(aws.body(keys[0])))
    assert [str(field.type) for field in table.schema] == [
        "int32",
        "string",
        "date32[day]",
        "timestamp[ns]",
        "decimal128(10, 2)",
    ]
    footer = pq.read_metadata(io.BytesIO(aws.body(keys[0])))
    assert footer.row_group(0).column(0).compression == "SNAPPY"
    assert table.num_rows == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UNLOAD ({}) TO 's3://lake/schema_unload/' WITH (format = 'PARQUET', compression = 'SNAPPY')",
        "CREATE TABLE schema_ctas WITH (format = 'PARQUET', write_compression = 'NONE') AS {}",
        "INSERT INTO schema_insert {}",
    ],
)
def test_parquet_has_the_schema_that_athena_writes(aws: LocalAws, statement: str) -> None:
    if "INSERT" in statement:
        aws.query(
            "CREATE EXTERNAL TABLE schema_insert (n int, s string, l array<timestamp>, t timestamp, m decimal(10,2)) "
            "STORED AS PARQUET LOCATION 's3://lake/schema_insert/'"
        )
    rows = (
        "SELECT 1 AS n, 'x' AS s, ARRAY[TIMESTAMP '2024-06-05 00:00:00'] AS l, "
        "TIMESTAMP '2024-06-05 01:02:03.004' AS t, CAST(1.5 AS decimal(10,2)) AS m"
    )
    answer = aws.run(statement.format(rows))
    assert answer.state == "SUCCEEDED", answer.reason
    (location,) = manifest(aws, answer.id)
    file = pq.ParquetFile(io.BytesIO(aws.body(location.removeprefix("s3://lake/"))))
    assert all(field.nullable for field in file.schema_arrow)
    physical = {file.schema.column(index).path: file.schema.column(index) for index in range(len(file.schema))}
    assert physical["t"].physical_type == physical["l.list.element"].physical_type == "INT96"
    assert file.read().to_pylist() == [
        {
            "n": 1,
            "s": "x",
            "l": [dt.datetime(2024, 6, 5)],
            "t": dt.datetime(2024, 6, 5, 1, 2, 3, 4000),
            "m": Decimal("1.50"),
        }
    ]
    footer = read_footer(lambda size: aws.body(location.removeprefix("s3://lake/"))[-size:])
    assert dict(footer.columns) == {
        "n": "int",
        "s": "string",
        "l": "array<timestamp>",
        "t": "timestamp",
        "m": "decimal(10,2)",
    }


def test_parquet_without_timestamps_has_columns_that_may_be_null(aws: LocalAws) -> None:
    answer = aws.run("CREATE TABLE never_null AS SELECT 1 AS n, 'x' AS s, 1e0 AS d, ARRAY[1] AS l, 7 AS p")
    (location,) = manifest(aws, answer.id)
    schema = pq.read_schema(io.BytesIO(aws.body(location.removeprefix("s3://lake/"))))
    assert [field.nullable for field in schema] == [True] * 5


def test_unload_needs_an_empty_target(aws: LocalAws) -> None:
    aws.put("unloaded/full/there", "x")
    reason = aws.failure("UNLOAD (SELECT 1 AS a) TO 's3://lake/unloaded/full/' WITH (format = 'PARQUET')")
    assert reason.startswith("HIVE_PATH_ALREADY_EXISTS: Target directory")
    assert aws.keys("unloaded/full/") == ["unloaded/full/there"]
    assert aws.run("UNLOAD (SELECT 1 AS a) TO 's3://lake/unloaded/ful' WITH (format = 'PARQUET')").state == "SUCCEEDED"


def test_unload_of_no_rows_writes_no_files(aws: LocalAws) -> None:
    answer = aws.run("UNLOAD (SELECT 1 AS a WHERE false) TO 's3://lake/unloaded/none/' WITH (format = 'PARQUET')")
    assert answer.state == "SUCCEEDED"
    assert (aws.keys("unloaded/none/"), manifest(aws, answer.id)) == ([], [])


@pytest.mark.parametrize(
    ("properties", "body"),
    [
        ("format = 'TEXTFILE', compression = 'NONE', field_delimiter = ','",
         "1,x,2024-06-05,2024-06-05 01:02:03.004,1.50\n2,\\N,\\N,\\N,\\N\n"),
        ("format = 'JSON', compression = 'NONE'",
         '{"n":1,"s":"x","d":"2024-06-05","ts":"2024-06-05 01:02:03.004","dec":1.50}\n'
         '{"n":2,"s":null,"d":null,"ts":null,"dec":null}\n'),
    ],
)  # fmt: skip
def test_unload_writes_text(aws: LocalAws, properties: str, body: str) -> None:
    target = f"unloaded/{properties[10:14]}/"
    answer = aws.run(f"UNLOAD ({ROWS}) TO 's3://lake/{target}' WITH ({properties})")
    assert answer.state == "SUCCEEDED", answer.reason
    lines = b"".join(aws.body(key) for key in aws.keys(target)).decode().splitlines()
    assert sorted(lines) == sorted(body.splitlines())


def test_unload_by_partitions(aws: LocalAws) -> None:
    sql = "SELECT n, s AS kind FROM (VALUES (1, 'a/b'), (2, 'c'), (3, NULL)) AS t(n, s)"
    answer = aws.run(
        f"UNLOAD ({sql}) TO 's3://lake/unloaded/parts/' WITH (format = 'PARQUET', partitioned_by = ARRAY['kind'])"
    )
    assert answer.state == "SUCCEEDED", answer.reason
    folders = {key.split("/")[2] for key in aws.keys("unloaded/parts/")}
    assert folders == {"kind=a%2Fb", "kind=c", "kind=__HIVE_DEFAULT_PARTITION__"}
    table = pq.read_table(io.BytesIO(aws.body(aws.keys("unloaded/parts/")[0])))
    assert table.schema.names == ["n"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UNLOAD (SELECT json_parse('1') AS j) TO 's3://lake/u1/' WITH (format = 'PARQUET')",
         "Unsupported Hive type: json"),
        ("UNLOAD (SELECT NULL AS n) TO 's3://lake/u2/' WITH (format = 'PARQUET')", "Column type is unknown: n"),
        ("UNLOAD (SELECT 1 AS a, 2 AS a) TO 's3://lake/u3/' WITH (format = 'PARQUET')", "specified more than once"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://lake/u4/' WITH (format = 'EXCEL')", "Unsupported format: EXCEL"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://lake/u5/' WITH (format = 'PARQUET', compression = 'LZO')", "LZO"),
        ("UNLOAD (SELECT 1 AS a) TO 'file:///tmp/u6/' WITH (format = 'PARQUET')", "Invalid location"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://lake/u7/' WITH (formt = 'PARQUET')", "formt"),
        ("UNLOAD (SELECT 1 AS a, 2 AS b) TO 's3://lake/u8/' WITH (format = 'PARQUET', partitioned_by = ARRAY['a'])",
         "Partition keys must be the last columns"),
    ],
)  # fmt: skip
def test_unload_refuses(aws: LocalAws, sql: str, reason: str) -> None:
    assert reason in aws.failure(sql)


def test_ctas_makes_a_table_where_it_is_told(aws: LocalAws) -> None:
    properties = "format = 'PARQUET', write_compression = 'ZSTD', external_location = 's3://lake/made/'"
    answer = aws.run(f"CREATE TABLE made WITH ({properties}) AS {ROWS}")
    assert answer.state == "SUCCEEDED", answer.reason
    assert answer.execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    assert manifest(aws, answer.id) == [f"s3://lake/{key}" for key in aws.keys("made/")]
    assert aws.query("SELECT * FROM made ORDER BY n") == [
        ["1", "x", "2024-06-05", "2024-06-05 01:02:03.004", "1.50"],
        ["2", None, None, None, None],
    ]
    assert aws.failure(f"CREATE TABLE made AS {ROWS}").startswith("TABLE_ALREADY_EXISTS")
    assert aws.run(f"CREATE TABLE IF NOT EXISTS made AS {ROWS}").state == "SUCCEEDED"


def test_ctas_without_a_location_lands_beside_the_results(aws: LocalAws) -> None:
    answer = aws.run("CREATE TABLE defaulted AS SELECT 1 AS a")
    location = aws.glue.get_table(DatabaseName="db", Name="defaulted")["Table"]["StorageDescriptor"]["Location"]
    assert location == f"s3://lake/results/tables/{answer.id}"
    assert aws.query("SELECT a FROM defaulted") == [["1"]]


def test_ctas_by_partitions_registers_them(aws: LocalAws) -> None:
    aws.query(
        "CREATE TABLE by_day WITH (partitioned_by = ARRAY['day'], external_location = 's3://lake/by_day/') AS "
        "SELECT n, day FROM (VALUES (1, '2024-06-01'), (2, '2024-06-02')) AS t(n, day)"
    )
    assert aws.query("SHOW PARTITIONS by_day") == [["day=2024-06-01"], ["day=2024-06-02"]]
    assert aws.query("SELECT n FROM by_day WHERE day = '2024-06-02'") == [["2"]]


def test_ctas_with_no_data_makes_the_table_only(aws: LocalAws) -> None:
    aws.query(
        "CREATE TABLE empty_copy WITH (external_location = 's3://lake/empty_copy/') AS SELECT 1 AS a WITH NO DATA"
    )
    assert aws.query("SELECT a FROM empty_copy") == []
    assert aws.keys("empty_copy/") == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE r1 AS SELECT 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
        ("CREATE TABLE r2 AS SELECT 1 AS a, 2 AS a", "DUPLICATE_COLUMN_NAME"),
        ("CREATE TABLE r3 WITH (nonsense = 1) AS SELECT 1 AS a", "nonsense"),
        ("CREATE TABLE missing_db.r4 AS SELECT 1 AS a", "SCHEMA_NOT_FOUND"),
        ("CREATE TABLE r5 WITH (table_type = 'ICEBERG') AS SELECT 1 AS a", "NOT_SUPPORTED: Iceberg"),
        ("CREATE TABLE r5 WITH (location = 's3://lake/r5/', table_type = 'ICEBERG') AS SELECT 1 AS a", "Iceberg"),
        ("CREATE TABLE r7 WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b", "the table properties: [a]"),
        (
            "CREATE TABLE r7 WITH (partitioned_by = ARRAY['x', 'y']) AS SELECT 1 AS a, 2 AS b",
            "Partition columns [x, y]",
        ),
        ("CREATE TABLE r8 WITH (format = 'CSV') AS SELECT 'x' AS a", "Unsupported format: CSV"),
        ("CREATE TABLE r6 WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a", "only partition columns"),
    ],
)
def test_ctas_refuses(aws: LocalAws, sql: str, reason: str) -> None:
    assert reason in aws.failure(sql)


def test_at_most_a_hundred_partitions_are_written_at_once(aws: LocalAws) -> None:
    sql = "SELECT n, CAST(n AS varchar) AS p FROM UNNEST(sequence(1, %d)) AS t(n)"
    properties = "WITH (partitioned_by = ARRAY['p'], external_location = 's3://lake/many/%d/')"
    reason = aws.failure(f"CREATE TABLE many101 {properties % 101} AS {sql % 101}")
    assert reason.startswith("HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers")
    aws.query(f"CREATE TABLE many100 {properties % 100} AS {sql % 100}")
    assert aws.query("SELECT count(DISTINCT p) FROM many100") == [["100"]]
    assert aws.failure(f"INSERT INTO many100 {sql % 101}").startswith("HIVE_TOO_MANY_OPEN_PARTITIONS")


def test_ctas_with_a_location_is_refused_where_the_work_group_enforces_its_own(aws: LocalAws) -> None:
    aws.athena.create_work_group(
        Name="enforcing",
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake/enforced/"},
            "EnforceWorkGroupConfiguration": True,
        },
    )
    sql = "CREATE TABLE enforced WITH (external_location = 's3://lake/x/') AS SELECT 1 AS a"
    assert "'external_location' property" in aws.failure(sql, WorkGroup="enforcing")
    answer = aws.run("UNLOAD (SELECT 1 AS a) TO 's3://lake/free/' WITH (format = 'PARQUET')", WorkGroup="enforcing")
    assert answer.state == "SUCCEEDED"
    assert len(aws.keys("free/")) == 1


def test_insert_adds_rows_and_partitions(aws: LocalAws) -> None:
    aws.query(
        "CREATE EXTERNAL TABLE grown (n bigint, s string, d double) PARTITIONED BY (p int) STORED AS PARQUET "
        "LOCATION 's3://lake/grown/'"
    )
    aws.query("INSERT INTO grown SELECT 1, 'x', 1.5e0, 7")
    answer = aws.run("INSERT INTO grown (p, n) VALUES (7, 2), (8, 3)")
    assert answer.execution["SubstatementType"] == "INSERT"
    assert aws.query("SELECT * FROM grown ORDER BY n") == [
        ["1", "x", "1.5", "7"],
        ["2", None, None, "7"],
        ["3", None, None, "8"],
    ]
    assert aws.query("SHOW PARTITIONS grown") == [["p=7"], ["p=8"]]
    assert len(manifest(aws, answer.id)) == 2


@pytest.mark.parametrize(
    ("compression", "codec"), [("SNAPPY", b"snappy"), ("GZIP", b"deflate"), ("ZSTD", b"zstandard")]
)
def test_avro_is_written_with_each_compression(aws: LocalAws, compression: str, codec: bytes) -> None:
    name = f"avro_{compression.lower()}"
    answer = aws.run(
        f"CREATE TABLE {name} WITH (format = 'AVRO', write_compression = '{compression}') AS "
        "SELECT n, rpad('', 200, 'x') AS s FROM UNNEST(sequence(1, 9000)) t(n)"
    )
    assert aws.query(f"SELECT count(*), sum(n), min(s) FROM {name}") == [["9000", "40504500", "x" * 200]]
    (location,) = manifest(aws, answer.id)
    assert codec in aws.body(location.removeprefix("s3://lake/"))[:1000]


@pytest.mark.parametrize("stored", ["ORC", "AVRO", "TEXTFILE"])
def test_insert_writes_the_tables_format(aws: LocalAws, stored: str) -> None:
    name = f"grown_{stored.lower()}"
    aws.query(f"CREATE EXTERNAL TABLE {name} (n bigint, s string) STORED AS {stored} LOCATION 's3://lake/{name}/'")
    aws.query(f"INSERT INTO {name} VALUES (1, 'x'), (2, NULL)")
    aws.query(f"INSERT INTO {name} VALUES (3, '')")
    assert aws.query(f"SELECT * FROM {name} ORDER BY n") == [["1", "x"], ["2", None], ["3", ""]]


def test_insert_assigns_as_trino_does(aws: LocalAws) -> None:
    aws.query(
        "CREATE EXTERNAL TABLE assigned (t tinyint, i int, n decimal(5,3), r float, c char(3), v varchar(3), d date, "
        "a array<int>) STORED AS PARQUET LOCATION 's3://lake/assigned/'"
    )
    aws.query("INSERT INTO assigned (t, i, n, r) VALUES (1e0, 2.5e0, 3e0, 4)")
    aws.query("INSERT INTO assigned (i, c, v) VALUES (BIGINT '7', VARCHAR 'aa     ', VARCHAR 'aa     ')")
    aws.query("INSERT INTO assigned (i, d, a) VALUES (9, TIMESTAMP '2019-11-18 22:13:40', ARRAY[BIGINT '1'])")
    assert aws.query("SELECT t, i, n, r, c, v, d, a FROM assigned ORDER BY i") == [
        ["1", "3", "3.000", "4.0", None, None, None, None],
        [None, "7", None, None, "aa ", "aa ", None, None],
        [None, "9", None, None, None, None, "2019-11-18", "[1]"],
    ]
    for sql, reason in (
        ("(i) VALUES (3e9)", "INVALID_CAST_ARGUMENT: "),
        ("(i) VALUES (3000000000)", "Out of range for integer: 3000000000"),
        (
            "(c) VALUES ('abcd')",
            "Cannot truncate non-space characters when casting from varchar(4) to char(3) on INSERT",
        ),
        (
            "(v) VALUES ('abcd')",
            "Cannot truncate non-space characters when casting from varchar(4) to varchar(3) on INSERT",
        ),
        ("(i, i) VALUES (1, 2)", "DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: i"),
        ("(d) VALUES ('2024-01-01')", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types"),
    ):
        assert reason in aws.failure(f"INSERT INTO assigned {sql}")


def test_insert_refuses_what_does_not_fit(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE narrow (n int, s string) STORED AS PARQUET LOCATION 's3://lake/narrow/'")
    reason = "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer, varchar], Query: "
    assert aws.failure("INSERT INTO narrow VALUES ('x', 'y')").startswith(reason)
    assert aws.failure("INSERT INTO narrow VALUES (1)").startswith(reason)
    assert aws.failure("INSERT INTO narrow (n, z) VALUES (1, 2)").startswith("COLUMN_NOT_FOUND")
    assert aws.failure("INSERT INTO nowhere VALUES (1)").startswith("TABLE_NOT_FOUND")
    assert aws.keys("narrow/") == []


def test_writing_statements_have_no_rows(aws: LocalAws) -> None:
    answer = aws.run("CREATE TABLE rowless AS SELECT 1 AS a")
    for statement in (answer, aws.run("INSERT INTO rowless VALUES 2")):
        page = aws.athena.get_query_results(QueryExecutionId=statement.id)
        assert page["ResultSet"]["Rows"] == []
        (column,) = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        assert (column["Name"], column["Type"], column["Precision"]) == ("rows", "bigint", 19)
        assert page["UpdateCount"] == 1


@pytest.mark.parametrize(
    "kind",
    ["DELETE FROM t WHERE a = 1", "UPDATE t SET a = 1", "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE"],
)
def test_row_changes_are_for_iceberg_which_is_not_supported(aws: LocalAws, kind: str) -> None:
    try:
        reason = aws.failure(kind)
    except ClientError as error:
        reason = error.response["Error"]["Message"]
    assert "not supported" in reason
