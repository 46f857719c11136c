"""Every action that IAM has, by everyone who acts for a branch, on everything outside it: who reaches what.

A caller says of a request what suits it: each condition is tried with all values that the caller's own policies name.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from dapflow.branch import BranchNames, branch_slug
from tests.stacks.example import four_services
from tests.stacks.iam.evaluate import Request, evaluate
from tests.stacks.outside import Target, every_action, targets
from tests.stacks.templates import Templates

NAMES = BranchNames.of(branch_slug("Fix/Delays_#12"))
OTHER = BranchNames.of("other-123456")
TAGS = {"aws:PrincipalTag/branch": NAMES.slug, "aws:PrincipalTag/databases": NAMES.databases}
GIVEN = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
READING = re.compile(r"[a-z0-9-]+:(get|list|describe|batchget)\w*|kms:decrypt")
BRANCHES = "staging bucket dapflow-staging-branches-*"
KEY = "staging alias/dapflow-staging-athena-results"
Context = tuple[tuple[str, str], ...]
Reached = tuple[str, Target]

# What somebody reads outside a branch, beside data that its service is granted, and what it writes there. The key is
# that of the branches' bucket; without reading the object, decrypting with it gives nothing.
_DATA_READS = (
    ("s3:getbucketlocation", "prod bucket dapflow-prod-r*"),
    ("s3:getbucketlocation", "prod bucket dapflow-prod-trusted-*"),
    ("s3:getbucketlocation", BRANCHES),
    *(("kms:decrypt", f"prod alias/dapflow-prod-{key}") for key in ("raw", "refined", "trusted", "athena-results")),
    ("kms:decrypt", KEY),
    ("glue:getdatabase", "account database default"),
)
READS: Mapping[str, Sequence[tuple[str, str]]] = {
    "runner": (*_DATA_READS, ("kms:decrypt", "staging alias/dapflow-staging-platform")),
    "analyst": (
        *_DATA_READS,
        ("athena:list*", "account all"),
        # Any branch is for all of a service's analysts: its results are read where its queries run.
        ("athena:*", "other workgroup/dapflow-branch-*-{service}"),
        ("s3:*", "other * dapflow-staging-branches-*/athena-results/{service}/*"),
    ),
    "run": (
        ("s3:getobject", "staging object dapflow-staging-airflow-*/dags/environment.json"),
        ("s3:getobject", "other bundle *"),
        ("s3:listbucket", "staging list dapflow-staging-airflow-*"),
        ("kms:decrypt", "staging alias/dapflow-staging-platform"),
    ),
    "pull request": (),
    "diff": (
        ("cloudformation:describestacks", "staging stack dapflow-staging-*"),
        ("cloudformation:gettemplate", "staging stack dapflow-staging-*"),
    ),
    "deploy": (
        ("s3:get*", BRANCHES),
        ("s3:*", "staging * dapflow-staging-branches-*/assets/*"),
        ("cloudformation:*", "other stack *"),
        ("kms:decrypt", KEY),
        ("ssm:getparameter", "staging parameter/cdk-bootstrap/staging/version"),
    ),
    "cloudformation": (("glue:getdatabase", "other *"), ("athena:*", "other workgroup/*")),
    "reaper": (("cloudformation:describestacks", "*"),),
    "function": (
        ("cloudformation:describestacks", "*"),
        ("s3:getobject", "other bundle *"),
        ("s3:getobject", "staging object dapflow-staging-branches-*/assets/x"),
        ("s3:listbucket*", "* list dapflow-staging-airflow-*"),
        ("s3:listbucket*", "* list dapflow-staging-branches-*"),
        ("kms:decrypt", KEY),
        ("kms:decrypt", "staging alias/dapflow-staging-platform"),
    ),
}
WRITES: Mapping[str, Sequence[tuple[str, str]]] = {
    "runner": (("kms:generatedatakey", KEY),),
    "analyst": (
        ("kms:generatedatakey", KEY),
        ("athena:*", "other workgroup/dapflow-branch-*-{service}"),
        ("s3:*", "other object dapflow-staging-branches-*/athena-results/{service}/*"),
        ("airflow:createweblogintoken", "staging role/dapflow-staging/Viewer"),
    ),
    "run": (
        ("sts:assumerole", "staging role dapflow-branch-*-runner"),
        ("sts:tagsession", "staging role dapflow-branch-*-runner"),
    ),
    "pull request": (
        ("sts:assumerole", "staging role dapflow-branch-deploy"),
        ("sts:assumerole", "staging role dapflow-branch-run"),
    ),
    "diff": (),
    # Whoever may push a branch may deploy any: a stack is told by its name alone.
    "deploy": (
        ("cloudformation:*", "other stack *"),
        ("iam:passrole", "staging role dapflow-branch-cloudformation"),
        ("kms:generatedatakey", KEY),
        ("s3:putobject", "staging object dapflow-staging-branches-*/assets/x"),
    ),
    "cloudformation": (
        ("glue:*database", "other *"),
        ("athena:*", "other workgroup/*"),
        ("lambda:invokefunction", "staging function:dapflow-staging-branch"),
    ),
    "reaper": (
        ("cloudformation:deletestack", "other stack *"),
        ("logs:*", "staging log-group:/aws/lambda/dapflow-staging-reaper:log-stream:x"),
    ),
    # The host's, which each stack of a branch calls: it looks for itself whose stack it is.
    "function": (
        ("logs:*", "staging log-group:/aws/lambda/dapflow-staging-branch:log-stream:x"),
        ("s3:*", "other bundle *"),
        ("s3:deleteobject*", "* dapflow-staging-branches-*"),
        ("secretsmanager:*", "other secret dapflow/staging/connections/branch_*"),
        ("kms:generatedatakey", "staging alias/dapflow-staging-platform"),
    ),
}


def actors(host: Templates) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Who acts for branches: what it is, its service, and its policies."""
    services = tuple(four_services().services)
    named = {f"dapflow-branch-{service}-runner": ("runner", service) for service in services} | {
        "dapflow-branch-run": ("run", ""),
        "dapflow-branch-deploy": ("deploy", ""),
        "dapflow-branch-cloudformation": ("cloudformation", ""),
        "dapflow-staging-branch": ("pull request", ""),
        "dapflow-staging-diff": ("diff", ""),
    }
    for function, kind in {"reaper": "reaper", "branch": "function"}.items():
        role_arn = host.one("AWS::Lambda::Function", FunctionName=f"dapflow-staging-{function}")["Role"]
        named[role_arn.rpartition("/")[2]] = (kind, "")
    for logical, role in host.resources("AWS::IAM::Role").items():
        if known := named.get(role["Properties"].get("RoleName", logical)):
            yield *known, [policy["PolicyDocument"] for policy in role["Properties"]["Policies"]]
    policies = host.properties("AWS::IAM::ManagedPolicy")
    for service in services:
        called = re.compile(rf"dapflow-branch-{service}-analyst(-\d+)?")
        yield (
            "analyst",
            service,
            [policy["PolicyDocument"] for policy in policies if called.fullmatch(policy["ManagedPolicyName"])],
        )


