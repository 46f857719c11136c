"""The test of the permissions: that it would notice."""

from __future__ import annotations

from tests.runtime.lake import Lake
from tests.runtime.permissions import Call, recorded, refused


def test_what_the_run_time_calls_is_noted_and_what_a_test_calls_is_not(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv="tailnum,seats\nN1,1\n")
    with recorded(lake.clients) as calls:
        lake.publish(planes)
        lake.clients.glue.get_databases()
    made = {f"{call.service}:{call.operation}" for call in calls}
    assert {"athena:StartQueryExecution", "glue:CreateTable", "s3:ListObjectsV2"} <= made
    assert "glue:GetDatabases" not in made


def test_what_the_policy_does_not_give_is_named(lake: Lake) -> None:
    lake.raw("planes")
    database = {"DatabaseName": "air_traffic_raw_zone", "TableName": "planes_history"}
    calls = [
        Call("glue", "BatchUpdatePartition", database),
        Call("glue", "DeleteTableVersion", database),
        Call("s3", "ListObjectsV2", {"Bucket": "dapflow-test-raw-123456789012", "Prefix": "air_traffic"}),
    ]
    stem = "arn:aws:glue:eu-west-2:123456789012"
    assert refused(calls, lake.manifest, lake.platform) == [
        f"glue:DeleteTableVersion on {stem}:catalog, {stem}:database/air_traffic_raw_zone, "
        f"{stem}:table/air_traffic_raw_zone/planes_history",
        "s3:ListBucket on arn:aws:s3:::dapflow-test-raw-123456789012",
    ]
