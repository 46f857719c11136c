"""``dapflow branch run``."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_option import ByOption, HostOption, NameArgument, SampleOption, SinceOption, workplace
from dapflow.cli.building import OnMissingOption, build, check_on_missing, generations, plan_of, report, tell_plan
from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.backfill.building import StepOutcome
    from dapflow.manifest import Dataset
    from dapflow.publications.published import Publications
    from dapflow.runtime.generation import Generation
    from dapflow.runtime.limit import InputLimit


def run(
    name: NameArgument = None,
    *,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="D",
            help="The first date, as 2013-12-01. Default: the newest of what is read.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="D", help="The last date. Default: the first one.", show_default=False),
    ] = None,
    on_missing: OnMissingOption = "fail",
    again: Annotated[bool, typer.Option("--again", help="Also what was built of the same text and inputs.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    parallel: Annotated[int, typer.Option("--parallel", "-p", min=1, help="How many at a time, at most.")] = 4,
    since: SinceOption = None,
    sample: SampleOption = None,
    by: ByOption = None,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan and what was published as JSON.")] = False,
    environment: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Build what a branch changes, in its environment, without Airflow.

    It builds what dapflow branch up, or the deployment, has found to differ, in the order in which products read each
    other, several at a time, and says before what that will read and cost. All else is read from the main environment.
    It ends at the first failure; the same command goes on from there.

    On AWS it builds what is deployed of the branch, whatever the working tree holds, with the roles that the host has
    for it, where context.environments.branch.orchestrator of cdk.json is "runner".

    With --since or --sample it builds of a part of the inputs. What comes of it is marked wherever it is named, is not
    taken over when the branch is merged, and is built anew by a run without them.

    Example: dapflow branch run --from 2013-12-31 --yes
    """
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415

    check_on_missing(on_missing)
    root = project_root(project)
    branch = git_branch(root, name).branch
    with ends_when_interrupted(), Steps() as steps:
        steps.expect("looking at what there is")
        # What is not up has not ended in the middle of the work.
        place = workplace(root, branch, environment)
        from dapflow.backfill.building import Backfill  # noqa: PLC0415 (these bring boto3)
        from dapflow.backfill.estimate import estimate  # noqa: PLC0415
        from dapflow.backfill.plan import BackfillPlan  # noqa: PLC0415
        from dapflow.backfill.snapshot import Snapshot  # noqa: PLC0415
        from dapflow.publications.limited_inputs import LimitedInputs, columns_published  # noqa: PLC0415
        from dapflow.runtime.limit import WHOLE, InputLimit  # noqa: PLC0415

        limit = InputLimit.asked(since, sample, by)
        publications = place.publications
        steps.rest()
        for line in place.behind:
            sys.stderr.write(f"{line}\n")
        with place.explained:
            built, snapshot = publications.own, Snapshot(publications)
            if built:
                days = _days(publications, built, first, last)
                _check_since(limit, days[0])
                names = [dataset.id for dataset in built]
                plan = plan_of(snapshot, names, days, on_missing, upstream=False, again=again, limit=limit)
            else:
                sys.stderr.write(f"{branch} changes no product\n")
                plan = BackfillPlan((), (), (), (), ())
            limited = LimitedInputs.of(limit, built, publications.manifest, columns_published(publications))
            expected = estimate(snapshot, plan.steps, limit.since)
            steps.rest()
            if not as_json:
                tell_plan(plan, expected, publications.environment, limited)
            outcomes: list[StepOutcome] = []
            if plan.steps and not dry_run:
                confirm(f"Build {generations(plan.steps)}?", f"{generations(plan.steps)} would be built", yes=yes)
                publisher = partial(place.publisher, limit=limit)
                build(Backfill(snapshot, publisher, parallel, again, place.pauses, limit), plan, steps, outcomes)
    if any(outcome.error is not None for outcome in outcomes):
        # What it was built in may have been taken away below it.
        place.check_there()
    report(plan, expected, outcomes, limited if limit != WHOLE else None, dry_run=dry_run, as_json=as_json)


def _days(publications: Publications, built: list[Dataset], first: str | None, last: str | None) -> list[Generation]:
    """The days that are asked for, of which none is yet to come."""
    from dapflow.backfill.calendar import check_past, days_between  # noqa: PLC0415 (brings croniter)
    from dapflow.local.selection import newest_generation  # noqa: PLC0415
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    begin = Generation.parse(first) if first is not None else newest_generation(built, publications)
    days = days_between(begin, Generation.parse(last) if last is not None else begin)
    for service in {dataset.service for dataset in built}:
        check_past(days[-1], publications.manifest.services[service].timezone)
    return days


def _check_since(limit: InputLimit, first: Generation) -> None:
    if limit.since is not None and first < limit.since:
        raise DapflowError(
            "option",
            f"--since {limit.since}: generation {first} is to be built, which is older",
            hint="name a date of then or before, or other dates with --from and --to",
        )
