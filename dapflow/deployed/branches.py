"""The branches that a deployed environment hosts: which are there, and with what each of them is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from dapflow.branch import SESSION_TAGS, BranchNames, branch_slug, is_slug
from dapflow.deployed.assumed_role import assumed
from dapflow.deployed.bundle import DeployedProject, deployed_branch, deployed_project
from dapflow.deployed.expiry import all_stacks, cloudformation, expires
from dapflow.environment import Branches, Environment
from dapflow.errors import DapflowError
from dapflow.publications.published import Publications
from dapflow.runtime.aws import Clients, connect

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BUNDLE = "-bundle"


@dataclass(frozen=True)
class StandingBranch:
    """A branch that is deployed, by its stacks and their tags; what these do not say is empty.

    ``expires`` is ISO time: when the host's reaper begins to delete it.
    """

    branch: str
    slug: str
    owner: str
    commit: str
    expires: str


def standing_branches(session: Any, host: Environment) -> list[StandingBranch]:
    """The branches that are deployed in a host, by their slugs. Raises DapflowError ``aws``."""
    common, stacks = branches_of(host), all_stacks(cloudformation(session, host.region))
    return sorted(_standing(stacks, f"{common.stem}-", common.expires_days), key=lambda branch: branch.slug)


def _standing(stacks: list[Any], prefix: str, days: int) -> Iterator[StandingBranch]:
    for stack in stacks:
        name = stack["StackName"]
        slug = name.removeprefix(prefix).removesuffix(_BUNDLE)
        # The last stack of a branch to be made, and the first to go.
        if name == f"{prefix}{slug}{_BUNDLE}" and is_slug(slug):
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
            owner, commit = (tags.get(f"dapflow:{what}", "") for what in ("owner", "commit"))
            yield StandingBranch(tags.get("dapflow:branch", slug), slug, owner, commit, expires(stack, days))


def branches_of(host: Environment) -> Branches:
    """What the branches of an environment have in common. Raises DapflowError ``branch-refused``."""
    if host.branches is None:
        raise DapflowError(
            "branch-refused",
            f"the environment {host.name} hosts no branches",
            hint="name the one that context.environments.branch.host of cdk.json does",
        )
    return host.branches


def branch_project(s3: S3Client, host: Environment, branch: str) -> DeployedProject:
    """A branch as it is deployed. Raises DapflowError ``branch-not-up``, ``branch-refused`` or what reading it does."""
    deploy = f"dapflow branch up {branch} --environment {host.name}"
    again = f"deploy it again with this release: {deploy}"
    project = deployed_branch(s3, branches_of(host).bundle, branch_slug(branch), deploy=again)
    if project is None:
        raise DapflowError(
            "branch-not-up", f"there is no environment of a branch {branch} in {host.name}", hint=f"deploy it: {deploy}"
        )
    return project


def base_project(s3: S3Client, host: Environment) -> DeployedProject:
    """What is deployed where the branches of a host read what they do not build.

    Raises DapflowError ``no-base``, ``branch-refused`` or what reading it does.
    """
    bundle = branches_of(host).base_bundle
    again = "use the release of dapflow that is deployed there, or deploy that environment with this one"
    project = deployed_project(s3, bundle, deploy=again)
    if project is None:
        raise DapflowError(
            "no-base",
            f"nothing is deployed below {bundle}, where branches of {host.name} would read what they do not build",
            hint="deploy that environment",
        )
    return project


@dataclass(frozen=True)
class RunnableBranch:
    """A branch as it is deployed, and clients for each of its services, with the rights of its role on this branch."""

    project: DeployedProject
    clients: Mapping[str, Clients]
    host: Clients

    @property
    def publications(self) -> Publications:
        """What is published in it, each dataset as its own service sees it."""
        return Publications(self.host, self.project.manifest, self.project.environment, by_service=self.clients)


def runnable_branch(session: boto3.Session, host: Environment, branch: str, *, by: str) -> RunnableBranch:
    """A branch that is to be built with the roles that its host has for that. ``by`` is who does it, for AWS's log.

    Raises DapflowError ``branch-refused`` where the host's Airflow builds branches, ``branch-not-up``, ``role-refused``
    or what reading the bundle does.
    """
    common, slug = branches_of(host), branch_slug(branch)
    if not common.run_role:
        raise DapflowError(
            "branch-refused",
            f"the Airflow of {host.name} builds its branches",
            hint='let context.environments.branch.orchestrator of cdk.json be "runner" on main, and deploy the host',
        )
    run = assumed(session, common.run_role, by)
    own = connect(run, host.region)
    project = branch_project(own.s3, host, branch)
    tags = dict(zip(SESSION_TAGS, (slug, BranchNames.of(slug).databases), strict=True))
    clients = {
        name: connect(assumed(run, service.role_arn, by, tags), host.region)
        for name, service in project.environment.services.items()
    }
    return RunnableBranch(project, clients, own)
