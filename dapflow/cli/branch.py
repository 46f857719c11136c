"""``dapflow branch``: what a git branch changes, and environments of branches, here and on AWS."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dapflow.cli.branch_diff import diff
from dapflow.cli.branch_option import HostOption, NameArgument, local_base
from dapflow.cli.branch_plan import plan
from dapflow.cli.branch_run import run
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

branch = typer.Typer(
    name="branch",
    help="What a git branch changes, and its environment beside the main one.\n\nExample: dapflow branch plan",
    no_args_is_help=True,
)
branch.command()(plan)
branch.command()(run)
branch.command()(diff)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(branch)


def say(line: str) -> None:
    """Print a line of progress; the results of a command go to standard output, this does not."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@branch.command()
def up(
    name: NameArgument = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Build every product, those that the main environment has too.")
    ] = False,
    airflow: Annotated[
        bool,
        typer.Option(
            "--airflow/--no-airflow", help="Whether the platform's Airflow runs it. Else: dapflow branch run."
        ),
    ] = True,
    environment: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Make an environment of transforms/ as it is now, on the platform that runs, or bring the one there is up to it.

    It has databases, workgroups, roles and DAGs of its own, for the products that differ by what they mean from those
    of the main environment. The others it reads there, as it reads the raw zone, and changes nothing of either.

    On AWS the CDK deploys the working tree as the workflow of a pull request does, compared with where it left the main
    branch; who runs it then says context.environments.branch.orchestrator of cdk.json.

    Example: dapflow branch up fix/delays
    """
    if environment not in (None, LOCAL):
        if not airflow:
            raise DapflowError("option", "--no-airflow: the settings of the host say who runs its branches")
        from dapflow.cli.branch_on_aws import up as up_on_aws  # noqa: PLC0415

        up_on_aws(project_root(project), environment, name, everything=everything)
        return
    from dapflow.branch import branch_slug  # noqa: PLC0415
    from dapflow.changes import left_at, plan_branch  # noqa: PLC0415
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.local.branches import bring_up  # noqa: PLC0415
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415
    from dapflow.local.processes.running import require_running  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    root = project_root(project)
    state = State.of(root)
    with ends_when_interrupted(), Steps() as steps, state.locked(steps.tell):
        steps.expect("compiling transforms/")
        manifest, git = compile_project(root), git_branch(root, name)
        # A name that no environment can have is told first.
        branch_slug(git.branch)
        require_running(state)
        if not everything:
            base = local_base(root)
            planned = plan_branch(base.manifest, manifest, read_lineage(manifest_file(root)))
            manifest = planned.applied(manifest)
            steps.tell(f"compared with {base.name}: {len(planned.built)} to build, {len(planned.deferred)} deferred")
            if (left := left_at(root)) not in ("", base.commit):
                steps.tell(f"by git it comes from commit {left[:9]}, with which dapflow branch plan compares it")
        made, platform, dag_files = bring_up(state, manifest, git, steps.tell, airflow=airflow)
    names = platform.environment
    for service in manifest.services.values():
        databases = [database.name for database in platform.databases if database.service == service.name]
        built = [name for name in service.datasets if names.publishes(name, external=manifest.datasets[name].external)]
        label = service.name if dag_files is None else f"DAG {names.dag_id(service.name)}"
        print(f"{label if built else f'{service.name} (nothing to build)'}: {', '.join(databases)}")
    say(f"the environment of {made.branch} is up, and expires on {made.expires[:10]}")


@branch.command()
def extend(
    name: NameArgument = None,
    *,
    days: Annotated[
        int | None,
        typer.Option(
            "--days",
            metavar="N",
            help="It expires so many days from now: 1 to 365; on the embedded platform alone.",
            show_default=False,
        ),
    ] = None,
    environment: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Let a branch's environment stay for longer.

    An environment that has expired is removed by the next dapflow local up. On AWS the host removes it: it stays for
    branch.expires_days of main's cdk.json from now on, as if it had been deployed again. With your own credentials, as
    the role that deploys branches.

    Example: dapflow branch extend fix/delays --days 30
    """
    if environment not in (None, LOCAL):
        from dapflow.cli.branch_on_aws import extend as extend_on_aws  # noqa: PLC0415

        extend_on_aws(project_root(project), environment, name, days)
        return
    if days is None:
        raise DapflowError("option", "--days is missing: from now on, how many")
    from dapflow.local.branches import extend as extend_branch  # noqa: PLC0415 (brings psutil)
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    root = project_root(project)
    state, branch_name = State.of(root), git_branch(root, name).branch
    with ends_when_interrupted(), Steps() as steps, state.locked(steps.tell):
        extended = extend_branch(state, branch_name, days)
    say(f"the environment of {extended.branch} expires on {extended.expires[:10]}")


@branch.command()
def down(name: NameArgument = None, environment: HostOption = None, project: ProjectOption = None) -> None:
    """Remove a branch's environment with everything in it. The main environment stays as it is.

    On AWS CloudFormation deletes its stacks, whatever the working tree holds. With your own credentials, as the role
    that deploys branches.

    Example: dapflow branch down fix/delays
    """
    if environment not in (None, LOCAL):
        from dapflow.cli.branch_on_aws import down as down_on_aws  # noqa: PLC0415

        down_on_aws(project_root(project), environment, name)
        return
    from dapflow.local.branches import take_down  # noqa: PLC0415
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    root = project_root(project)
    state, branch_name = State.of(root), git_branch(root, name).branch
    with ends_when_interrupted(), Steps() as steps, state.locked(steps.tell):
        take_down(state, branch_name, steps.tell)
    say(f"nothing is left of the environment of {branch_name}")


@branch.command("list")
def list_branches(environment: HostOption = None, project: ProjectOption = None) -> None:
    """Name the branches that have an environment, and when it expires; on AWS also whose they are, and the commit.

    Example: dapflow branch list
    """
    if environment not in (None, LOCAL):
        from dapflow.cli.branch_on_aws import list_deployed  # noqa: PLC0415

        list_deployed(project_root(project), environment)
        return
    from dapflow.local.branches import branches  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    for listed in branches(State.of(project_root(project))):
        # Git takes any bytes for a name, a terminal does not.
        name = listed.branch.encode(errors="backslashreplace").decode()
        print(f"{name}\t{listed.slug}\texpires {listed.expires[:10]}")