def reached(identity: list[dict[str, Any]], everything: list[Target], granting: dict[str, Any]) -> Iterator[Reached]:
    """All that some policies allow outside the branch; ``granting``: policies of resources, which may allow as well."""
    contexts: dict[str, set[Context]] = defaultdict(set)
    for statement in (*_statements(identity), *_statements(granting.values())):
        for pattern in _listed(statement["Action"]):
            for action in actions_like(pattern):
                contexts[action] |= set(_contexts(statement))
    for action, brought in contexts.items():
        for target in everything:
            if target.takes(action) and any(
                evaluate(
                    Request(action, target.arns, {**GIVEN, **dict(context), **target.facts, **TAGS}), identity, granting
                ).allowed
                for context in brought
            ):
                yield action, target


def _statements(documents: Any) -> Iterator[dict[str, Any]]:
    """Those that allow something to somebody else than a service of AWS."""
    for document in documents:
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow" and "Service" not in statement.get("Principal", ()):
                yield statement


@cache
def actions_like(pattern: str) -> tuple[str, ...]:
    """The actions that IAM has for a pattern in a policy."""
    return tuple(fnmatch.filter(every_action(), pattern.lower()))


def _contexts(statement: dict[str, Any]) -> Iterator[Context]:
    """What a caller can say so that the conditions of a statement hold."""
    values = {
        key: [_made_up(value) for value in _listed(wanted)]
        for keys in statement.get("Condition", {}).values()
        for key, wanted in keys.items()
    }
    for chosen in itertools.product(*values.values()):
        yield tuple(zip(values, chosen, strict=True))


