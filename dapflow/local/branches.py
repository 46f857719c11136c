"""Branch environments beside the main one: brought up on a platform that runs, and taken down leaving nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dapflow.branch import branch_slug
from dapflow.environment import read_environment
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.local.airflow.dag_files import DagFiles, write_dag_files
from dapflow.local.airflow.installation import airflow_api
from dapflow.local.aws_session import connect_to_platform
from dapflow.local.branch_work import alone, shared
from dapflow.local.cloudformation.template import Resource
from dapflow.local.cloudformation.template_synthesis import GitBranch, Synthesis
from dapflow.local.processes import components
from dapflow.local.processes.running import explained, require_running
from dapflow.manifest import Manifest, read_manifest
from dapflow.platform import Platform
from dapflow.servers.state import State, damaged, read_json, write_json

if TYPE_CHECKING:
    from dapflow.local.airflow.rest_api import AirflowApi

Tell = Callable[[str], None]
# What lives for longer is no branch's.
MOST_DAYS = 365


@dataclass(frozen=True)
class Branch:
    """A branch environment, as far as it must be known to take it down. Its resources are noted beside it.

    Attributes:
        slug: what its names are made with. expires: an ISO time in UTC.
        connections, pools: in Airflow. Pools are shared with the main environment's service of the same name.
        airflow: whether the platform's Airflow runs it. Else people do, by ``dapflow branch run``.
        whole: whether it was brought up to the end, and nothing of it has been taken down since.
    """

    branch: str
    slug: str
    expires: str
    connections: tuple[str, ...]
    pools: tuple[str, ...]
    airflow: bool = True
    whole: bool = True

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return datetime.fromisoformat(self.expires) < datetime.now(UTC)


def branches(state: State) -> Iterator[Branch]:
    """All that are up, or were being brought up; what a newer release has noted besides is passed over."""
    known = {noted.name for noted in fields(Branch)}
    for file in sorted(state.branches.glob("*/branch.json")):
        if noted := {name: value for name, value in read_json(file).items() if name in known}:
            try:
                yield Branch(**{**noted, "connections": tuple(noted["connections"]), "pools": tuple(noted["pools"])})
            except (TypeError, KeyError) as error:
                raise damaged(file) from error


def bring_up(
    state: State, manifest: Manifest, git: GitBranch, tell: Tell, *, airflow: bool = True
) -> tuple[Branch, Platform, DagFiles | None]:
    """Make a branch environment of the project as it is now, or bring the one that is up to it.

    The platform must run. Gives back what there is, and the DAGs, which Airflow has read; None without ``airflow``.
    """
    # These import boto3, for a second: not before a mistake in the name is told.
    slug = branch_slug(git.branch)
    before = next((other for other in branches(state) if other.slug == slug), None)
    if before is not None and before.branch != git.branch:
        raise DapflowError(
            "branch-clash",
            f"{git.branch} would have the names of {before.branch}, which is up: {slug}",
            hint="rename one of the branches, or take the other one down",
        )
    if before is not None and before.airflow and not airflow:
        raise DapflowError(
            "branch-clash",
            f"Airflow runs the environment of {git.branch}",
            hint="leave out --no-airflow, or take it down first: dapflow branch down",
        )
    needed = components.ALL if airflow else components.SERVERS
    ports = require_running(state, needed)
    from dapflow.local.cloudformation import provision  # noqa: PLC0415
    from dapflow.local.cloudformation.deployment import deploy, require_free  # noqa: PLC0415

    platform = provision.describe_local_branch(state.root, manifest, git.branch)
    synthesis = Synthesis(state.root, manifest, git)
    try:
        tell("synthesizing the branch's stacks")
        templates = synthesis.templates()
    finally:
        synthesis.cancel()
    wanted = provision.wanted_resources(templates, platform, read_json(state.exports_file))
    connect_to_platform(state, ports)
    record = _stacks_file(state, slug)
    half_way = f"the same command goes on from there; dapflow branch down {git.branch} removes what there is"
    with _half_way(state, needed, half_way):
        require_free(record, wanted)
    services = platform.environment.services.values()
    noted = Branch(
        git.branch,
        slug,
        # Not before the day to which somebody has extended it.
        max(_expiry(wanted), before.expires if before else ""),
        _united(before.connections if before else (), (service.connection for service in services if airflow)),
        _united(before.pools if before else (), (service.pool for service in services if airflow)),
        airflow,
    )
    write_json(_branch_file(state, slug), asdict(replace(noted, whole=False)))
    write_whole(_manifest_file(state, slug), manifest.to_json().encode())
    tell("making its databases, workgroups and roles")
    with _half_way(state, needed, half_way):
        deploy(record, {"s3", "glue", "iam", "athena"}, wanted)
    dag_files: DagFiles | None = None
    if airflow:
        api = airflow_api(state, ports)
        provision.provision_airflow(platform, api)
        dag_files = write_dag_files(state, manifest, platform.environment)
        tell("waiting until Airflow has read its DAGs")
        dag_files.wait(api, tell)
    write_json(_branch_file(state, slug), asdict(noted))
    return noted, platform, dag_files


def project_of(state: State, branch: str) -> Manifest:
    """The project of a branch's environment, as it was last brought up.

    Raises DapflowError ``branch-not-up``, or ``manifest`` for what another release has written.
    """
    file = _manifest_file(state, find_branch(state, branch).slug)
    try:
        return read_manifest(file)
    except DapflowError as error:
        raise DapflowError(
            error.code,
            f"what was brought up of {branch} cannot be read by this release: {error.message}",
            file=file,
            hint=f"bring it up again: dapflow branch up {branch}",
        ) from error


def find_branch(state: State, branch: str) -> Branch:
    """A branch's environment. Raises DapflowError ``branch-not-up``, also where it is there half-way."""
    noted = _noted(state, branch)
    if not noted.whole:
        raise DapflowError(
            "branch-not-up",
            f"of the environment of {branch} there is a part: it was not brought up, or taken down, to the end",
            hint=f"dapflow branch up {branch} goes on with it, dapflow branch down {branch} removes it",
        )
    return noted


