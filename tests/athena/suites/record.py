"""What is known of each suite: ``python -m tests.athena.suites.record`` runs them all and writes it anew."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.athena.suites.suite import Result, Suite, run
from tests.athena.suites.suites import SUITES
from tests.aws_servers import local_aws
from tests.docs.markdown import ROOT

FILE = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "embedded-athena.md"
HEADING = "### Other projects' own tests\n"
LEAD = """
Run by `make test-all` against the embedded Athena, from the releases named; a test that passed must pass again. Refused
are tests of what this page refuses by name: Iceberg above all. Why each of the others does not pass stands in
`tests/athena/suites/results.json`. The table is written by `python -m tests.athena.suites.record`.

| suite | release | passed | refused | failed | skipped |
| --- | --- | ---: | ---: | ---: | ---: |
"""


def run_suite(suite: Suite) -> list[Result]:
    """Run a suite against servers of its own."""
    with tempfile.TemporaryDirectory(prefix="dapflow-suite-") as folder, local_aws() as aws:
        aws.glue.create_database(DatabaseInput={"Name": "test_schema"})
        return run(suite, aws, Path(folder))


def described(results: list[Result]) -> dict[str, Any]:
    """What is kept of a run: how many passed and were skipped, and each other test with its reason."""
    counts = Counter(result.state for result in results)
    others = {result.test: [result.state, result.reason] for result in results if result.state in {"failed", "refused"}}
    return {"passed": counts["passed"], "skipped": counts["skipped"], "others": others}


def recorded() -> dict[str, dict[str, Any]]:
    """What is known of each suite."""
    known: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return known


def section() -> str:
    """The section of the page, from its heading on."""
    rows = []
    for name, known in recorded().items():
        counts = Counter(state for state, _ in known["others"].values())
        numbers = (known["passed"], counts["refused"], counts["failed"], known["skipped"])
        rows.append(f"| {name} | `{SUITES[name].packages[0]}` | {' | '.join(map(str, numbers))} |\n")
    return f"{HEADING}{LEAD}{''.join(rows)}"


def written(page: str) -> str:
    """The page with the section as it should be."""
    return re.sub(rf"{re.escape(HEADING)}.*?(?=\n##|\Z)", lambda _: section(), page, flags=re.DOTALL)


if __name__ == "__main__":
    FILE.write_text(
        json.dumps({name: described(run_suite(suite)) for name, suite in SUITES.items()}, indent=1) + "\n",
        encoding="utf-8",
    )
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
