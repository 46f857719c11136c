"""Checks that Athena answers: over a table of a moment that shows what was staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Check, Column, Dataset, Manifest, Reference
from dapflow.runtime.athena import AthenaQueryError, QueryExecution, succeeded
from dapflow.runtime.attempts import taken_up
from dapflow.runtime.checks.conditions import text_literal
from dapflow.runtime.checks.questions import FIGURES, HIDDEN, Questions
from dapflow.runtime.checks.results import MOST_ROWS, CheckOutcome, CheckResult, Row, label
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import parquet_storage
from dapflow.runtime.inputs import Input
from dapflow.runtime.pinning import Pin, pinning_edits
from dapflow.runtime.publication import Staged
from dapflow.runtime.query_remedies import query_remedy, without_place
from dapflow.runtime.reading import Reading
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import put_table, temporary_name
from dapflow.runtime.text_edits import Edit


def is_asked(dataset: Dataset) -> bool:
    """Whether any check of a dataset needs a query."""
    return any(check.kind not in FIGURES for check in dataset.checks)


def staged_table(dataset: Dataset, run_id: str) -> str:
    """The table of a moment over what a run staged; attempts of one run share it, as they share their queries."""
    return temporary_name(dataset, "staged", run_id)


@dataclass
class Asking:
    """Asks Athena the checks of one generation.

    Attributes:
        columns: those of what is staged.
        queries: how many queries it has taken, and ``bytes_scanned`` what they read.
    """

    target: Target
    manifest: Manifest
    environment: Environment
    generation: Generation
    columns: Sequence[Column]
    queries: int = field(default=0, init=False)
    bytes_scanned: int = field(default=0, init=False)

    def verify(self) -> None:
        """Raise before anything is paid for what would keep the checks from being asked.

        DapflowError ``bad-check`` or ``unknown-column``; PassingError ``not-published`` where another table that they
        read lacks the generation.
        """
        _, pins = self._inputs()
        self._questions(pins, "staged").all()

    def outcome(self, staged: Staged, rows: int) -> CheckOutcome:
        """The results, where ``rows`` are staged. Raises InputsChangedError where what checks read was changed."""
        table = staged_table(self.target.dataset, staged.run_id)
        read, pins = self._inputs()
        questions = self._questions(pins, table)
        self._put_table(table, staged.location)
        results: dict[Check, CheckResult] = {}
        for question in questions.all(rows=rows > 0):
            (counts,) = self._answer(staged, questions, question.sql, question.checks)
            for number, check in enumerate(question.checks):
                count = int(counts[f"c{number}"] or 0)
                results[check] = self._result(staged, questions, check, count, rows) if count else CheckResult(check)
        self._reading().confirm(self.target.s3, read)
        checks = (check for check in self.target.dataset.checks if check.kind not in FIGURES)
        checked = tuple(results.get(check, CheckResult(check)) for check in checks)
        return CheckOutcome(checked, self.queries, self.bytes_scanned)

    def limits(self) -> dict[str, set[str]]:
        """Of which part of their inputs the tables were made that checks read, by dataset."""
        return {look.read.id: look.limits() for look in self._reading().inputs().looks}

    def _references(self) -> list[Reference]:
        """The tables that checks read besides what is staged."""
        dataset = self.target.dataset
        references = [reference for check in dataset.checks for reference in check.references]
        parents = (check.dataset for check in dataset.checks if check.kind == "relationships")
        references += [Reference(0, 0, parent, "current", alias=True) for parent in parents if parent is not None]
        return [reference for reference in references if (reference.dataset, reference.kind) != (dataset.id, "current")]

    def _inputs(self) -> tuple[Sequence[Input], Mapping[str, Pin]]:
        """What the checks read of other tables, and how their names are replaced."""
        inputs = self._reading().inputs()
        return inputs.read, inputs.pins

    def _reading(self) -> Reading:
        target = self.target
        return Reading(
            target.catalog, self.manifest, self.environment, target.dataset, self.generation, self._references()
        )

    def _questions(self, pins: Mapping[str, Pin], table: str) -> Questions:
        dataset, place = self.target.dataset, self.target.place
        generation = dict(zip(dataset.generation.names, self.generation.values, strict=True))
        values = [f"{text_literal(value)} AS {quoted(name)}" for name, value in generation.items()]
        names = [quoted(column.name) for column in self.columns]
        staged = f"(SELECT {', '.join([*names, *values])} FROM {quoted(place.database, table)})"

        instead = {(dataset.id, "current"): staged}
        own = any((reference.dataset, reference.kind) == (dataset.id, "history") for reference in self._references())
        if own and self.target.catalog.table(place.database, place.history) is None:
            # Before the first generation there are no earlier ones.
            instead[dataset.id, "history"] = f"(SELECT * FROM {staged} WHERE false)"

        def edits(references: Sequence[Reference]) -> Sequence[Edit]:
            return pinning_edits(references, self.manifest, self.environment, pins, instead)

        types = {column.name: column.type for column in self.columns} | dict.fromkeys(generation, "string")
        return Questions(dataset, self.manifest, types, staged, edits)

    def _put_table(self, table: str, location: str) -> None:
        definition = {
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": parquet_storage(self.columns, location),
            "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        }
        put_table(self.target.catalog, self.target.place.database, definition)

    def _answer(self, staged: Staged, questions: Questions, sql: str, checks: Sequence[Check]) -> list[Row]:
        """The rows of a query, which attempts of one run share."""
        target = self.target
        execution = taken_up(target, sql, target.database, staged.attempt, staged.run_id, "check")
        try:
            succeeded(execution)
        except AthenaQueryError as error:
            raise _unanswered(error, questions, checks) from error
        self._count(execution)
        return list(target.athena.rows(execution.id))

    def _count(self, execution: QueryExecution) -> None:
        self.queries += 1
        self.bytes_scanned += execution.bytes_scanned

    def _result(self, staged: Staged, questions: Questions, check: Check, count: int, rows: int) -> CheckResult:
        """The result of a check that does not hold, with some of the rows."""
        shown = self._answer(staged, questions, questions.sample(check, MOST_ROWS), (check,))
        personal = self.target.dataset.personal
        # Of a check in SQL nobody knows the columns before.
        sample = tuple(
            {name: HIDDEN if value is not None and name in personal else value for name, value in row.items()}
            for row in shown
        )
        return CheckResult(check, count, _said(check, count, rows), sample)


def _said(check: Check, count: int, rows: int) -> str:
    if check.kind == "unique":
        return f"{count} value{' is' if count == 1 else 's are'} there more than once"
    if check.kind == "sql":
        return f"it gives {count} row{'' if count == 1 else 's'}"
    return f"{count} of {rows} rows fail{'s' if count == 1 else ''}"


def _unanswered(error: AthenaQueryError, questions: Questions, checks: Sequence[Check]) -> DapflowError:
    """The error of a query of checks that failed: in a check's own SQL, else where the first one is written."""
    first = checks[0]
    listed = ", ".join(f"{check.name}: {label(check)}" for check in checks)
    place = (first.line, first.column) if len(checks) == 1 else (None, None)
    if first.kind == "sql" and error.line and error.column:
        place = questions.place(first, error.line, error.column) or place
    return type(error)(
        error.code,
        f"Athena could not answer {listed}: {without_place(error.message)}",
        file=first.file,
        line=place[0],
        column=place[1],
        hint=error.hint or query_remedy(error.message),
    )
