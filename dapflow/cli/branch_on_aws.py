"""``dapflow branch up | extend | down | list`` with ``--environment``: up by the CDK, the others by CloudFormation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapflow.cli.branch_option import host_of
from dapflow.cli.environment_option import session_of
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.person import person
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.environment import Branches, Environment


def up(root: Path, host: str, name: str | None, *, everything: bool) -> None:
    """Deploy the working tree as a branch, as the workflow of its pull request does.

    Raises DapflowError ``no-base`` where git does not know what to compare it with, ``cdk``, or what connecting does.
    """
    from dapflow.branch import branch_slug  # noqa: PLC0415
    from dapflow.deployed.branches import standing_branches  # noqa: PLC0415 (these bring boto3)
    from dapflow.deployed.cdk import deploy_branch  # noqa: PLC0415
    from dapflow.git import default_branch  # noqa: PLC0415
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415

    git = git_branch(root, name)
    slug = branch_slug(git.branch)
    session, names, _ = _host(root, host)
    base = "" if everything else default_branch(root)
    if not base and not everything:
        raise DapflowError(
            "no-base",
            f"git knows no main branch of {root}, with which the branch would be compared",
            hint="fetch it, or let the branch build every product with --all",
        )
    with ends_when_interrupted():
        deploy_branch(root, git.branch, base=base, commit=git.commit, owner=git.owner or person())
    for listed in standing_branches(session, names):
        if listed.slug == slug:
            _say(f"the environment of {git.branch} is up in {host}, and expires on {listed.expires[:10]}")


def down(root: Path, host: str, name: str | None) -> None:
    """Delete a branch's stacks, whatever the working tree holds.

    Raises DapflowError ``branch-not-up``, ``branch-left``, ``role-refused`` or what connecting does.
    """
    from dapflow.deployed.expiry import remove  # noqa: PLC0415 (brings boto3)
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415

    branch = git_branch(root, name).branch
    session, names, common = _host(root, host)
    with ends_when_interrupted():
        for stack in remove(session, names, common, branch, by=person()):
            _say(f"{stack} is gone")
    _say(f"nothing is left of the environment of {branch}")


def extend(root: Path, host: str, name: str | None, days: int | None) -> None:
    """Let a branch count its days anew. Raises DapflowError ``option``, ``branch-not-up`` or ``role-refused``."""
    from dapflow.deployed.branches import standing_branches  # noqa: PLC0415 (these bring boto3)
    from dapflow.deployed.expiry import extend as extend_stacks  # noqa: PLC0415
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415

    branch = git_branch(root, name).branch
    session, names, common = _host(root, host)
    if days is not None:
        raise DapflowError(
            "option",
            f"--days: {host} lets branches stay for {common.expires_days} days, whatever who pushes them says",
            hint="leave it out, and the branch stays for as long from now; main's cdk.json has the number",
        )
    with ends_when_interrupted():
        for stack in extend_stacks(session, names, common, branch, by=person()):
            _say(stack)
    for listed in standing_branches(session, names):
        if listed.branch == branch:
            _say(f"the environment of {branch} expires on {listed.expires[:10]}")


def list_deployed(root: Path, host: str) -> None:
    """Print the branches that are deployed, whose they are, and until when."""
    from dapflow.deployed.branches import standing_branches  # noqa: PLC0415 (brings boto3)

    session, names, _ = _host(root, host)
    for listed in standing_branches(session, names):
        said = (f"{what} {value}" for what, value in (("of", listed.owner), ("commit", listed.commit[:9])) if value)
        print("\t".join((listed.branch, listed.slug, f"expires {listed.expires[:10]}", *said)))


def _host(root: Path, name: str) -> tuple[Any, Environment, Branches]:
    """The caller's session in the account of a host, its names, and what its branches have in common."""
    from dapflow.deployed.branches import branches_of  # noqa: PLC0415 (brings boto3)

    names = host_of(root, name)
    assert names is not None  # noqa: S101 - the embedded platform was sorted out before
    common = branches_of(names)
    return session_of(names), names, common


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
