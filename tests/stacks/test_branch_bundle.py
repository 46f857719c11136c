"""The host's function that takes the bundles of branches: nothing that they bring is more than data."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stacks.functions import branch_bundle

AIRFLOW, DATA, REGION = "dapflow-staging-airflow-1", "dapflow-staging-branches-1", "eu-west-2"
SLUG, STEM = "fix-delays-0a1b2c", "fix_delays_0a1b2c"
STACK = f"arn:aws:cloudformation:{REGION}:111122223333:stack/dapflow-branch-{SLUG}-bundle/1f0c"
NAME = "manifests/0123456789abcdef.json"
ENTRY = b"# reviewed\n"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    values = {
        "AIRFLOW_BUCKET": AIRFLOW,
        "DATA_BUCKET": DATA,
        "ASSETS": "assets/",
        "BUNDLES": "dags/branches/",
        "ENTRY": "dags/dapflow_services.py",
        "STACKS": "dapflow-branch",
        "CONNECTIONS": "dapflow/staging/connections/branch_",
        "ROLES": "arn:aws:iam::111122223333:role/dapflow/staging/branch/dapflow-branch",
        "TAGS": '["branch", "databases"]',
        "KEY": "alias/key",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    for key, value in values.items():
        monkeypatch.setenv(key, value)
    for key in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(key, raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        for bucket in (AIRFLOW, DATA):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket=AIRFLOW, Key="dags/dapflow_services.py", Body=ENTRY)
        client.put_object(Bucket=AIRFLOW, Key="dags/branches/other-123456/manifest.json", Body=b"{}")
        yield client


def packed(*services: str, **files: str | bytes) -> bytes:
    """A bundle; other files by name, where `__` stands for `/` and `.` is written as it is."""
    content: dict[str, str | bytes] = {
        "manifest.json": json.dumps({"manifest": NAME}),
        "environment.json": "{}",
        NAME: json.dumps({"schema": 2, "services": {name: {} for name in services}, "datasets": {}}),
        **files,
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        for name, text in content.items():
            made.writestr(name, text)
    return archive.getvalue()


def test_a_branch_that_is_opened_again_waits_for_what_is_still_being_deleted(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto makes such a secret at once; Secrets Manager refuses that for some seconds."""
    client = boto3.client("secretsmanager", region_name=REGION)
    being_deleted = {"create_secret": 2, "put_secret_value": 0}
    paused: list[float] = []

    class Secrets:
        exceptions = client.exceptions

        def __getattr__(self, name: str) -> Any:
            if being_deleted.get(name):
                being_deleted[name] -= 1
                raise self.exceptions.InvalidRequestException({"Error": {}}, name)
            return getattr(client, name)

    made = boto3.client
    monkeypatch.setattr(
        "boto3.client", lambda name, **more: Secrets() if name == "secretsmanager" else made(name, **more)
    )
    monkeypatch.setattr("time.sleep", paused.append)
    ask(s3, packed("rail"))
    being_deleted["put_secret_value"] = 1
    ask(s3, packed("rail"), "Update")
    assert paused == [1, 2, 1]
    text = client.get_secret_value(SecretId=f"dapflow/staging/connections/branch_{STEM}_rail")["SecretString"]
    assert SLUG in text
    being_deleted["put_secret_value"] = 99
    with pytest.raises(client.exceptions.InvalidRequestException):
        ask(s3, packed("rail"), "Update")


def ask(s3: Any, archive: bytes | None, kind: str = "Create", stack: str = STACK, key: str = "assets/x.zip") -> None:
    if archive is not None:
        s3.put_object(Bucket=DATA, Key=key, Body=archive)
    # What the template says of bucket and prefix is another's.
    said = {"AssetKey": key, "Bucket": AIRFLOW, "Prefix": "dags/"}
    branch_bundle.branch({"RequestType": kind, "StackId": stack, "ResourceProperties": said})


def keys(s3: Any, bucket: str, prefix: str = "") -> set[str]:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix) for item in listed}


def connections() -> dict[str, Any]:
    client = boto3.client("secretsmanager", region_name=REGION)
    names = [secret["Name"] for secret in client.list_secrets()["SecretList"]]
    return {
        name.rsplit("/", 1)[1]: json.loads(client.get_secret_value(SecretId=name)["SecretString"]) for name in names
    }


def test_a_branch_comes_changes_and_goes(s3: Any) -> None:
    ask(s3, packed("air", "rail"))
    prefix = f"dags/branches/{SLUG}/"
    data = {"manifest.json", "environment.json", NAME, "connections.json"}
    assert keys(s3, AIRFLOW, prefix) == {*data, "dapflow_services.py"}
    assert s3.get_object(Bucket=AIRFLOW, Key=f"{prefix}dapflow_services.py")["Body"].read() == ENTRY
    assert set(connections()) == {f"branch_{STEM}_air", f"branch_{STEM}_rail"}
    # A role of the host's, in a session that is tagged with this branch.
    assert connections()[f"branch_{STEM}_rail"] == {
        "conn_type": "aws",
        "extra": {
            "role_arn": "arn:aws:iam::111122223333:role/dapflow/staging/branch/dapflow-branch-rail-runner",
            "region_name": REGION,
            "assume_role_kwargs": {
                "Tags": [{"Key": "branch", "Value": SLUG}, {"Key": "databases", "Value": STEM}],
            },
        },
    }
    ask(s3, packed("air", "sea"), "Update")
    assert {f"branch_{STEM}_air", f"branch_{STEM}_sea"} <= set(connections())
    for key in (f"{SLUG}/refined/air/x", f"{SLUG}-y/refined/air/x"):
        s3.put_object(Bucket=DATA, Key=key, Body=b"1")
    ask(s3, None, "Delete")
    assert not connections()
    assert keys(s3, AIRFLOW) == {"dags/dapflow_services.py", "dags/branches/other-123456/manifest.json"}
    assert keys(s3, DATA) == {"assets/x.zip", f"{SLUG}-y/refined/air/x"}
    ask(s3, None, "Delete")


