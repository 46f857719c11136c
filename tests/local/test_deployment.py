"""Stacks over moto and the embedded Athena: made, changed, removed, and none forgotten by a command that is killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.local.cloudformation.deployment import deploy, destroy, require_free
from dapflow.local.cloudformation.query_resources import Databases
from dapflow.local.cloudformation.template import Resource
from tests.aws_servers import BUCKET, REGION, LocalAws

ALL = {"s3", "glue", "iam", "athena"}


@pytest.fixture(autouse=True)
def platform(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """What boto3 is pointed at."""
    aws.become_the_default(monkeypatch)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "stacks.json"


def database(name: str, logical: str = "database", description: str = "") -> Resource:
    properties = {"CatalogId": "1", "DatabaseInput": {"Name": name, "Description": description}}
    return Resource(f"stack/{logical}", "AWS::Glue::Database", name, properties, outlives=False)


def workgroup(name: str, **tags: str) -> Resource:
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/mine/results/"}}
    properties = {
        "Name": name,
        "RecursiveDeleteOption": True,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "WorkGroupConfiguration": configuration,
    }
    return Resource("stack/workgroup", "AWS::Athena::WorkGroup", name, properties, outlives=False)


def emptied(prefix: str) -> Resource:
    properties = {"ServiceToken": "arn", "Bucket": BUCKET, "Prefix": prefix}
    return Resource("stack/data", "Custom::DapflowEmptied", "stack-data", properties, outlives=False)


def databases(aws: LocalAws) -> set[str]:
    return {database["Name"] for database in aws.glue.get_databases()["DatabaseList"]} - {"db"}


def workgroups(aws: LocalAws) -> set[str]:
    return {workgroup["Name"] for workgroup in aws.athena.list_work_groups()["WorkGroups"]} - {"primary"}


def test_what_is_destroyed_leaves_nothing_and_touches_nothing_besides(aws: LocalAws, record: Path) -> None:
    aws.put("mine/a", "1")
    aws.put("mine_too/a", "1")
    deploy(record, ALL, [database("one"), workgroup("group"), emptied("mine/")])
    assert databases(aws) == {"one"}
    assert workgroups(aws) == {"group"}
    assert aws.run("SELECT 1", None, WorkGroup="group").state == "SUCCEEDED"
    assert len(aws.keys("mine/")) > 1
    destroy(record)
    assert databases(aws) == workgroups(aws) == set()
    assert aws.keys("mine") == ["mine_too/a"]
    destroy(record)
    deploy(record, ALL, [workgroup("group")])
    assert aws.athena.list_query_executions(WorkGroup="group")["QueryExecutionIds"] == []
    destroy(record)


def test_a_database_that_holds_tables_gets_no_other_name(aws: LocalAws, record: Path) -> None:
    deploy(record, ALL, [database("one")])
    deploy(record, ALL, [database("two")])
    assert databases(aws) == {"two"}, "nothing was in it"
    aws.glue.create_table(DatabaseName="two", TableInput={"Name": "flights"})
    with pytest.raises(DapflowError, match=r"two would be called three here.+flights") as caught:
        deploy(record, ALL, [database("three"), workgroup("group")])
    assert caught.value.code == "database-renamed"
    assert databases(aws) == {"two"}
    assert workgroups(aws) == set()
    deploy(record, ALL, [database("two", description="as before")])
    destroy(record)
    assert databases(aws) == set()


def test_a_query_that_still_runs_is_stopped_first(aws: LocalAws, record: Path) -> None:
    deploy(record, ALL, [workgroup("group"), emptied("mine/")])
    numbers = "UNNEST(sequence(1, 9000))"
    long = f"SELECT count(*) FROM {numbers} a(x), {numbers} b(y), {numbers} c(z) WHERE x * y * z = 7"
    query = aws.start(long, None, WorkGroup="group")
    destroy(record)
    assert aws.wait(query)["Status"]["State"] == "CANCELLED"
    assert aws.keys("mine/") == []


def test_old_versions_go_too(aws: LocalAws, record: Path) -> None:
    aws.s3.create_bucket(Bucket="versioned", CreateBucketConfiguration={"LocationConstraint": REGION})
    aws.s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        aws.s3.put_object(Bucket="versioned", Key="x/a", Body=body)
    aws.s3.delete_object(Bucket="versioned", Key="x/a")
    properties = {"ServiceToken": "arn", "Bucket": "versioned", "Prefix": "x/"}
    deploy(record, ALL, [Resource("s/d", "Custom::DapflowEmptied", "s-d", properties, outlives=False)])
    destroy(record)
    aws.s3.delete_bucket(Bucket="versioned")


def test_what_a_killed_command_had_begun_is_known(aws: LocalAws, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the making and the note of it: the next one changes it, or removes it."""

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    begun = [database("one", description="new"), emptied("mine/")]
    with monkeypatch.context() as patch:
        patch.setattr(Databases, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            deploy(record, ALL, begun)
    aws.glue.create_database(DatabaseInput={"Name": "one", "Description": "half made"})
    aws.put("mine/left", "1")
    require_free(record, begun)
    deploy(record, ALL, begun)
    assert aws.glue.get_database(Name="one")["Database"]["Description"] == "new"
    with monkeypatch.context() as patch:
        patch.setattr(Databases, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            deploy(record, ALL, [*begun, database("two", "another")])
    aws.glue.create_database(DatabaseInput={"Name": "two"})
    destroy(record)
    assert databases(aws) == set()
    assert aws.keys("mine/") == []
    assert json.loads(record.read_text()) == {}


def test_tags_follow(aws: LocalAws, record: Path) -> None:
    for commit in ("a", "b"):
        deploy(record, ALL, [workgroup("group", commit=commit)])
        arn = f"arn:aws:athena:{REGION}:123456789012:workgroup/group"
        assert aws.athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "commit", "Value": commit}]
    destroy(record)


def test_a_query_ends_with_its_workgroup_and_is_not_taken_up_in_the_next_one(aws: LocalAws, record: Path) -> None:
    """Whoever comes by the same name begins anew, though it asks for the same."""
    ten_thousand = "UNNEST(sequence(1, 10000))"
    endless = f"SELECT count(*) FROM {ten_thousand} t(a), {ten_thousand} u(b), {ten_thousand} v(c)"
    token, ids = "a-token-of-a-run-that-comes-again", set()
    for _ in range(2):
        deploy(record, ALL, [workgroup("group")])
        ids.add(aws.start(endless, None, WorkGroup="group", ClientRequestToken=token))
        destroy(record)
    assert len(ids) == 2


def test_a_name_that_something_else_has_is_refused(aws: LocalAws, record: Path) -> None:
    aws.glue.create_database(DatabaseInput={"Name": "theirs"})
    with pytest.raises(DapflowError, match="another AWS::Glue::Database has it") as raised:
        require_free(record, [database("theirs"), emptied("x/")])
    assert raised.value.code == "name-clash"
    assert raised.value.hint
    aws.glue.delete_database(Name="theirs")
    require_free(record, [database("theirs")])
