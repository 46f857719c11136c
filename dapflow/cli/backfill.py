"""``dapflow backfill``."""

from __future__ import annotations

import json
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.environment_option import EnvironmentOption, airflow_of, connected
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.person import person
from dapflow.cli.project_option import ProjectOption, SelectedArgument, project_root
from dapflow.cli.selected import selected_datasets
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError
from dapflow.git import project_commit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from dapflow.backfill.building import Backfill, StepOutcome
    from dapflow.backfill.by_airflow import AirflowBackfill
    from dapflow.backfill.estimate import Estimate
    from dapflow.backfill.plan import BackfillPlan, OnMissing, Step
    from dapflow.backfill.snapshot import Snapshot
    from dapflow.environment import Environment
    from dapflow.manifest import Manifest
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.generation import Generation

_MOST_NAMED = 10
_ON_MISSING = ("fail", "skip", "previous")


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
    on_missing: Annotated[
        str,
        typer.Option(
            "--on-missing",
            metavar="fail|skip|previous",
            help="Where an input has no generation of a date: run nothing, leave out what needs it, or read the one "
            "before.",
        ),
    ] = "fail",
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

    if on_missing not in _ON_MISSING:
        raise DapflowError("option", f"--on-missing {on_missing}: must be {', '.join(_ON_MISSING)}")
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
            plan = _plan(
                snapshot, [dataset.id for dataset in datasets], days, on_missing, upstream=upstream, again=again
            )
            expected = estimate(snapshot, plan.steps)
            steps.rest()
            if not as_json:
                _tell_plan(plan, expected, names)
            outcomes: list[StepOutcome] = []
            if plan.steps and not dry_run:
                building = _building(root, snapshot, plan, steps, parallel=parallel, again=again)
                steps.rest()
                would = f"{_generations(plan.steps)} would be built"
                confirm(f"Build {_generations(plan.steps)}?", would, yes=yes)
                _run(building, plan, steps, outcomes)
    _report(plan, expected, outcomes, dry_run=dry_run, as_json=as_json)


def _explained(root: Path, environment: str | None) -> AbstractContextManager[None]:
    """On the embedded platform: say which of its servers is gone, where one is."""
    if environment not in (None, LOCAL):
        return nullcontext()
    from dapflow.local.processes import components  # noqa: PLC0415 (brings psutil)
    from dapflow.local.processes.running import explained  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    return explained(State.of(root), (components.AWS, components.ATHENA))


def _prepare(root: Path, manifest: Manifest, clients: Clients, names: Environment, steps: Steps) -> None:
    """On the embedded platform make what a new service needs; elsewhere see that the text is one that git knows."""
    if names.name != LOCAL:
        if (commit := project_commit(root)).endswith("+changes") or not commit:
            raise DapflowError(
                "uncommitted",
                f"transforms/ holds what is in no commit, and {names.name} is to have what git has",
                hint=f"check out the commit that {names.name} runs, or commit and deploy first",
            )
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

    def publisher(project: Manifest) -> Publisher:
        return Publisher(clients, project, names, by=by, commit=commit)

    return Backfill(snapshot, publisher, parallel, again)


def _plan(
    snapshot: Snapshot,
    datasets: Sequence[str],
    days: Sequence[Generation],
    on_missing: Any,
    *,
    upstream: bool,
    again: bool,
) -> BackfillPlan:
    from dapflow.backfill.earlier import EarlierBackfills  # noqa: PLC0415
    from dapflow.backfill.plan import PlannedStep, plan_backfill, with_upstream  # noqa: PLC0415

    manifest = snapshot.manifest
    wanted = [manifest.dataset(dataset_id) for dataset_id in datasets]
    earlier = EarlierBackfills(snapshot.publications)
    accepted: OnMissing = on_missing

    def is_done(planned: PlannedStep) -> bool:
        step, project = planned.step, planned.manifest(manifest)
        return not again and earlier.published(project, step.dataset, step.generation)

    chosen = with_upstream(manifest, wanted) if upstream else wanted
    return plan_backfill(snapshot, chosen, days, is_done, accepted)


