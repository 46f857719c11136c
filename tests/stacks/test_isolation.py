"""Who can do what: every service's roles against every service's data, evaluated on the synthesized policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from tests.stacks.example import GRANTED, ZONES, four_services
from tests.stacks.iam.evaluate import Request, evaluate, may_assume
from tests.stacks.templates import Templates

RAIL_ALERTS = "dapflow-prod-rail-alerts"
Kind = Literal["read", "write", "never", "own-read"]
SERVICES = tuple(four_services().services)
ACCOUNT, REGION = "111122223333", "eu-west-2"


@dataclass(frozen=True)
class Try:
    """One thing that a service might do to another's: what it is, and whether ownership or a grant would allow it."""

    name: str
    kind: Kind
    requests: tuple[Request, ...]


class World:
    """The policies of an environment's templates, by role and by resource."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates
        self.roles = {role["RoleName"]: role for role in templates.properties("AWS::IAM::Role") if "RoleName" in role}
        self.buckets = {
            f"arn:aws:s3:::{bucket_policy['Bucket']}": bucket_policy["PolicyDocument"]
            for bucket_policy in templates.properties("AWS::S3::BucketPolicy")
        }
        self.keys = {
            alias["AliasName"].removeprefix("alias/"): alias["TargetKeyId"]
            for alias in templates.properties("AWS::KMS::Alias")
        }

    def identity(self, role: str) -> list[dict[str, Any]]:
        """The policies of a role, in it and attached to it."""
        inline = [policy["PolicyDocument"] for policy in self.roles[role]["Policies"]]
        managed = self.templates.properties("AWS::IAM::ManagedPolicy")
        # A policy that is attached names the role's resource; it is called after the role.
        attached = [
            policy for policy in managed if policy.get("Roles") and policy["ManagedPolicyName"].startswith(f"{role}-")
        ]
        return [*inline, *(policy["PolicyDocument"] for policy in attached)]

    def analyst(self, service: str) -> list[dict[str, Any]]:
        """The policies of a service's analysts."""
        name = re.compile(rf"dapflow-prod-{service}-analyst(-\d+)?")
        managed = self.templates.properties("AWS::IAM::ManagedPolicy")
        return [policy["PolicyDocument"] for policy in managed if name.fullmatch(policy["ManagedPolicyName"])]

    def arn(self, role: str) -> str:
        """A role's ARN."""
        return f"arn:aws:iam::{ACCOUNT}:role{self.roles[role].get('Path', '/')}{role}"

    def allows(self, identity: list[dict[str, Any]], requests: tuple[Request, ...]) -> bool:
        """Whether all requests of a try are allowed."""
        return all(evaluate(request, identity, self.buckets).allowed for request in requests)


@pytest.fixture(scope="session")
def world(prod: Templates) -> World:
    return World(prod)


def bucket(zone: str) -> str:
    return f"arn:aws:s3:::dapflow-prod-{zone}-{ACCOUNT}"


def s3(action: str, zone: str, key: str, **context: str) -> Request:
    tls = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", **context}
    return Request(f"s3:{action}", (f"{bucket(zone)}/{key}" if key else bucket(zone),), tls, "arn:aws:iam::1:role/x")


def glue(action: str, database: str, table: str | None = None) -> Request:
    stem = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    below = (f"{stem}:table/{database}/{table}",) if table else ()
    return Request(f"glue:{action}", (f"{stem}:catalog", f"{stem}:database/{database}", *below))


def tries(victim: str, zone: str, table: str) -> Iterator[Try]:
    """Everything of the matrix, against one table of a service."""
    key = f"{victim}/{table}/import_date=20240605/run/part-0.parquet"
    database = f"{victim}_{zone}_zone"
    yield Try("S3 get", "read", (s3("GetObject", zone, key),))
    yield Try("S3 list by prefix", "read", (s3("ListBucket", zone, "", **{"s3:prefix": f"{victim}/{table}/"}),))
    yield Try("S3 put", "write", (s3("PutObject", zone, key),))
    yield Try("S3 delete", "write", (s3("DeleteObject", zone, key),))
    yield Try("S3 put with another key", "never", (s3("PutObject", zone, key, **_ENCRYPTED_ELSEWHERE),))
    yield Try("S3 get without TLS", "never", (s3("GetObject", zone, key, **{"aws:SecureTransport": "false"}),))
    yield Try("S3 list the bucket", "never", (s3("ListBucket", zone, ""),))
    yield Try("S3 list by half a name", "never", (s3("ListBucket", zone, "", **{"s3:prefix": victim}),))
    yield Try("S3 delete bucket", "never", (s3("DeleteBucket", zone, ""),))
    yield Try("S3 change policy", "never", (s3("PutBucketPolicy", zone, ""),))
    for action in ("GetTable", "GetPartitions", "GetPartition"):
        yield Try(f"Glue {action}", "read", (glue(action, database, f"{table}_history"),))
    for action in (
        "CreateTable",
        "UpdateTable",
        "DeleteTable",
        "CreatePartition",
        "UpdatePartition",
        "DeletePartition",
    ):
        yield Try(f"Glue {action}", "write", (glue(action, database, f"{table}_history"),))
    for action in ("CreateDatabase", "UpdateDatabase", "DeleteDatabase"):
        yield Try(f"Glue {action}", "never", (glue(action, database),))


