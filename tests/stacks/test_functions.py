"""The Lambda functions, against moto where they speak to AWS."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from dapflow.bundle import KEPT_MANIFESTS
from dapflow.manifest import POINTER
from stacks.functions import chat, reaper, resources, watch

BUCKET = "airflow-bucket"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-west-2"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3")
        where = {"LocationConstraint": "eu-west-2"}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)  # type: ignore[arg-type]
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def test_functions_know_a_bundle_as_it_is_built() -> None:
    assert (resources.POINTER, resources.KEPT_MANIFESTS) == (POINTER, KEPT_MANIFESTS)


def bundle(*manifests: str, extra: tuple[str, ...] = ()) -> bytes:
    """An archive of a bundle whose pointer names the last manifest."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"manifest": f"manifests/{manifests[-1]}.json"}))
        for name in (*(f"manifests/{manifest}.json" for manifest in manifests), "dapflow_services.py", *extra):
            archive.writestr(name, name)
    return packed.getvalue()


def keys(s3: Any, prefix: str = "dags/") -> set[str]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix) for item in listed}


class Recorder:
    """An S3 client that notes what is written and deleted, in order."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[tuple[str, str]] = []

    def put_object(self, **call: Any) -> Any:
        self.calls.append(("put", call["Key"]))
        return self._client.put_object(**call)

    def delete_objects(self, **call: Any) -> Any:
        self.calls += [("delete", item["Key"]) for item in call["Delete"]["Objects"]]
        return self._client.delete_objects(**call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_a_bundle_is_whole_before_the_pointer_and_pruned_after_it(s3: Any) -> None:
    resources.publish(s3, BUCKET, "dags/", bundle("one", extra=("old.py",)))
    recorder = Recorder(s3)
    # A DAG written by hand has any name, such as one that sorts behind the pointer's.
    resources.publish(recorder, BUCKET, "dags/", bundle("two", extra=("weekly.py",)))
    pointer = recorder.calls.index(("put", "dags/manifest.json"))
    assert recorder.calls[0] == ("put", "dags/manifests/two.json")
    assert all(call == "put" for call, _ in recorder.calls[:pointer])
    assert recorder.calls[pointer + 1 :] == [("delete", "dags/old.py")]
    # The manifest before it stays, for the runs that are under way.
    left = {"manifest.json", "manifests/one.json", "manifests/two.json", "dapflow_services.py", "weekly.py"}
    assert keys(s3) == left


def test_the_main_bundle_leaves_the_branches_alone(s3: Any) -> None:
    resources.publish(s3, BUCKET, "dags/branches/fix-123456/", bundle("branch"))
    resources.publish(s3, BUCKET, "dags/", bundle("one"))
    assert "branches/fix-123456/manifest.json" in keys(s3)


def test_only_so_many_manifests_are_kept(s3: Any) -> None:
    for number in range(resources.KEPT_MANIFESTS + 3):
        resources.publish(s3, BUCKET, "dags/", bundle(f"m{number:03}"))
    left = {key for key in keys(s3) if key.startswith("manifests/")}
    assert len(left) == resources.KEPT_MANIFESTS
    assert f"manifests/m{resources.KEPT_MANIFESTS + 2:03}.json" in left


def test_emptying_leaves_no_version_behind_and_nothing_beside_it(s3: Any) -> None:
    for key in ("a/x", "a/x", "a/y", "ab/z"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    s3.delete_object(Bucket=BUCKET, Key="a/y")
    event = {"RequestType": "Delete", "ResourceProperties": {"Bucket": BUCKET, "Prefix": "a/"}}
    resources.emptied(event)
    versions = s3.list_object_versions(Bucket=BUCKET)
    assert [version["Key"] for version in versions["Versions"]] == ["ab/z"]
    assert not versions.get("DeleteMarkers")


def test_updates_and_creations_empty_nothing(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="a/x", Body=b"1")
    for kind in ("Create", "Update"):
        resources.emptied({"RequestType": kind, "ResourceProperties": {"Bucket": BUCKET, "Prefix": "a/"}})
    assert keys(s3, "a/") == {"x"}


def test_the_files_of_a_live_environment_stay_when_its_stack_goes(s3: Any) -> None:
    resources.publish(s3, BUCKET, "dags/", bundle("one"))
    properties = {"Bucket": BUCKET, "Prefix": "dags/", "Remove": "false"}
    resources.bundle({"RequestType": "Delete", "ResourceProperties": properties})
    assert keys(s3)
    resources.bundle({"RequestType": "Delete", "ResourceProperties": {**properties, "Remove": "true"}})
    assert not keys(s3)


def test_cloudformation_always_gets_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    def note(request: Any, **_: Any) -> io.BytesIO:
        assert len(request.data) <= 4096
        sent.append(json.loads(request.data))
        return io.BytesIO()

    def broken(_event: resources.Event) -> str:
        raise ValueError("no such thing" + 5000 * "\u0001\u20ac")

    class Context:
        log_stream_name = "stream"

    monkeypatch.setattr("urllib.request.urlopen", note)
    event = {name: name for name in ("LogicalResourceId", "StackId", "RequestId")}
    event["StackId"] = "arn:".ljust(1000, "x")
    event |= {"RequestType": "Create", "ResponseURL": "https://cloudformation.example/answer"}
    resources.answered(broken)(event, Context())
    resources.answered(lambda _: "made")(event, Context())
    assert [(answer["Status"], answer["PhysicalResourceId"]) for answer in sent] == [
        ("FAILED", "LogicalResourceId"),
        ("SUCCESS", "made"),
    ]
    assert "no such thing" in sent[0]["Reason"]
    assert "stream" in sent[0]["Reason"]


def test_what_could_not_be_made_goes_under_the_id_that_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation removes what a failed creation left, by the id that the failure gave."""
    sent: list[dict[str, Any]] = []

    def note(request: Any, **_: Any) -> io.BytesIO:
        sent.append(json.loads(request.data))
        return io.BytesIO()

    class Context:
        log_stream_name = "stream"

    monkeypatch.setattr("urllib.request.urlopen", note)
    event = {name: name for name in ("LogicalResourceId", "StackId", "RequestId", "PhysicalResourceId")}
    event |= {"RequestType": "Delete", "ResponseURL": "https://cloudformation.example/answer"}
    resources.answered(lambda _: "bucket/prefix")(event, Context())
    assert (sent[0]["Status"], sent[0]["PhysicalResourceId"]) == ("SUCCESS", "PhysicalResourceId")