def _made_up(pattern: str) -> str:
    """A value that a pattern in a policy takes."""
    return re.sub(r"\$\{([^}]*)\}", lambda variable: TAGS[variable[1]], pattern).replace("*", "x")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def granted(kind: str, service: str, reach: Reached) -> bool:
    """Whether it is data that is read where the grants on main say so: of main, and of any branch by an analyst."""
    action, target = reach
    where = {"runner": ("prod",), "analyst": ("prod", "other")}.get(kind, ())
    return target.owner in where and target.granted_to(service) and READING.fullmatch(action) is not None


def known(table: Mapping[str, Sequence[tuple[str, str]]], kind: str, service: str, reach: Reached) -> set[Any]:
    """The lines of a table that a reach is in."""
    action, target = reach
    called = f"{target.owner} {target.what}"
    return {
        (kind, *line)
        for line in table[kind]
        if fnmatchcase(action, line[0]) and fnmatchcase(called, line[1].format(service=service))
    }


def tried(prod: Templates, host: Templates) -> tuple[list[tuple[str, str, Reached]], set[str]]:
    """Everything that anybody reaches, and who was tried."""
    everything = targets(prod, host, OTHER)
    assert len(everything) > 800
    granting = {
        **{
            f"arn:aws:s3:::{policy['Bucket']}": policy["PolicyDocument"]
            for environment in (prod, host)
            for policy in environment.properties("AWS::S3::BucketPolicy")
        },
        **{
            topic: policy["PolicyDocument"]
            for environment in (prod, host)
            for policy in environment.properties("AWS::SNS::TopicPolicy")
            for topic in policy["Topics"]
        },
    }
    rows = []
    kinds = set()
    for kind, service, identity in actors(host):
        kinds.add(kind)
        rows += [(kind, service, reach) for reach in reached(identity, everything, granting)]
    return rows, kinds


def hold(rows: list[tuple[str, str, Reached]], kinds: set[str], *, missing: Any = ()) -> None:
    """Nothing but what the tables have is reached, all but the missing is, and nothing of production is written."""
    outside = [
        (kind, service, action, target.owner, target.what)
        for kind, service, (action, target) in rows
        if not granted(kind, service, (action, target))
        and not known(READS if READING.fullmatch(action) else WRITES, kind, service, (action, target))
    ]
    assert not outside, outside[:20]
    written = [row for row in rows if not READING.fullmatch(row[2][0])]
    assert not [row for row in written if row[2][1].owner == "prod"]
    for table, wanted in ((READS, True), (WRITES, False)):
        used = set()
        for kind, service, reach in rows:
            if (READING.fullmatch(reach[0]) is not None) is wanted:
                used |= known(table, kind, service, reach)
        assert {(kind, *line) for kind in kinds for line in table[kind]} - used == set(missing) & set(_lines(table))


def _lines(table: Mapping[str, Sequence[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    return [(kind, *line) for kind, lines in table.items() for line in lines]


def test_the_list_of_actions_has_all_that_the_policies_name(prod: Templates, runner_host: Templates) -> None:
    assert len(every_action()) > 15_000
    documents = [policy for _, _, identity in actors(runner_host) for policy in identity]
    for statement in _statements(documents):
        for pattern in _listed(statement["Action"]):
            assert actions_like(pattern), pattern


def test_a_branch_that_is_run_by_hand(prod: Templates, runner_host: Templates) -> None:
    rows, kinds = tried(prod, runner_host)
    assert kinds == set(READS) == set(WRITES)
    hold(rows, kinds)


@pytest.mark.slow
def test_a_branch_that_airflow_runs(prod: Templates, staging: Templates) -> None:
    rows, kinds = tried(prod, staging)
    assert kinds == set(READS) - {"run"}
    # Where Airflow runs them, nobody else can.
    hold(rows, kinds, missing={("pull request", "sts:assumerole", "staging role dapflow-branch-run")})
