"""Statements of the Hive side."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from dapflow.athena.ddl import model
from dapflow.athena.ddl.hive_statement import parse
from dapflow.trino.duckdb import QueryError
from tests.aws_servers import LocalAws

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


def test_databases_are_created_shown_and_dropped(aws: LocalAws) -> None:
    aws.query(
        "CREATE DATABASE IF NOT EXISTS `made-here` COMMENT 'for tests' "
        "LOCATION 's3://lake/made/' WITH DBPROPERTIES ('k'='v')"
    )
    aws.query("CREATE SCHEMA IF NOT EXISTS `made-here`")
    database = aws.glue.get_database(Name="made-here")["Database"]
    assert (database["Description"], database["LocationUri"], database["Parameters"]) == (
        "for tests",
        "s3://lake/made/",
        {"k": "v"},
    )
    assert aws.query("SHOW DATABASES LIKE 'made*'") == [["made-here"]]
    assert "already exists" in aws.failure("CREATE DATABASE `made-here`")
    aws.query("CREATE EXTERNAL TABLE `made-here`.t (a int) LOCATION 's3://lake/made/t/'")
    assert "is not empty" in aws.failure("DROP DATABASE `made-here`")
    aws.query("DROP DATABASE `made-here` CASCADE")
    assert "Database does not exist" in aws.failure("DROP SCHEMA `made-here`")
    aws.query("DROP DATABASE IF EXISTS `made-here`")


def test_there_is_always_a_default_database(aws: LocalAws) -> None:
    assert ["default"] in aws.query("SHOW DATABASES", database=None)
    aws.query("CREATE EXTERNAL TABLE in_default (a int) LOCATION 's3://lake/in_default/'", database=None)
    assert aws.query('SELECT a FROM "default".in_default', database=None) == []
    names = [item["Name"] for item in aws.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    assert names.count("default") == 1
    aws.query("DROP TABLE in_default", database="default")


def test_a_table_is_kept_in_glue_as_athena_keeps_it(aws: LocalAws) -> None:
    aws.query(
        """
        CREATE EXTERNAL TABLE IF NOT EXISTS `db`.`Full` (
          -- a comment
          `a` int COMMENT 'first', b decimal, c struct<x: int, y: array<string>>, `d` varchar(10)
        )
        COMMENT 'all of it'
        PARTITIONED BY (day string COMMENT 'the day', hour int)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY '|'
        STORED AS TEXTFILE
        LOCATION 's3://lake/full/'
        TBLPROPERTIES ('skip.header.line.count'='1', "classification"="csv");
        """
    )
    table = aws.glue.get_table(DatabaseName="db", Name="full")["Table"]
    storage = table["StorageDescriptor"]
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert storage["Columns"] == [
        {"Name": "a", "Type": "int", "Comment": "first"},
        {"Name": "b", "Type": "decimal(10,0)"},
        {"Name": "c", "Type": "struct<x:int,y:array<string>>"},
        {"Name": "d", "Type": "varchar(10)"},
    ]
    assert table["PartitionKeys"] == [
        {"Name": "day", "Type": "string", "Comment": "the day"},
        {"Name": "hour", "Type": "int"},
    ]
    assert storage["Location"] == "s3://lake/full"
    assert storage["SerdeInfo"]["SerializationLibrary"] == LAZY
    assert storage["SerdeInfo"]["Parameters"] == {
        "field.delim": "\t",
        "serialization.format": "\t",
        "escape.delim": "\\",
        "collection.delim": "|",
    }
    assert (
        table["Parameters"].items()
        >= {"EXTERNAL": "TRUE", "skip.header.line.count": "1", "comment": "all of it"}.items()
    )
    assert "already exists" in aws.failure("CREATE EXTERNAL TABLE `full` (a int) LOCATION 's3://lake/full/'")
    aws.query("CREATE EXTERNAL TABLE IF NOT EXISTS `full` (a int) LOCATION 's3://lake/full/'")


def test_show_create_table_makes_the_same_table_again(aws: LocalAws) -> None:
    aws.query(
        "CREATE EXTERNAL TABLE shown (a int COMMENT 'it''s', b array<string>) PARTITIONED BY (p string) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('mapping.a'='A b') "
        "LOCATION 's3://lake/shown/' TBLPROPERTIES ('x'='y')"
    )
    before = aws.glue.get_table(DatabaseName="db", Name="shown")["Table"]
    lines = [row[0] or "" for row in aws.query("SHOW CREATE TABLE shown")]
    statement = "\n".join(lines)
    assert lines == [
        "CREATE EXTERNAL TABLE `shown`(",
        "  `a` int COMMENT 'it\\'s', ",
        "  `b` array<string>)",
        "PARTITIONED BY ( ",
        "  `p` string)",
        "ROW FORMAT SERDE ",
        "  'org.openx.data.jsonserde.JsonSerDe' ",
        "WITH SERDEPROPERTIES ( ",
        "  'mapping.a'='A b') ",
        "STORED AS INPUTFORMAT ",
        "  'org.apache.hadoop.mapred.TextInputFormat' ",
        "OUTPUTFORMAT ",
        "  'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
        "LOCATION",
        "  's3://lake/shown'",
        "TBLPROPERTIES (",
        f"  'transient_lastDdlTime'='{before['Parameters']['transient_lastDdlTime']}', ",
        "  'x'='y')",
    ]
    # The table is called as the statement calls it.
    assert aws.query("SHOW CREATE TABLE db.shown")[0] == ["CREATE EXTERNAL TABLE `db.shown`("]
    aws.query("DROP TABLE shown")
    aws.query(statement)
    after = aws.glue.get_table(DatabaseName="db", Name="shown")["Table"]
    for key in ("StorageDescriptor", "PartitionKeys", "TableType"):
        assert after[key] == before[key]


def test_show_and_describe(aws: LocalAws) -> None:
    aws.query("CREATE DATABASE shows")
    aws.query(
        "CREATE EXTERNAL TABLE shows.t (a int COMMENT 'one', b string) PARTITIONED BY (p string) LOCATION 's3://lake/t/'"
    )
    aws.query("CREATE VIEW shows.v AS SELECT 1 AS x")
    assert aws.query("SHOW TABLES IN shows") == [["t"], ["v"]]
    assert aws.query("SHOW TABLES IN shows 't|x*'") == [["t"]]
    assert aws.query("SHOW VIEWS IN shows") == [["v"]]
    assert [row[0].strip() for row in aws.query("SHOW COLUMNS IN shows.t") if row[0]] == ["a", "b", "p"]
    assert [row[0].strip() for row in aws.query("SHOW COLUMNS FROM t FROM shows") if row[0]] == ["a", "b", "p"]
    described = [[part.strip() for part in (row[0] or "").split("\t")] for row in aws.query("DESCRIBE shows.t")]
    assert described == [
        ["a", "int", "one"],
        ["b", "string", ""],
        ["p", "string", ""],
        ["", "", ""],
        ["# Partition Information", "", ""],
        ["# col_name", "data_type", "comment"],
        ["", "", ""],
        ["p", "string", ""],
    ]
    assert aws.run("DESCRIBE shows.t").columns == ["col_name", "data_type", "comment"]
    assert ["EXTERNAL\tTRUE"] in aws.query("SHOW TBLPROPERTIES shows.t")
    assert aws.query("SHOW TBLPROPERTIES shows.t('EXTERNAL')") == [["TRUE"]]
    assert "Table not found" in aws.failure("DESCRIBE shows.missing")
    assert "Database does not exist" in aws.failure("SHOW TABLES IN missing")


def test_results_of_ddl_are_text_without_a_header(aws: LocalAws) -> None:
    answer = aws.run("SHOW DATABASES")
    assert answer.execution["ResultConfiguration"]["OutputLocation"].endswith(f"{answer.id}.txt")
    assert answer.execution["StatementType"] == "UTILITY"
    assert b"db\n" in aws.body(f"results/{answer.id}.txt")
    assert aws.run("DROP TABLE IF EXISTS nothing").execution["StatementType"] == "DDL"


def test_partitions_are_added_changed_and_dropped(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE parts (a int) PARTITIONED BY (y string, m string) LOCATION 's3://lake/parts/'")
    aws.query(
        "ALTER TABLE parts ADD PARTITION (y='2024', m='01') PARTITION (y='2024', m='02') LOCATION 's3://lake/other/'"
    )
    aws.query("ALTER TABLE parts ADD IF NOT EXISTS PARTITION (y='2024', m='01') PARTITION (m='01', y='2025')")
    assert "already exists" in aws.failure("ALTER TABLE parts ADD PARTITION (y='2024', m='01')")
    assert aws.failure("ALTER TABLE parts ADD PARTITION (y='2024', n='01')") == (
        "FAILED: SemanticException [Error 10098]: Non-Partition column appears in the partition specification: n"
    )
    assert aws.failure("ALTER TABLE parts ADD PARTITION (y='2024')") == (
        "FAILED: SemanticException partition spec {y=2024} doesn't contain all (2) partition columns"
    )
    assert aws.query("SHOW PARTITIONS parts") == [["y=2024/m=01"], ["y=2024/m=02"], ["y=2025/m=01"]]
    partitions = aws.glue.get_partitions(DatabaseName="db", TableName="parts")["Partitions"]
    assert {tuple(item["Values"]): item["StorageDescriptor"]["Location"] for item in partitions} == {
        ("2024", "01"): "s3://lake/parts/y=2024/m=01",
        ("2024", "02"): "s3://lake/other/",
        ("2025", "01"): "s3://lake/parts/y=2025/m=01",
    }
    aws.query("ALTER TABLE parts PARTITION (y='2025', m='01') SET LOCATION 's3://lake/moved/'")
    aws.query("ALTER TABLE parts PARTITION (y='2025', m='01') RENAME TO PARTITION (y='2026', m='12')")
    moved = aws.glue.get_partition(DatabaseName="db", TableName="parts", PartitionValues=["2026", "12"])["Partition"]
    assert moved["StorageDescriptor"]["Location"] == "s3://lake/moved/"
    aws.query("ALTER TABLE parts DROP PARTITION (y='2024')")
    assert aws.query("SHOW PARTITIONS parts") == [["y=2026/m=12"]]
    assert "Partition not found" in aws.failure("ALTER TABLE parts DROP PARTITION (y='1999', m='01')")
    aws.query("ALTER TABLE parts DROP IF EXISTS PARTITION (y='1999', m='01')")


def test_msck_repair_registers_the_folders_it_finds(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE repaired (a string) PARTITIONED BY (day string) LOCATION 's3://lake/repaired'")
    for key in ("day=1/x", "day=a%2Fb/x", "day=1/y", "other/x", "x", "DAY=3/deeper/x"):
        aws.put(f"repaired/{key}", "1\n")
    aws.put("repaired_not/day=9/x", "1\n")
    lines = aws.query("MSCK REPAIR TABLE repaired")
    assert ["Repair: Added partition to metastore repaired:day=1"] in lines
    assert aws.query("SHOW PARTITIONS repaired") == [["day=1"], ["day=a%2Fb"]]
    assert aws.query("MSCK REPAIR TABLE repaired") == []
    assert aws.query("SELECT day, count(*) FROM repaired GROUP BY day ORDER BY day") == [
        ["1", "2"],
        ["a/b", "1"],
    ]


def test_a_table_that_moved_is_read_where_it_is(aws: LocalAws) -> None:
    aws.put("here/x", "1\n")
    aws.put("there/x", "2\n")
    aws.query("CREATE EXTERNAL TABLE moving (a int) LOCATION 's3://lake/here/'")
    aws.query("CREATE VIEW follower AS SELECT a FROM moving")
    question = "SELECT a FROM follower"
    assert aws.query(question) == [["1"]]
    aws.query("ALTER TABLE moving SET LOCATION 's3://lake/there/'")
    assert aws.query(question) == [["2"]]
    aws.put("there/y", "3\n")
    assert sorted(aws.query(question)) == [["2"], ["3"]]


def test_tables_are_altered_and_dropped(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE altered (a int) LOCATION 's3://lake/altered/'")
    aws.query("ALTER TABLE altered ADD COLUMNS (b string, c double)")
    aws.query("ALTER TABLE altered SET TBLPROPERTIES ('k'='v')")
    aws.query("ALTER TABLE altered SET LOCATION 's3://lake/altered2/'")
    table = aws.glue.get_table(DatabaseName="db", Name="altered")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["a", "b", "c"]
    assert table["Parameters"]["k"] == "v"
    assert table["Parameters"]["EXTERNAL"] == "TRUE"
    assert table["StorageDescriptor"]["Location"] == "s3://lake/altered2/"
    assert "Duplicate column name" in aws.failure("ALTER TABLE altered ADD COLUMNS (a int)")
    aws.query("ALTER TABLE altered REPLACE COLUMNS (z bigint)")
    aws.query("ALTER TABLE altered CHANGE COLUMN z y string")
    assert [row[0].strip() for row in aws.query("SHOW COLUMNS IN altered") if row[0]] == ["y"]
    aws.put("altered2/x", "1\n")
    aws.query("DROP TABLE altered")
    assert aws.keys("altered2/") == ["altered2/x"]
    assert "Table not found db.altered" in aws.failure("DROP TABLE altered")


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        (
            "CREATE EXTERNAL TABLE \"quoted\" (a int) LOCATION 's3://lake/x/'",
            "line 1:23: mismatched input '\"quoted\"'",
        ),
        ("DROP TABLE has-hyphen", "line 1:15: mismatched input '-'"),
        ("CREATE EXTERNAL TABLE t (id int, date date) LOCATION 's3://lake/x/'", "line 1:34: mismatched input 'date'"),
        ("CREATE EXTERNAL TABLE order (id int) LOCATION 's3://lake/x/'", "line 1:23: mismatched input 'order'"),
        ("CREATE EXTERNAL TABLE t (a inte) LOCATION 's3://lake/x/'", "line 1:28: mismatched input 'inte'"),
        ("ALTER TABLE t\nADD NOTHING", "line 2:5: mismatched input 'NOTHING'"),
        ("MSCK REPAIR t", "line 1:13: mismatched input 't'"),
        ("SHOW NOTHING", "line 1:6: mismatched input 'NOTHING'"),
        ("CREATE EXTERNAL TABLE t (a int, A string) LOCATION 's3://lake/x/'", "Duplicate column name: a"),
        ("DROP TABLE t; DROP TABLE u", "mismatched input ';'"),
    ],
)
def test_syntax_errors_are_refused_with_their_place(aws: LocalAws, sql: str, place: str) -> None:
    with pytest.raises(ClientError) as caught:
        aws.start(sql)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
    assert place in caught.value.response["Error"]["Message"]


ICEBERG = "LOCATION 's3://lake/x/' TBLPROPERTIES ('table_type'='ICEBERG')"


@pytest.mark.parametrize(
    "sql",
    [
        f"CREATE TABLE t (a int) {ICEBERG}",
        f"CREATE TABLE t (id bigint, ts timestamp, r string) PARTITIONED BY (day(ts), bucket(16, id), r) {ICEBERG}",
        f"CREATE TABLE IF NOT EXISTS db.t (id bigint, r string) COMMENT 'x' PARTITIONED BY (`r`) {ICEBERG};",
        f"CREATE TABLE t (a string) PARTITIONED BY (truncate(5, a)) {ICEBERG}",
        "OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE a = 1",
        "VACUUM t",
    ],
)
def test_iceberg_is_refused_by_name(aws: LocalAws, sql: str) -> None:
    reason = aws.failure(sql)
    assert reason.startswith("NOT_SUPPORTED: ")
    assert reason.endswith(" is for Iceberg tables, which are not supported")


def test_names_may_look_like_keywords_in_backticks() -> None:
    statement = parse(
        "CREATE EXTERNAL TABLE `table` (`select` string, `1st` int, _x int, time string, year int, comment string) "
        "LOCATION 's3://b/x/'"
    )
    assert isinstance(statement, model.CreateTable)
    assert [column.name for column in statement.columns] == ["select", "1st", "_x", "time", "year", "comment"]


def test_an_unclosed_quote_is_a_syntax_error() -> None:
    with pytest.raises(QueryError, match="line 1:12"):
        parse("DROP TABLE `oops")
