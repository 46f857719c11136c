"""From a dataset to what is staged: planned, compared with what is there, and its UNLOAD started."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.attempts import Attempt, Run, Started
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.checks.asking import Asking, is_asked, staged_table
from dapflow.runtime.describe import Described
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import check_history, check_keys
from dapflow.runtime.ingest import plan_ingest
from dapflow.runtime.limit import InputLimit
from dapflow.runtime.publication import Plan, Staged
from dapflow.runtime.reset import advised
from dapflow.runtime.schema_comparison import readers_named
from dapflow.runtime.taking_over import provenance
from dapflow.runtime.target import Target
from dapflow.runtime.transform import output_of, plan_transform


def stage(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    generation: Generation,
    run: Run,
    limit: InputLimit,
    progress: Callable[[str], None],
) -> Staged:
    """Check what can be checked before, and start the UNLOAD, or copy what a branch has computed of the same."""
    started = time.time()
    dataset = target.dataset
    with aws_errors(), advised(dataset, environment), readers_named(manifest, dataset):
        plan = plan_of(target, manifest, environment, generation, run, limit, progress)
        try:
            history = known_history(target)
            trial = Attempt(target, generation, plan, run, history)
            output = fitting_output(target, plan, trial.view, history, generation)
            if is_asked(dataset):
                Asking(target, manifest, environment, generation, output.columns).verify()
            known = provenance(target, manifest, environment, generation, plan, output, run.alone, progress)
            if known.location:
                taken = Started(known.run_id, "", known.location, own=True)
            else:
                progress(f"{dataset.id} {generation}: querying")
                taken = trial.start()
        except (DapflowError, KeyboardInterrupt):
            if run.alone:
                target.drop(plan.temporary, plan.temporary_prefixes)
            raise
    return Staged(
        dataset=dataset.id,
        generation=generation.key,
        run_id=taken.run_id,
        query_id=taken.query_id,
        location=taken.location,
        edits=plan.edits,
        sql_sha=dataset.transform.sha if dataset.transform else "",
        columns=tuple((column.name, column.type, column.comment) for column in output.columns),
        started=started,
        alone=run.alone,
        own=taken.own,
        attempt=run.attempt,
        generation_types=output.generation_types,
        temporary=(*plan.temporary, *((staged_table(dataset, taken.run_id),) if is_asked(dataset) else ())),
        temporary_prefixes=plan.temporary_prefixes,
        bytes_scanned=plan.bytes_scanned,
        expected_rows=plan.expected_rows,
        inputs=plan.inputs.read if plan.inputs is not None else (),
        limits=plan.inputs.limits if plan.inputs is not None else (),
        proof=known.proof,
        takeover=known.takeover,
        seen_runs=tuple(sorted(trial.published)) if known.location else (),
        landing=plan.landing,
        landed=plan.landed,
    )


def plan_of(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    generation: Generation,
    run: Run,
    limit: InputLimit,
    progress: Callable[[str], None],
) -> Plan:
    """What is to be staged, of landing files or by a transform. Raises DapflowError for what stands against it."""
    if target.dataset.transform is None:
        return plan_ingest(target, generation, run, progress)
    return plan_transform(target, manifest, environment, generation, run.attempt, limit, progress)


def known_history(target: Target) -> dict[str, Any] | None:
    """The history table, None while there is none. Raises DapflowError unless it is one that dapflow can publish to."""
    history = target.catalog.table(target.place.database, target.place.history)
    if history is not None:
        check_keys(target.catalog, target.dataset, target.place, history)
    return history


def fitting_output(
    target: Target, plan: Plan, view: str, history: dict[str, Any] | None, generation: Generation
) -> Described:
    """What a plan puts out, asked by a view of this name. Raises DapflowError where it does not fit the history."""
    output = output_of(target, plan, view)
    check_history(target.catalog, target.dataset, target.place, history, output.columns, generation)
    return output
