"""What is asked of Athena to answer the checks of a dataset, and which rows fail them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dapflow.manifest import Check, Dataset, Manifest, Reference
from dapflow.runtime.checks.conditions import SCANNED, among, failing, type_of
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.statement_parts import parts_that_fit
from dapflow.runtime.text_edits import Edit, edited, place_before

# What needs a query of its own for each check.
ALONE = ("unique", "relationships", "sql")
# What needs none.
FIGURES = ("row_count", "freshness")
HIDDEN = "(hidden)"
# How often a value is there, in what is shown of ``unique``.
_COUNT = "how_often"
# What stands before the text of a check in SQL in its question.
LINES_BEFORE = 1

Edits = Callable[[Sequence[Reference]], Sequence[Edit]]


@dataclass(frozen=True)
class Question:
    """A query, and the checks whose failing rows it counts: one column of its one row for each."""

    checks: tuple[Check, ...]
    sql: str


class Questions:
    """The questions of one dataset's checks.

    Args:
        types: Glue's types of the columns, by name.
        staged: the text that stands for what was staged, where a table may be named.
        edits: what is put in the place of tables in a text, so that it reads what the run may read.
    """

    def __init__(
        self, dataset: Dataset, manifest: Manifest, types: Mapping[str, str], staged: str, edits: Edits
    ) -> None:
        self.dataset = dataset
        self.types = types
        self._manifest = manifest
        self._from = f"{staged} AS {quoted(dataset.current)}"
        self._edits = edits

    def all(self, *, rows: bool = True) -> list[Question]:
        """Every question; without ``rows`` those alone whose answer is open though nothing was staged."""
        scanned = [check for check in self.dataset.checks if check.kind in SCANNED]
        alone = [check for check in self.dataset.checks if check.kind in ALONE and (rows or check.kind == "sql")]
        parts = parts_that_fit(scanned, self._scan) if scanned and rows else []
        questions = [Question(tuple(part), self._scan(part)) for part in parts]
        return questions + [
            Question((check,), f'SELECT count(*) AS "c0" FROM (\n{self.rows(check)}\n)') for check in alone
        ]

    def sample(self, check: Check, most: int) -> str:
        """A SELECT of some rows that fail a check, without the values of columns of personal data."""
        if check.kind == "sql":
            return f"SELECT * FROM (\n{self.rows(check)}\n) LIMIT {most}"
        names = (*check.columns, _COUNT) if check.kind == "unique" else tuple(self.types)
        shown = ", ".join(self._shown(name) for name in names)
        return f"SELECT {shown} FROM (\n{self.rows(check)}\n) LIMIT {most}"

    def _shown(self, name: str) -> str:
        column = quoted(name)
        if name not in self.dataset.personal:
            return column
        return f"CASE WHEN {column} IS NOT NULL THEN '{HIDDEN}' END AS {column}"

    def _scan(self, checks: Sequence[Check]) -> str:
        counts = (
            f'count(CASE WHEN {failing(check, self.types)} THEN 1 END) AS "c{number}"'
            for number, check in enumerate(checks)
        )
        return "SELECT\n" + ",\n".join(counts) + f"\nFROM {self._from}"

    def rows(self, check: Check) -> str:
        """A SELECT of the rows that fail a check."""
        if check.kind == "sql":
            return edited(check.text, self._edits(check.references))
        if check.kind == "unique":
            return self._doubled(check)
        if check.kind == "relationships":
            return self._orphans(check)
        return f"SELECT * FROM {self._from} WHERE {failing(check, self.types)}"

    def place(self, check: Check, line: int, column: int) -> tuple[int, int] | None:
        """Line and column in the file of a check in SQL, of a place in its question; None where it is not there."""
        return place_before(check.text, self._edits(check.references), line - LINES_BEFORE, column)

    def _doubled(self, check: Check) -> str:
        """The values that are there more than once. As in dbt, a NULL counts where it is one of several columns."""
        for name in check.columns:
            type_of(check, name, self.types)
        columns = ", ".join(quoted(name) for name in check.columns)
        condition = f"{columns} IS NOT NULL" if len(check.columns) == 1 else "true"
        rows = f"SELECT {columns}, count(*) AS {quoted(_COUNT)} FROM {self._from} WHERE {among(check, condition)}"
        return f"{rows} GROUP BY {columns} HAVING count(*) > 1"

    def _orphans(self, check: Check) -> str:
        """The rows whose value the other table does not have."""
        name = check.columns[0]
        type_of(check, name, self.types)
        other = self._manifest.dataset(check.dataset or "")
        # With its table, so that a column of the checked rows is never meant.
        field = quoted(other.current, check.field or "")
        table = quoted(other.database, other.current)
        parent = edited(table, self._edits([Reference(0, len(table), other.id, "current", alias=False)]))
        values = f"SELECT {field} FROM {parent} WHERE {field} IS NOT NULL"
        condition = f"{quoted(name)} IS NOT NULL AND {quoted(name)} NOT IN ({values})"
        return f"SELECT * FROM {self._from} WHERE {among(check, condition)}"


def queries_of(dataset: Dataset) -> str:
    """How many queries a run asks for the checks of a dataset, for people.

    All that one scan can answer is one query, but where that would be longer than Athena takes.
    """
    scanned = sum(check.kind in SCANNED for check in dataset.checks)
    alone = sum(check.kind in ALONE for check in dataset.checks)
    figures = sum(check.kind in FIGURES for check in dataset.checks)
    total = bool(scanned) + alone
    parts = [f"1 over all rows for {_counted(scanned)}"] if scanned else []
    parts += [f"{alone} for {_counted(alone)} of {'its' if alone == 1 else 'their'} own"] if alone else []
    parts += [f"none for {_counted(figures)}"] if figures else []
    return f"{total} quer{'y' if total == 1 else 'ies'} a run" + (f": {', '.join(parts)}" if parts else "")


def _counted(checks: int) -> str:
    return f"{checks} check{'' if checks == 1 else 's'}"
