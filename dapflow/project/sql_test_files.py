"""The tests of SQL of a project, as their files say them."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Dataset, Manifest
from dapflow.project.csv_rows import csv_rows
from dapflow.project.file_position import FilePosition, PlacedText
from dapflow.project.layout import TESTS, sql_test_files
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import PRODUCT_ZONES
from dapflow.project.section_reader import read_file
from dapflow.project.sql_test_terms import ExpectTerms, GivenTerms, Rows, SqlTestFileTerms, SqlTestTerms
from dapflow.project.text_file import read_text


@dataclass(frozen=True)
class SqlTest:
    """A test of a transform. ``folder`` is where its CSV files stand, ``file`` and ``place`` where it does itself."""

    name: str
    dataset: str
    file: str
    place: FilePosition
    folder: Path
    terms: SqlTestTerms

    @property
    def id(self) -> str:
        """``transforms/…/delays.yml::a late flight``: unique in the project."""
        return f"{self.file}::{self.name}"

    @property
    def csv_files(self) -> list[str]:
        """The files of rows that it names, by their names in the project."""
        said = [*(self.terms.given or {}).values(), self.terms.expect]
        named = [part.csv if isinstance(part, GivenTerms | ExpectTerms) else part for part in said]
        folder = self.file.rpartition("/")[0]
        return [f"{folder}/{name.text}" for name in named if isinstance(name, PlacedText)]

    def csv_rows(self, name: PlacedText) -> Rows:
        """The rows of a CSV file. Raises DapflowError ``unreadable-file`` or ``csv``."""
        file = f"{self.file.rpartition('/')[0]}/{name.text}"
        if not (self.folder / name.text).is_file():
            near = difflib.get_close_matches(name.text, sorted(path.name for path in self.folder.glob("*.csv")), n=1)
            hint = f"did you mean {near[0]}?" if near else f"it stands beside the test: {file}"
            raise name.place.error("unreadable-file", f"there is no file {name.text}", hint)
        return tuple(csv_rows(read_text(self.folder / name.text, file), file))


def sql_test_of(text: str, name: str, folder: Path, dataset: Dataset) -> SqlTest:
    """The first test of a text that stands in no file yet. Raises DapflowErrors with the mistakes in it."""
    yaml = YamlFile(text, name)
    terms = read_file(yaml, SqlTestFileTerms, name.rpartition("/")[2])
    if yaml.errors:
        raise DapflowErrors(yaml.errors)
    test, said = next(iter((terms.tests or {}).items()))
    return SqlTest(test.text, dataset.id, name, test.place, folder, said)


def read_sql_tests(root: Path, manifest: Manifest) -> tuple[list[SqlTest], list[DapflowError]]:
    """The tests of a project that could be read, in the order of files and lines, and the mistakes in their files."""
    tests: list[SqlTest] = []
    errors: list[DapflowError] = []
    for service in sorted(manifest.services):
        folder = root / "transforms" / service / TESTS
        for path in sql_test_files(folder, f"transforms/{service}/{TESTS}", errors):
            tests += _read_file(path, f"transforms/{service}/{TESTS}/{path.name}", service, manifest, errors)
    return tests, errors


def _read_file(
    path: Path, name: str, service: str, manifest: Manifest, errors: list[DapflowError]
) -> Iterator[SqlTest]:
    try:
        yaml = YamlFile(read_text(path, name), name)
    except DapflowError as error:
        errors.append(error)
        return
    terms = read_file(yaml, SqlTestFileTerms, path.name)
    errors.extend(yaml.errors)
    wanted = terms.transform or PlacedText(path.stem, FilePosition(name))
    dataset = tested_transform(wanted.text, service, manifest)
    if dataset is None:
        errors.append(_unknown_transform(wanted, service, manifest))
        return
    tests = terms.tests or {}
    if not tests and not yaml.errors:
        hint = "write tests: {…}, or delete it"
        errors.append(FilePosition(name).error("bad-value", "there are no tests in it", hint))
    flawed = _flawed(list(tests), yaml.errors)
    for test, said in tests.items():
        if test in flawed:
            continue
        if problem := _unfinished(test, said):
            errors.append(problem)
        else:
            yield SqlTest(test.text, dataset.id, name, test.place, path.parent, said)


def _flawed(tests: Sequence[PlacedText], errors: Sequence[DapflowError]) -> set[PlacedText]:
    """The tests in which there is a mistake: what is wrong in them was left out, and without it they are others."""
    starts = [(test.place.line or 0, test.place.column or 0) for test in tests]
    places = [bisect_right(starts, (error.line or 0, error.column or 0)) for error in errors]
    return {tests[place - 1] for place in places if place}


def tested_transform(written: str, service: str, manifest: Manifest) -> Dataset | None:
    """The transform of a service by its name, ``delays`` or ``refined.delays``."""
    name = written.lower()
    ids = (f"{service}.{name}", *(f"{service}.{zone}.{name}" for zone in PRODUCT_ZONES))
    datasets = (manifest.datasets.get(identity) for identity in ids)
    return next((dataset for dataset in datasets if dataset is not None and dataset.transform is not None), None)


def _unknown_transform(wanted: PlacedText, service: str, manifest: Manifest) -> DapflowError:
    datasets = manifest.datasets.values()
    names = [dataset.name for dataset in datasets if dataset.service == service and dataset.transform is not None]
    near = difflib.get_close_matches(wanted.text, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"transforms of {service}: {', '.join(sorted(names)[:8]) or 'none'}"
    if wanted.place.line is None:
        hint += "; a file of tests has its name, or says it: transform: …"
    return wanted.place.error("unknown-tested", f"{service} has no transform {wanted.text!r}", hint)


def _unfinished(test: PlacedText, terms: SqlTestTerms) -> DapflowError | None:
    if terms.expect is None and terms.error is None:
        hint = "write expect: [{…}], [] where no rows are expected, or error: DIVISION_BY_ZERO"
        return test.place.error("bad-value", f"test {test.text!r} expects nothing", hint)
    if terms.expect is not None and terms.error is not None:
        return terms.at["error"].error(
            "bad-value", f"test {test.text!r} expects rows and an error", "delete one of them"
        )
    return None
