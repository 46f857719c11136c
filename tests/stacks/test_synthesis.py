"""What changes when something changes, what names come out, and what cannot be deployed."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Manifest
from dapflow.platform import describe
from dapflow.project import check_project
from stacks.names import check_names
from stacks.synthesis import context_of_arguments
from tests.stacks.example import four_services, project, project_with, service
from tests.stacks.iam.evaluate import Request, evaluate
from tests.stacks.templates import ROOT, Templates, synthesized

SNAPSHOT = Path(__file__).parent / "names.json"
# Properties that name a resource for good: a change of one replaces what people and policies refer to.
NAMES = {
    "AWS::Athena::WorkGroup": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::MWAA::Environment": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SecretsManager::Secret": "Name",
}


def names(templates: Templates) -> dict[str, list[str]]:
    taken = {
        kind: sorted(properties[name] for properties in templates.properties(kind) if name in properties)
        for kind, name in NAMES.items()
    }
    taken["AWS::Glue::Database"] = sorted(
        database["DatabaseInput"]["Name"] for database in templates.properties("AWS::Glue::Database")
    )
    return {"stacks": sorted(templates.by_stack), **taken}


def test_names_stay(prod: Templates) -> None:
    """A renamed bucket or database is a new, empty one. To change the snapshot on purpose, write ``names(prod)``."""
    assert names(prod) == json.loads(SNAPSHOT.read_text())


def changed_resources(before: Templates, after: Templates) -> list[tuple[str, str]]:
    """Resources that differ, by stack and type."""
    assert before.by_stack.keys() == after.by_stack.keys()
    changed = []
    for stack, template in before.by_stack.items():
        earlier, later = template.get("Resources", {}), after.by_stack[stack].get("Resources", {})
        for logical in earlier.keys() | later.keys():
            if earlier.get(logical) != later.get(logical):
                changed.append((stack, (earlier.get(logical) or later[logical])["Type"]))
    return changed


def with_other_sql(manifest: Manifest) -> Manifest:
    """The same project after an analyst has changed one file."""
    dataset = manifest.datasets["rail.refined.delays"]
    assert dataset.transform is not None
    transform = dataclasses.replace(dataset.transform, sql=f"{dataset.transform.sql} more", sha="1" * 16)
    changed = dataclasses.replace(dataset, transform=transform)
    return dataclasses.replace(manifest, datasets={**manifest.datasets, dataset.id: changed})


def with_another_product(manifest: Manifest) -> Manifest:
    """The same project with a file more, in a zone that another service was granted as a whole."""
    dataset = manifest.datasets["weather.trusted.report"]
    added = dataclasses.replace(dataset, name="storms", history="storms_history", current="storms")
    weather = manifest.services["weather"]
    services = {
        **manifest.services,
        "weather": dataclasses.replace(weather, datasets=(*weather.datasets, added.id)),
    }
    return dataclasses.replace(manifest, services=services, datasets={**manifest.datasets, added.id: added})


@pytest.mark.parametrize("change", [with_other_sql, with_another_product])
def test_sql_changes_the_bundle_and_nothing_else(local: Templates, tmp_path: Path, change: Any) -> None:
    after = synthesized(tmp_path, manifest=change(four_services()), checks=False, environment="local")
    assert changed_resources(local, after) == [("dapflow-local-bundle", "Custom::DapflowBundle")]


def test_the_same_project_gives_the_same_templates(local: Templates, tmp_path: Path) -> None:
    again = synthesized(tmp_path, manifest=four_services(), checks=False, environment="local")
    assert changed_resources(local, again) == []


def test_a_service_takes_so_many_resources(prod: Templates) -> None:
    """docs/deploy.md states the number. A stack per service: neither 100 services nor 500 reach the limit of 500."""
    sizes = {stack: len(template["Resources"]) for stack, template in prod.by_stack.items()}
    services = {stack: size for stack, size in sizes.items() if "-service-" in stack}
    assert len(services) == 4
    [stated] = re.findall(r"A service takes (\d+) resources", (ROOT / "docs" / "deploy.md").read_text())
    assert set(services.values()) == {int(stated)}
    assert max(sizes.values()) < 100


@pytest.mark.slow
def test_a_hundred_services(tmp_path: Path) -> None:
    many = project(*(service(f"service_of_the_longest_names_{number:03}") for number in range(100)))
    on_weekdays = {
        name: dataclasses.replace(declared, schedule=f"{number % 60} {number % 24} * * MON-FRI")
        for number, (name, declared) in enumerate(many.services.items())
    }
    many = dataclasses.replace(many, services=on_weekdays)
    root = project_with(tmp_path / "project", "prod", services=[])
    made = synthesized(tmp_path / "out", root=root, manifest=many, checks=False, environment="prod")
    for stack, template in made.by_stack.items():
        assert len(template["Resources"]) < 500, stack
        assert len((made.folder / f"{stack}.template.json").read_bytes()) < 1_000_000
    assert len(made.properties("AWS::Athena::WorkGroup")) == 100
    for role in made.properties("AWS::IAM::Role"):
        # Inline policies of a role have 10,240 characters together.
        assert sum(policy_length(policy["PolicyDocument"]) for policy in role.get("Policies", [])) <= 10_240
    for policy in made.properties("AWS::IAM::ManagedPolicy"):
        assert policy_length(policy["PolicyDocument"]) <= 6_144
    for function in made.properties("AWS::Lambda::Function"):
        told = function.get("Environment", {}).get("Variables", {})
        assert sum(len(name) + len(value) for name, value in told.items()) <= 4_096
    for rule in made.properties("AWS::Events::Rule"):
        assert all(len(target.get("Input", "")) <= 8_192 for target in rule["Targets"])


@pytest.mark.parametrize(
    "grant", ["service_{:03}.trusted.report", pytest.param("service_{:03}.refined", marks=pytest.mark.slow)]
)
def test_a_service_that_was_granted_much(tmp_path: Path, grant: str) -> None:
    """Four tables of others filled a managed policy, and twelve a role; now forty find a place, and none is lost."""
    given: dict[str, tuple[str, ...]] = {"reader": (grant.split(".", 1)[1],)}
    others = [service(f"service_{number:03}", grants=given) for number in range(40)]
    reader = service("reader", reads=tuple(grant.format(number) for number in range(40)))
    made = synthesized(tmp_path, manifest=project(reader, *others), checks=False, environment="local")
    role = made.one("AWS::IAM::Role", RoleName="dapflow-local-reader-runner")
    [inline] = [policy["PolicyDocument"] for policy in role["Policies"]]
    managed = {policy["ManagedPolicyName"]: policy for policy in made.properties("AWS::IAM::ManagedPolicy")}
    attached = [policy["PolicyDocument"] for policy in managed.values() if policy.get("Roles")]
    analysts = [policy["PolicyDocument"] for name, policy in managed.items() if "-reader-analyst" in name]
    assert attached and len(analysts) > 1
    assert policy_length(inline) <= 10_240
    assert all(policy_length(policy) <= 6_144 for policy in [*attached, *analysts])
    for policies in ([inline, *attached], analysts):
        for number in range(40):
            zone = grant.split(".")[1]
            database, key = f"service_{number:03}_{zone}_zone", f"service_{number:03}/report/x"
            stem, bucket = "arn:aws:glue:eu-west-2:123456789012", f"arn:aws:s3:::dapflow-local-{zone}-123456789012"
            table = (f"{stem}:catalog", f"{stem}:database/{database}", f"{stem}:table/{database}/report")
            assert evaluate(Request("glue:GetTable", table), policies).allowed
            assert evaluate(Request("s3:GetObject", (f"{bucket}/{key}",)), policies).allowed
            assert evaluate(Request("s3:ListBucket", (bucket,), {"s3:prefix": f"{key[:-1]}"}), policies).allowed
            assert not evaluate(Request("s3:PutObject", (f"{bucket}/{key}",)), policies).allowed


def policy_length(policy: Any) -> int:
    """What IAM counts, once the keys' ARNs are known."""
    return len(re.sub(r":key/[^\"]+", f":key/{'x' * 36}", json.dumps(policy, separators=(",", ":"))))