class Airflow:
    """MWAA's API before an Airflow that gives at most 100 pools a page, as the real one does."""

    def __init__(self, pools: list[str], status: int = 409) -> None:
        self.pools, self.status, self.made = pools, status, 0

    def invoke_rest_api(self, **call: Any) -> dict[str, Any]:
        assert (call["Name"], call["Path"]) == ("dapflow-prod", "/pools")
        if call["Method"] == "GET":
            query = call["QueryParameters"]
            start, limit = query["offset"], min(100, query["limit"])
            page = [{"name": name} for name in self.pools[start : start + limit]]
            return {"RestApiResponse": {"pools": page, "total_entries": len(self.pools)}}
        name = call["Body"]["name"]
        if name == "refused" or name in self.pools:
            # https://docs.aws.amazon.com/mwaa/latest/API/API_InvokeRestApi.html#API_InvokeRestApi_Errors
            answer: Any = {"Error": {"Code": "RestApiClientException"}, "RestApiStatusCode": self.status}
            raise ClientError(answer, "InvokeRestApi")
        self.pools.append(name)
        self.made += 1
        return {"RestApiStatusCode": 201}


class TestPools:
    @staticmethod
    def ask(monkeypatch: pytest.MonkeyPatch, airflow: Airflow, pools: list[str]) -> None:
        monkeypatch.setattr(boto3, "client", lambda _name: airflow)
        properties = {"Environment": "dapflow-prod", "Pools": pools, "Slots": "5"}
        resources.pools({"RequestType": "Update", "ResourceProperties": properties})

    @pytest.mark.parametrize("there", [0, 99, 100, 101, 250])
    def test_the_pool_of_the_last_of_many_services_is_made_once(
        self, monkeypatch: pytest.MonkeyPatch, there: int
    ) -> None:
        services = [f"dapflow_{number:03}" for number in range(there + 1)]
        airflow = Airflow(["default_pool", *services[:-1]])
        self.ask(monkeypatch, airflow, services)
        assert airflow.made == 1
        assert airflow.pools == ["default_pool", *services]

    def test_one_that_somebody_made_in_the_meantime_will_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        airflow = Airflow(["default_pool"])
        self.ask(monkeypatch, airflow, ["refused", "dapflow_rail"])
        assert airflow.pools == ["default_pool", "dapflow_rail"]

    def test_another_refusal_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ClientError):
            self.ask(monkeypatch, Airflow(["default_pool"], status=403), ["refused"])