def wait_for_others(state: State, branch: str) -> None:
    """Wait for whoever is bringing a branch up, or taking it down. Raises DapflowError ``platform-busy``."""
    if not _noted(state, branch).whole:
        with state.locked():
            return


@contextmanager
def building(state: State, branch: str) -> Iterator[None]:
    """Keep a branch's environment from being taken away while something is built in it.

    Raises DapflowError ``branch-not-up``.
    """
    while True:
        # Not with the lock, for which whoever takes it down would wait in turn.
        wait_for_others(state, branch)
        with shared(_branch_file(state, find_branch(state, branch).slug).parent):
            if _noted(state, branch).whole:
                yield
                return


def _noted(state: State, branch: str) -> Branch:
    up = {other.branch: other for other in branches(state)}
    if branch not in up:
        raise DapflowError(
            "branch-not-up",
            f"there is no environment of a branch {branch}",
            hint=f"there are those of {', '.join(up)}" if up else "there is none of any branch",
        )
    return up[branch]


def extend(state: State, branch: str, days: int) -> Branch:
    """Let a branch's environment expire so many days from now. Nothing else of it changes, and nothing need run.

    Raises DapflowError ``option`` for a number of days that makes no sense or is less than what is left,
    ``branch-not-up`` or ``branch-expired``.
    """
    if not 1 <= days <= MOST_DAYS:
        raise DapflowError("option", f"--days {days}: must be 1 to {MOST_DAYS}")
    noted = _noted(state, branch)
    if noted.expired:
        raise DapflowError(
            "branch-expired",
            f"the environment of {branch} expired on {noted.expires[:10]}, and goes with the next dapflow local up",
            hint="dapflow branch up takes it up again",
        )
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    if expires < noted.expires:
        raise DapflowError(
            "option",
            f"--days {days}: it would expire on {expires[:10]}, and does so on {noted.expires[:10]} as it is",
            hint="dapflow branch down removes it at once",
        )
    extended = replace(noted, expires=expires)
    write_json(_branch_file(state, noted.slug), asdict(extended))
    return extended


