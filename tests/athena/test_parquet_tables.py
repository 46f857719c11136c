"""Parquet tables: types, partitions, what is read and what it costs."""

from __future__ import annotations

import datetime as dt
import io
import json
import zlib
from decimal import Decimal, localcontext
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.engine.errors import QueryFailed
from tests.aws_servers import LocalAws


def put_parquet(aws: LocalAws, key: str, table: pa.Table, **options: Any) -> pq.FileMetaData:
    """Write a table as one object; answers its footer."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    aws.put(key, buffer.getvalue())
    return pq.read_metadata(io.BytesIO(buffer.getvalue()))


def chunk_bytes(footer: Any, *columns: str, groups: list[int] | None = None) -> int:
    """Compressed bytes of columns, by the footer."""
    total = 0
    for index in groups if groups is not None else range(footer.num_row_groups):
        group = footer.row_group(index)
        for position in range(group.num_columns):
            column = group.column(position)
            if column.path_in_schema.split(".")[0] in columns:
                total += column.total_compressed_size
    return total


def test_every_type_comes_back(aws: LocalAws) -> None:
    table = pa.table(
        {
            "b": pa.array([True, None]),
            "i8": pa.array([1, None], pa.int8()),
            "i16": pa.array([2, None], pa.int16()),
            "i32": pa.array([3, None], pa.int32()),
            "i64": pa.array([4, None], pa.int64()),
            "f": pa.array([1.5, None], pa.float32()),
            "d": pa.array([2.5, None], pa.float64()),
            "dec": pa.array([Decimal("12.30"), None], pa.decimal128(10, 2)),
            "s": pa.array(["x", None]),
            "bin": pa.array([b"\x01\xff", None]),
            "dt": pa.array([dt.date(2024, 6, 5), None]),
            "ts": pa.array([dt.datetime(2024, 6, 5, 1, 2, 3, 456_700), None], pa.timestamp("us")),
            "arr": pa.array([[1, None], None], pa.list_(pa.int32())),
            "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
            "st": pa.array([{"x": 1, "y": "z"}, None], pa.struct([("x", pa.int32()), ("y", pa.string())])),
        }
    )
    put_parquet(aws, "types/x.parquet", table)
    aws.query(
        "CREATE EXTERNAL TABLE types (b boolean, i8 tinyint, i16 smallint, i32 int, i64 bigint, f float, d double, "
        "dec decimal(10,2), s string, bin binary, dt date, ts timestamp, arr array<int>, m map<string,int>, "
        "st struct<x:int,y:string>) STORED AS PARQUET LOCATION 's3://lake/types/'"
    )
    answer = aws.run("SELECT * FROM types ORDER BY i32")
    assert answer.rows == [
        ["true", "1", "2", "3", "4", "1.5", "2.5", "12.30", "x", "01 ff", "2024-06-05", "2024-06-05 01:02:03.457",
         "[1, null]", "{k=1}", "{x=1, y=z}"],
        [None] * 15,
    ]  # fmt: skip
    assert answer.types == [
        "boolean", "tinyint", "smallint", "integer", "bigint", "float", "double", "decimal", "varchar", "varbinary",
        "date", "timestamp", "array", "map", "row",
    ]  # fmt: skip


def test_columns_are_found_by_name_and_missing_ones_are_null(aws: LocalAws) -> None:
    put_parquet(aws, "evolved/1.parquet", pa.table({"B": ["x"], "A": pa.array([1], pa.int32())}))
    put_parquet(aws, "evolved/2.parquet", pa.table({"a": pa.array([2], pa.int64()), "c": [True]}))
    aws.query(
        "CREATE EXTERNAL TABLE evolved (a bigint, b string, c boolean) STORED AS PARQUET LOCATION 's3://lake/evolved/'"
    )
    assert aws.query("SELECT * FROM evolved ORDER BY a") == [["1", "x", None], ["2", None, "true"]]


def test_a_long_integer_of_the_file_is_read_as_the_tables_shorter_one(aws: LocalAws) -> None:
    # pandas writes INT64 for every integer.
    values = pa.array([1, -128, None], pa.int64())
    put_parquet(aws, "narrow/1.parquet", pa.table({"a": values, "b": values, "c": values, "d": [[1], [2], None]}))
    aws.query(
        "CREATE EXTERNAL TABLE narrow (a int, b smallint, c tinyint, d array<int>) STORED AS PARQUET "
        "LOCATION 's3://lake/narrow/'"
    )
    answer = aws.run("SELECT a, b, c, d FROM narrow WHERE a < 5 OR a IS NULL ORDER BY a")
    assert answer.rows == [["-128", "-128", "-128", "[2]"], ["1", "1", "1", "[1]"], [None, None, None, None]]
    assert answer.types == ["integer", "smallint", "tinyint", "array"]
    put_parquet(aws, "narrow/2.parquet", pa.table({"a": [2**40]}))
    assert "Out of range for integer: 1099511627776" in aws.failure("SELECT max(a) FROM narrow")
    assert aws.query("SELECT count(b) FROM narrow") == [["2"]]


def test_a_type_that_does_not_fit_is_bad_data_only_where_it_is_read(aws: LocalAws) -> None:
    put_parquet(aws, "misfit/1.parquet", pa.table({"a": ["text"], "b": [1]}))
    aws.query("CREATE EXTERNAL TABLE misfit (a int, b bigint) STORED AS PARQUET LOCATION 's3://lake/misfit/'")
    assert aws.query("SELECT b FROM misfit") == [["1"]]
    assert aws.failure("SELECT a FROM misfit") == (
        "HIVE_BAD_DATA: Field a's type BINARY in parquet file s3://lake/misfit/1.parquet is incompatible with type "
        "integer defined in table schema"
    )


@pytest.fixture(scope="module")
def partitioned(aws: LocalAws) -> LocalAws:
    """Table ``events``: two registered partitions, one elsewhere, one folder that is not registered."""
    for day, values in (("2024-06-01", [1, 2]), ("2024-06-02", [3]), ("2024-06-03", [99])):
        put_parquet(aws, f"events/day={day}/x.parquet", pa.table({"n": pa.array(values, pa.int32())}))
    put_parquet(aws, "elsewhere/x.parquet", pa.table({"n": pa.array([7], pa.int32())}))
    aws.query(
        "CREATE EXTERNAL TABLE events (n int) PARTITIONED BY (day string) STORED AS PARQUET LOCATION 's3://lake/events/'"
    )
    aws.query(
        "ALTER TABLE events ADD PARTITION (day='2024-06-01') PARTITION (day='2024-06-02') "
        "PARTITION (day='2024-06-04') LOCATION 's3://lake/elsewhere/'"
    )
    return aws


def test_only_registered_partitions_are_read(partitioned: LocalAws) -> None:
    assert partitioned.query("SELECT n, day FROM events ORDER BY n") == [
        ["1", "2024-06-01"],
        ["2", "2024-06-01"],
        ["3", "2024-06-02"],
        ["7", "2024-06-04"],
    ]


def test_a_query_is_given_the_partitions_that_it_asks_for_as_they_are_by_then(aws: LocalAws) -> None:
    names: Any = {"DatabaseName": "db", "TableName": "growing"}
    aws.query(
        "CREATE EXTERNAL TABLE growing (n bigint) PARTITIONED BY (day string, y int) STORED AS PARQUET "
        "LOCATION 's3://lake/growing/'"
    )
    storage: Any = aws.glue.get_table(DatabaseName="db", Name="growing")["Table"]["StorageDescriptor"]

    def add(day: str, n: int, location: str) -> None:
        put_parquet(aws, f"growing/{n}/x.parquet", pa.table({"n": pa.array([n])}))
        own: Any = {**storage, "Location": location}
        aws.glue.create_partition(**names, PartitionInput={"Values": [day, str(n)], "StorageDescriptor": own})

    add("2024-06-02", 2, "s3://lake/growing/2/")
    # Whatever is wrong with another day is nothing to this one.
    add("2024-06-01", 1, "nowhere")
    asked = "SELECT n FROM growing WHERE day >= '2024-06-02' AND y < 9 ORDER BY 1"
    assert aws.query(asked) == [["2"]]
    add("2024-06-03", 3, "s3://lake/growing/3/")
    add("2024-06-04", 9, "s3://lake/growing/9/")
    assert aws.query(asked) == [["2"], ["3"]]
    aws.glue.delete_partition(**names, PartitionValues=["2024-06-02", "2"])
    assert aws.query(asked) == [["3"]]
    assert aws.failure("SELECT n FROM growing").startswith("HIVE_INVALID_METADATA")


class CannotRead:
    """A Glue that refuses every expression."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue

    def get_partitions(self, **given: Any) -> Any:
        """See Glue's GetPartitions."""
        return self._glue.get_partitions(**given | ({"Expression": "?"} if "Expression" in given else {}))


