"""``dapflow backfill``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.building import OnMissingOption, build, check_on_missing, generations, plan_of, report, tell_plan
from dapflow.cli.committed import committed
from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.environment_option import EnvironmentOption, airflow_of, connected
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.person import person
from dapflow.cli.project_option import ProjectOption, SelectedArgument, project_root
from dapflow.cli.selected import selected_datasets
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.git import project_commit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dapflow.backfill.building import Backfill, StepOutcome
    from dapflow.backfill.by_airflow import AirflowBackfill
    from dapflow.backfill.plan import BackfillPlan
    from dapflow.backfill.snapshot import Snapshot
    from dapflow.environment import Environment
    from dapflow.manifest import Manifest
    from dapflow.runtime.aws import Clients


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backfill")(backfill)


def backfill(
    name: SelectedArgument,
    *,
    first: Annotated[str, typer.Option("--from", metavar="D", help="The first date, as 2013-12-01.")],
    last: Annotated[str, typer.Option("--to", metavar="D", help="The last date, as 2013-12-31.")],
    upstream: Annotated[
        bool, typer.Option("--with-upstream", help="Build all that it is made of, too, in other services as well.")
    ] = False,
    on_missing: OnMissingOption = "fail",
    again: Annotated[bool, typer.Option("--again", help="Also what a backfill has published already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    parallel: Annotated[
        int, typer.Option("--parallel", "-p", min=1, help="How many at a time, at most; runs, where Airflow builds.")
    ] = 4,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan and what was published as JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Build past generations again, each from its inputs as they were on its date, and change no other.

    First it says what is missing, what there is to build, and what that will read and cost. Then it builds day by day,
    several at a time where they do not read each other. It ends at the first failure; the same command goes on where
    the last one ended: what a backfill has published of today's text and inputs is left.

    In a deployed environment its Airflow builds, by runs of the services' DAGs. Interrupted, the command leaves those
    that are under way, and takes them up when it is run again.

    Example: dapflow backfill daily_departures --from 2013-12-30 --to 2013-12-31 --yes
    """
    from dapflow.backfill.calendar import check_past, days_between  # noqa: PLC0415 (brings croniter)
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    check_on_missing(on_missing)
    days = days_between(Generation.parse(first), Generation.parse(last))
    root = project_root(project)
    with ends_when_interrupted(), Steps() as steps:
        steps.expect("compiling transforms/")
        manifest = compile_project(root)
        datasets = selected_datasets(manifest, root, name)
        for service in {dataset.service for dataset in datasets}:
            check_past(days[-1], manifest.services[service].timezone)
        clients, names = connected(root, manifest, environment)
        with _explained(root, environment):
            _prepare(root, manifest, clients, names, steps)
            steps.expect("looking at what there is")
            from dapflow.backfill.estimate import estimate  # noqa: PLC0415
            from dapflow.backfill.snapshot import Snapshot  # noqa: PLC0415
            from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)

            snapshot = Snapshot(Publications(clients, manifest, names))
            plan = plan_of(
                snapshot, [dataset.id for dataset in datasets], days, on_missing, upstream=upstream, again=again
            )
            expected = estimate(snapshot, plan.steps)
            steps.rest()
            if not as_json:
                tell_plan(plan, expected, names)
            outcomes: list[StepOutcome] = []
            if plan.steps and not dry_run:
                building = _building(root, snapshot, plan, steps, parallel=parallel, again=again)
                steps.rest()
                would = f"{generations(plan.steps)} would be built"
                confirm(f"Build {generations(plan.steps)}?", would, yes=yes)
                build(building, plan, steps, outcomes)
    report(plan, expected, outcomes, dry_run=dry_run, as_json=as_json)


def _explained(root: Path, environment: str | None) -> AbstractContextManager[None]:
    """On the embedded platform: say which of its servers is gone, where one is."""
    if environment not in (None, LOCAL):
        return nullcontext()
    from dapflow.local.processes import components  # noqa: PLC0415 (brings psutil)
    from dapflow.local.processes.running import explained  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    return explained(State.of(root), components.SERVERS)


def _prepare(root: Path, manifest: Manifest, clients: Clients, names: Environment, steps: Steps) -> None:
    """On the embedded platform make what a new service needs; elsewhere see that the text is one that git knows."""
    if names.name != LOCAL:
        committed(root, names.name, hint=f"check out the commit that {names.name} runs, or commit and deploy first")
        return
    from dapflow.local.cloudformation.provision import provision  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    steps.expect("bringing buckets, databases, workgroups and roles up to date")
    provision(State.of(root), manifest, clients, steps.tell)


def _building(
    root: Path, snapshot: Snapshot, plan: BackfillPlan, steps: Steps, *, parallel: int, again: bool
) -> Backfill | AirflowBackfill:
    """Who builds: on the embedded platform this process, in a deployed environment its Airflow, once it is seen to."""
    clients, names = snapshot.publications.clients, snapshot.publications.environment
    if names.name != LOCAL:
        from dapflow.backfill.by_airflow import AirflowBackfill  # noqa: PLC0415
        from dapflow.backfill.mwaa import MwaaAirflow  # noqa: PLC0415

        steps.expect(f"asking the Airflow of {names.name}")
        airflow = MwaaAirflow(airflow_of(names), names.airflow)
        by_airflow = AirflowBackfill(snapshot, airflow, parallel, again, steps.tell)
        by_airflow.check(plan)
        return by_airflow
    from dapflow.backfill.building import Backfill  # noqa: PLC0415
    from dapflow.runtime.publish import Publisher  # noqa: PLC0415

    by, commit = person(), project_commit(root)

    def publisher(project: Manifest, _service: str) -> Publisher:
        return Publisher(clients, project, names, by=by, commit=commit)

    return Backfill(snapshot, publisher, parallel, again)