def _run(building: Backfill | AirflowBackfill, plan: BackfillPlan, steps: Steps, outcomes: list[StepOutcome]) -> None:
    """Build; what is done is added to ``outcomes`` at once, whatever comes after it."""
    steps.expect(f"building {_generations(plan.steps)}")
    with closing(building.outcomes(plan)) as told:
        for outcome in told:
            outcomes.append(outcome)
            done = f"{len(outcomes)} of {len(plan.steps)}: {outcome.step}"
            if outcome.publication is not None:
                steps.tell(f"{done}: published, {outcome.publication.rows:,} rows")
            elif outcome.error is None:
                steps.tell(f"{done}: another backfill has published it")
            else:
                steps.tell(f"{done}: failed")
    steps.rest()


def _tell_plan(plan: BackfillPlan, expected: Estimate, names: Environment) -> None:
    from dapflow.cli.result_table import size_text  # noqa: PLC0415

    for missing in plan.missing[:_MOST_NAMED]:
        sys.stderr.write(f"missing: {missing}\n")
    if len(plan.missing) > _MOST_NAMED:
        sys.stderr.write(f"missing: {len(plan.missing) - _MOST_NAMED} more; --json names all\n")
    for said, steps in (
        ("published by an earlier backfill and left: ", plan.done),
        ("not built, for want of inputs: ", plan.left_out),
        ("left as they are, because their landing files are gone: ", plan.kept),
    ):
        if steps:
            sys.stderr.write(f"{said}{_generations(steps)}\n")
    if plan.steps:
        unknown = f"; of {expected.unknown} of them nothing is known" if expected.unknown else ""
        money = f"about ${expected.usd:.4f}" + (" on AWS" if names.name == LOCAL else "")
        size = size_text(expected.bytes)
        sys.stderr.write(f"to build: {_generations(plan.steps)}, reading about {size}, {money}{unknown}\n")
    else:
        sys.stderr.write("nothing to build\n")


def _generations(steps: Sequence[object]) -> str:
    return f"{len(steps):,} generation{'' if len(steps) == 1 else 's'}"


def _report(
    plan: BackfillPlan, expected: Estimate, outcomes: Sequence[StepOutcome], *, dry_run: bool, as_json: bool
) -> None:
    """Print the plan, or what became of it. Raises the error at which it ended."""
    from dapflow.errors import DapflowErrors  # noqa: PLC0415

    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if as_json:
        print(json.dumps(_document(plan, expected, outcomes), indent=2, ensure_ascii=False))
        if errors:
            raise typer.Exit(1)
        return
    if dry_run:
        for planned in plan.steps:
            older = f" (reads the generation before of {', '.join(planned.older)})" if planned.older else ""
            print(f"{planned.step}{older}")
    elif outcomes:
        left = len(plan.steps) - len(outcomes)
        published = [outcome.publication for outcome in outcomes if outcome.publication is not None]
        print(f"{_generations(published)} published" + (f", {left + len(errors)} to go" if left + len(errors) else ""))
    if errors:
        raise errors[0] if len(errors) == 1 else DapflowErrors(errors)


def _document(plan: BackfillPlan, expected: Estimate, outcomes: Sequence[StepOutcome]) -> dict[str, Any]:
    from dapflow.cli.failure import each_error  # noqa: PLC0415

    def named(step: Step) -> dict[str, str]:
        return {"dataset": step.dataset, "generation": str(step.generation)}

    return {
        "estimate": {"bytes": expected.bytes, "usd": round(expected.usd, 6), "unknown": expected.unknown},
        "missing": [
            {
                **named(missing.step),
                "input": missing.input,
                "previous": str(missing.previous) if missing.previous else None,
            }
            for missing in plan.missing
        ],
        "steps": [{**named(planned.step), "older": list(planned.older)} for planned in plan.steps],
        "done": [named(step) for step in plan.done],
        "kept": [named(step) for step in plan.kept],
        "left_out": [named(step) for step in plan.left_out],
        "publications": [outcome.publication.summary() for outcome in outcomes if outcome.publication is not None],
        "errors": [error.as_dict() for outcome in outcomes if outcome.error for error in each_error(outcome.error)],
    }