def test_a_service_that_was_granted_more_than_iam_takes(tmp_path: Path) -> None:
    others = [service(f"service_{number:03}", grants={"reader": ("trusted.report",)}) for number in range(300)]
    reader = service("reader", reads=tuple(f"service_{number:03}.trusted.report" for number in range(300)))
    with pytest.raises(DapflowError) as caught:
        synthesized(tmp_path, manifest=project(reader, *others), checks=False, environment="local")
    assert caught.value.code == "too-many-grants"
    assert caught.value.file == "transforms/reader/service.yml"
    assert "name zones" in (caught.value.hint or "")


def test_names_over_the_limit_are_shortened_and_kept_apart() -> None:
    long = "a" * 31
    many = project(service(f"{long}1"), service(f"{long}2"))
    platform = describe(many, name="production", account="111122223333", region="eu-west-2", prefix="our-data-lake")
    assert all(len(bucket.name) <= 63 for bucket in platform.buckets)
    assert all(len(role.name) <= 64 for role in platform.roles)
    assert len({role.name for role in platform.roles}) == 2
    assert all(role.name.startswith("our-data-lake-production-aaa") for role in platform.roles)
    assert all(role.name.endswith("-runner") for role in platform.roles)
    assert all(role.arn.endswith(f"role{role.path}{role.name}") for role in platform.roles)
    check_names(platform)


