"""Clients that were written for AWS work unchanged."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

import pytest

from tests.aws_servers import REGION, RESULTS, LocalAws

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a user sets so that any client finds the servers."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.aws_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", aws.athena_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    yield
    assert os.environ["AWS_ENDPOINT_URL_ATHENA"] == aws.athena_url


@pytest.mark.usefixtures("environment")
def test_awswrangler_reads_by_every_way_and_writes_partitions(aws: LocalAws) -> None:
    wr = pytest.importorskip("awswrangler")
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "s": ["a", "b", None],
            "d": [dt.date(2024, 6, 5)] * 3,
            "f": [1.5, 2.5, None],
            "p": ["x", "x", "y"],
        }
    )
    wr.s3.to_parquet(
        frame, path="s3://lake/wrangled/", dataset=True, database="db", table="wrangled", partition_cols=["p"]
    )
    expected = [(1, "a", "x"), (2, "b", "x"), (3, None, "y")]
    sql = "SELECT n, s, p FROM wrangled ORDER BY n"
    for more in (
        {"ctas_approach": True},
        {"ctas_approach": False},
        {"ctas_approach": False, "unload_approach": True, "s3_output": "s3://lake/wrangled_unload/"},
    ):
        answer = wr.athena.read_sql_query(sql, database="db", **{"s3_output": RESULTS, **more})
        rows = [(int(n), None if pd.isna(s) else s, p) for n, s, p in answer.itertuples(index=False)]
        assert sorted(rows, key=str) == sorted(expected, key=str)
    empty = wr.athena.read_sql_query("SELECT n FROM wrangled WHERE n > 9", database="db", s3_output=RESULTS)
    assert len(empty) == 0
    made = wr.athena.create_ctas_table(
        sql="SELECT n, p FROM wrangled", database="db", ctas_table="wrangled_ctas", s3_output=RESULTS, wait=True
    )
    assert made["ctas_table"] == "wrangled_ctas"
    assert wr.athena.read_sql_table("wrangled_ctas", database="db", s3_output=RESULTS)["n"].tolist() == [1, 2, 3]
    wr.athena.repair_table("wrangled", database="db", s3_output=RESULTS)
    described = wr.athena.describe_table("wrangled", database="db", s3_output=RESULTS)
    assert described["Column Name"].tolist() == ["n", "s", "d", "f", "p"]


@pytest.mark.usefixtures("environment")
def test_pyathena_cursors_and_sqlalchemy(aws: LocalAws) -> None:
    pyathena = pytest.importorskip("pyathena")
    from pyathena.pandas.cursor import PandasCursor  # noqa: PLC0415
    from sqlalchemy import create_engine, inspect, text  # noqa: PLC0415

    aws.query(
        "CREATE TABLE for_pyathena AS SELECT 1 AS n, 'x' AS s, DATE '2024-06-05' AS d, CAST(1.5 AS decimal(5,2)) AS e"
    )
    connect = {"s3_staging_dir": RESULTS, "region_name": REGION, "schema_name": "db", "poll_interval": 0.05}
    with pyathena.connect(**connect).cursor() as cursor:
        cursor.execute("SELECT * FROM for_pyathena WHERE n = %(n)s", {"n": 1})
        assert [column[0] for column in cursor.description] == ["n", "s", "d", "e"]
        row = cursor.fetchone()
        assert (row[0], row[1], row[2], str(row[3])) == (1, "x", dt.date(2024, 6, 5), "1.50")
    with pyathena.connect(cursor_class=PandasCursor, **connect).cursor() as cursor:
        assert cursor.execute("SELECT n FROM for_pyathena").as_pandas()["n"].tolist() == [1]
    with pyathena.connect(cursor_class=PandasCursor, **connect).cursor(unload=True) as cursor:
        assert cursor.execute("SELECT n FROM for_pyathena").as_pandas()["n"].tolist() == [1]
    engine = create_engine(f"awsathena+rest://:@athena.{REGION}.amazonaws.com:443/db?s3_staging_dir={RESULTS}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT s FROM for_pyathena")).scalar_one() == "x"
    inspector = inspect(engine)
    assert "for_pyathena" in inspector.get_table_names()
    assert [column["name"] for column in inspector.get_columns("for_pyathena")] == ["n", "s", "d", "e"]


@pytest.mark.usefixtures("environment")
def test_airflows_operator_and_hook(aws: LocalAws) -> None:
    operators = pytest.importorskip("airflow.providers.amazon.aws.operators.athena")
    sensors = pytest.importorskip("airflow.providers.amazon.aws.sensors.athena")
    operator = operators.AthenaOperator(
        task_id="t", query="SELECT 1 AS a", database="db", output_location=RESULTS, sleep_time=0, aws_conn_id=None
    )
    identity = operator.execute({})
    assert aws.wait(identity)["Status"]["State"] == "SUCCEEDED"
    sensor = sensors.AthenaSensor(task_id="s", query_execution_id=identity, aws_conn_id=None)
    assert sensor.poke({}) is True
    broken = operators.AthenaOperator(
        task_id="b", query="SELECT nothing", database="db", output_location=RESULTS, sleep_time=0, aws_conn_id=None
    )
    with pytest.raises(Exception, match="COLUMN_NOT_FOUND"):
        broken.execute({})


@pytest.mark.usefixtures("environment")
def test_airflows_deferrable_operator(aws: LocalAws) -> None:
    """aiobotocore, which the triggerer needs, does not fit in this environment: the trigger's waiter waits by boto3."""
    operators = pytest.importorskip("airflow.providers.amazon.aws.operators.athena")
    from airflow.sdk.exceptions import TaskDeferred  # noqa: PLC0415
    from botocore.exceptions import WaiterError  # noqa: PLC0415

    for query, fails in (("SELECT 1 AS a", False), ("SELECT nothing", True)):
        operator = operators.AthenaOperator(
            task_id="d",
            query=query,
            database="db",
            output_location=RESULTS,
            sleep_time=1,
            aws_conn_id=None,
            deferrable=True,
        )
        with pytest.raises(TaskDeferred) as deferred:
            operator.execute({})
        trigger = deferred.value.trigger
        identity = trigger.waiter_args["QueryExecutionId"]
        waiter = trigger.hook().get_waiter(trigger.waiter_name)
        if fails:
            with pytest.raises(WaiterError):
                waiter.wait(QueryExecutionId=identity, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
            continue
        waiter.wait(QueryExecutionId=identity, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        assert operator.execute_complete({}, {"status": "success", "value": identity}) == identity
        assert aws.wait(identity)["Status"]["State"] == "SUCCEEDED"