_ENCRYPTED_ELSEWHERE = {
    "s3:x-amz-server-side-encryption": "aws:kms",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-2:999999999999:key/theirs",
}


def tries_beside_data(victim: str) -> Iterator[Try]:
    """Everything of the matrix that is a service's own and is never granted."""
    workgroup = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/dapflow-prod-{victim}"
    for action in ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution"):
        yield Try(f"Athena {action}", "write", (Request(f"athena:{action}", (workgroup,)),))
    for action in ("UpdateWorkGroup", "DeleteWorkGroup"):
        yield Try(f"Athena {action}", "never", (Request(f"athena:{action}", (workgroup,)),))
    yield Try("results get", "write", (s3("GetObject", "athena-results", f"{victim}/q.csv"),))
    yield Try("results put", "write", (s3("PutObject", "athena-results", f"{victim}/q.csv"),))
    yield Try("landing get", "own-read", (s3("GetObject", "landing", f"{victim}/rows/2024-06-05/x.csv"),))
    yield Try("landing put", "never", (s3("PutObject", "landing", f"{victim}/rows/2024-06-05/x.csv"),))
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:dapflow/prod/services/{victim}/database-AbCdEf"
    yield Try("secret", "write", (Request("secretsmanager:GetSecretValue", (secret,)),))
    connection = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:dapflow/prod/connections/dapflow_{victim}-AbCdEf"
    yield Try("Airflow connection", "never", (Request("secretsmanager:GetSecretValue", (connection,)),))


def relation(actor: str, victim: str, zone: str, table: str) -> str:
    """own, granted or not granted."""
    if actor == victim:
        return "own"
    reads = GRANTED.get(actor, set())
    return "granted" if {f"{victim}.{zone}", f"{victim}.{zone}.{table}"} & reads else "not granted"


def expected(kind: Kind, what: str) -> bool:
    """What ownership and grants give: all but `never` to the owner, reading to whom it is granted."""
    if kind == "never":
        return False
    return what == "own" or (what == "granted" and kind == "read")


def matrix(world: World, identities: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, str, str, str, bool, Try]]:
    """Every actor, victim and try, with the outcome."""
    datasets = four_services().datasets.values()
    for actor, identity in identities.items():
        for victim in SERVICES:
            for zone in ZONES:
                tables = [dataset.name for dataset in datasets if (dataset.service, dataset.zone) == (victim, zone)]
                # A database's own entry, a name and a description, is seen by whom any of its tables is granted to.
                seen = {relation(actor, victim, zone, table) for table in tables}
                what: str = next(kind for kind in ("own", "granted", "not granted") if kind in seen)
                look = Try("Glue GetDatabase", "read", (glue("GetDatabase", f"{victim}_{zone}_zone"),))
                yield actor, f"{victim}.{zone}", what, look.name, world.allows(identity, look.requests), look
                for table in tables:
                    what = relation(actor, victim, zone, table)
                    for attempt in tries(victim, zone, table):
                        yield (
                            actor,
                            f"{victim}.{zone}.{table}",
                            what,
                            attempt.name,
                            world.allows(identity, attempt.requests),
                            attempt,
                        )
            what = "own" if actor == victim else "not granted"
            for attempt in tries_beside_data(victim):
                yield actor, victim, what, attempt.name, world.allows(identity, attempt.requests), attempt


def test_runner_roles(world: World) -> None:
    identities = {name: world.identity(f"dapflow-prod-{name}-runner") for name in SERVICES}
    rows = list(matrix(world, identities))
    leaks = [row[:5] for row in rows if row[4] and not expected(row[5].kind, row[2])]
    missing = [row[:5] for row in rows if not row[4] and expected(row[5].kind, row[2])]
    print(table_of(rows))  # `pytest -s` shows it
    assert len(rows) > 1000
    assert not leaks
    assert not missing