def test_an_adopted_lake_is_used_and_not_made(tmp_path: Path) -> None:
    key = "arn:aws:kms:eu-west-2:123456789012:key/0a1b"
    adopt = {"buckets": {"raw": "their-raw-zone"}, "keys": {"raw": key}, "databases": ["rail_raw_zone"]}
    root = project_with(tmp_path / "project", "local", adopt=adopt)
    made = synthesized(tmp_path / "out", root=root, manifest=four_services(), checks=False, environment="local")
    assert "their-raw-zone" not in {bucket["BucketName"] for bucket in made.properties("AWS::S3::Bucket")}
    assert "their-raw-zone" not in {emptying["Bucket"] for emptying in made.properties("Custom::DapflowEmptied")}
    databases = {
        database["DatabaseInput"]["Name"]: database["DatabaseInput"]
        for database in made.properties("AWS::Glue::Database")
    }
    assert "rail_raw_zone" not in databases
    assert databases["air_raw_zone"]["LocationUri"] == "s3://their-raw-zone/air/"
    role = made.one("AWS::IAM::Role", RoleName="dapflow-local-air-runner")
    text = json.dumps(role["Policies"])
    assert "arn:aws:s3:::their-raw-zone/air/*" in text
    assert key in text
    assert len(made.properties("AWS::KMS::Key")) == 5


class TestTeardown:
    @staticmethod
    def settings(root: Path, **settings: Any) -> Path:
        return project_with(root, "local", live=True, retention={}, **settings)

    @pytest.mark.parametrize(
        ("allowed", "flag", "policy"),
        [
            (True, "local", "Delete"),
            (True, None, "RetainExceptOnCreate"),
            (True, "prod", "RetainExceptOnCreate"),
            (False, None, "RetainExceptOnCreate"),
        ],
    )
    def test_live_data_goes_with_two_keys_only(
        self, tmp_path: Path, allowed: bool, flag: str | None, policy: str
    ) -> None:
        root = self.settings(tmp_path / "project", allow_destroy=allowed, services=["air"])
        context: dict[str, Any] = {"environment": "local", **({"destroy": flag} if flag else {})}
        manifest = service("air")
        made = synthesized(tmp_path / "out", root=root, manifest=manifest, checks=False, **context)
        for kind in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Glue::Database"):
            assert {resource["DeletionPolicy"] for resource in made.resources(kind).values()} == {policy}
        artifacts = json.loads((made.folder / "manifest.json").read_text())["artifacts"]
        protected = artifacts["dapflow-local-lake"]["properties"].get("terminationProtection", False)
        assert protected is (policy != "Delete")

    def test_what_was_never_there_is_not_protected(self, tmp_path: Path) -> None:
        """The CDK protects a stack before it makes it, and could not replace one whose creation failed."""
        root = self.settings(tmp_path / "project", services=["air"])
        both = project(service("air"), service("rail"))
        made = synthesized(tmp_path / "out", root=root, manifest=both, checks=False, environment="local")
        artifacts = json.loads((made.folder / "manifest.json").read_text())["artifacts"]
        protected = {
            name
            for name, artifact in artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack" and artifact["properties"].get("terminationProtection")
        }
        assert protected == {"dapflow-local-lake", "dapflow-local-service-air"}

    def test_the_flag_alone_is_refused(self, tmp_path: Path) -> None:
        root = self.settings(tmp_path / "project")
        with pytest.raises(DapflowError) as caught:
            synthesized(tmp_path / "out", root=root, manifest=service("air"), environment="local", destroy="local")
        assert caught.value.code == "destroy-refused"
        assert "allow_destroy" in caught.value.message


