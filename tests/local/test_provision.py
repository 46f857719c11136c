"""The embedded platform is what the synthesized templates say: read back through AWS's API, type by type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.local.cloudformation.provision import describe_local, wanted_resources
from dapflow.local.cloudformation.resource_kinds import KINDS, LEFT_OUT
from dapflow.local.cloudformation.template import Resource, resources
from dapflow.local.cloudformation.template_synthesis import Synthesis
from dapflow.project import compile_project
from tests.local.projects import SERVICE, LocalProject, make_project

pytestmark = pytest.mark.xdist_group("local-platform")

ROLE = "dapflow-local-housing-runner"


def declared(project: LocalProject) -> list[Resource]:
    """What the templates of the project as it is now say."""
    manifest = compile_project(project.root)
    return wanted_resources(Synthesis(project.root, manifest).templates(), describe_local(project.root, manifest))


def compare(project: LocalProject) -> set[str]:
    """Read back everything that is declared; returns the types that were compared."""
    readers = {
        "AWS::S3::Bucket": read_bucket,
        "AWS::Glue::Database": read_database,
        "AWS::Glue::Table": read_table,
        "AWS::IAM::Role": read_role,
        "AWS::IAM::ManagedPolicy": read_policy,
        "AWS::Athena::WorkGroup": read_workgroup,
    }
    clients = {name: project.client(name) for name in ("s3", "glue", "iam", "athena")}
    compared = set()
    for resource in declared(project):
        if resource.type in readers:
            client = clients[KINDS[resource.type].service]
            assert readers[resource.type](client, resource) == resource.properties, resource.id
            compared.add(resource.type)
    return compared


def read_bucket(s3: Any, resource: Resource) -> dict[str, Any]:
    """A bucket in the words of CloudFormation."""
    stored_bucket: dict[str, Any] = {"BucketName": resource.name}
    [rule] = s3.get_bucket_encryption(Bucket=resource.name)["ServerSideEncryptionConfiguration"]["Rules"]
    rule["ServerSideEncryptionByDefault"] = rule.pop("ApplyServerSideEncryptionByDefault")
    if not rule["BucketKeyEnabled"]:
        del rule["BucketKeyEnabled"]
    stored_bucket["BucketEncryption"] = {"ServerSideEncryptionConfiguration": [rule]}
    block = s3.get_public_access_block(Bucket=resource.name)
    stored_bucket["PublicAccessBlockConfiguration"] = block["PublicAccessBlockConfiguration"]
    controls = s3.get_bucket_ownership_controls(Bucket=resource.name)["OwnershipControls"]
    stored_bucket["OwnershipControls"] = {"Rules": controls["Rules"]}
    stored_bucket["Tags"] = s3.get_bucket_tagging(Bucket=resource.name)["TagSet"]
    if status := s3.get_bucket_versioning(Bucket=resource.name).get("Status"):
        stored_bucket["VersioningConfiguration"] = {"Status": status}
    stored_bucket["LifecycleConfiguration"] = {"Rules": []}
    for stored in s3.get_bucket_lifecycle_configuration(Bucket=resource.name)["Rules"]:
        expiration = stored.pop("Expiration", {})
        stored.pop("Filter")
        if "Days" in expiration:
            stored["ExpirationInDays"] = expiration["Days"]
        if "ExpiredObjectDeleteMarker" in expiration:
            stored["ExpiredObjectDeleteMarker"] = expiration["ExpiredObjectDeleteMarker"]
        stored["Id"] = stored.pop("ID")
        stored_bucket["LifecycleConfiguration"]["Rules"].append(stored)
    # Left out, and said so in the guide.
    return {
        **stored_bucket,
        **{key: resource.properties[key] for key in ("LoggingConfiguration",) if key in resource.properties},
    }


def read_database(glue: Any, resource: Resource) -> dict[str, Any]:
    stored = glue.get_database(Name=resource.name)["Database"]
    return {
        "CatalogId": stored["CatalogId"],
        "DatabaseInput": {
            key: stored[key]
            for key in ("CreateTableDefaultPermissions", "Name", "Description", "LocationUri")
            if key in resource.properties["DatabaseInput"]
        },
    }


def read_table(glue: Any, resource: Resource) -> dict[str, Any]:
    database = resource.properties["DatabaseName"]
    stored = glue.get_table(DatabaseName=database, Name=resource.name)["Table"]
    declared = resource.properties["TableInput"]
    return {**resource.properties, "DatabaseName": database, "TableInput": {key: stored[key] for key in declared}}


def read_role(iam: Any, resource: Resource) -> dict[str, Any]:
    role = iam.get_role(RoleName=resource.name)["Role"]
    stored = {"RoleName": role["RoleName"], "Path": role["Path"], **{key: role[key] for key in sorted(role)}}
    stored["Policies"] = [
        {
            "PolicyName": name,
            "PolicyDocument": iam.get_role_policy(RoleName=resource.name, PolicyName=name)["PolicyDocument"],
        }
        for name in iam.list_role_policies(RoleName=resource.name)["PolicyNames"]
    ]
    return {key: stored.get(key) for key in resource.properties}


def read_policy(iam: Any, resource: Resource) -> dict[str, Any]:
    policy = iam.get_policy(PolicyArn=f"arn:aws:iam::123456789012:policy/{resource.name}")["Policy"]
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "ManagedPolicyName": policy["PolicyName"],
        "Description": policy["Description"],
        "PolicyDocument": version["Document"],
    }


def read_workgroup(athena: Any, resource: Resource) -> dict[str, Any]:
    group = athena.get_work_group(WorkGroup=resource.name)["WorkGroup"]
    group["Configuration"]["EngineVersion"].pop("EffectiveEngineVersion")
    return {
        "Name": group["Name"],
        "Description": group["Description"],
        "State": group["State"],
        "WorkGroupConfiguration": group["Configuration"],
        # Of the deletion, and of the tags that the server keeps beside the group.
        **{key: resource.properties[key] for key in ("RecursiveDeleteOption", "Tags")},
    }


def test_everything_that_is_declared_is_there(running: LocalProject) -> None:
    # Of the rest AWS keeps nothing that could be read: they are promises to delete data, which test_branches tests.
    assert compare(running) == {name for name, kind in KINDS.items() if kind.listed}
    types = {resource.type for resource in declared(running)}
    assert types - set(KINDS) <= set(LEFT_OUT)
    assert set(LEFT_OUT) <= types, "listed as left out, and in no template"


def test_it_can_be_written_to_and_read_from(running: LocalProject) -> None:
    s3 = running.client("s3")
    s3.put_object(Bucket="dapflow-local-raw-123456789012", Key="housing/x", Body=b"1")
    assert s3.get_object(Bucket="dapflow-local-raw-123456789012", Key="housing/x")["Body"].read() == b"1"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A platform for tests that change its project."""
    project = make_project(tmp_path_factory.mktemp("changed"))
    project.run("local", "up", "--no-airflow")
    yield project
    project.run("local", "down", "--wipe")


