"""``dapflow local``: the embedded platform."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch import say
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps

if TYPE_CHECKING:
    from dapflow.local.processes.components import Status
    from dapflow.servers.state import State

local = typer.Typer(
    name="local",
    help="AWS, Athena and Airflow on this machine, for this project.\n\nExample: dapflow local up",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(local)


@local.command()
def up(
    project: ProjectOption = None,
    airflow: Annotated[bool, typer.Option("--airflow/--no-airflow", help="Whether Airflow is started too.")] = True,
    schedule: Annotated[
        bool | None,
        typer.Option(
            "--schedule/--no-schedule",
            help="Whether services run by their schedules, as on AWS. Default: as it was; at first they do not.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the embedded platform, or bring the one that runs up to date with transforms/.

    Its state is in .dapflow/ and there again at the next start. It listens on this machine only.

    Example: dapflow local up --no-airflow
    """
    from dapflow.local.branches import take_down_expired  # noqa: PLC0415
    from dapflow.local.processes import components  # noqa: PLC0415 (these bring psutil, and compiling brings PyYAML)
    from dapflow.local.startup import Startup  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    began = time.monotonic()
    root = project_root(project)
    state = State.of(root)
    with ends_when_interrupted(), Steps() as steps, state.locked(steps.tell):
        steps.expect("compiling transforms/")
        startup = Startup(state, compile_project(root), steps.tell, schedule)
        try:
            names = components.ALL if airflow else components.SERVERS
            startup.launch(names)
            startup.connect()
            from dapflow.local.orphans import orphans_of_platform  # noqa: PLC0415 (brings boto3: while servers start)

            if airflow:
                startup.connect_airflow()
                take_down_expired(state, steps.tell)
            for orphan in orphans_of_platform(state, startup.manifest):
                steps.tell(orphan.report())
        except BaseException:
            startup.undo()
            raise
    _print_statuses(state)
    did = f"started {', '.join(startup.started)}" if startup.started else "was up; brought up to date with transforms/"
    say(f"{did} ({time.monotonic() - began:.0f} s)")


@local.command()
def status(
    project: ProjectOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what runs. Ends with status 1 unless all that was started still runs.

    Example: dapflow local status
    """
    state = _state(project)
    component_statuses = _statuses(state)
    if as_json:
        document = {
            "directory": str(state.directory),
            "components": [component.as_dict() for component in component_statuses],
            "schedule": _schedule_as_dict(state),
        }
        print(json.dumps(document, indent=2))
    else:
        _print_statuses(state)
    states = {component.state for component in component_statuses}
    if "dead" in states or "running" not in states:
        raise typer.Exit(1)


@local.command()
def env(project: ProjectOption = None) -> None:
    """Print the variables with which any AWS client works on the embedded platform.

    Example: eval "$(dapflow local env)" && aws s3 ls
    """
    from dapflow.local.aws_session import FOREIGN_VARIABLES, aws_variables  # noqa: PLC0415
    from dapflow.local.processes.running import require_running  # noqa: PLC0415

    state = _state(project)
    ports = require_running(state)
    for name in FOREIGN_VARIABLES:
        if name in os.environ:
            print(f"unset {name}")
    for name, value in aws_variables(state, ports).items():
        print(f"export {name}={shlex.quote(value)}")


@local.command()
def logs(
    component: Annotated[
        str | None, typer.Argument(help="aws, athena, airflow or a part of it such as airflow-scheduler.")
    ] = None,
    project: ProjectOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 40,
) -> None:
    """Print what the processes say. (What the tasks say is in Airflow's UI.)

    Example: dapflow local logs airflow-scheduler -f
    """
    from dapflow.local.processes.logs import follow_logs, log_files, tail  # noqa: PLC0415

    files = log_files(_state(project), component)
    for file in files:
        for line in tail(file, lines):
            print(f"{file.stem} | {line}" if len(files) > 1 else line)
    if follow:
        with ends_when_interrupted():
            for file, line in follow_logs(files):
                print(f"{file.stem} | {line}" if len(files) > 1 else line, flush=True)


@local.command()
def down(
    project: ProjectOption = None,
    wipe: Annotated[bool, typer.Option("--wipe", help="Forget everything: remove .dapflow/.")] = False,
) -> None:
    """Stop the embedded platform. What it holds is there again after the next up.

    Example: dapflow local down --wipe
    """
    from dapflow.local.processes import components  # noqa: PLC0415
    from dapflow.local.processes.started import stop  # noqa: PLC0415

    state = _state(project)
    if not state.directory.is_dir():
        say("nothing runs, and there is no state")
        return
    with Steps() as steps, state.locked(steps.tell):
        steps.expect("stopping what runs; tasks of Airflow are given some seconds to end")
        stopped = stop(state, components.ALL)
        if wipe:
            state.wipe()
    say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
    if wipe:
        say(f"removed {state.directory}")


def _state(project: Path | None) -> State:
    from dapflow.servers.state import State  # noqa: PLC0415

    return State.of(project_root(project))


def _statuses(state: State) -> list[Status]:
    from dapflow.local.processes.components import statuses  # noqa: PLC0415
    from dapflow.local.processes.ports import read_ports  # noqa: PLC0415

    return list(statuses(state, read_ports(state)))


def _print_statuses(state: State) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("component", "state", "process", "address", box=None, header_style="bold", pad_edge=False)
    colours = {"running": "green", "dead": "red", "stopped": "dim"}
    component_statuses = _statuses(state)
    for component in component_statuses:
        table.add_row(
            component.name,
            f"[{colours[component.state]}]{component.state}[/]",
            str(component.pid or ""),
            component.url if component.pid else "",
        )
        for name, pid in (component.parts or {}).items():
            table.add_row(f"  {name.removeprefix('airflow-')}", "[green]running[/]", str(pid), "")
    console = Console()
    console.print(table)
    for component in component_statuses:
        if component.sign_in:
            console.print(
                f"{component.name}: sign in as {component.sign_in['user']}, password {component.sign_in['password']}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    if any(component.name == "airflow" and component.state == "running" for component in component_statuses):
        for line in _schedule_lines(state):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _schedule_lines(state: State) -> Iterator[str]:
    from dapflow.local.airflow.schedules import bundled_schedules, is_scheduled  # noqa: PLC0415

    schedules, on = bundled_schedules(state), is_scheduled(state)
    for schedule in schedules:
        if schedule.next is None:
            yield f"{schedule.service}: runs when there is a new generation of {', '.join(schedule.waits_for)}"
        else:
            when = f"next {schedule.next:%Y-%m-%d %H:%M}" if on else "not here"
            yield f"{schedule.service}: runs by its schedule {schedule.cron} ({schedule.timezone}), {when}"
    if not on and any(schedule.cron for schedule in schedules):
        yield "schedules start nothing on this machine; dapflow local up --schedule lets them"


def _schedule_as_dict(state: State) -> dict[str, object]:
    from dapflow.local.airflow.schedules import bundled_schedules, is_scheduled  # noqa: PLC0415

    services = {
        schedule.service: {
            "cron": schedule.cron,
            "timezone": schedule.timezone,
            "waits_for": list(schedule.waits_for),
            "next": schedule.next.isoformat() if schedule.next and is_scheduled(state) else None,
        }
        for schedule in bundled_schedules(state)
    }
    return {"on": is_scheduled(state), "services": services}