def test_analysts_read_what_their_service_reads_and_write_results_only(world: World) -> None:
    rows = list(matrix(world, {name: world.analyst(name) for name in SERVICES}))
    data = [row for row in rows if row[5].kind == "write" and row[3].startswith(("S3", "Glue"))]
    assert data and not [row[:5] for row in data if row[4]]
    assert not [row[:5] for row in rows if row[5].kind == "read" and row[4] != (row[2] != "not granted")]
    assert not [row[:5] for row in rows if row[2] == "not granted" and row[4]]
    own = {(row[3], row[4]) for row in rows if row[2] == "own"}
    assert {("Athena StartQueryExecution", True), ("results put", True), ("secret", False)} <= own


def test_copies_between_services(world: World) -> None:
    identity = world.identity("dapflow-prod-air_traffic-runner")
    foreign = s3("GetObject", "trusted", "rail/delays/x.parquet")
    granted = s3("GetObject", "trusted", "weather/report/x.parquet")
    own = s3("PutObject", "refined", "air_traffic/report/x.parquet")
    assert world.allows(identity, (granted, own))
    assert not world.allows(identity, (foreign, own))
    assert not world.allows(identity, (granted, s3("PutObject", "trusted", "weather/report/y.parquet")))


def test_a_name_that_begins_another_reaches_nothing_of_it(world: World) -> None:
    identity = world.identity("dapflow-prod-air-runner")
    assert world.allows(identity, (s3("GetObject", "raw", "air/rows/x"),))
    assert not world.allows(identity, (s3("GetObject", "raw", "air_traffic/rows/x"),))
    assert not world.allows(identity, (s3("ListBucket", "raw", "", **{"s3:prefix": "air_traffic/"}),))
    assert not world.allows(identity, (s3("ListBucket", "raw", "", **{"s3:prefix": "air"}),))


class TestConfusedDeputies:
    """Ways to make Athena, Glue or Airflow do what one may not do oneself. They all act with the caller's rights."""

    def test_unload_into_the_prefix_of_another(self, world: World) -> None:
        identity = world.identity("dapflow-prod-rail-runner")
        assert not world.allows(identity, (s3("PutObject", "trusted", "weather/report/x.parquet"),))
        assert not world.allows(identity, (s3("PutObject", "athena-results", "weather/x.csv"),))

    def test_a_view_or_a_table_over_the_data_of_another(self, world: World) -> None:
        identity = world.identity("dapflow-prod-rail-runner")
        assert world.allows(identity, (glue("CreateTable", "rail_refined_zone", "spy"),))
        assert not world.allows(identity, (glue("GetTable", "weather_trusted_zone", "report"),))
        assert not world.allows(identity, (s3("GetObject", "trusted", "weather/report/x.parquet"),))

    def test_results_in_the_place_of_another_workgroup(self, prod: Templates) -> None:
        locations = set()
        for workgroup in prod.properties("AWS::Athena::WorkGroup"):
            settings = workgroup["WorkGroupConfiguration"]
            assert settings["EnforceWorkGroupConfiguration"] is True
            locations.add(settings["ResultConfiguration"]["OutputLocation"])
        assert len(locations) == len(SERVICES)
        assert all(location.endswith("/") for location in locations)

    def test_only_airflow_assumes_runner_roles_and_only_of_its_own_environment(self, world: World) -> None:
        airflow = "dapflow-prod-airflow"
        foreign = f"arn:aws:iam::{ACCOUNT}:role/dapflow-staging-airflow"
        for name in SERVICES:
            target = f"dapflow-prod-{name}-runner"
            trust = world.roles[target]["AssumeRolePolicyDocument"]
            arn = world.arn(target)
            assume = Request("sts:AssumeRole", (arn,), principal=world.arn(airflow))
            assert may_assume(assume, world.identity(airflow), trust).allowed
            # The trust policy would do by itself; that the identity policy names the path as well is the second lock.
            assert evaluate(assume, world.identity(airflow)).allowed
            for other in (foreign, *(world.arn(f"dapflow-prod-{service_name}-runner") for service_name in SERVICES)):
                request = Request("sts:AssumeRole", (arn,), principal=other)
                everything = {"Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}
                assert not may_assume(request, [everything], trust).allowed

    def test_airflow_itself_reaches_no_data(self, world: World) -> None:
        identity = world.identity("dapflow-prod-airflow")
        rows = list(matrix(world, {"airflow": identity}))
        assert {row[3] for row in rows if row[4]} == {"Airflow connection"}
        staging = f"arn:aws:iam::{ACCOUNT}:role/dapflow/staging/runner/dapflow-staging-air-runner"
        assert not evaluate(Request("sts:AssumeRole", (staging,)), identity).allowed

    def test_each_service_has_a_connection_of_its_own_to_its_own_role(self, prod: Templates) -> None:
        seen = {}
        for secret in prod.properties("AWS::SecretsManager::Secret"):
            if "/connections/" in secret["Name"]:
                seen[secret["Name"].rsplit("/", 1)[1]] = json.loads(secret["SecretString"])["extra"]["role_arn"]
        assert seen == {
            f"dapflow_{name}": f"arn:aws:iam::{ACCOUNT}:role/dapflow/prod/runner/dapflow-prod-{name}-runner"
            for name in SERVICES
        }

    def test_mwaa_hands_the_execution_role_to_this_environment_only(self, world: World) -> None:
        trust = world.roles["dapflow-prod-airflow"]["AssumeRolePolicyDocument"]
        arn = f"arn:aws:airflow:{REGION}:{ACCOUNT}:environment/dapflow-prod"
        for source, allowed in ((arn, True), (arn + "2", False), (arn.replace("prod", "staging"), False)):
            context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}
            request = Request("sts:AssumeRole", ("",), context, "airflow-env.amazonaws.com")
            assert may_assume(request, [], trust).allowed is allowed


