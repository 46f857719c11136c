"""All that lies outside a branch, as IAM names it: what is in the templates of main and its host, and another branch's.

Also every action that IAM has, by the list that comes with cfn-lint, which AWS publishes as the service authorization
reference (https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from dapflow.branch import BranchNames
from tests.stacks.example import GRANTED, ZONES
from tests.stacks.templates import Templates

ACCOUNT, REGION = "111122223333", "eu-west-2"
# What IAM calls a thing, of each type of resource that is not looked into further, and which property names it.
_SIMPLE = {
    "AWS::Athena::WorkGroup": ("athena", "workgroup/", "Name"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:", "AlarmName"),
    "AWS::Lambda::Function": ("lambda", "function:", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "log-group:", "LogGroupName"),
    "AWS::MWAA::Environment": ("airflow", "environment/", "Name"),
    "AWS::SNS::Topic": ("sns", "", "TopicName"),
}


@dataclass(frozen=True)
class Target:
    """Something outside a branch.

    Attributes:
        owner: ``prod``, ``staging``, which hosts branches, ``other``, another branch, or ``account``.
        what: a name to read, such as ``object trusted/rail/fares``.
        service: of AWS, as it stands before the colon of an action.
        arns: all of them are asked for at once, as Glue does.
        facts: what IAM knows of it, whatever the caller says.
        data: for data, the service, the zone and the table; none for a database's own entry.
    """

    owner: str
    what: str
    service: str
    arns: tuple[str, ...]
    facts: dict[str, str] = field(default_factory=dict)
    data: tuple[str, str, str] | None = None

    def granted_to(self, reader: str) -> bool:
        """Whether a service reads it on main: its own, or what is both asked for and granted."""
        if self.data is None:
            return False
        service, zone, table = self.data
        grants = GRANTED.get(reader, set())
        # Of a table that is granted alone, its database's own entry is seen too.
        within = any(grant.startswith(f"{service}.{zone}.") for grant in grants) if not table else False
        return service == reader or within or bool({f"{service}.{zone}", f"{service}.{zone}.{table}"} & grants)

    def takes(self, action: str) -> bool:
        """Whether an action is one on a thing of this kind."""
        service, _, name = action.partition(":")
        if service != self.service:
            return False
        if not every_action()[action]:
            return self.what == "all"
        kind = self.what.split(" ")[0]
        if service == "s3" and kind in ("bucket", "list"):
            return name.startswith("listbucket") is (kind == "list")
        if service == "glue" and kind in ("catalog", "database", "table"):
            asked = every_action()[action]
            deepest = next((part for part in ("table", "database") if part in asked), "catalog")
            # What a database is asked along with a table says nothing by itself.
            return kind == deepest or (kind == "table" and deepest == "database")
        return True


@cache
def every_action() -> Mapping[str, tuple[str, ...]]:
    """All actions of all services, in lower case, as IAM compares them, with the kinds of things that each is on."""
    listed = json.loads(files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text(encoding="utf-8"))
    return {
        f"{service}:{action}": tuple(what.get("Resources", ()))
        for service, known in listed.items()
        for action, what in known["Actions"].items()
    }


def targets(prod: Templates, host: Templates, other: BranchNames) -> list[Target]:
    """Everything of both environments, and what another branch has."""
    return [
        *_environment("prod", prod),
        *_environment("staging", host),
        *_branch(host, other),
        Target("account", "query in primary", "athena", (_arn("athena", "workgroup/primary"),)),
        Target("account", "catalog", "glue", (_arn("glue", "catalog"),)),
        *_glue("account", "default"),
        *(
            Target("account", "all", service, ("*",))
            for service in sorted({action.split(":")[0] for action in every_action()})
        ),
    ]


def _environment(name: str, templates: Templates) -> Iterator[Target]:
    for type_, (service, stem, property_) in _SIMPLE.items():
        for properties in templates.properties(type_):
            called = properties[property_]
            yield Target(name, f"{stem}{called}", service, (_arn(service, f"{stem}{called}"),))
            if service == "logs":
                streams = f"{stem}{called}:log-stream:x"
                yield Target(name, streams, service, (_arn(service, streams),))
    for bucket in templates.properties("AWS::S3::Bucket"):
        yield from _bucket(name, bucket["BucketName"])
    for database in templates.properties("AWS::Glue::Database"):
        called = database["DatabaseInput"]["Name"]
        yield from _glue(name, called, _of_main(called) if name == "prod" else None)
    for alias in templates.properties("AWS::KMS::Alias"):
        called = alias["AliasName"]
        yield Target(name, called, "kms", (alias["TargetKeyId"],), {"kms:ResourceAliases": called})
    for secret in templates.properties("AWS::SecretsManager::Secret"):
        yield _secret(name, secret["Name"])
    viewer = f"role/dapflow-{name}/Viewer"
    yield Target(name, viewer, "airflow", (_arn("airflow", viewer),))
    for stack in templates.by_stack:
        yield _stack(name, stack)
    yield from _identities(name, templates)
    yield from _bootstrapped(name, {"prod": "hnb659fds", "staging": "staging"}[name])


def _identities(name: str, templates: Templates) -> Iterator[Target]:
    for logical, role in templates.resources("AWS::IAM::Role").items():
        called = role["Properties"].get("RoleName", logical)
        yield from _role(name, called, role["Properties"].get("Path", "/"))
    for policy in templates.properties("AWS::IAM::ManagedPolicy"):
        called = policy["ManagedPolicyName"]
        yield Target(name, f"policy {called}", "iam", (f"arn:aws:iam::{ACCOUNT}:policy/{called}",))


def _role(name: str, role: str, path: str = "/") -> Iterator[Target]:
    for service in ("iam", "sts"):
        yield Target(name, f"role {role}", service, (f"arn:aws:iam::{ACCOUNT}:role{path}{role}",))


def _bootstrapped(name: str, bootstrap: str) -> Iterator[Target]:
    """What the CDK has put into the account to deploy with."""
    yield _stack(name, f"CDKToolkit-{bootstrap}")
    parameter = f"parameter/cdk-bootstrap/{bootstrap}/version"
    yield Target(name, parameter, "ssm", (_arn("ssm", parameter),))
    yield from _bucket(name, f"cdk-{bootstrap}-assets-{ACCOUNT}-{REGION}")
    for kind in ("deploy-role", "file-publishing-role", "lookup-role", "cfn-exec-role", "image-publishing-role"):
        yield from _role(name, f"cdk-{bootstrap}-{kind}-{ACCOUNT}-{REGION}")


def _bucket(owner: str, bucket: str) -> Iterator[Target]:
    """A bucket, lists of it, and objects where anything that matters lies."""
    zone = next((zone for zone in ZONES if bucket == f"dapflow-prod-{zone}-{ACCOUNT}"), None)
    whole = f"arn:aws:s3:::{bucket}"
    yield Target(owner, f"bucket {bucket}", "s3", (whole,))
    if bucket == f"dapflow-staging-branches-{ACCOUNT}":
        # Anything else in it is a branch's.
        yield from _key(owner, bucket, "assets/")
        return
    for prefix in ("", "dags/", "assets"):
        yield Target(owner, f"list {bucket}/{prefix}", "s3", (whole,), {"s3:prefix": prefix})
    for key in ("dags/environment.json", "dags/manifest.json", "dags/services.py", "plugins.zip", "a-file", "runs/x"):
        yield Target(owner, f"object {bucket}/{key}", "s3", (f"{whole}/{key}",))
    for service, tables in TABLES.items():
        for table in tables:
            yield from _key(owner, bucket, f"{service}/{table}/", (service, zone, table) if zone else None)


def _key(owner: str, bucket: str, prefix: str, data: tuple[str, str, str] | None = None) -> Iterator[Target]:
    """An object below a prefix, and the list of what is there."""
    yield Target(owner, f"object {bucket}/{prefix}x", "s3", (f"arn:aws:s3:::{bucket}/{prefix}x",), {}, data)
    yield Target(owner, f"list {bucket}/{prefix}", "s3", (f"arn:aws:s3:::{bucket}",), {"s3:prefix": prefix}, data)


# Of each service of the example, in whatever zone.
TABLES = {"air": ("rows", "report"), "air_traffic": ("report",), "rail": ("delays", "fares"), "weather": ("report",)}


def _glue(owner: str, database: str, of: tuple[str, str] | None = None) -> Iterator[Target]:
    """A database and tables in it; ``of``: the service and the zone that it has data of."""
    stem = (_arn("glue", "catalog"), _arn("glue", f"database/{database}"))
    yield Target(owner, f"database {database}", "glue", stem, data=(*of, "") if of else None)
    for table in TABLES[of[0]] if of else ("any",):
        whole = (*stem, _arn("glue", f"table/{database}/{table}"))
        yield Target(owner, f"table {database}.{table}", "glue", whole, data=(*of, table) if of else None)


def _of_main(database: str) -> tuple[str, str] | None:
    return next(((service, zone) for service in TABLES for zone in ZONES if database == f"{service}_{zone}_zone"), None)


def _branch(host: Templates, names: BranchNames) -> Iterator[Target]:
    """What a branch has on a host."""
    bucket, airflow = (f"dapflow-staging-{kind}-{ACCOUNT}" for kind in ("branches", "airflow"))
    for service, tables in TABLES.items():
        for zone in ("refined", "trusted"):
            yield from _glue("other", f"dapflow_branch_{names.databases}__{service}_{zone}_zone", (service, zone))
            for table in tables:
                yield from _key("other", bucket, f"{names.slug}/{zone}/{service}/{table}/", (service, zone, table))
        for place in ("athena-results", "offers"):
            yield from _key("other", bucket, f"{names.slug}/{place}/{service}/0123/")
        workgroup = f"workgroup/dapflow-branch-{names.slug}-{service}"
        yield Target("other", workgroup, "athena", (_arn("athena", workgroup),))
        yield _secret("other", f"dapflow/staging/connections/branch_{names.databases}_{service}")
        yield _secret("other", f"dapflow/staging/branches/{names.slug}/{service}/database")
        yield _stack("other", f"dapflow-branch-{names.slug}-service-{service}")
    for key in ("manifest.json", "environment.json"):
        bundled = f"dags/branches/{names.slug}/{key}"
        yield Target("other", f"bundle {bundled}", "s3", (f"arn:aws:s3:::{airflow}/{bundled}",))
    yield _stack("other", f"dapflow-branch-{names.slug}-bundle")


def _secret(owner: str, name: str) -> Target:
    # Secrets Manager adds six letters of its own.
    return Target(owner, f"secret {name}", "secretsmanager", (_arn("secretsmanager", f"secret:{name}-AbCdEf"),))


def _stack(owner: str, name: str) -> Target:
    return Target(owner, f"stack {name}", "cloudformation", (_arn("cloudformation", f"stack/{name}/1"),))


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