def take_down(state: State, branch: str, tell: Tell) -> None:
    """Remove a branch environment: its runs, DAGs, connections, databases, workgroups, roles and objects.

    The platform must run. What is gone already is passed over, so that this can be repeated.
    """
    slug = branch_slug(branch)
    _forget_torn(state)
    noted = _noted(state, branch)
    needed = components.ALL if noted.airflow else components.SERVERS
    ports = require_running(state, needed)
    connect_to_platform(state, ports)
    from dapflow.local.cloudformation.deployment import destroy  # noqa: PLC0415

    write_json(_branch_file(state, slug), asdict(replace(noted, whole=False)))
    if noted.airflow:
        _take_from_airflow(state, noted, airflow_api(state, ports), tell)
    tell("removing its databases, workgroups, roles and objects")
    record = _stacks_file(state, slug)
    with _half_way(state, needed, "the same command goes on from there"):
        # This stops queries, so that whoever waits for them ends.
        destroy(record, {"athena"})
        with alone(record.parent, tell):
            destroy(record, {"s3", "glue", "iam"})
    _branch_file(state, slug).unlink()
    _forget_torn(state)


def _forget_torn(state: State) -> None:
    """Remove notes of no branch: of one that is gone, or of which nothing was made, because a command was killed.

    That a branch is there is noted before anything of it is made, and forgotten when nothing of it is left.
    """
    for folder in state.branches.glob("*"):
        if not _branch_file(state, folder.name).exists():
            shutil.rmtree(folder)


@contextmanager
def _half_way(state: State, needed: Sequence[str], hint: str) -> Iterator[None]:
    """Say how it goes on where AWS refuses a call; what is done until then stays."""
    try:
        with explained(state, needed):
            yield
    except DapflowError as error:
        if error.code not in ("aws", "aws-credentials"):
            raise
        raise DapflowError(error.code, error.message, hint=hint) from error


def _take_from_airflow(state: State, branch: Branch, api: AirflowApi, tell: Tell) -> None:
    from dapflow.local.airflow.branch_dags import remove_dags  # noqa: PLC0415

    tell("ending its runs and removing its DAGs")
    remove_dags(state, api, branch.slug)
    for connection in branch.connections:
        api.delete_connection(connection)
    for pool in branch.pools:
        if pool not in _pools_of_others(state, branch.slug):
            api.delete_pool(pool)


def take_down_expired(state: State, tell: Tell) -> None:
    """Remove the branch environments whose time is over."""
    _forget_torn(state)
    for environment in list(branches(state)):
        if environment.expired:
            tell(f"the environment of {environment.branch} expired on {environment.expires[:10]}")
            try:
                take_down(state, environment.branch, tell)
            except DapflowError as error:
                # The main environment is up all the same.
                tell(f"it could not be removed: {error}")


def _expiry(wanted: Iterable[Resource]) -> str:
    """When the stacks expire, by their tags."""
    for resource in wanted:
        for tag in resource.properties.get("Tags", ()):
            if tag["Key"] == "dapflow:expires":
                return str(tag["Value"])
    raise DapflowError(
        "template", "the stacks of the branch are empty", hint="add a service: a folder under transforms/"
    )


def _branch_file(state: State, slug: str) -> Path:
    return state.branches / slug / "branch.json"


def _manifest_file(state: State, slug: str) -> Path:
    return state.branches / slug / "manifest.json"


def _stacks_file(state: State, slug: str) -> Path:
    return state.branches / slug / "stacks.json"


def _united(before: tuple[str, ...], now: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *now)))


def _pools_of_others(state: State, slug: str) -> set[str]:
    """The pools of the main environment's services, and of other branches."""
    main = state.bundle / "dags" / "environment.json"
    others = {pool for other in branches(state) if other.slug != slug for pool in other.pools}
    return others | {service.pool for service in read_environment(main).services.values()}