def metadata(made: Templates, stack: str) -> str:
    """What the CDK command line tells of a stack."""
    return (made.folder / f"{stack}.metadata.json").read_text()


def pointed_at(error: DapflowError) -> str:
    """What stands at an error's place, to the end of the value."""
    assert error.source is not None and error.column is not None
    return re.split(r"[],}]", error.source[error.column - 1 :])[0]


class TestBadInput:
    def test_a_zone_that_holds_nothing_yet_can_be_granted(self, tmp_path: Path) -> None:
        rail = service("rail", products=(), grants={"air": ("trusted",)})
        manifest = project(service("air", reads=("rail.trusted",)), rail)
        made = synthesized(tmp_path / "out", manifest=manifest, checks=False, environment="local")
        role = made.one("AWS::IAM::Role", RoleName="dapflow-local-air-runner")
        assert "arn:aws:s3:::dapflow-local-trusted-123456789012/rail/*" in json.dumps(role["Policies"])

    @pytest.mark.parametrize(("reads", "grants"), [("reads: [rail.raw]", ""), ("", "grants: {air: [raw]}")])
    def test_a_read_that_is_not_both_asked_for_and_granted(self, tmp_path: Path, reads: str, grants: str) -> None:
        """Synthesis finds it at its place, by the code of `dapflow check`."""
        terms = {"air": reads, "rail": f"{grants}\nsources: {{rows: {{columns: {{a: integer}}}}}}"}
        for name, text in terms.items():
            (tmp_path / "transforms" / name / "refined").mkdir(parents=True)
            (tmp_path / "transforms" / name / "service.yml").write_text(f"{text}\n")
        (tmp_path / "transforms/air/refined/x.sql").write_text("select a from rail_raw_zone.rows")
        shutil.copy(ROOT / "cdk.json", tmp_path)
        with pytest.raises(DapflowErrors) as caught:
            synthesized(tmp_path / "out", root=tmp_path, checks=False, environment="local")
        checked, errors = check_project(tmp_path)
        assert checked is None
        assert [error.as_dict() for error in caught.value.errors] == [error.as_dict() for error in errors]
        assert [(error.code, error.place) for error in errors] == [
            ("not-granted", f"transforms/air/{'service.yml:1:9' if reads else 'refined/x.sql:1:15'}")
        ]

    def test_two_services_that_claim_a_database(self) -> None:
        manifest = project(service("air"), service("rail"))
        rail = manifest.services["rail"]
        thief = dataclasses.replace(rail, databases={**rail.databases, "refined": "air_refined_zone"})
        manifest = dataclasses.replace(manifest, services={**manifest.services, "rail": thief})
        platform = describe(manifest, name="prod", account="111122223333", region="eu-west-2")
        with pytest.raises(DapflowError) as caught:
            check_names(platform)
        assert caught.value.code == "name-clash"
        assert "air and rail both claim the database air_refined_zone" in caught.value.message

    def test_service_names_that_give_one_stack_name(self) -> None:
        """A stack's name takes no underscore, so these two would be one stack."""
        platform = describe(
            project(service("air_traffic"), service("air-traffic")),
            name="prod",
            account="111122223333",
            region="eu-west-2",
        )
        with pytest.raises(DapflowError) as caught:
            check_names(platform)
        assert caught.value.code == "name-clash"
        assert "air_traffic and air-traffic both claim the stack air-traffic" in caught.value.message

    def test_a_service_that_is_gone_while_its_data_is_there(self, tmp_path: Path) -> None:
        root = TestTeardown.settings(tmp_path / "project", services=["air", "rail"])
        with pytest.raises(DapflowError) as caught:
            synthesized(tmp_path / "out", root=root, manifest=service("air"), environment="local")
        assert caught.value.code == "service-removed"
        assert "transforms/rail is gone" in caught.value.message
        assert "delete-stack --stack-name dapflow-local-service-rail" in (caught.value.hint or "")
        assert pointed_at(caught.value) == '"rail"'

    def test_a_service_whose_data_nobody_watches_is_told(self, tmp_path: Path) -> None:
        root = TestTeardown.settings(tmp_path / "project", services=["air"])
        two = project(service("air"), service("rail"))
        made = synthesized(tmp_path / "out", root=root, manifest=two, checks=False, environment="local")
        told = {name: "services does not name rail" in metadata(made, name) for name in made.by_stack}
        assert {name for name, said in told.items() if said} == {"dapflow-local-service-rail"}

    @pytest.mark.parametrize(
        ("settings", "place", "said", "hint"),
        [
            ({"adopt": {"databases": ["air_raw_zon"]}}, '"air_raw_zon"', "no service has a database", "air_raw_zone?"),
            ({"budget": {"services": {"rail": 10}}}, "10", "budget.services.rail: there is no such service", "air"),
        ],
    )
    def test_settings_that_name_what_is_not_there(
        self, tmp_path: Path, settings: dict[str, Any], place: str, said: str, hint: str
    ) -> None:
        root = TestTeardown.settings(tmp_path / "project", **settings)
        with pytest.raises(DapflowError) as caught:
            synthesized(tmp_path / "out", root=root, manifest=service("air"), environment="local")
        assert said in caught.value.message
        assert hint in (caught.value.hint or "")
        assert pointed_at(caught.value) == place

    @pytest.mark.parametrize(
        ("context", "said"),
        [
            ({"environment": "production"}, "no environment production"),
            ({"environment": "prd"}, "did you mean prod?"),
            ({"environment": "branch"}, "-c branch="),
            ({"branch": "x", "mwaa": "own"}, "must be shared or dedicated"),
            ({"branch": ""}, "-c branch= has no value"),
            ({"environment": ""}, "-c environment= has no value"),
        ],
    )
    def test_what_is_asked_for(self, tmp_path: Path, context: dict[str, Any], said: str) -> None:
        with pytest.raises(DapflowError) as caught:
            synthesized(tmp_path, manifest=four_services(), **context)
        assert said in str(caught.value)

    def test_arguments_that_are_not_context(self) -> None:
        assert context_of_arguments(["-c", "a=b=c", "--context", "d="]) == {"a": "b=c", "d": ""}
        with pytest.raises(DapflowError, match="not understood"):
            context_of_arguments(["prod"])


