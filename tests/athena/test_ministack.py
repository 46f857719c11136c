"""The embedded Athena over ministack: S3 and Glue are another emulator's, with gaps of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapflow.athena import AthenaSettings, serve
from tests.aws_servers import BUCKET, REGION, LocalAws
from tests.stacks.cloud import cloud

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder = tmp_path_factory.mktemp("ministack")
    keys = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    with cloud(folder, folder / "log") as emulator:
        url = f"http://127.0.0.1:{emulator.port}"
        with serve(AthenaSettings(aws_endpoint=url, region=REGION)) as server:
            local = LocalAws(url, server.url, keys)
            local.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            yield local


def test_databases_tables_partitions_views_and_what_queries_write(over: LocalAws) -> None:
    over.query("CREATE DATABASE db COMMENT 'of the test' LOCATION 's3://lake/db/'", database=None)
    assert ["db"] in over.query("SHOW DATABASES", database=None)
    scanned = 0
    for day in ("01", "02", "03"):
        buffer = io.BytesIO()
        pq.write_table(pa.table({"n": [int(day), 10], "s": ["x", None]}), buffer)
        over.put(f"events/day=2024-06-{day}/x.parquet", buffer.getvalue())
        scanned = pq.read_metadata(buffer).row_group(0).column(0).total_compressed_size
    over.query(
        "CREATE EXTERNAL TABLE events (n bigint, s string) PARTITIONED BY (day string) STORED AS PARQUET "
        "LOCATION 's3://lake/events/'"
    )
    assert over.query("SELECT n FROM events") == []
    over.query("ALTER TABLE events ADD PARTITION (day = '2024-06-01')")
    assert over.query("SELECT count(*) FROM events") == [["2"]]
    over.query("MSCK REPAIR TABLE events")
    assert [row[0] for row in over.query("SHOW PARTITIONS events")] == [f"day=2024-06-0{n}" for n in (1, 2, 3)]
    pruned = over.run("SELECT sum(n) FROM events WHERE day = '2024-06-02'")
    assert (pruned.rows, pruned.scanned) == ([["12"]], scanned)
    over.query("ALTER TABLE events PARTITION (day = '2024-06-03') SET LOCATION 's3://lake/events/day=2024-06-01/'")
    assert over.query("SELECT min(n) FROM events WHERE day = '2024-06-03'") == [["1"]]
    over.query("ALTER TABLE events DROP PARTITION (day = '2024-06-03')")
    assert over.query('SELECT day FROM "events$partitions" ORDER BY 1') == [["2024-06-01"], ["2024-06-02"]]
    over.query("CREATE VIEW latest AS SELECT n, s FROM events WHERE day = '2024-06-02'")
    assert over.query("SELECT n, s FROM latest ORDER BY n") == [["2", "x"], ["10", None]]
    assert over.query("SHOW TABLES") == [["events"], ["latest"]]
    over.query(
        "CREATE TABLE copied WITH (format = 'PARQUET', partitioned_by = ARRAY['day']) AS SELECT n, s, day FROM events"
    )
    assert over.query("SELECT day, sum(n) FROM copied GROUP BY day ORDER BY day") == [
        ["2024-06-01", "11"],
        ["2024-06-02", "12"],
    ]
    over.query("INSERT INTO copied SELECT 5, 'y', '2024-06-09'")
    assert over.query("SELECT n FROM copied WHERE day = '2024-06-09'") == [["5"]]
    over.query("UNLOAD (SELECT n FROM latest) TO 's3://lake/unloaded/' WITH (format = 'JSON', compression = 'NONE')")
    (key,) = over.keys("unloaded/")
    assert sorted(over.body(key).split()) == [b'{"n":10}', b'{"n":2}']
    over.query("ALTER TABLE events ADD COLUMNS (extra double)")
    described = [line for row in over.query("DESCRIBE events") for line in row[:1] if line and line.strip()]
    assert [line.split()[0] for line in described[:3]] == ["n", "s", "extra"]
    over.query("DROP VIEW latest")
    over.query("DROP TABLE events")
    assert over.failure("SELECT * FROM events").startswith("TABLE_NOT_FOUND")


def test_results_are_objects_of_the_other_emulator(over: LocalAws) -> None:
    answer = over.run("SELECT 1 AS a, 'x' AS b", database=None)
    assert over.body(f"results/{answer.id}.csv") == b'"a","b"\n"1","x"\n'
