"""Checks that need no query: how many rows there are, and how old the inputs are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from dapflow.manifest import Check, Service
from dapflow.runtime import glue_parameters
from dapflow.runtime.checks.results import CheckResult
from dapflow.runtime.current_view import shown_generation
from dapflow.runtime.generation import Generation, newest
from dapflow.runtime.inputs import Input
from dapflow.runtime.limit import limits_of
from dapflow.runtime.objects import list_objects
from dapflow.runtime.staged_files import footer_of
from dapflow.runtime.target import Target

_INPUT_AGE = "inputs"


def row_count(target: Target, generation: Generation, check: Check, rows: int) -> CheckResult:
    """Whether there are as many rows as there should be."""
    if check.least is not None and rows < int(check.least):
        return CheckResult(check, 1, f"there are {rows} rows, and at least {check.least} are expected")
    if check.greatest is not None and rows > int(check.greatest):
        return CheckResult(check, 1, f"there are {rows} rows, and at most {check.greatest} are expected")
    before = rows_before(target, generation) if check.percent is not None else None
    if check.percent is None or before is None:
        return CheckResult(check)
    previous, count = before
    # Of no rows any number is more than every percentage.
    if abs(rows - count) * 100 <= check.percent * count:
        return CheckResult(check)
    change = f"{Decimal((rows - count) * 100) / count:+.1f} %" if count else "from none"
    return CheckResult(
        check, 1, f"there are {rows} rows, {change} against the {count} of {previous}; {check.percent} % are allowed"
    )


def rows_before(target: Target, generation: Generation) -> tuple[Generation, int] | None:
    """The newest generation before this one that is whole, and its rows: as its publication noted them, or as its
    objects say.
    """
    catalog, place = target.catalog, target.place
    view = catalog.table(place.database, place.current)
    shown = shown_generation(view) if view is not None else None
    newest_one = target.partition(shown) if shown is not None and shown < generation else None
    if newest_one is not None and not limits_of(newest_one.parameters):
        partitions = [newest_one]
    else:
        listed = catalog.partitions(place.database, place.history)
        partitions = [partition for partition in listed if not limits_of(partition.parameters)]
    before = newest(day for partition in partitions if (day := partition.generation) and day < generation)
    if before is None:
        return None
    own = [partition for partition in partitions if partition.generation == before]
    return before, sum(
        _rows(target, partition.parameters.get(glue_parameters.ROWS), partition.location) for partition in own
    )


def _rows(target: Target, noted: str | None, location: str) -> int:
    if noted is not None:
        return int(noted)
    return sum(footer_of(target.s3, item).rows for item in list_objects(target.s3, location) if item.size)


def ages(target: Target, service: Service, generation: Generation, inputs: Sequence[Input]) -> Iterator[CheckResult]:
    """Whether the inputs are of generations that are new enough; of what no check names, the service's limit holds."""
    declared = {check.dataset: check for check in target.dataset.checks if check.kind == "freshness"}
    transform = target.dataset.transform
    for read in inputs:
        check = declared.get(read.dataset)
        if not read.generation or (check is None and not read.missing):
            continue
        age = (generation.day - Generation.parse(read.generation).day).days
        most = check.days if check else service.input_age_days
        limit = Check(
            _INPUT_AGE, "freshness", "warn", transform.file if transform else "", None, None, dataset=read.dataset
        )
        said = (
            f"{read.dataset} was read as of {Generation.parse(read.generation)}, {age} days before {generation}; "
            f"at most {most} are allowed"
        )
        if age > most:
            yield CheckResult(check or limit, 1, said)
        elif check is not None:
            yield CheckResult(check)
