"""What the code of a pull request can do, and its SQL: all that a branch's deployment hands out, tried on all else.

A pull request writes its workflow, its templates and its SQL. So it is what GitHub gives it a role for, what it may
pass to CloudFormation, and, through its host, the runner roles of branches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dapflow.branch import BranchNames, branch_slug
from tests.stacks.example import GRANTED, ZONES, four_services
from tests.stacks.iam.evaluate import Request, evaluate, may_assume
from tests.stacks.templates import Templates

ACCOUNT, REGION = "111122223333", "eu-west-2"
ISSUER = "token.actions.githubusercontent.com"
SERVICES = tuple(four_services().services)
NAMES = BranchNames.of(branch_slug("Fix/Delays_#12"))
OTHER = BranchNames.of("other-123456")
BOOTSTRAPS = {"prod": "hnb659fds", "staging": "staging"}
DEPLOY, MAKE = "dapflow-branch-deploy", "dapflow-branch-cloudformation"
# What a pull request is on AWS, whatever it writes into its workflow and templates.
PRINCIPALS = ("dapflow-staging-branch", DEPLOY, MAKE, "dapflow-prod-diff", "dapflow-staging-diff")
Row = tuple[str, str, str, bool]


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role_arn(name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{ACCOUNT}:role{path}{name}"


class World:
    """Every role of prod and of staging, which is in the same account and hosts branches."""

    def __init__(self, *environments: Templates) -> None:
        self.roles: dict[str, dict[str, Any]] = {}
        for templates in environments:
            for name, role in templates.resources("AWS::IAM::Role").items():
                self.roles[role["Properties"].get("RoleName", name)] = role["Properties"]
        self.policies = [
            policy for environment in environments for policy in environment.properties("AWS::IAM::ManagedPolicy")
        ]
        self.stacks = [name for templates in environments for name in templates.by_stack]
        self.functions = [
            function["FunctionName"]
            for environment in environments
            for function in environment.properties("AWS::Lambda::Function")
        ]
        self.buckets = [
            bucket["BucketName"] for environment in environments for bucket in environment.properties("AWS::S3::Bucket")
        ]
        self.databases = [
            database["DatabaseInput"]["Name"]
            for environment in environments
            for database in environment.properties("AWS::Glue::Database")
        ]
        self.workgroups = [
            workgroup["Name"]
            for environment in environments
            for workgroup in environment.properties("AWS::Athena::WorkGroup")
        ]
        self.secrets = [
            secret["Name"]
            for environment in environments
            for secret in environment.properties("AWS::SecretsManager::Secret")
        ]

    def identity(self, role: str) -> list[dict[str, Any]]:
        return [policy["PolicyDocument"] for policy in self.roles[role].get("Policies", [])]

    def arn(self, role: str) -> str:
        return role_arn(role, self.roles[role].get("Path", "/"))


@pytest.fixture(scope="session")
def world(prod: Templates, staging: Templates) -> World:
    return World(prod, staging)


def bootstrap_roles() -> list[str]:
    kinds = ("deploy-role", "file-publishing-role", "lookup-role", "cfn-exec-role", "image-publishing-role")
    return [
        role_arn(f"cdk-{bootstrap}-{kind}-{ACCOUNT}-{REGION}") for bootstrap in BOOTSTRAPS.values() for kind in kinds
    ]


def stack_tries(world: World) -> Iterator[tuple[str, Request]]:
    """Update, delete, protect: every stack that is no branch's, with whatever role is named."""
    contexts: list[dict[str, str]] = [
        {},
        *({"cloudformation:RoleArn": role} for role in (role_arn(MAKE), *bootstrap_roles())),
    ]
    actions = (
        *("CancelUpdateStack", "ContinueUpdateRollback", "CreateChangeSet", "CreateStack", "DeleteStack"),
        *("ExecuteChangeSet", "RollbackStack", "SetStackPolicy", "UpdateStack", "UpdateTerminationProtection"),
    )
    # `dapflow-branch` and `dapflow-branches-x` are no stacks of branches, though they begin alike.
    for stack in (*world.stacks, "CDKToolkit", "CDKToolkit-staging", "dapflow-branch", "dapflow-branches-x"):
        for action in actions:
            for context in contexts:
                yield action, Request(f"cloudformation:{action}", (arn("cloudformation", f"stack/{stack}/1"),), context)
    own = arn("cloudformation", f"stack/dapflow-branch-{NAMES.slug}-bundle/1")
    for action in ("CreateChangeSet", "CreateStack", "UpdateStack"):
        # A stack of its own name, to be made with the rights of another's.
        for context in contexts:
            if context.get("cloudformation:RoleArn") != role_arn(MAKE):
                yield f"{action} with another role", Request(f"cloudformation:{action}", (own,), context)


