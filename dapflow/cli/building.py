"""What ``dapflow backfill`` and ``dapflow branch run`` have in common: to plan, to tell, to build and to report."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dapflow.backfill.building import Backfill, StepOutcome
    from dapflow.backfill.by_airflow import AirflowBackfill
    from dapflow.backfill.estimate import Estimate
    from dapflow.backfill.plan import BackfillPlan, OnMissing, Step
    from dapflow.backfill.snapshot import Snapshot
    from dapflow.environment import Environment
    from dapflow.publications.limited_inputs import LimitedInputs
    from dapflow.runtime.generation import Generation
    from dapflow.runtime.limit import InputLimit

_MOST_NAMED = 10
_ON_MISSING = ("fail", "skip", "previous")
OnMissingOption = Annotated[
    str,
    typer.Option(
        "--on-missing",
        metavar="fail|skip|previous",
        help="Where an input has no generation of a date: run nothing, leave out what needs it, or read the one "
        "before.",
    ),
]


def check_on_missing(given: str) -> None:
    """Raise DapflowError ``option`` for what is none of the three."""
    if given not in _ON_MISSING:
        raise DapflowError("option", f"--on-missing {given}: must be {', '.join(_ON_MISSING)}")


def plan_of(
    snapshot: Snapshot,
    datasets: Sequence[str],
    days: Sequence[Generation],
    on_missing: Any,
    *,
    upstream: bool,
    again: bool,
    limit: InputLimit | None = None,
) -> BackfillPlan:
    """What there is to build of datasets on these days; what is there of another ``limit`` is built.

    Raises what ``plan_backfill`` does.
    """
    from dapflow.backfill.earlier import EarlierBackfills  # noqa: PLC0415
    from dapflow.backfill.plan import PlannedStep, plan_backfill, with_upstream  # noqa: PLC0415
    from dapflow.runtime.limit import WHOLE  # noqa: PLC0415

    manifest = snapshot.manifest
    wanted = [manifest.dataset(dataset_id) for dataset_id in datasets]
    earlier = EarlierBackfills(snapshot.publications, limit or WHOLE)
    accepted: OnMissing = on_missing

    def is_done(planned: PlannedStep) -> bool:
        step, project = planned.step, planned.manifest(manifest)
        return not again and earlier.published(project, step.dataset, step.generation)

    chosen = with_upstream(manifest, wanted) if upstream else wanted
    return plan_backfill(snapshot, chosen, days, is_done, accepted)


def build(building: Backfill | AirflowBackfill, plan: BackfillPlan, steps: Steps, outcomes: list[StepOutcome]) -> None:
    """Build; what is done is added to ``outcomes`` at once, whatever comes after it."""
    steps.expect(f"building {generations(plan.steps)}")
    with closing(building.outcomes(plan)) as told:
        for outcome in told:
            outcomes.append(outcome)
            done = f"{len(outcomes)} of {len(plan.steps)}: {outcome.step}"
            if outcome.publication is not None:
                limited = "; limited" if outcome.publication.limits else ""
                steps.tell(f"{done}: published, {outcome.publication.rows:,} rows{limited}")
            elif outcome.error is None:
                steps.tell(f"{done}: another one has published it meanwhile")
            else:
                steps.tell(f"{done}: failed")
    steps.rest()


def tell_plan(plan: BackfillPlan, expected: Estimate, names: Environment, limited: LimitedInputs | None = None) -> None:
    """Say before anything is built what is missing, what is left, and what the rest will read and cost."""
    from dapflow.cli.result_table import about_usd, size_text  # noqa: PLC0415

    for line in limited.lines() if limited else ():
        sys.stderr.write(f"{line}\n")
    for missing in plan.missing[:_MOST_NAMED]:
        sys.stderr.write(f"missing: {missing}\n")
    if len(plan.missing) > _MOST_NAMED:
        sys.stderr.write(f"missing: {len(plan.missing) - _MOST_NAMED} more; --json names all\n")
    for said, steps in (
        ("published before of the same text and inputs, and left: ", plan.done),
        ("not built, for want of inputs: ", plan.left_out),
        ("left as they are, because their landing files are gone: ", plan.kept),
    ):
        if steps:
            sys.stderr.write(f"{said}{generations(steps)}\n")
    if plan.steps:
        unknown = f"; of {expected.unknown} of them nothing is known" if expected.unknown else ""
        money = about_usd(expected.usd, expected.bytes) + (" on AWS" if names.embedded else "")
        size = size_text(expected.bytes)
        sys.stderr.write(f"to build: {generations(plan.steps)}, reading about {size}, {money}{unknown}\n")
    else:
        sys.stderr.write("nothing to build\n")


def generations(steps: Sequence[object]) -> str:
    """``3 generations``."""
    return f"{len(steps):,} generation{'' if len(steps) == 1 else 's'}"


def report(
    plan: BackfillPlan,
    expected: Estimate,
    outcomes: Sequence[StepOutcome],
    limited: LimitedInputs | None = None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Print the plan, or what became of it. Raises the error at which it ended."""
    from dapflow.errors import DapflowErrors  # noqa: PLC0415

    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if as_json:
        limit = {"limit": limited.as_dict()} if limited else {}
        print(json.dumps({**limit, **_document(plan, expected, outcomes)}, indent=2, ensure_ascii=False))
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
        limits = sorted({limit for publication in published for limit in publication.limits})
        limited_to = f"; limited: {', '.join(limits)}" if limits else ""
        to_go = f", {left + len(errors)} to go" if left + len(errors) else ""
        print(f"{generations(published)} published{to_go}{limited_to}")
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