def test_a_glue_that_cannot_read_an_expression_gives_all_partitions(partitioned: LocalAws) -> None:
    given = Metastore(cast("Any", CannotRead(partitioned.glue))).partitions("db", "events", "day = '2024-06-02'")
    assert [item["Values"] for item in given] == [["2024-06-01"], ["2024-06-02"], ["2024-06-04"]]
    with pytest.raises(QueryFailed):
        Metastore(partitioned.glue).partitions("db", "none", "day = '2024-06-02'")


def test_a_partition_predicate_costs_its_partition_only(partitioned: LocalAws) -> None:
    pruned = partitioned.run("SELECT n FROM events WHERE day = '2024-06-02'")
    assert pruned.rows == [["3"]]
    body = partitioned.body("events/day=2024-06-02/x.parquet")
    assert pruned.scanned == chunk_bytes(pq.read_metadata(io.BytesIO(body)), "n")
    assert partitioned.run("SELECT day FROM events WHERE day = '2024-06-02'").scanned == 0
    assert partitioned.run("SELECT n FROM events WHERE day = '1999-01-01'").scanned == 0


def test_partitions_without_a_literal_are_all_read(partitioned: LocalAws) -> None:
    whole = partitioned.run("SELECT n FROM events")
    latest = partitioned.run("SELECT n FROM events WHERE day = (SELECT max(day) FROM events)")
    assert latest.rows == [["7"]]
    assert latest.scanned == whole.scanned