class TestWatch:
    NOW = datetime.datetime(2024, 6, 7, 5, tzinfo=datetime.UTC)

    @pytest.mark.parametrize(("generation", "stale"), [("20240606", False), ("20240605", False), ("20240604", True)])
    def test_a_product_is_stale_after_so_many_hours(self, generation: str, stale: bool) -> None:
        assert watch.is_stale(generation, self.NOW, 30) is stale

    def test_the_newest_generation_however_its_date_is_written(self) -> None:
        partitions = [
            ("2024", "06", "05", "20240605"),
            ("2024", "6", "7", "202467"),
            ("2024", "06", "06", "2024-06-06"),
        ]
        asked: list[str] = []

        class Glue:
            def get_paginator(self, _name: str) -> Any:
                return self

            def paginate(self, **call: Any) -> list[dict[str, Any]]:
                asked.append(call["Expression"])
                return [
                    {"Partitions": [{"Values": list(values), "Parameters": {}} for values in (*partitions, ("x",) * 4)]}
                ]

        dataset = {"generation": {"prefix": "import"}, "history": "x_history"}
        assert watch.newest_generation(Glue(), "raw", dataset, datetime.date(2024, 1, 20)) == ("20240607", None)
        assert asked == ["import_year >= '2023'"]

    def test_what_is_made_once_a_week_is_not_stale_in_between(self) -> None:
        """Nor what is made of it, however far away."""
        made = {
            "census": (),
            "housing": ("census",),
            "report": ("housing", "weather"),
            "weather": (),
            "daily": ("census",),
        }
        lines = {"daily": "0 5 * * *", "census": "0 5 * * 1"}
        datasets = {
            name: {"service": name, "depends_on": [f"{upstream}.x" for upstream in reads]}
            for name, reads in made.items()
        }
        manifest = {
            "services": {name: {"schedule": lines.get(name)} for name in made},
            "datasets": {f"{name}.x": dataset for name, dataset in datasets.items()},
        }
        assert watch.pauses_of(manifest, {"0 5 * * 1": 144.0}) == {
            "census": 144.0,
            "housing": 144.0,
            "report": 144.0,
            "weather": 0.0,
            "daily": 0.0,
        }

    def test_nobody_pauses_with_a_slower_input(self) -> None:
        manifest = {
            "services": {"census": {"schedule": "0 5 * * 1"}, "housing": {"schedule": None}},
            "datasets": {
                "census.x": {"service": "census"},
                "housing.x": {
                    "service": "housing",
                    "depends_on": ["census.x"],
                    "transform": {"slower_inputs": ["census.x"], "allow_empty": False},
                },
            },
        }
        assert watch.pauses_of(manifest, {"0 5 * * 1": 144.0}) == {"census": 144.0, "housing": 0.0}

    def test_it_counts_by_service(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        today = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")
        glue: Any = boto3.client("glue")
        glue.create_database(DatabaseInput={"Name": "db"})
        datasets = {}
        for name, generation, rows in (
            ("fresh", today, "5"),
            ("old", "20200101", "5"),
            ("empty", today, "0"),
            ("meant", today, "0"),
        ):
            datasets[name] = {
                "service": "rail",
                "zone": "raw",
                "name": name,
                "database": "logical",
                "history": f"{name}_history",
                "generation": {"prefix": "import"},
            }
            columns = [{"Name": f"import_{part}", "Type": "string"} for part in ("year", "month", "day", "date")]
            glue.create_table(DatabaseName="db", TableInput={"Name": f"{name}_history", "PartitionKeys": columns})
            values = [generation[:4], generation[4:6], generation[6:], generation]
            glue.create_partition(
                DatabaseName="db",
                TableName=f"{name}_history",
                PartitionInput={"Values": values, "Parameters": {"dapflow.rows": rows}},
            )
        datasets["meant"]["transform"] = {"slower_inputs": [], "allow_empty": True}
        datasets["never"] = {**datasets["fresh"], "name": "never", "history": "never_history"}
        manifest = {"services": {"rail": {}, "air": {}}, "datasets": datasets}
        for key, body in (
            ("dags/manifest.json", {"manifest": "manifests/1.json"}),
            ("dags/manifests/1.json", manifest),
            ("dags/environment.json", {"databases": {"logical": "db"}}),
        ):
            s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(body))
        variables = {"BUCKET": BUCKET, "PREFIX": "dags/", "STALE_HOURS": "30", "NAMESPACE": "ours"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        watch.handler({"pauses": {}}, None)
        now = datetime.datetime.now(datetime.UTC)
        counted = {}
        for metric in ("StaleProducts", "EmptyProducts"):
            for service in ("rail", "air"):
                [point] = boto3.client("cloudwatch").get_metric_statistics(
                    Namespace="ours",
                    MetricName=metric,
                    Dimensions=[{"Name": "Service", "Value": service}],
                    StartTime=now - datetime.timedelta(hours=1),
                    EndTime=now + datetime.timedelta(hours=1),
                    Period=7200,
                    Statistics=["Maximum"],
                )["Datapoints"][:1]
                counted[metric, service] = point["Maximum"]
        assert counted == {
            ("StaleProducts", "rail"): 2,
            ("StaleProducts", "air"): 0,
            ("EmptyProducts", "rail"): 1,
            ("EmptyProducts", "air"): 0,
        }


JUNE = datetime.datetime(2024, 6, 1, tzinfo=datetime.UTC)
FOREVER = [{"Key": "dapflow:expires", "Value": "2999-01-01T00:00:00+00:00"}]


def branch_stack(name: str, **more: Any) -> dict[str, Any]:
    """A stack of a branch, from long before June."""
    created = JUNE - datetime.timedelta(days=40)
    return {"StackName": f"dapflow-branch-{name}", "StackStatus": "CREATE_COMPLETE", "CreationTime": created, **more}


def taken(*stacks: dict[str, Any]) -> list[str]:
    """The stacks that the reaper takes on the first of June, where a branch stays for two weeks."""
    before = JUNE - datetime.timedelta(days=14)
    return [
        stack["StackName"].removeprefix("dapflow-branch-") for stack in reaper.due(stacks, "dapflow-branch-", before)
    ]


@pytest.mark.parametrize(
    ("change", "expired"),
    [
        ({}, True),
        # What a template says of itself counts for nothing.
        ({"Tags": FOREVER}, True),
        ({"StackStatus": "ROLLBACK_COMPLETE"}, True),
        ({"StackName": "dapflow-prod-lake"}, False),
        ({"StackName": "dapflow-prod-lake", "Tags": [{"Key": "dapflow:kind", "Value": "branch"}]}, False),
        ({"StackName": "dapflow-branches-lake"}, False),
        ({"StackStatus": "DELETE_IN_PROGRESS"}, False),
        ({"CreationTime": JUNE - datetime.timedelta(days=13)}, False),
        ({"LastUpdatedTime": JUNE - datetime.timedelta(days=13)}, False),
    ],
)
def test_the_reaper_takes_expired_branches_only(change: dict[str, Any], expired: bool) -> None:
    assert len(taken(branch_stack("fix-123456-bundle", **change))) == expired


@pytest.mark.parametrize("name", ["evil", "fix-123456", "fix-123456-x", "fix-123456-bundle-x"])
def test_a_stack_of_any_name_that_a_branch_may_give_goes_and_holds_nobody_up(name: str) -> None:
    assert taken(branch_stack(name), branch_stack("fix-123456-bundle")) == [name, "fix-123456-bundle"]


def test_a_branch_cannot_keep_the_stacks_of_another() -> None:
    """Its tags say that it is the other one, goes first, and stays for ever; its own stack is new."""
    tags = {"branch": "Fix", "teardown": "0", "expires": "2999-01-01"}
    listed = [{"Key": f"dapflow:{key}", "Value": value} for key, value in tags.items()]
    evil = branch_stack("evil-654321-bundle", Tags=listed, CreationTime=JUNE)
    assert taken(evil, branch_stack("fix-123456-bundle")) == ["fix-123456-bundle"]


class TestReaper:
    """Against moto's CloudFormation: what is there after each of its hours."""

    BRANCH = "dapflow-branch-fix-123456"

    @pytest.fixture
    def cloudformation(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("STACK_PREFIX", "dapflow-branch-")
        # What is there now is older than that.
        monkeypatch.setenv("DAYS", "-1")
        client: Any = boto3.client("cloudformation")
        for part in ("network", "airflow", "service-rail", "service-air", "bundle"):
            self.create(client, f"{self.BRANCH}-{part}")
        return client

    @staticmethod
    def create(client: Any, name: str) -> None:
        template = json.dumps({"Resources": {"topic": {"Type": "AWS::SNS::Topic"}}})
        client.create_stack(StackName=name, TemplateBody=template, Tags=FOREVER)

    @staticmethod
    def left(client: Any) -> set[str]:
        return {stack["StackName"].rsplit("-", 1)[1] for stack in client.describe_stacks()["Stacks"]}

    def test_what_was_deployed_last_goes_first(self, cloudformation: Any) -> None:
        seen = []
        for _hour in range(4):
            reaper.handler({}, None)
            seen.append(self.left(cloudformation))
        assert seen == [{"network", "airflow", "rail", "air"}, {"network", "airflow"}, {"network"}, set()]

    def test_what_was_deployed_in_time_stays(self, cloudformation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DAYS", "14")
        reaper.handler({}, None)
        assert self.left(cloudformation) == {"network", "airflow", "rail", "air", "bundle"}

    def test_a_stack_that_cannot_be_deleted_stops_no_other_branch_and_is_told(
        self, cloudformation: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.create(cloudformation, "dapflow-branch-aa-000000-bundle")
        delete = type(cloudformation).delete_stack

        def protected(client: Any, **call: Any) -> Any:
            if "-aa-" in call["StackName"]:
                raise ClientError({"Error": {"Code": "ValidationError", "Message": "it is protected"}}, "DeleteStack")
            return delete(client, **call)

        monkeypatch.setattr(type(cloudformation), "delete_stack", protected)
        monkeypatch.setattr(boto3, "client", lambda _name: cloudformation)
        with pytest.raises(RuntimeError, match=r"aa-000000-bundle: .*it is protected"):
            reaper.handler({}, None)
        assert f"{self.BRANCH}-bundle" not in {
            stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]
        }

    def test_what_is_still_being_deleted_keeps_its_ground(self) -> None:
        going = branch_stack("fix-123456-bundle", StackStatus="DELETE_IN_PROGRESS")
        airflow = branch_stack("fix-123456-airflow")
        assert taken(airflow, going) == []
        assert taken(airflow) == ["fix-123456-airflow"]


def test_an_alarm_is_told_in_words() -> None:
    alarm = {
        "AlarmName": "dapflow-prod-rail-stale",
        "NewStateValue": "ALARM",
        "NewStateReason": "1 > 0",
        "AlarmDescription": "Rail has a product that is stale",
    }
    told = chat.text({"Message": json.dumps(alarm)})
    assert told == "ALARM: dapflow-prod-rail-stale: Rail has a product that is stale\n1 > 0"
    assert chat.text({"Subject": "Budget", "Message": "80 %"}) == "Budget\n80 %"
