"""Projects with tests of SQL, written for a test."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.project import compile_project
from dapflow.project.sql_test_files import read_sql_tests
from dapflow.sql_tests.database import MemoryDatabase
from dapflow.sql_tests.outcome import SqlTestOutcome
from dapflow.sql_tests.running import SqlTestRunner
from dapflow.sql_tests.suite import project_under_test
from tests.project.writing import write_project

SERVICE = """\
sources:
  repairs:
    columns: {ward: string, cost: "decimal(10,2)", closed: timestamp, hours: double, raised: date}
  wards:
    columns: {code: string, name: string}
  meters:
external:
  raw:
    rates: {generations: false, columns: {kind: string, rate: double}}
"""
COSTS = """\
WITH known AS (
  SELECT r.ward, r.cost, w.name FROM repairs r LEFT JOIN wards w ON w.code = r.ward
),
totals AS (
  SELECT ward, name, sum(cost) AS cost, count(*) AS repairs FROM known GROUP BY ward, name
)
SELECT ward, coalesce(name, 'unknown') AS name, cost, repairs,
  CASE WHEN cost IS NULL THEN 'none' WHEN cost < 100 THEN 'small' ELSE 'large' END AS size
FROM totals
"""


class Suite:
    """Writes projects and runs their tests on one database."""

    def __init__(self, database: MemoryDatabase) -> None:
        self.database = database

    def run(self, root: Path, files: dict[str, str]) -> tuple[dict[str, SqlTestOutcome], list[DapflowError]]:
        """What comes of the tests of a project, by their names, and the mistakes in their files.

        Names of files without a folder are of tests of the service ``air``.
        """
        placed = {name if "/" in name else f"air/tests/{name}": text for name, text in files.items()}
        write_project(root, {"air/service.yml": SERVICE, "air/refined/costs.sql": COSTS, **placed})
        manifest = compile_project(root)
        tests, errors = read_sql_tests(root, manifest)
        project = project_under_test(manifest, {test.dataset for test in tests}, {})
        runner = SqlTestRunner(project, self.database)
        return {outcome.name: outcome for outcome in runner.run_all(tests)}, errors

    def passed(self, root: Path, files: dict[str, str]) -> dict[str, bool]:
        """Which tests of a project pass, in whose files there is no mistake."""
        outcomes, errors = self.run(root, files)
        mistakes = [str(outcome.mistake) for outcome in outcomes.values() if outcome.mistake is not None]
        assert (errors, mistakes) == ([], [])
        return {name: outcome.passed for name, outcome in outcomes.items()}

    def mistake(self, root: Path, files: dict[str, str]) -> DapflowError:
        """The one mistake in a project's tests."""
        outcomes, errors = self.run(root, files)
        [mistake] = [*errors, *(outcome.mistake for outcome in outcomes.values() if outcome.mistake is not None)]
        return mistake