def test_the_partitions_table_reads_the_catalog_only(partitioned: LocalAws) -> None:
    answer = partitioned.run("SELECT day FROM \"events$partitions\" WHERE day > '2024-06-01' ORDER BY 1")
    assert (answer.rows, answer.scanned) == ([["2024-06-02"], ["2024-06-04"]], 0)


def test_the_path_is_a_hidden_column(partitioned: LocalAws) -> None:
    rows = partitioned.query("SELECT \"$path\", n FROM events WHERE day = '2024-06-04'")
    assert rows == [["s3://lake/elsewhere/x.parquet", "7"]]
    assert partitioned.run("SELECT * FROM events").columns == ["n", "day"]


def test_a_view_costs_what_the_tables_below_it_cost(partitioned: LocalAws) -> None:
    partitioned.query("CREATE OR REPLACE VIEW last_event AS SELECT n, day FROM events WHERE day = '2024-06-04'")
    viewed = partitioned.run("SELECT n FROM last_event")
    assert viewed.rows == [["7"]]
    assert viewed.scanned == partitioned.run("SELECT n FROM events WHERE day = '2024-06-04'").scanned
    twice = partitioned.run("WITH e AS (SELECT n FROM last_event) SELECT count(a.n + b.n) FROM e a CROSS JOIN e b")
    assert twice.scanned == 2 * viewed.scanned


READINGS = [
    ("WITH e AS (SELECT n FROM events) SELECT a.n FROM e a, e b", {"2024-06-01": 1, "2024-06-02": 1, "2024-06-04": 1}),
    (
        "WITH e AS (SELECT n FROM events WHERE n > 0) SELECT a.n FROM e a, e b",
        {"2024-06-01": 2, "2024-06-02": 2, "2024-06-04": 2},
    ),
    (
        "WITH e AS (SELECT * FROM events) SELECT n FROM e WHERE day = '2024-06-01' "
        "UNION ALL SELECT n FROM e WHERE day <= '2024-06-02'",
        {"2024-06-01": 2, "2024-06-02": 1},
    ),
    (
        "WITH e AS (SELECT * FROM events), f AS (SELECT x.n FROM e x JOIN e y ON x.n = y.n WHERE x.day = '2024-06-04') "
        "SELECT a.n FROM f a JOIN f b ON a.n = b.n",
        {"2024-06-01": 2, "2024-06-02": 2, "2024-06-04": 4},
    ),
    ("WITH e AS (SELECT n FROM events), f AS (SELECT n FROM e) SELECT 1 AS a", {}),
    (
        "WITH RECURSIVE e(n) AS (SELECT n FROM events WHERE day = '2024-06-02' UNION ALL "
        "SELECT n - 1 FROM e WHERE n > 1) SELECT a.n FROM e a, e b",
        {"2024-06-02": 2},
    ),
]


