"""What no test reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dapflow.manifest import Dataset
from dapflow.sql_tests.outcome import SqlTestOutcome, TransformPart


@dataclass(frozen=True)
class TransformCoverage:
    """What tests reach of a transform. ``problems`` are reasons why it is not known of a test."""

    dataset: str
    file: str
    tests: int
    parts: int
    missed: tuple[TransformPart, ...]
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return asdict(self)


def coverage_of(transforms: Collection[Dataset], outcomes: Sequence[SqlTestOutcome]) -> list[TransformCoverage]:
    """What tests reach of each transform, in the order of their files."""
    by_transform: dict[str, list[SqlTestOutcome]] = defaultdict(list)
    for outcome in outcomes:
        by_transform[outcome.dataset].append(outcome)
    made = [
        _of(dataset.id, dataset.transform.file, by_transform[dataset.id])
        for dataset in transforms
        if dataset.transform is not None
    ]
    return sorted(made, key=lambda transform: transform.file)


def coverage_lines(transforms: Sequence[TransformCoverage]) -> list[str]:
    """What no test reaches, line by line."""
    tested = [transform for transform in transforms if transform.tests]
    lines = [tested_transforms(transforms)]
    lines += [f"{transform.file}: no test" for transform in transforms if not transform.tests]
    for transform in tested:
        for part in transform.missed:
            lines.append(f"{transform.file}:{part.line}:{part.column}: no test reaches {part.text}")
        lines += [f"{transform.file}: not known of a test: {problem}" for problem in transform.problems]
    return [*lines, reached_parts(transforms)]


def tested_transforms(transforms: Sequence[TransformCoverage]) -> str:
    """How many transforms have a test, in words."""
    return f"{sum(transform.tests > 0 for transform in transforms)} of {len(transforms)} transforms have a test"


def reached_parts(transforms: Sequence[TransformCoverage]) -> str:
    """How much of the transforms that have one is reached, in words."""
    tested = [transform for transform in transforms if transform.tests]
    parts = sum(transform.parts for transform in tested)
    missed = sum(len(transform.missed) for transform in tested)
    return f"{parts - missed} of {parts} WITH queries and results of CASE and IF in them are reached"


def _of(dataset: str, file: str, outcomes: Sequence[SqlTestOutcome]) -> TransformCoverage:
    known = [outcome.reached for outcome in outcomes if outcome.reached is not None]
    parts = frozenset[TransformPart]().union(*(reached.parts for reached in known))
    reached_parts = frozenset[TransformPart]().union(*(reached.reached for reached in known))
    problems = [f"{outcome.name}: {outcome.mistake.message}" for outcome in outcomes if outcome.mistake is not None]
    problems += [
        f"{outcome.name}: {outcome.reached.problem}"
        for outcome in outcomes
        if outcome.reached is not None and outcome.reached.problem is not None
    ]
    missed = tuple(sorted(parts - reached_parts))
    return TransformCoverage(dataset, file, len(outcomes), len(parts), missed, tuple(problems))