@pytest.mark.slow
def test_changes_follow_the_project_and_survive_a_restart(platform: LocalProject) -> None:
    platform.write("transforms/housing/service.yml", SERVICE.replace("title: Housing", "title: Homes"))
    platform.write("transforms/parking/service.yml", "title: Parking\nsources:\n  tickets: {}\n")
    platform.run("local", "up", "--no-airflow")
    compare(platform)
    platform.run("local", "down")
    platform.run("local", "up", "--no-airflow")
    compare(platform)
    assert (
        platform.client("glue").get_database(Name="parking_raw_zone")["Database"]["Description"] == "Parking: raw zone"
    )


@pytest.mark.slow
def test_what_leaves_its_stack_is_removed_and_what_is_missing_comes_back(platform: LocalProject) -> None:
    platform.run("local", "up", "--no-airflow")
    glue, iam = platform.client("glue"), platform.client("iam")
    record = json.loads(platform.state.stacks_file.read_text())
    glue.create_database(DatabaseInput={"Name": "housing_old_zone"})
    [known] = [id_ for id_, stored in record.items() if stored["name"] == "housing_raw_zone"]
    stale = {**record[known], "name": "housing_old_zone"}
    record["dapflow-local-service-housing/databaseold"] = stale
    record["dapflow-local-service-gone/database"] = {**stale, "name": "gone_raw_zone"}
    glue.create_database(DatabaseInput={"Name": "gone_raw_zone"})
    platform.state.stacks_file.write_text(json.dumps(record))
    # As an older dapflow made it.
    iam.delete_role_policy(RoleName=ROLE, PolicyName="runner")
    iam.delete_role(RoleName=ROLE)
    platform.run("local", "up", "--no-airflow")
    names = {database["Name"] for database in glue.get_databases()["DatabaseList"]}
    assert "housing_old_zone" not in names
    assert "gone_raw_zone" in names, "a stack that leaves the project stays, as with cdk deploy"
    compare(platform)


@pytest.mark.slow
def test_a_grant_that_is_missing_is_told_as_at_synthesis(platform: LocalProject) -> None:
    platform.write("transforms/housing/refined/tickets.sql", "SELECT * FROM parking_raw_zone.tickets\n")
    platform.write(
        "transforms/parking/service.yml", "title: Parking\nsources:\n  tickets:\n    columns: {id: integer}\n"
    )
    try:
        refused = platform.run("local", "up", "--no-airflow", check=False)
        assert refused.returncode == 1
        assert "transforms/housing/refined/tickets.sql" in refused.stderr
        assert "[not-granted]" in refused.stderr
    finally:
        (platform.root / "transforms" / "housing" / "refined" / "tickets.sql").unlink()


class TestTemplates:
    @staticmethod
    def of(**properties: Any) -> dict[str, dict[str, Any]]:
        key = {"Type": "AWS::KMS::Key", "Properties": {}}
        outputs = {"Key": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}, "Export": {"Name": "the-key"}}}
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}, "DeletionPolicy": "Retain"}
        role = {"Type": "AWS::IAM::Role", "Properties": {"Path": "/a/", **properties}}
        return {
            "one": {"Resources": {"Key": key, "Bucket": bucket}, "Outputs": outputs},
            "two": {"Resources": {"Role": role}},
        }

    def test_references_are_worked_out(self) -> None:
        value = {"Fn::Join": ["/", [{"Fn::ImportValue": "the-key"}, {"Ref": "AWS::Region"}, "x"]]}
        made = {resource.id: resource for resource in resources(self.of(Tags=[value]))}
        assert made["one/Bucket"].outlives
        assert made["two/Role"].name == "two-Role"
        [text] = made["two/Role"].properties["Tags"]
        assert text.startswith("arn:aws:kms:eu-west-2:123456789012:key/")
        assert text.endswith("/eu-west-2/x")

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ({"Fn::ImportValue": "none"}, "no stack exports"),
            ({"Ref": "None"}, "does not hold"),
            ({"Fn::Cidr": ["10.0.0.0/16", 2]}, "unknown to the embedded platform"),
        ],
    )
    def test_what_is_not_known_is_an_error(self, value: Any, said: str) -> None:
        with pytest.raises(DapflowError, match=said):
            resources(self.of(Tags=[value]))
