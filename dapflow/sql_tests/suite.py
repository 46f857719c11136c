"""All tests that are asked for: which these are, and running them, by several processes where there are many."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.lineage import ProductLineage
from dapflow.manifest import Manifest
from dapflow.processes import shared
from dapflow.project import find_transform
from dapflow.project.sql_test_files import SqlTest
from dapflow.review.project_lineage import ProjectLineage, upstream
from dapflow.sql_tests.catalogue import ProjectUnderTest
from dapflow.sql_tests.outcome import SqlTestOutcome
from dapflow.sql_tests.running import SqlTestRunner

#: Tests of one transform that a process runs at once: it compiles the text for each share anew.
_SHARE = 20
#: How many pieces of work of some milliseconds a test is, beside the database that a process makes.
_PIECES = 2


def run_tests(
    manifest: Manifest, tests: Sequence[SqlTest], before: Mapping[str, ProductLineage]
) -> list[SqlTestOutcome]:
    """Run tests; what came of them, in their order. ``before`` is the lineage of products that is known already."""
    runner = SqlTestRunner(project_under_test(manifest, {test.dataset for test in tests}, before))
    by_transform: dict[str, list[SqlTest]] = defaultdict(list)
    for test in tests:
        by_transform[test.dataset].append(test)
    shares = [own[first : first + _SHARE] for own in by_transform.values() for first in range(0, len(own), _SHARE)]
    outcomes = {
        outcome.id: outcome for share in shared(runner.run_all, shares, len(tests) * _PIECES) for outcome in share
    }
    return [outcomes[test.id] for test in tests]


def project_under_test(manifest: Manifest, tested: set[str], before: Mapping[str, ProductLineage]) -> ProjectUnderTest:
    """The project with the columns of all that these transforms read."""
    lineage = ProjectLineage(manifest)
    wanted = upstream(manifest, tested)
    lineage.lineages([dataset for dataset in manifest.datasets.values() if dataset.id in wanted], before)
    for name in tested:
        # Makes the tables known that were looked at last.
        lineage.analysed(manifest.datasets[name])
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