@pytest.mark.parametrize(("sql", "times"), READINGS)
def test_a_named_query_is_read_for_each_place_that_names_it(
    partitioned: LocalAws, sql: str, times: dict[str, int]
) -> None:
    costs = {day: partitioned.run(f"SELECT n FROM events WHERE day = '{day}'").scanned for day in times}
    assert partitioned.run(sql).scanned == sum(count * costs[day] for day, count in times.items())


def test_a_hundred_thousand_readings_are_refused(partitioned: LocalAws) -> None:
    levels = [f"e{i} AS (SELECT a.n FROM e{i - 1} a, e{i - 1} b)" for i in range(1, 18)]
    sql = f"WITH e0 AS (SELECT n FROM events), {', '.join(levels)} SELECT count(a.n + b.n) FROM e17 a, e17 b"
    assert partitioned.failure(sql).startswith("QUERY_HAS_TOO_MANY_STAGES: line 1:")


def test_a_sample_has_some_of_the_rows_and_costs_the_partitions_that_are_read(partitioned: LocalAws) -> None:
    sample = partitioned.run("SELECT n, day FROM events TABLESAMPLE BERNOULLI (100) WHERE day = '2024-06-02'")
    assert sample.rows == [["3", "2024-06-02"]]
    assert sample.scanned == partitioned.run("SELECT n FROM events WHERE day = '2024-06-02'").scanned
    assert partitioned.query("SELECT count(*) FROM events AS e TABLESAMPLE SYSTEM (0)") == [["0"]]
    paths = 'SELECT "$path" FROM events'
    assert sorted(partitioned.query(f"{paths} TABLESAMPLE SYSTEM (100)")) == sorted(partitioned.query(paths))
    assert partitioned.failure("SELECT n FROM events TABLESAMPLE BERNOULLI (110)") == (
        "NUMERIC_VALUE_OUT_OF_RANGE: line 1:45: Sample percentage must be less than or equal to 100"
    )


def test_partition_columns_have_their_types(aws: LocalAws) -> None:
    put_parquet(aws, "typed/x.parquet", pa.table({"n": [1]}))
    aws.query(
        "CREATE EXTERNAL TABLE typed (n bigint) PARTITIONED BY (y int, d date) STORED AS PARQUET "
        "LOCATION 's3://lake/typed_nothing/'"
    )
    for year in (2023, 2024):
        aws.query(f"ALTER TABLE typed ADD PARTITION (y={year}, d='{year}-01-01') LOCATION 's3://lake/typed/'")
    assert aws.query("SELECT y + 1, d FROM typed WHERE y > 2023 AND d = DATE '2024-01-01'") == [["2025", "2024-01-01"]]
    assert aws.query("SELECT y, sum(n) FROM typed GROUP BY y ORDER BY y") == [["2023", "1"], ["2024", "1"]]


def test_a_partition_value_that_is_not_of_its_type_fails_where_it_is_read(aws: LocalAws) -> None:
    aws.query(
        "CREATE EXTERNAL TABLE mistyped (n bigint) PARTITIONED BY (y int) STORED AS PARQUET "
        "LOCATION 's3://lake/mistyped/'"
    )
    for value in ("2024", "soon"):
        put_parquet(aws, f"mistyped/y={value}/x.parquet", pa.table({"n": [1]}))
    aws.query("MSCK REPAIR TABLE mistyped")
    assert aws.query("SELECT sum(n) FROM mistyped") == [["2"]]
    reason = "HIVE_INVALID_PARTITION_VALUE: Invalid partition value 'soon' for INTEGER partition key: y"
    for sql in ("SELECT y FROM mistyped", "SELECT n FROM mistyped WHERE y = 2024", 'TABLE "mistyped$partitions"'):
        assert aws.failure(sql) == reason