def role_tries(world: World) -> Iterator[tuple[str, Request]]:
    """Roles: passed, made, changed."""
    services = ("cloudformation", "lambda", "airflow", "athena", "glue", "ec2")
    everything = [*map(world.arn, world.roles), *bootstrap_roles(), role_arn("new", "/dapflow/staging/branch/")]
    for target in everything:
        for service in services:
            if (target, service) != (role_arn(MAKE), "cloudformation"):
                context = {"iam:PassedToService": f"{service}.amazonaws.com"}
                yield "pass a role", Request("iam:PassRole", (target,), context)
        for action in ("CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "AttachRolePolicy", "DeleteRole"):
            yield "make or change a role", Request(f"iam:{action}", (target,))


def data_tries(world: World) -> Iterator[tuple[str, Request]]:
    """Data of prod and staging, and what Airflow and deployments load."""
    assets = [f"cdk-{bootstrap}-assets-{ACCOUNT}-{REGION}" for bootstrap in BOOTSTRAPS.values()]
    for bucket in (*world.buckets, *assets):
        keys = [
            *("air/rows/import_date=20240605/x", "dags/dapflow_services.py", "airflow/x/startup.sh", "branches/x"),
            *(f"{NAMES.slug}/refined/air/report/x", "assetsx/y", f"dags/branches/{NAMES.slug}/evil.py"),
        ]
        for key in keys:
            for action in ("PutObject", "DeleteObject", "DeleteObjectVersion", "PutObjectAcl"):
                yield "write an object", Request(f"s3:{action}", (f"arn:aws:s3:::{bucket}/{key}",))
            yield "read an object", Request("s3:GetObject", (f"arn:aws:s3:::{bucket}/{key}",))
        for action in ("PutBucketPolicy", "DeleteBucket", "PutEncryptionConfiguration", "PutLifecycleConfiguration"):
            yield "change a bucket", Request(f"s3:{action}", (f"arn:aws:s3:::{bucket}",))
    for database in (*world.databases, "default"):
        stem = (arn("glue", "catalog"), arn("glue", f"database/{database}"))
        for action in ("CreateDatabase", "DeleteDatabase", "UpdateDatabase"):
            yield "write in Glue", Request(f"glue:{action}", stem)
        for action in ("CreateTable", "DeleteTable", "UpdateTable", "DeletePartition", "BatchUpdatePartition"):
            yield "write in Glue", Request(f"glue:{action}", (*stem, arn("glue", f"table/{database}/rows")))
    for workgroup in (*world.workgroups, "primary"):
        for action in ("StartQueryExecution", "UpdateWorkGroup", "DeleteWorkGroup", "GetQueryResults"):
            yield "query", Request(f"athena:{action}", (arn("athena", f"workgroup/{workgroup}"),))


def platform_tries(world: World) -> Iterator[tuple[str, Request]]:
    """Functions, secrets, parameters and keys of prod and staging."""
    for function in world.functions:
        for action in ("InvokeFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "AddPermission"):
            if (function, action) != ("dapflow-staging-branch", "InvokeFunction"):
                yield "call or change a function", Request(f"lambda:{action}", (arn("lambda", f"function:{function}"),))
    for secret in (*world.secrets, "dapflow/staging/connections/branch_x_air"):
        for action in ("GetSecretValue", "PutSecretValue", "CreateSecret", "DeleteSecret"):
            target = arn("secretsmanager", f"secret:{secret}-AbCdEf")
            yield "read or write a secret", Request(f"secretsmanager:{action}", (target,))
    for bootstrap in BOOTSTRAPS.values():
        parameter = arn("ssm", f"parameter/cdk-bootstrap/{bootstrap}/version")
        yield "write a parameter", Request("ssm:PutParameter", (parameter,))
    for zone in ("raw", "landing", "trusted", "platform"):
        key = arn("kms", f"key/dapflow-prod-lake.{zone}")
        for action in ("Decrypt", "GenerateDataKey", "PutKeyPolicy", "CreateGrant", "ScheduleKeyDeletion"):
            yield (
                "use a key of prod",
                Request(f"kms:{action}", (key,), {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}),
            )


def test_the_code_of_a_pull_request(world: World) -> None:
    tries = [*stack_tries(world), *role_tries(world), *data_tries(world), *platform_tries(world)]
    rows: list[Row] = []
    for principal in PRINCIPALS:
        identity = world.identity(principal)
        for what, request in tries:
            allowed = evaluate(request, identity).allowed
            rows.append((principal, what, f"{request.action} {request.resources[-1]}", allowed))
    print(table(rows))  # `pytest -s` shows it
    assert len(rows) > 10_000
    assert not [row for row in rows if row[3]]


def test_the_roles_that_a_pull_request_can_get(world: World) -> None:
    """From GitHub the branch's and two that look; from there the one that deploys branches, and no other."""
    reached = set()
    for name, role in world.roles.items():
        trust = role["AssumeRolePolicyDocument"]
        for subject in ("pull_request", "environment:branch", "ref:refs/heads/mine", "ref:refs/pull/7/merge"):
            claims = {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": f"repo:your-organisation/x:{subject}"}
            claims[f"{ISSUER}:sub"] = f"repo:your-organisation/your-data-platform:{subject}"
            federated = [statement["Principal"].get("Federated") for statement in trust["Statement"]]
            for provider in filter(None, federated):
                request = Request("sts:AssumeRoleWithWebIdentity", ("",), claims, provider)
                if may_assume(request, [], trust).allowed:
                    reached.add(name)
    assert reached == {"dapflow-staging-branch", "dapflow-prod-diff", "dapflow-staging-diff"}
    for principal in PRINCIPALS:
        identity, own = world.identity(principal), world.arn(principal)
        for name, role in world.roles.items():
            target = world.arn(name)
            tags = {"aws:RequestTag/branch": NAMES.slug, "aws:RequestTag/databases": NAMES.databases}
            request = Request("sts:AssumeRole", (target,), tags, own)
            got = may_assume(request, identity, role["AssumeRolePolicyDocument"]).allowed
            assert got is ((principal, name) == ("dapflow-staging-branch", DEPLOY)), (principal, name)
        for target in bootstrap_roles():
            assert not evaluate(Request("sts:AssumeRole", (target,)), identity).allowed


def test_it_can_deploy_a_branch_all_the_same(world: World) -> None:
    deploy, make = world.identity(DEPLOY), world.identity(MAKE)
    stack = (arn("cloudformation", f"stack/dapflow-branch-{NAMES.slug}-bundle/1"),)
    given = {"cloudformation:RoleArn": role_arn(MAKE)}
    passed = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    database = f"dapflow_branch_{NAMES.databases}__air_refined_zone"
    for identity, request in (
        (deploy, Request("cloudformation:CreateChangeSet", stack, given)),
        (deploy, Request("cloudformation:ExecuteChangeSet", stack)),
        (deploy, Request("cloudformation:DeleteStack", stack)),
        (deploy, Request("iam:PassRole", (role_arn(MAKE),), passed)),
        (deploy, Request("s3:PutObject", (f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}/assets/x.zip",))),
        (make, Request("glue:CreateDatabase", (arn("glue", "catalog"), arn("glue", f"database/{database}")))),
        (make, Request("athena:CreateWorkGroup", (arn("athena", f"workgroup/dapflow-branch-{NAMES.slug}-air"),))),
        (make, Request("lambda:InvokeFunction", (arn("lambda", "function:dapflow-staging-branch"),))),
    ):
        assert evaluate(request, identity).allowed, request


class TestSqlOfABranch:
    """The runner roles of branches, which the host made of its own grants: a branch's ``grants`` change none of it."""

    @staticmethod
    def rows(world: World) -> Iterator[tuple[str, str, str, bool, bool]]:
        """Actor, victim, what, whether it is allowed and whether it should be."""
        branches, tls = f"dapflow-staging-branches-{ACCOUNT}", {"aws:SecureTransport": "true"}
        tags = {"aws:PrincipalTag/branch": NAMES.slug, "aws:PrincipalTag/databases": NAMES.databases, **tls}

        def tried(identity: list[dict[str, Any]], action: str, *resources: str, **more: str) -> bool:
            return evaluate(Request(action, resources, {**tags, **more}), identity).allowed

        for actor in SERVICES:
            identity = world.identity(f"dapflow-branch-{actor}-runner")
            for victim in SERVICES:
                own = actor == victim
                for zone in ZONES:
                    granted = f"{victim}.{zone}" in GRANTED.get(actor, set())
                    live = f"arn:aws:s3:::dapflow-prod-{zone}-{ACCOUNT}/{victim}/rows/x"
                    # What its branch does not publish, it reads where that is.
                    reads = own or granted
                    yield actor, victim, f"get {zone} of prod", tried(identity, "s3:GetObject", live), reads
                    yield actor, victim, f"put {zone} of prod", tried(identity, "s3:PutObject", live), False
                    stem, database = arn("glue", "catalog"), f"{victim}_{zone}_zone"
                    table = (stem, arn("glue", f"database/{database}"), arn("glue", f"table/{database}/rows"))
                    yield actor, victim, f"see {zone} tables of prod", tried(identity, "glue:GetTable", *table), reads
                    yield actor, victim, f"change {zone} tables", tried(identity, "glue:UpdateTable", *table), False
                    host = f"arn:aws:s3:::dapflow-staging-{zone}-{ACCOUNT}/{victim}/rows/x"
                    yield actor, victim, f"get {zone} of staging", tried(identity, "s3:GetObject", host), False
                    yield actor, victim, f"put {zone} of staging", tried(identity, "s3:PutObject", host), False
                    if zone == "raw":
                        continue
                    for of, mine in ((NAMES, True), (OTHER, False)):
                        key = f"arn:aws:s3:::{branches}/{of.slug}/{zone}/{victim}/report/x"
                        whose = "its branch" if mine else "another branch"
                        seen, put = tried(identity, "s3:GetObject", key), tried(identity, "s3:PutObject", key)
                        yield actor, victim, f"get {zone} of {whose}", seen, mine and (own or granted)
                        yield actor, victim, f"put {zone} of {whose}", put, mine and own
                        database = f"dapflow_branch_{of.databases}__{victim}_{zone}_zone"
                        table = (stem, arn("glue", f"database/{database}"), arn("glue", f"table/{database}/report"))
                        changed = tried(identity, "glue:UpdateTable", *table)
                        yield actor, victim, f"change {zone} tables of {whose}", changed, mine and own
                for of, mine in ((NAMES, True), (OTHER, False)):
                    offer = f"arn:aws:s3:::{branches}/{of.slug}/offers/{victim}/0123/x.json"
                    offered = tried(identity, "s3:PutObject", offer)
                    yield actor, victim, f"offer in {'its' if mine else 'another'} branch", offered, own and mine
                    workgroup = arn("athena", f"workgroup/dapflow-branch-{of.slug}-{victim}")
                    ran = tried(identity, "athena:StartQueryExecution", workgroup)
                    yield actor, victim, f"query in {'its' if mine else 'another'} branch", ran, own and mine
                landing = f"arn:aws:s3:::dapflow-prod-landing-{ACCOUNT}/{victim}/rows/2024-06-05/x"
                yield actor, victim, "get landing files", tried(identity, "s3:GetObject", landing), False
                group = arn("athena", f"workgroup/dapflow-prod-{victim}")
                yield actor, victim, "query in prod", tried(identity, "athena:StartQueryExecution", group), False

    def test_reads_what_its_service_reads_and_writes_below_its_branch(self, world: World) -> None:
        rows = list(self.rows(world))
        print(table([(actor, what, victim, allowed) for actor, victim, what, allowed, _ in rows]))
        assert not [row for row in rows if row[3] and not row[4]], "allowed"
        assert not [row for row in rows if row[4] and not row[3]], "missing"

    def test_without_its_branchs_tags_it_reaches_nothing_of_any_branch(self, world: World) -> None:
        identity = world.identity("dapflow-branch-rail-runner")
        key = f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}/{NAMES.slug}/refined/rail/report/x"
        assert not evaluate(Request("s3:GetObject", (key,)), identity).allowed

    def test_people_neither_see_nor_write_what_is_offered(self, world: World) -> None:
        offer = f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}/{NAMES.slug}/offers/rail/0123/x.json"
        policies = [
            policy["PolicyDocument"]
            for policy in world.policies
            if policy["ManagedPolicyName"].endswith("-rail-analyst")
        ]
        assert len(policies) == 3, "of prod, of staging, of branches"
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert not evaluate(Request(action, (offer,)), policies).allowed

    def test_it_decrypts_what_it_may_read(self, world: World) -> None:
        identity = world.identity("dapflow-branch-rail-runner")

        def decrypted(alias: str, zone: str) -> bool:
            context = {"kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:ResourceAliases": alias}
            context["kms:EncryptionContext:aws:s3:arn"] = f"arn:aws:s3:::dapflow-prod-{zone}-{ACCOUNT}"
            return evaluate(Request("kms:Decrypt", (arn("kms", "key/1"),), context), identity).allowed

        for zone in ("raw", "refined", "trusted"):
            assert decrypted(f"alias/dapflow-prod-{zone}", zone)
            # Athena encrypts what it writes there with the key of its results, and shows nobody the results.
            assert decrypted("alias/dapflow-prod-athena-results", zone)
            assert not decrypted("alias/dapflow-prod-athena-results", "athena-results")
            assert not decrypted("alias/dapflow-prod-landing", zone)
            assert not decrypted(f"alias/dapflow-staging-{zone}", zone)
        assert not decrypted("alias/dapflow-prod-landing", "landing")
        assert not decrypted("alias/dapflow-prod-raw", "landing")

    def test_only_the_hosts_airflow_runs_it_and_names_a_branch(self, world: World) -> None:
        role = world.roles["dapflow-branch-rail-runner"]
        target, tags = world.arn("dapflow-branch-rail-runner"), {"branch": NAMES.slug, "databases": NAMES.databases}
        brought: list[dict[str, str]] = [{}, {"branch": NAMES.slug}, tags]
        for airflow, allowed in (("dapflow-staging-airflow", True), ("dapflow-prod-airflow", False)):
            for given in brought:
                context = {f"aws:RequestTag/{key}": value for key, value in given.items()}
                for action in ("sts:AssumeRole", "sts:TagSession"):
                    request = Request(action, (target,), context, world.arn(airflow))
                    got = may_assume(request, world.identity(airflow), role["AssumeRolePolicyDocument"]).allowed
                    assert got is (allowed and given == tags)
                    assert evaluate(request, world.identity(airflow)).allowed is allowed


def table(rows: list[Row]) -> str:
    """How many of each try were allowed, by principal."""
    principals = list(dict.fromkeys(row[0] for row in rows))
    lines = [f"{'try':34}" + "".join(f"{principal.removeprefix('dapflow-'):>24}" for principal in principals)]
    for what in dict.fromkeys(row[1] for row in rows):
        cells = []
        for principal in principals:
            outcomes = [row[3] for row in rows if row[:2] == (principal, what)]
            cells.append(f"{sum(outcomes)} of {len(outcomes)}")
        lines.append(f"{what:34}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)
