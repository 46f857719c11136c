"""The checks of a run: all of them, between what is staged and its publication."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dapflow.environment import Environment
from dapflow.errors import DapflowErrors
from dapflow.manifest import Manifest
from dapflow.runtime.checks.asking import Asking, is_asked
from dapflow.runtime.checks.figures import ages, row_count
from dapflow.runtime.checks.results import CheckOutcome, CheckResult, write_results
from dapflow.runtime.generation import Generation
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
    dataset, generation = target.dataset, Generation.parse(staged.generation)
    service = manifest.services[dataset.service]
    results: list[CheckResult] = list(ages(target, service, generation, staged.inputs))
    results += [row_count(target, generation, check, rows) for check in dataset.checks if check.kind == "row_count"]
    outcome = CheckOutcome()
    if is_asked(dataset):
        outcome = Asking(target, manifest, environment, generation, staged.described).outcome(staged, rows)
    outcome = replace(outcome, results=(*results, *outcome.results))
    if not outcome.results:
        return outcome
    noted(outcome.results)
    if dataset.checks:
        write_results(target.s3, target.place, generation, staged.run_id, rows, outcome)
    errors = [result.error(dataset.id) for result in outcome.results if result.stops]
    if errors:
        raise errors[0] if len(errors) == 1 else DapflowErrors(errors)
    return outcome
