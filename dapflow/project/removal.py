"""What makes a dataset, which can go when nobody reads it: files, or an entry of service.yml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.project.dependencies import Dependencies
from dapflow.project.layout import CHECKS
from dapflow.project.model import Project
from dapflow.project.sql_test_files import read_sql_tests
from dapflow.project.yaml_insertion import without_entry


@dataclass(frozen=True)
class Removal:
    """What goes, by names relative to the project.

    Attributes:
        files: that are deleted.
        entry: the file that loses its entry, and what it holds then.
        granted: where the dataset is granted or asked for by name, which a person deletes.
    """

    files: tuple[Path, ...]
    entry: tuple[Path, str] | None
    granted: tuple[str, ...]

    @property
    def touched(self) -> tuple[Path, ...]:
        """All that git has to have as it is."""
        return (*self.files, *([self.entry[0]] if self.entry is not None else []))


def removal_of(root: Path, project: Project, manifest: Manifest, dataset: Dataset) -> Removal:
    """What goes with a dataset.

    Raises DapflowError ``still-read`` where others read it, and ``not-orphaned`` where its entry in service.yml cannot
    be taken out safely.
    """
    readers = Dependencies(manifest).readers(dataset.id)
    if readers:
        raise DapflowError(
            "still-read",
            f"{dataset.id} is read by {', '.join(readers)}",
            hint=f"change these first; dapflow deps {dataset.id} shows what else hangs on them",
        )
    granted = tuple(_granted(project, dataset))
    checks = tuple(_checks(root, manifest, dataset))
    if dataset.transform is None:
        return Removal(checks, _entry(root, dataset), granted)
    sql = Path(dataset.transform.file)
    own = [file for file in (sql, sql.with_suffix(".yml")) if (root / file).exists()]
    return Removal((*own, *checks, *_tests(root, manifest, dataset)), None, granted)


def _entry(root: Path, dataset: Dataset) -> tuple[Path, str]:
    file = Path("transforms", dataset.service, "service.yml")
    sections = ("external", dataset.zone) if dataset.external else ("sources",)
    text = without_entry((root / file).read_bytes().decode(), sections, dataset.name)
    if text is None:
        raise DapflowError(
            "not-orphaned",
            f"{dataset.id} is part of the project, and its entry cannot be taken out safely",
            file=file,
            hint=f"delete {dataset.name} here by hand; the same command then removes what is published; "
            f"dapflow reset {dataset.id} takes its generations out",
        )
    return file, text


def _checks(root: Path, manifest: Manifest, dataset: Dataset) -> list[Path]:
    """The files of checks that no other dataset names."""

    def named(of: Dataset) -> set[str]:
        return {check.file for check in of.checks if check.kind == "sql" and f"/{CHECKS}/" in check.file}

    others = {file for other in manifest.datasets.values() if other.id != dataset.id for file in named(other)}
    return [Path(file) for file in sorted(named(dataset) - others) if (root / file).exists()]


def _tests(root: Path, manifest: Manifest, dataset: Dataset) -> list[Path]:
    """The files of its tests, and those of rows that no other test names."""
    tests = read_sql_tests(root, manifest)[0]
    own = {test.file for test in tests if test.dataset == dataset.id}
    rows = {name for test in tests if test.file in own for name in test.csv_files}
    rows -= {name for test in tests if test.file not in own for name in test.csv_files}
    return [Path(file) for file in sorted({*own, *rows}) if (root / file).exists()]


def _granted(project: Project, dataset: Dataset) -> list[str]:
    asked = [request for service in project.services.values() for request in service.reads]
    places = [request.place for request in asked if request.text == dataset.id]
    given = [grant for grants in project.services[dataset.service].grants.values() for grant in grants]
    places += [grant.place for grant in given if grant.text == f"{dataset.zone}.{dataset.name}"]
    return [f"{place.file}:{place.line}" for place in places]
