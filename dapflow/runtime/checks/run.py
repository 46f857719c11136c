"""The checks of a run: all of them, between what is staged and its publication."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dapflow.environment import Environment
from dapflow.errors import DapflowErrors
from dapflow.manifest import Check, Dataset, Manifest
from dapflow.runtime.checks.asking import Asking, is_asked
from dapflow.runtime.checks.figures import ages, row_count
from dapflow.runtime.checks.results import CheckOutcome, CheckResult, write_results
from dapflow.runtime.generation import Generation
from dapflow.runtime.limit import limited_said
from dapflow.runtime.publication import Staged
from dapflow.runtime.target import Target


def run_checks(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    staged: Staged,
    rows: int,
    noted: Callable[[Sequence[CheckResult]], None],
) -> CheckOutcome:
    """What came of the checks of a staged generation of so many rows.

    What is found is told to ``noted``, and kept for ``dapflow check-results``. Raises DapflowError ``check-failed``
    where nothing may be published, InputsChangedError where a table that checks read was changed meanwhile.
    """
    generation = Generation.parse(staged.generation)
    service = manifest.services[target.dataset.service]
    results: list[CheckResult] = list(ages(target, service, generation, staged.inputs))
    dataset, unasked = _asked(target, manifest, environment, staged)
    target = replace(target, dataset=dataset)
    results += [row_count(target, generation, check, rows) for check in dataset.checks if check.kind == "row_count"]
    outcome = CheckOutcome()
    if is_asked(dataset):
        outcome = Asking(target, manifest, environment, generation, staged.described).outcome(staged, rows)
    outcome = replace(outcome, results=(*results, *outcome.results, *unasked))
    if not outcome.results:
        return outcome
    noted(outcome.results)
    if dataset.checks or unasked:
        write_results(target.s3, target.place, generation, staged.run_id, rows, outcome)
    errors = [result.error(dataset.id) for result in outcome.results if result.stops]
    if errors:
        raise errors[0] if len(errors) == 1 else DapflowErrors(errors)
    return outcome


def _asked(
    target: Target, manifest: Manifest, environment: Environment, staged: Staged
) -> tuple[Dataset, list[CheckResult]]:
    """The dataset with the checks that say something of what was staged, and results that say why others do not.

    What is made of a part of its inputs is compared with nothing that is whole, nor the other way round. That the
    values of a part are among those of a whole table holds of the part as well.
    """
    dataset, limits = target.dataset, dict[str, set[str]]()
    if environment.branch and is_asked(dataset):
        limits = Asking(target, manifest, environment, Generation.parse(staged.generation), staged.described).limits()
    reasons = {check: _reason(check, dataset, staged.limits, limits) for check in dataset.checks}
    asked = replace(dataset, checks=tuple(check for check in dataset.checks if not reasons[check]))
    return asked, [CheckResult(check, said=reason, asked=False) for check, reason in reasons.items() if reason]


def _reason(check: Check, dataset: Dataset, staged: tuple[str, ...], limits: Mapping[str, set[str]]) -> str:
    """Why a check is not asked; empty where it is. ``limits`` are those of what checks read."""
    read = {read.dataset for read in check.references if (read.dataset, read.kind) != (dataset.id, "current")}
    read |= {check.dataset} if check.kind == "relationships" and check.dataset else set()
    if parts := {limit for name in read for limit in limits.get(name, ())}:
        return f"not asked: what it reads is {limited_said(tuple(sorted(parts)))}"
    if staged and (check.kind == "row_count" or (check.kind == "sql" and read)):
        return f"not asked: what it looks at is {limited_said(staged)}"
    return ""
