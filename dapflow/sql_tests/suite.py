"""All tests that are asked for: which these are, and running them, by several processes where there are many."""

from __future__ import annotations

import difflib
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError
from dapflow.lineage import ProductLineage
from dapflow.manifest import Manifest
from dapflow.processes import shared
from dapflow.project import find_transform
from dapflow.project.sql_test_files import SqlTest, read_sql_tests
from dapflow.review.project_lineage import ProjectLineage, upstream
from dapflow.sql_tests.catalogue import ProjectUnderTest
from dapflow.sql_tests.coverage import TransformCoverage, coverage_of
from dapflow.sql_tests.outcome import SqlTestOutcome
from dapflow.sql_tests.running import SqlTestRunner
from dapflow.sql_tests.watching import concerned

#: Tests of one transform that a process runs at once: it compiles the text for each share anew.
_SHARE = 20
#: How many pieces of work of some milliseconds a test is, beside the database that a process makes.
_PIECES = 2


@dataclass(frozen=True)
class SuiteRun:
    """Tests that were run, the mistakes in their files, and what they reach, where it was asked for."""

    outcomes: list[SqlTestOutcome]
    errors: list[DapflowError]
    coverage: list[TransformCoverage] | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.errors and all(outcome.passed for outcome in self.outcomes)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        parts = [] if self.coverage is None else [transform.as_dict() for transform in self.coverage]
        return {
            "tests": [outcome.as_dict() for outcome in self.outcomes],
            "errors": [error.as_dict() for error in self.errors],
            **({} if self.coverage is None else {"coverage": parts}),
        }


def run_suite(
    root: Path,
    manifest: Manifest,
    name: str | None,
    before: Mapping[str, ProductLineage],
    *,
    changed: Collection[str] | None = None,
    coverage: bool = False,
) -> SuiteRun:
    """Run the tests of a project that a name means, or all. ``before`` is the lineage of products that is known.

    With ``changed`` files, those that these concern. Raises DapflowError ``unknown-name``, ``ambiguous-transform``.
    """
    started = time.perf_counter()
    tests, errors = read_sql_tests(root, manifest)
    chosen = tests if name is None else selected(tests, manifest, root, name)
    if changed is not None:
        chosen = concerned(chosen, manifest, changed)
    outcomes = run_tests(manifest, chosen, before, coverage=coverage)
    covered = None
    if coverage:
        tested = {test.dataset for test in chosen}
        # Of what was left out because it had not changed nothing is known.
        whole = changed is None
        datasets = [
            dataset
            for dataset in manifest.datasets.values()
            if dataset.id in tested or (whole and name in {None, dataset.service})
        ]
        covered = coverage_of(datasets, outcomes)
    return SuiteRun(outcomes, errors, covered, time.perf_counter() - started)


def run_tests(
    manifest: Manifest, tests: Sequence[SqlTest], before: Mapping[str, ProductLineage], *, coverage: bool = False
) -> list[SqlTestOutcome]:
    """Run tests; what came of them, in their order. ``before`` is the lineage of products that is known already."""
    project = project_under_test(manifest, {test.dataset for test in tests}, before)
    runner = SqlTestRunner(project, coverage=coverage)
    try:
        made = shared(runner.run_all, _shares(tests), len(tests) * _PIECES)
    finally:
        runner.close()
    outcomes = {outcome.id: outcome for share in made for outcome in share}
    return [outcomes[test.id] for test in tests]


def mistakes_in_tests(root: Path, manifest: Manifest, before: Mapping[str, ProductLineage]) -> list[DapflowError]:
    """What is wrong with the tests of a project, as far as it shows before they run."""
    tests, errors = read_sql_tests(root, manifest)
    if not tests:
        return errors
    runner = SqlTestRunner(project_under_test(manifest, {test.dataset for test in tests}, before))
    shares = shared(runner.mistakes, _shares(tests), len(tests))
    return [*errors, *(mistake for share in shares for mistake in share)]


def _shares(tests: Sequence[SqlTest]) -> list[list[SqlTest]]:
    """What one process does at once: tests of one transform."""
    by_transform: dict[str, list[SqlTest]] = defaultdict(list)
    for test in tests:
        by_transform[test.dataset].append(test)
    return [own[first : first + _SHARE] for own in by_transform.values() for first in range(0, len(own), _SHARE)]


def project_under_test(manifest: Manifest, tested: set[str], before: Mapping[str, ProductLineage]) -> ProjectUnderTest:
    """The project with the columns of all that these transforms read."""
    lineage = ProjectLineage(manifest)
    wanted = upstream(manifest, tested)
    lineage.lineages([dataset for dataset in manifest.datasets.values() if dataset.id in wanted], before)
    lineage.make_known()
    return ProjectUnderTest(manifest, lineage)


def selected(tests: Sequence[SqlTest], manifest: Manifest, root: Path, name: str) -> list[SqlTest]:
    """The tests that a name means: of a service, a transform, a file, or the test of this name.

    Raises DapflowError ``unknown-name``, ``ambiguous-transform``.
    """
    if name in manifest.services:
        return [test for test in tests if manifest.datasets[test.dataset].service == name]
    if name.endswith(".yml"):
        wanted = {Path(name).resolve(), (root / name).resolve()}
        chosen = [test for test in tests if (root / test.file).resolve() in wanted]
    else:
        chosen = [test for test in tests if name in {test.name, test.id}]
        if not chosen:
            try:
                dataset = find_transform(manifest, root, name)
            except DapflowError as error:
                if error.code == "ambiguous-transform":
                    raise
            else:
                return [test for test in tests if test.dataset == dataset.id]
    if chosen:
        return chosen
    names = {*manifest.services, *(test.name for test in tests), *(test.file for test in tests)}
    names |= {dataset.name for dataset in manifest.datasets.values() if dataset.transform is not None}
    near = difflib.get_close_matches(name, sorted(names), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "name a service, a transform, a file of tests, or a test"
    raise DapflowError("unknown-name", f"{name!r} names no test", hint=hint)