def test_only_the_columns_and_row_groups_that_are_read_are_billed(aws: LocalAws) -> None:
    table = pa.table(
        {
            "n": list(range(10_000)),
            "s": [f"text {n}" for n in range(10_000)],
            "st": [{"x": n} for n in range(10_000)],
        }
    )
    footer = put_parquet(aws, "groups/x.parquet", table, row_group_size=1_000)
    aws.query(
        "CREATE EXTERNAL TABLE row_groups (n bigint, s string, st struct<x:bigint>) STORED AS PARQUET "
        "LOCATION 's3://lake/groups/'"
    )
    assert aws.run("SELECT n FROM row_groups").scanned == chunk_bytes(footer, "n")
    assert aws.run("SELECT st.x FROM row_groups").scanned == chunk_bytes(footer, "st")
    assert aws.run("SELECT count(*) FROM row_groups").scanned == 0
    pruned = aws.run("SELECT s FROM row_groups WHERE n = 2500")
    assert pruned.rows == [["text 2500"]]
    assert pruned.scanned == chunk_bytes(footer, "n", "s", groups=[2])
    some = aws.run("SELECT count(s) FROM row_groups WHERE n BETWEEN 1500 AND 2500")
    assert some.rows == [["1001"]]
    assert some.scanned == chunk_bytes(footer, "n", "s", groups=[1, 2])


def test_a_decimal_column_beside_a_literal_with_a_point_prunes_row_groups(aws: LocalAws) -> None:
    prices = pa.array([Decimal(n) / 100 for n in range(10_000)], pa.decimal128(10, 2))
    footer = put_parquet(aws, "prices/x.parquet", pa.table({"price": prices}), row_group_size=1_000)
    aws.query("CREATE EXTERNAL TABLE prices (price decimal(10,2)) STORED AS PARQUET LOCATION 's3://lake/prices/'")
    for condition, rows, groups in (
        ("price = 20.07", 1, [2]),
        ("price >= 94.995", 500, [9]),
        ("20.07 > price AND price > 19.5", 56, [1, 2]),
        ("price BETWEEN 10.0 AND 19.99", 1_000, [1]),
        ("price < -0.5", 0, []),
    ):
        answer = aws.run(f"SELECT count(price) FROM prices WHERE {condition}")
        assert answer.rows == [[str(rows)]], condition
        assert answer.scanned == chunk_bytes(footer, "price", groups=groups), condition


def test_only_the_buckets_of_the_values_asked_for_are_billed(aws: LocalAws) -> None:
    # Hive's hash: "abc" is 96354, so of 4 buckets it is in 2; 7 is in 3, and 2 ** 32 + 1, folded to 0, in 0.
    sizes = []
    for bucket in range(4):
        n, s = {0: (2**32 + 1, "d"), 2: (6, "abc"), 3: (7, "c")}.get(bucket, (5, "e"))
        table = pa.table({"n": pa.array([n], pa.int64()), "s": [s], "v": ["x" * 10 * (bucket + 1)]})
        # Statistics would tell the same of files as small as these.
        key = f"buckets/20240605_010203_00001_abcde_bucket-0000{bucket}"
        sizes.append(put_parquet(aws, key, table, write_statistics=False))
    for column in ("n", "s"):
        aws.query(
            f"CREATE EXTERNAL TABLE by_{column} (n bigint, s string, v string) CLUSTERED BY ({column}) INTO 4 BUCKETS "
            "STORED AS PARQUET LOCATION 's3://lake/buckets/'"
        )
    for table_name, condition, rows, buckets in (
        ("by_n", "n = 7", 1, [3]),
        ("by_n", "n IN (7, 4294967297)", 2, [0, 3]),
        ("by_n", "n > 5", 3, [0, 1, 2, 3]),
        ("by_s", "s = 'abc'", 1, [2]),
    ):
        answer = aws.run(f"SELECT count(v) FROM {table_name} WHERE {condition}")
        assert answer.rows == [[str(rows)]], condition
        assert answer.scanned == sum(chunk_bytes(sizes[index], table_name[-1], "v") for index in buckets), condition


