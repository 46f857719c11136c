"""``--branch NAME``: a branch environment in the place of the main one; where nobody relies on what is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_behind import behind
from dapflow.cli.environment_option import connect_deployed, connected, names_of, session_of
from dapflow.cli.person import person
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError
from dapflow.git import project_commit

if TYPE_CHECKING:
    from dapflow.changes import Base
    from dapflow.environment import Environment
    from dapflow.manifest import Manifest
    from dapflow.publications.published import Publications
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.limit import InputLimit
    from dapflow.runtime.publish import Publisher

BranchOption = Annotated[
    str | None,
    typer.Option(
        "--branch",
        "-b",
        metavar="NAME",
        help="In the environment of this git branch.",
        show_default=False,
    ),
]
NameArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The git branch; by default the one that the project stands on.")
]
HostOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="E",
        help="The environment of cdk.json that hosts the branch, with your own AWS credentials. "
        "Default: the embedded platform.",
        show_default=False,
    ),
]

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="D",
        help="Read histories from this date on, and not what is older: a result of a part, which says so.",
        show_default=False,
    ),
]
SampleOption = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="N%",
        help="Read so many of the values of the column --by, the same in every table that has it: a result of a part, "
        "which says so.",
        show_default=False,
    ),
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="COLUMN", help="The column that --sample goes by.", show_default=False),
]

# Seconds before another attempt at what AWS has throttled, or did not answer.
_PAUSES = (10.0, 60.0)


def connected_to_throw_away(
    root: Path, manifest: Manifest, branch: str | None, host: str | None
) -> tuple[Clients, Environment]:
    """The clients and the names of the embedded platform's main environment, or of a branch environment.

    Raises DapflowError ``live-environment`` for an environment on AWS without a branch, ``branch-not-up``,
    ``branch-refused``, or what connecting raises.
    """
    from dapflow.branch import BranchNames, branch_environment, branch_slug  # noqa: PLC0415

    local = host is None or host == LOCAL
    if not local and branch is None:
        raise DapflowError(
            "live-environment",
            f"{host} lasts, and others rely on what is published there",
            hint="name the branch whose environment it hosts with --branch",
        )
    clients, names = connected(root, manifest, host)
    if branch is None:
        return clients, names
    if local:
        from dapflow.local.branches import find_branch  # noqa: PLC0415 (brings boto3, psutil)
        from dapflow.servers.state import State  # noqa: PLC0415

        find_branch(State.of(root), branch)
    return clients, branch_environment(manifest, BranchNames.of(branch_slug(branch)), names)


def host_of(root: Path, name: str | None) -> Environment | None:
    """The names of the deployed environment that hosts branches; None for the embedded platform.

    Raises what ``names_of`` does.
    """
    if name is None or name == LOCAL:
        return None
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    return names_of(root, compile_project(root), name)


def publications_of_branch(root: Path, branch: str, host: Environment | None) -> Publications:
    """What is published in a branch's environment, by the project that it was brought up of, or that is deployed of it.

    On AWS it is looked at with the caller's own credentials. Raises DapflowError ``branch-not-up``, or what connecting
    and reading what is deployed raise.
    """
    from dapflow.publications.published import Publications  # noqa: PLC0415 (these bring boto3, psutil)

    if host is None:
        from dapflow.local.branches import project_of, wait_for_others  # noqa: PLC0415
        from dapflow.servers.state import State  # noqa: PLC0415

        state = State.of(root)
        wait_for_others(state, branch)
        manifest = project_of(state, branch)
        clients, names = connected_to_throw_away(root, manifest, branch, None)
        return Publications(clients, manifest, names)
    from dapflow.deployed.branches import branch_project  # noqa: PLC0415

    clients = connect_deployed(host)
    project = branch_project(clients.s3, host, branch)
    return Publications(clients, project.manifest, project.environment)


def local_base(root: Path) -> Base:
    """What branches on the embedded platform are compared with. Raises DapflowError ``manifest`` or ``environment``."""
    from dapflow.changes import base_deployed  # noqa: PLC0415 (brings PyYAML)
    from dapflow.servers.state import State  # noqa: PLC0415

    return base_deployed(State.of(root).bundle / "dags", "the main environment", again="dapflow local up")


@dataclass(frozen=True)
class Workplace:
    """Where a branch is built: what is published there, of which commit, and how to build more.

    ``behind`` says in lines where that is not what lies here, or not of what its base runs by now. ``explained`` is
    around all that is done there, and ``check_there`` raises DapflowError ``branch-not-up`` where it is gone by now;
    ``pauses`` are between attempts at what may pass.
    """

    publications: Publications
    commit: str
    behind: tuple[str, ...]
    explained: AbstractContextManager[None]
    check_there: Callable[[], object]
    pauses: tuple[float, ...]

    def publisher(self, manifest: Manifest, service: str, limit: InputLimit) -> Publisher:
        """What publishes the datasets of a service, of what the limit leaves of their inputs."""
        from dapflow.runtime.publish import Publisher  # noqa: PLC0415 (brings boto3)

        clients = self.publications.clients_of_service(service)
        return Publisher(clients, manifest, self.publications.environment, by=person(), commit=self.commit, limit=limit)


def workplace(root: Path, branch: str, host: str | None) -> Workplace:
    """A branch's environment on the embedded platform, or, with the roles of its host, the one that is deployed there.

    Raises DapflowError ``branch-not-up``, ``branch-refused``, ``role-refused``, or what connecting raises.
    """
    names = host_of(root, host)
    if names is None:
        return _workplace_here(root, branch)
    from dapflow.deployed.branches import base_project, branch_project, runnable_branch  # noqa: PLC0415 (brings boto3)

    runnable = runnable_branch(session_of(names), names, branch, by=person())
    project, base = runnable.project, None
    # The role that runs branches reads nothing of the base's bundle; whoever has it need not either.
    with suppress(DapflowError):
        base = base_project(connect_deployed(names).s3, names).manifest
    moved = behind(root, branch, host, project.manifest, base)
    check_there = partial(branch_project, runnable.host.s3, names, branch)
    return Workplace(runnable.publications, project.commit, moved, nullcontext(), check_there, _PAUSES)


def _workplace_here(root: Path, branch: str) -> Workplace:
    from dapflow.local.branches import building, find_branch, wait_for_others  # noqa: PLC0415 (these bring psutil)
    from dapflow.local.processes import components  # noqa: PLC0415
    from dapflow.local.processes.running import explained  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    state = State.of(root)
    publications = publications_of_branch(root, branch, None)
    moved = behind(root, branch, None, publications.manifest, local_base(root).manifest)

    @contextmanager
    def work() -> Iterator[None]:
        with building(state, branch), explained(state, components.SERVERS):
            yield

    def check_there() -> None:
        wait_for_others(state, branch)
        find_branch(state, branch)

    return Workplace(publications, project_commit(root), moved, work(), check_there, ())
