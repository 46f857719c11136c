"""A test whose tables are known: what it gives of which dataset, as of which generation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from dapflow.manifest import Dataset
from dapflow.project.file_position import PlacedText
from dapflow.project.sql_test_files import SqlTest
from dapflow.project.sql_test_terms import ExpectTerms, GivenTerms, Rows
from dapflow.runtime.generation import Generation
from dapflow.sql_tests.catalogue import DeclaredColumns, ProjectUnderTest
from dapflow.sql_tests.given_rows import nearest, newest_generation

#: The generation of a test that says none, and whose rows say none.
DEFAULT_GENERATION = Generation(date(2000, 1, 1))


@dataclass(frozen=True)
class GivenInput:
    """What a test says of a table, whose columns may not be known yet."""

    dataset: Dataset
    name: PlacedText
    rows: Rows
    columns: DeclaredColumns


@dataclass(frozen=True)
class PreparedTest:
    """A test whose tables are known. ``given`` is what it says of each, by the id of the dataset."""

    test: SqlTest
    dataset: Dataset
    given: dict[str, GivenInput]
    generation: Generation

    @property
    def columns(self) -> dict[str, DeclaredColumns]:
        """The columns that the test itself says, by the id of the dataset."""
        return {name: given.columns for name, given in self.given.items() if given.columns}

    @property
    def now(self) -> datetime:
        """What the clock says, in UTC."""
        return self.test.terms.now or datetime.combine(self.generation.day, time())

    @property
    def tested(self) -> str:
        """What gives the rows, for errors."""
        cte = self.test.terms.cte
        return self.dataset.name if cte is None else f"WITH query {cte.text}"


def prepare(project: ProjectUnderTest, test: SqlTest) -> PreparedTest:
    """What a test gives, by dataset.

    Raises DapflowError ``unknown-input``, ``duplicate-key``, ``bad-value``, or what reading a CSV file raises.
    """
    dataset = project.manifest.datasets[test.dataset]
    given: dict[str, GivenInput] = {}
    for name, said in (test.terms.given or {}).items():
        read = project.named(name.text, dataset)
        if read is None:
            called = [project.called(table, dataset) for table in project.read_by(dataset).values()]
            message = f"{dataset.name} reads no table {name.text!r}"
            raise name.place.error("unknown-input", message, nearest(name.text, sorted(called)))
        if read.id in given:
            message = f"{name.text} is the table {given[read.id].name.text}, whose rows are given already"
            hint = "give all rows under one of the names: those of other generations name their date"
            raise name.place.error("duplicate-key", message, hint)
        given[read.id] = _given(project, test, read, name, said)
    days = [newest_generation(entry.dataset, entry.rows) for entry in given.values()]
    newest = max((day for day in days if day is not None), default=DEFAULT_GENERATION)
    generation = Generation(test.terms.generation) if test.terms.generation is not None else newest
    return PreparedTest(test, dataset, given, generation)


def written_rows_of(test: SqlTest, said: GivenTerms | ExpectTerms | Rows | PlacedText | None) -> Rows:
    """The rows that stand in a test, or in the CSV file that it names. Raises DapflowError."""
    if not isinstance(said, GivenTerms | ExpectTerms):
        return test.csv_rows(said) if isinstance(said, PlacedText) else said or ()
    if said.rows is not None and said.csv is not None:
        raise said.at["csv"].error("bad-value", "there are rows and csv", "delete one of them")
    return test.csv_rows(said.csv) if said.csv is not None else said.rows or ()


def _given(
    project: ProjectUnderTest, test: SqlTest, dataset: Dataset, name: PlacedText, said: GivenTerms | Rows | PlacedText
) -> GivenInput:
    columns = (said.columns or {}) if isinstance(said, GivenTerms) else {}
    if isinstance(said, GivenTerms) and columns and project.is_known(dataset):
        message = f"the project says already which columns {name.text} has"
        raise said.at["columns"].error("bad-value", message, "delete columns")
    return GivenInput(dataset, name, written_rows_of(test, said), columns)