def test_a_condition_on_columns_whose_places_begin_alike_prunes(aws: LocalAws) -> None:
    names = [f"k{n}" for n in range(12)]
    footers = []
    for row in range(3):
        footers.append(put_parquet(aws, f"many/{row}/x.parquet", pa.table({"n": pa.array(range(row, row + 5))})))
    aws.query(
        f"CREATE EXTERNAL TABLE many (n bigint) PARTITIONED BY ({', '.join(f'{name} string' for name in names)}) "
        "STORED AS PARQUET LOCATION 's3://lake/many/'"
    )
    for row in range(3):
        values = ", ".join(f"{name}='{row}'" for name in names)
        aws.query(f"ALTER TABLE many ADD PARTITION ({values}) LOCATION 's3://lake/many/{row}/'")
    either = aws.run("SELECT n FROM (SELECT * FROM many) AS m WHERE k0 = '1' OR k9 = '1' ORDER BY n")
    assert either.rows == [[str(n)] for n in range(1, 6)]
    assert either.scanned == chunk_bytes(footers[1], "n")
    both = aws.run("SELECT sum(n) FROM (SELECT * FROM many) AS m WHERE concat(k9, k0, k10) = '222'")
    assert both.rows == [["20"]]
    assert both.scanned == chunk_bytes(footers[2], "n")


def test_a_projected_table_needs_no_registered_partitions(aws: LocalAws) -> None:
    for day in ("2024/06/01", "2024/06/02"):
        for kind in ("a", "b"):
            put_parquet(aws, f"projected/{kind}/{day}/x.parquet", pa.table({"n": [f"{kind} {day}"]}))
    aws.query(
        "CREATE EXTERNAL TABLE projected (n string) PARTITIONED BY (kind string, day string) STORED AS PARQUET "
        "LOCATION 's3://lake/projected/' TBLPROPERTIES ('projection.enabled'='true', "
        "'projection.kind.type'='enum', 'projection.kind.values'='a,b', 'projection.day.type'='date', "
        "'projection.day.format'='yyyy/MM/dd', 'projection.day.range'='2024/05/30,2024/06/02', "
        "'storage.location.template'='s3://lake/projected/${kind}/${day}/')"
    )
    assert aws.query("SELECT n FROM projected WHERE kind = 'b' AND day >= '2024/06/02'") == [["b 2024/06/02"]]
    assert len(aws.query("SELECT n FROM projected")) == 4


def test_projection_of_hours(aws: LocalAws) -> None:
    for hour in ("05/00", "05/07", "06/01"):
        put_parquet(aws, f"hourly/2024/06/{hour}/x.parquet", pa.table({"n": [hour]}))
    aws.query(
        "CREATE EXTERNAL TABLE hourly (n string) PARTITIONED BY (h string) STORED AS PARQUET "
        "LOCATION 's3://lake/hourly/' TBLPROPERTIES ('projection.enabled'='true', 'projection.h.type'='date', "
        "'projection.h.format'='yyyy/MM/dd/HH', 'projection.h.range'='2024/06/05/00,2024/06/05/23', "
        "'projection.h.interval'='1', 'projection.h.interval.unit'='HOURS', "
        "'storage.location.template'='s3://lake/hourly/${h}/')"
    )
    assert aws.query("SELECT n, h FROM hourly ORDER BY h") == [["05/00", "2024/06/05/00"], ["05/07", "2024/06/05/07"]]
    assert aws.query("SELECT n FROM hourly WHERE h > '2024/06/05/03'") == [["05/07"]]


def test_projection_of_integers_and_injected_values(aws: LocalAws) -> None:
    put_parquet(aws, "injected/id=x1/h=07/x.parquet", pa.table({"n": [1]}))
    aws.query(
        "CREATE EXTERNAL TABLE injected (n bigint) PARTITIONED BY (id string, h string) STORED AS PARQUET "
        "LOCATION 's3://lake/injected/' TBLPROPERTIES ('projection.enabled'='true', 'projection.id.type'='injected', "
        "'projection.h.type'='integer', 'projection.h.range'='0,23', 'projection.h.digits'='2')"
    )
    assert aws.query("SELECT n, h FROM injected WHERE id = 'x1'") == [["1", "07"]]
    assert aws.failure("SELECT n FROM injected").startswith(
        "CONSTRAINT_VIOLATION: For the injected projected partition"
    )