def test_keys_serve_one_bucket_through_s3_only(world: World) -> None:
    identity = world.identity("dapflow-prod-rail-runner")
    refined, landing = world.keys["dapflow-prod-refined"], world.keys["dapflow-prod-landing"]

    def use(action: str, key: str, zone: str, via: str | None = f"s3.{REGION}.amazonaws.com") -> bool:
        context = {"kms:EncryptionContext:aws:s3:arn": bucket(zone), **({"kms:ViaService": via} if via else {})}
        return evaluate(Request(f"kms:{action}", (key,), context), identity).allowed

    assert use("Decrypt", refined, "refined")
    assert use("GenerateDataKey", refined, "refined")
    assert not use("Decrypt", refined, "refined", via=None)
    assert not use("Decrypt", refined, "airflow")
    assert use("Decrypt", landing, "landing")
    assert not use("GenerateDataKey", landing, "landing")
    assert not use("Decrypt", world.keys["dapflow-prod-platform"], "airflow")
    assert not use("ScheduleKeyDeletion", refined, "refined")


def test_a_runner_role_tells_the_people_of_its_own_service_alone(world: World) -> None:
    """The topic is encrypted with the platform's key, which is used through SNS and for this topic only."""
    identity = world.identity("dapflow-prod-rail-runner")
    key = world.keys["dapflow-prod-platform"]

    def publishes(topic: str) -> bool:
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
        context = {"kms:ViaService": f"sns.{REGION}.amazonaws.com", "kms:EncryptionContext:aws:sns:topicArn": arn}
        requests = [Request("sns:Publish", (arn,))]
        requests += [Request(f"kms:{action}", (key,), context) for action in ("Decrypt", "GenerateDataKey")]
        assert len({evaluate(request, identity).allowed for request in requests}) == 1
        return evaluate(requests[0], identity).allowed

    topic = world.templates.one("AWS::SNS::Topic", TopicName=RAIL_ALERTS)
    assert topic["KmsMasterKeyId"] == key
    assert publishes(RAIL_ALERTS)
    assert not publishes("dapflow-prod-air-alerts")
    assert not publishes("dapflow-prod-alerts")
    elsewhere = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    assert not evaluate(Request("kms:GenerateDataKey", (key,), elsewhere), identity).allowed


def table_of(rows: list[tuple[str, str, str, str, bool, Try]]) -> str:
    """The matrix as text: how many of each try were allowed, by relation."""
    lines = [f"{'try':32}{'own':>14}{'granted':>14}{'not granted':>14}"]
    for name in dict.fromkeys(row[3] for row in rows):
        cells = []
        for what in ("own", "granted", "not granted"):
            outcomes = [row[4] for row in rows if row[3] == name and row[2] == what]
            cells.append(f"{sum(outcomes)} of {len(outcomes)}" if outcomes else "-")
        lines.append(f"{name:32}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)