@pytest.mark.slow
def test_an_analysts_mistake_fails_the_synthesis_at_its_place(tmp_path: Path) -> None:
    """The whole app, as the CDK command line runs it."""
    shutil.copy(ROOT / "cdk.json", tmp_path)
    folder = tmp_path / "transforms" / "rail" / "refined"
    folder.mkdir(parents=True)
    (folder.parent / "service.yml").write_text("title: Rail\nsources:\n  rows: {}\n")
    (folder / "delays.sql").write_text("SELECT a\nFROM rows\nWHERE (a = 1")
    command = [sys.executable, str(ROOT / "app.py"), "-c", "environment=local"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "transforms/rail/refined/delays.sql:" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "cdk.out").exists()


def test_the_app_alone_writes_the_templates(tmp_path: Path) -> None:
    """Without the CDK command line, as somebody would try it first."""
    root = project_with(tmp_path / "project", "local")
    shutil.copytree(ROOT / "transforms", root / "transforms")
    command = [sys.executable, str(ROOT / "app.py"), "-c", "environment=local"]
    environment = {name: value for name, value in os.environ.items() if name != "CDK_OUTDIR"}
    subprocess.run(command, cwd=root, env=environment, check=True)
    assert (root / "cdk.out" / "dapflow-local-service-weather.template.json").is_file()


def test_templates_of_the_example_project(tmp_path: Path) -> None:
    made = synthesized(tmp_path, checks=False, environment="local")
    kinds = Counter(
        resource["Type"] for template in made.by_stack.values() for resource in template["Resources"].values()
    )
    assert kinds["AWS::Athena::WorkGroup"] == 2
    assert kinds["Custom::DapflowBundle"] == 1
    [bundle] = made.folder.glob("asset.*/manifest.json")
    assert json.loads(bundle.read_text())["manifest"].startswith("manifests/")