def test_a_table_without_objects_is_empty(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE nothing (a int, b string) STORED AS PARQUET LOCATION 's3://lake/nothing/'")
    assert aws.query("SELECT a, b FROM nothing") == []
    assert aws.query("SELECT count(*) FROM nothing") == [["0"]]


def test_what_is_not_parquet_is_bad_data_with_its_place(aws: LocalAws) -> None:
    aws.put("broken/x.parquet", b"this is no parquet file at all")
    aws.query("CREATE EXTERNAL TABLE broken (a int) STORED AS PARQUET LOCATION 's3://lake/broken/'")
    reason = aws.failure("SELECT a FROM broken")
    assert reason.startswith("HIVE_BAD_DATA: Not valid Parquet file: s3://lake/broken/x.parquet")


def test_a_damaged_page_fails_without_words_of_the_engine(aws: LocalAws) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [f"text {n}" for n in range(5000)]}), buffer)
    body = bytearray(buffer.getvalue())
    body[100:2000] = b"\xff" * 1900
    aws.put("torn/x.parquet", bytes(body))
    aws.query("CREATE EXTERNAL TABLE torn (a string) STORED AS PARQUET LOCATION 's3://lake/torn/'")
    reason = aws.failure("SELECT a FROM torn")
    assert "/tmp" not in reason
    assert "duckdb" not in reason.lower()
    assert reason.startswith(("HIVE_CURSOR_ERROR", "HIVE_BAD_DATA"))


def test_a_bucket_that_is_not_there_fails_with_its_name(aws: LocalAws) -> None:
    aws.query("CREATE EXTERNAL TABLE lost (a int) STORED AS PARQUET LOCATION 's3://no-such-bucket/x/'")
    assert "s3://no-such-bucket/x/" in aws.failure("SELECT a FROM lost")


def test_an_avro_file_of_snappy_blocks_is_read(aws: LocalAws) -> None:
    # By hand, as the formats' specifications say: one block of two records, as a literal of Snappy, with its checksum.
    records = b"\x02\x06abc" + b"\x04\x02z"
    snappy = bytes([len(records), (len(records) - 1) << 2]) + records + zlib.crc32(records).to_bytes(4, "big")
    schema = json.dumps(
        {
            "type": "record",
            "name": "row",
            "fields": [{"name": "n", "type": "int"}, {"name": "s", "type": "string"}],
        }
    ).encode()
    mark = bytes(range(16))

    def text(body: bytes) -> bytes:
        length = len(body) << 1
        return (bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])) + body

    head = b"Obj\x01\x04" + text(b"avro.schema") + text(schema) + text(b"avro.codec") + text(b"snappy") + b"\x00" + mark
    body = head + b"\x04" + text(snappy) + mark
    aws.put("snappy_avro/1.avro", body)
    aws.query("CREATE EXTERNAL TABLE snappy_avro (n int, s string) STORED AS AVRO LOCATION 's3://lake/snappy_avro/'")
    assert aws.query("SELECT n, s FROM snappy_avro ORDER BY n") == [["1", "abc"], ["2", "z"]]
    aws.put("snappy_avro/1.avro", head + b"\x04" + text(snappy[:-1] + b"?") + mark)
    assert aws.failure("SELECT n FROM snappy_avro").startswith("HIVE_CURSOR_ERROR: Failed to read Avro file")


def test_orc_and_avro_tables_are_read(aws: LocalAws) -> None:
    for name in ("orc", "avro"):
        aws.query(
            f"CREATE TABLE {name}_copy WITH (format = '{name}', external_location = 's3://lake/{name}_copy/') AS "
            "SELECT 1 AS a, 'x' AS b, ARRAY[1, 2] AS c, DATE '2024-06-05' AS d, CAST(1.5 AS decimal(5,2)) AS e, "
            "TIMESTAMP '2024-06-05 01:02:03.004' AS f"
        )
        assert aws.query(f"SELECT * FROM {name}_copy") == [
            ["1", "x", "[1, 2]", "2024-06-05", "1.50", "2024-06-05 01:02:03.004"]
        ]


