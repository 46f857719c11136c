"""How long the plan of a branch takes in a project of 1,000 transforms, once both versions are compiled."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dapflow.changes import BranchPlan, plan_branch
from dapflow.lineage import ProductLineage
from dapflow.manifest import Manifest
from dapflow.project import compile_project
from dapflow.review.project_lineage import lineages
from tests.bench.compile import write_project
from tests.bench.figure import Figure

TRANSFORMS, DOWNSTREAM, READERS, RUNS = 1_000, 12, 3, 5
SHARED = """\
SELECT p.id, p.category, upper(trim(p.status)) AS status, p.amount
FROM table_0 p
WHERE p.amount > 10
"""


@dataclass(frozen=True)
class Compared:
    """A project of 1,000 transforms, of which twelve read one; three of these read its column ``status``."""

    root: Path
    base: Manifest
    known: dict[str, ProductLineage]

    def branch(self, text: str) -> Manifest:
        """The project with another text of the product that is read."""
        self.file.write_text(text, encoding="utf-8")
        try:
            return compile_project(self.root)
        finally:
            self.file.write_text(SHARED, encoding="utf-8")

    @property
    def file(self) -> Path:
        """The product that is read."""
        return self.root / "transforms" / "service_00" / "refined" / "shared.sql"

    def plan(self, branch: Manifest) -> BranchPlan:
        """The plan of a branch."""
        return plan_branch(self.base, branch, self.known)


@contextmanager
def compared() -> Iterator[Compared]:
    """The project, in a folder of its own."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_project(root, services=47, transforms=47 * 21)
        folder = root / "transforms" / "service_00" / "refined"
        (folder / "shared.sql").write_text(SHARED, encoding="utf-8")
        for number in range(DOWNSTREAM):
            read = "status" if number < READERS else "category"
            sql = f"SELECT {read}, count(*) AS cases FROM service_00_refined_zone.shared GROUP BY {read}\n"
            (folder / f"reader_{number:02}.sql").write_text(sql, encoding="utf-8")
        base = compile_project(root)
        yield Compared(root, base, lineages(base))


def changed_rows() -> str:
    """The text with another condition."""
    return SHARED.replace("> 10", "> 20")


def changed_column() -> str:
    """The text with another expression for ``status``."""
    return SHARED.replace("upper(", "lower(")


def measure() -> list[Figure]:
    """Seconds of a plan."""
    with compared() as project:
        return [
            Figure(name, "s", tuple(_seconds(project, project.branch(text))), 1.0, note)
            for name, text, note in (
                ("plan of a branch in 1,000 transforms", changed_rows(), "one and its 12 readers are built"),
                ("the same, one column changed", changed_column(), "one and 3 of its 12 readers are built"),
            )
        ]


def _seconds(project: Compared, branch: Manifest) -> Iterator[float]:
    for _ in range(RUNS):
        start = time.perf_counter()
        project.plan(branch)
        yield time.perf_counter() - start