def test_a_branch_that_airflow_does_not_run_is_data_alone(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that it ran before; its connections go with it."""
    ask(s3, packed("air"))
    monkeypatch.setenv("ENTRY", "")
    ask(s3, packed("air", "rail"), "Update")
    assert keys(s3, AIRFLOW, f"dags/branches/{SLUG}/") == {
        "manifest.json",
        "environment.json",
        NAME,
        "connections.json",
    }
    assert set(connections()) == {f"branch_{STEM}_air"}
    ask(s3, None, "Delete")
    assert not connections()
    assert not keys(s3, AIRFLOW, f"dags/branches/{SLUG}/")


def test_a_branch_cannot_keep_its_bundle_when_its_stack_is_gone(s3: Any) -> None:
    """Its template may say that its resource is retained; then nobody asks for the removal."""
    client: Any = boto3.client("cloudformation", region_name=REGION)
    template = json.dumps({"Resources": {"topic": {"Type": "AWS::SNS::Topic"}}})
    client.create_stack(StackName=f"dapflow-branch-{SLUG}-bundle", TemplateBody=template)
    ask(s3, packed("air"))
    s3.put_object(Bucket=DATA, Key=f"{SLUG}/refined/air/x", Body=b"1")
    # Another one has no stack, as the fixture made it.
    assert keys(s3, AIRFLOW, "dags/branches/other-123456/")
    branch_bundle.handler({}, None)
    assert not keys(s3, AIRFLOW, "dags/branches/other-123456/")
    assert keys(s3, AIRFLOW, f"dags/branches/{SLUG}/")
    assert set(connections()) == {f"branch_{STEM}_air"}
    client.delete_stack(StackName=f"dapflow-branch-{SLUG}-bundle")
    branch_bundle.handler({}, None)
    assert keys(s3, AIRFLOW) == {"dags/dapflow_services.py"}
    assert keys(s3, DATA, f"{SLUG}/") == set()
    assert not connections()


OTHER_FILES = (
    "evil.py",
    "dapflow_services.py",
    ".airflowignore",
    "dapflow/runtime/bundled_project.py",
    "manifests/evil.py",
    "manifests/0123456789abcdef.zip",
    "../other-123456/manifest.json",
    "/manifest.json",
    "manifests/../../../manifest.json",
    "connections.json",
    "manifest.json\n",
)


def test_no_other_file_is_taken_and_nothing_is_written(s3: Any) -> None:
    for name in OTHER_FILES:
        with pytest.raises(ValueError, match="no other file"):
            ask(s3, packed("air", **{name: "{}"}))
        assert not keys(s3, AIRFLOW, f"dags/branches/{SLUG}/"), name
        assert not connections(), name


def test_a_file_that_is_json_and_an_archive_is_not_taken(s3: Any) -> None:
    """Airflow loads DAGs from every file that is a zip archive, whatever its name is."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("evil.py", "from airflow.sdk import DAG")
    for content in (inner.getvalue(), b'{"x": "' + inner.getvalue() + b'"}', b"{}" + inner.getvalue()):
        with pytest.raises(ValueError):
            ask(s3, packed("air", **{"environment.json": content}))
    assert not keys(s3, AIRFLOW, f"dags/branches/{SLUG}/")


OTHER_STACKS = (
    "dapflow-staging-bundle",
    f"dapflow-branch-{SLUG}-service-air",
    "dapflow-branch-x-bundle",
    f"dapflow-branch-../{SLUG}-bundle",
)


def test_which_branch_it_is_says_the_stack(s3: Any) -> None:
    before = keys(s3, AIRFLOW)
    for name, kind in itertools.product(OTHER_STACKS, ("Create", "Delete")):
        with pytest.raises(ValueError, match="is not the stack of a branch"):
            ask(s3, packed("air"), kind, f"arn:aws:cloudformation:{REGION}:111122223333:stack/{name}/1f0c")
        assert keys(s3, AIRFLOW) == before, name


def test_it_takes_what_was_uploaded_for_branches(s3: Any) -> None:
    for key in ("other-123456/refined/air/x.zip", "../x", "asset", ""):
        with pytest.raises(ValueError, match="is no asset of a branch"):
            ask(s3, None, key=key)


def test_names_of_services_are_names(s3: Any) -> None:
    for service in ("../x", "air/../../prod", "Air", "", "a" * 33):
        with pytest.raises(ValueError, match="is no name of a service"):
            ask(s3, packed(service))
    assert not connections()