@pytest.mark.parametrize(("table", "price"), [("cheap", "0.07"), ("dear", "9999999999999.99")])
def test_sums_of_long_decimals_are_exact_and_read_once(aws: LocalAws, table: str, price: str) -> None:
    rows = [{"price": Decimal(price), "rate": Decimal("0.05"), "n": n} for n in range(3)]
    schema = pa.schema([("price", pa.decimal128(15, 2)), ("rate", pa.decimal128(15, 2)), ("n", pa.int32())])
    footer = put_parquet(aws, f"{table}/part", pa.Table.from_pylist(rows, schema))
    aws.query(
        f"CREATE EXTERNAL TABLE {table} (price decimal(15,2), rate decimal(15,2), n int) STORED AS PARQUET "
        f"LOCATION 's3://lake/{table}/'"
    )
    with localcontext(prec=60):
        exact = {
            "price * (1 + rate) * (1 - rate)": 3 * Decimal(price) * Decimal("1.05") * Decimal("0.95"),
            "price * price - n * rate": 3 * Decimal(price) ** 2 - 3 * Decimal("0.05"),
            "n * price * rate": 3 * Decimal(price) * Decimal("0.05"),
        }
    for expression, total in exact.items():
        summed = aws.run(f"SELECT sum({expression}) AS total, typeof(sum({expression})) AS kind FROM {table}")
        scale = -int(total.as_tuple().exponent)
        assert (summed.rows, summed.types[0]) == ([[f"{total:f}", f"decimal(38,{scale})"]], "decimal")
        columns = [name for name in ("price", "rate", "n") if name in expression]
        assert summed.scanned == chunk_bytes(footer, *columns)


def test_long_sums_beside_the_list_of_partitions_are_exact(aws: LocalAws) -> None:
    schema = pa.schema([("price", pa.decimal128(15, 2))])
    put_parquet(aws, "dearer/day=1/x", pa.Table.from_pylist([{"price": Decimal("9999999999999.99")}], schema))
    aws.query(
        "CREATE EXTERNAL TABLE dearer (price decimal(15,2)) PARTITIONED BY (day string) STORED AS PARQUET "
        "LOCATION 's3://lake/dearer/'"
    )
    aws.query("MSCK REPAIR TABLE dearer")
    sql = 'SELECT sum(price * price), (SELECT count(*) FROM "dearer$partitions") FROM dearer'
    assert aws.query(sql) == [["99999999999999800000000000.0001", "1"]]


def test_a_nan_is_found_that_the_statistics_of_its_row_group_pass_over(aws: LocalAws) -> None:
    numbers = [2.0, float("nan"), 2.0, 2.0]
    rows = [{"x": number} for number in numbers]
    table = pa.table({"id": [1, 2, 3, 4], "d": numbers, "f": pa.array(numbers, pa.float32()), "s": rows})
    put_parquet(aws, "nan/x.parquet", table, row_group_size=2)
    columns = "id bigint, d double, f float, s struct<x:double>"
    aws.query(f"CREATE EXTERNAL TABLE nan_arrow ({columns}) STORED AS PARQUET LOCATION 's3://lake/nan/'")
    aws.query("CREATE TABLE nan_written WITH (external_location = 's3://lake/nan2/') AS SELECT * FROM nan_arrow")
    conditions = (
        "is_nan(d)", "d <> 2", "NOT (d <= 5)", "NOT d = 2", "d IS DISTINCT FROM 2e0", "d NOT IN (2e0, 3e0)",
        "cast(d AS varchar) = 'NaN'", "f <> 2", "is_nan(f)", "s.x <> 2", "is_nan(s.x)",
    )  # fmt: skip
    for name in ("nan_arrow", "nan_written"):
        for condition in conditions:
            assert aws.query(f"SELECT id FROM {name} WHERE {condition}") == [["2"]], (name, condition)
        shown = ", ".join(f"count_if({condition})" for condition in conditions)
        assert aws.query(f"SELECT {shown} FROM {name}") == [["1"] * len(conditions)], name
        assert aws.query(f"SELECT id FROM {name} WHERE d > 5 OR d < 2 OR is_nan(d) AND d >= 2") == [], name
