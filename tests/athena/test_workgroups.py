"""Work groups: settings, enforcement, the bytes cutoff."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from tests.athena.test_parquet_tables import put_parquet
from tests.aws_servers import RESULTS, LocalAws


def test_a_work_group_is_created_listed_changed_and_deleted(aws: LocalAws) -> None:
    aws.athena.create_work_group(
        Name="made",
        Description="first",
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake/made/"},
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
        Tags=[{"Key": "team", "Value": "a"}],
    )
    group = aws.athena.get_work_group(WorkGroup="made")["WorkGroup"]
    assert group["State"] == "ENABLED"
    configuration = group["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert {item["Name"] for item in aws.athena.list_work_groups()["WorkGroups"]} >= {"made", "primary"}
    aws.athena.update_work_group(
        WorkGroup="made",
        Description="second",
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": False,
            "RemoveBytesScannedCutoffPerQuery": True,
            "ResultConfigurationUpdates": {"OutputLocation": "s3://lake/other/"},
        },
    )
    group = aws.athena.get_work_group(WorkGroup="made")["WorkGroup"]
    assert group["Description"] == "second"
    assert group["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://lake/other/"}
    assert "BytesScannedCutoffPerQuery" not in group["Configuration"]
    arn = "arn:aws:athena:eu-west-2:123456789012:workgroup/made"
    aws.athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "env", "Value": "test"}])
    aws.athena.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert aws.athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "env", "Value": "test"}]
    aws.athena.delete_work_group(WorkGroup="made")
    with pytest.raises(ClientError, match=r"WorkGroup made is not found\."):
        aws.athena.get_work_group(WorkGroup="made")


def test_what_is_refused(aws: LocalAws) -> None:
    aws.athena.create_work_group(Name="twice")
    with pytest.raises(ClientError, match="already created"):
        aws.athena.create_work_group(Name="twice")
    with pytest.raises(ClientError, match="primary workgroup cannot be deleted"):
        aws.athena.delete_work_group(WorkGroup="primary")
    refused: tuple[tuple[Any, str], ...] = (
        (
            {"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}},
            "Apache Spark work groups are not supp",
        ),
        (
            {"EngineVersion": {"SelectedEngineVersion": "Athena engine version 2"}},
            "'Athena engine version 2' is not supp",
        ),
        ({"ManagedQueryResultsConfiguration": {"Enabled": True}}, "Managed query results are not supported"),
    )
    for configuration, reason in refused:
        with pytest.raises(ClientError, match=reason):
            aws.athena.create_work_group(Name="special", Configuration=configuration)
    with pytest.raises(ClientError, match="Managed query results are not supported"):
        aws.athena.update_work_group(
            WorkGroup="twice", ConfigurationUpdates={"ManagedQueryResultsConfigurationUpdates": {"Enabled": True}}
        )
    assert "special" not in {item["Name"] for item in aws.athena.list_work_groups()["WorkGroups"]}
    with pytest.raises(ClientError, match=r"WorkGroup nowhere is not found\."):
        aws.start("SELECT 1", WorkGroup="nowhere")


def test_a_disabled_work_group_runs_nothing(aws: LocalAws) -> None:
    aws.athena.create_work_group(Name="off", Configuration={"ResultConfiguration": {"OutputLocation": RESULTS}})
    aws.athena.update_work_group(WorkGroup="off", State="DISABLED")
    with pytest.raises(ClientError, match="is disabled"):
        aws.start("SELECT 1", WorkGroup="off")


def test_an_enforced_output_location_overrules_the_request(aws: LocalAws) -> None:
    settings = {"ResultConfiguration": {"OutputLocation": "s3://lake/enforced/"}, "EnforceWorkGroupConfiguration": True}
    aws.athena.create_work_group(Name="enforcing", Configuration=settings)  # type: ignore[arg-type]
    answer = aws.run("SELECT 1", WorkGroup="enforcing", ResultConfiguration={"OutputLocation": RESULTS})
    assert answer.execution["ResultConfiguration"]["OutputLocation"] == f"s3://lake/enforced/{answer.id}.csv"
    assert aws.keys(f"enforced/{answer.id}.csv")
    aws.athena.update_work_group(WorkGroup="enforcing", ConfigurationUpdates={"EnforceWorkGroupConfiguration": False})
    answer = aws.run("SELECT 1", WorkGroup="enforcing", ResultConfiguration={"OutputLocation": RESULTS})
    assert answer.execution["ResultConfiguration"]["OutputLocation"] == f"{RESULTS}{answer.id}.csv"


def test_a_query_above_the_cutoff_is_cancelled(aws: LocalAws) -> None:
    numbers = pa.array([float(n) * 1.37 for n in range(1_600_000)])
    put_parquet(
        aws, "big/x.parquet", pa.table({"n": numbers, "m": [1] * 1_600_000}), compression="none", use_dictionary=["m"]
    )
    aws.query("CREATE EXTERNAL TABLE big (n double, m bigint) STORED AS PARQUET LOCATION 's3://lake/big/'")
    aws.athena.create_work_group(
        Name="careful",
        Configuration={"ResultConfiguration": {"OutputLocation": RESULTS}, "BytesScannedCutoffPerQuery": 10_000_000},
    )
    answer = aws.run("SELECT sum(n) FROM big", WorkGroup="careful")
    assert answer.state == "CANCELLED"
    assert answer.reason == "Query cancelled! : Bytes scanned limit was exceeded"
    assert aws.run("SELECT sum(m) FROM big", WorkGroup="careful").rows == [["1600000"]]


def test_executions_of_a_work_group_are_its_own(aws: LocalAws) -> None:
    aws.athena.create_work_group(Name="alone", Configuration={"ResultConfiguration": {"OutputLocation": RESULTS}})
    identity = aws.run("SELECT 1", WorkGroup="alone").id
    assert aws.athena.list_query_executions(WorkGroup="alone")["QueryExecutionIds"] == [identity]
    with pytest.raises(ClientError, match="not empty"):
        aws.athena.delete_work_group(WorkGroup="alone")
    aws.athena.delete_work_group(WorkGroup="alone", RecursiveDeleteOption=True)


def test_engine_versions_are_listed(aws: LocalAws) -> None:
    versions = aws.athena.list_engine_versions()["EngineVersions"]
    assert {item["EffectiveEngineVersion"] for item in versions} == {"Athena engine version 3"}
