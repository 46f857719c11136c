"""Running tests, each over its own rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from dapflow.errors import DapflowError
from dapflow.project.sql_test_files import SqlTest
from dapflow.sql.refusals import refusal
from dapflow.sql_tests.catalogue import ProjectUnderTest
from dapflow.sql_tests.compiled_transform import AnalysedTransform, sql_text
from dapflow.sql_tests.database import MemoryDatabase
from dapflow.sql_tests.expected_rows import ExpectedRows
from dapflow.sql_tests.given_rows import TypedColumn
from dapflow.sql_tests.given_tables import create_given, over_given, read_tables
from dapflow.sql_tests.outcome import ReachedParts, RowDifference, SqlTestOutcome
from dapflow.sql_tests.prepared_test import PreparedTest, prepare
from dapflow.sql_tests.reaching import CountedTransform
from dapflow.sql_tests.run_generation import other_generation
from dapflow.trino.duckdb import CompiledQuery, QueryError
from dapflow.trino.types import parse_type


class SqlTestRunner:
    """Runs tests of a project, one after the other, on a database of this process."""

    def __init__(
        self, project: ProjectUnderTest, database: MemoryDatabase | None = None, *, coverage: bool = False
    ) -> None:
        """With ``coverage`` each test that runs is run again, to see what of the transform it reaches."""
        self._project = project
        self._database = database
        self._coverage = coverage
        self._compiled: dict[Any, CompiledQuery] = {}
        self._counted: dict[Any, CountedTransform] = {}

    def __getstate__(self) -> dict[str, Any]:
        """How it travels to another process, which has a database of its own."""
        return {**vars(self), "_database": None, "_compiled": {}, "_counted": {}}

    @property
    def database(self) -> MemoryDatabase:
        """The database, made when it is needed first: processes that are copied must not share it."""
        if self._database is None:
            self._database = MemoryDatabase()
        return self._database

    def close(self) -> None:
        """Forget all that was made."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def run_all(self, tests: Sequence[SqlTest]) -> list[SqlTestOutcome]:
        """Run tests."""
        return [self.run(test) for test in tests]

    def run(self, test: SqlTest) -> SqlTestOutcome:
        """Run a test."""
        started = time.perf_counter()
        differing: RowDifference | None = None
        failure: str | None = None
        mistake: DapflowError | None = None
        reached: ReachedParts | None = None
        try:
            prepared = prepare(self._project, test)
            differing, failure = self._outcome(prepared)
            reached = self._reached(prepared) if self._coverage else None
        except DapflowError as error:
            mistake = _placed(test, error)
        seconds = time.perf_counter() - started
        line = test.place.line or 1
        said = (differing, failure, mistake, reached)
        return SqlTestOutcome(test.id, test.name, test.dataset, test.file, line, seconds, *said)

    def mistakes(self, tests: Sequence[SqlTest]) -> list[DapflowError]:
        """What in tests can be seen to be wrong before one runs: names of tables, columns and WITH queries."""
        seen = (self._mistake(test) for test in tests)
        return [mistake for mistake in seen if mistake is not None]

    def _mistake(self, test: SqlTest) -> DapflowError | None:
        try:
            prepared = prepare(self._project, test)
            compiled = self._query_over_given(prepared)
            if compiled is None:
                return None
            read_tables(self._project, prepared, compiled)
            if test.terms.error is None:
                ExpectedRows.of(prepared, _columns(compiled), is_ordered=compiled.ordered)
        except DapflowError as error:
            return _placed(test, error)
        return None

    def _query_over_given(self, prepared: PreparedTest) -> CompiledQuery | None:
        """The query; None where the transform is wrong. Raises DapflowError where the columns are that are given."""
        try:
            return self._query(prepared)
        except QueryError as error:
            if not prepared.columns:
                return None
            message = f"with the columns that the test gives, {prepared.tested} is refused: {error}"
            hint = "give all columns that it reads, with their types"
            raise prepared.test.place.error(refusal(sql_text(prepared.dataset), error).code, message, hint) from None

    def rows(self, test: SqlTest) -> tuple[list[TypedColumn], list[tuple[Any, ...]]]:
        """What a transform gives for what a test gives. Raises DapflowError."""
        prepared = prepare(self._project, test)
        try:
            return self._came(prepared)[1:]
        except QueryError as error:
            raise refusal(sql_text(prepared.dataset), error) from error

    def _came(self, prepared: PreparedTest) -> tuple[CompiledQuery, list[TypedColumn], list[tuple[Any, ...]]]:
        compiled = self._query(prepared)
        create_given(self.database, read_tables(self._project, prepared, compiled))
        self.database.fix_clock(prepared.now)
        return compiled, _columns(compiled), self.database.execute(compiled.sql)

    def _outcome(self, prepared: PreparedTest) -> tuple[RowDifference | None, str | None]:
        """How the rows differ, or what else went otherwise than expected. Raises DapflowError."""
        wanted = prepared.test.terms.error
        try:
            compiled, columns, came = self._came(prepared)
        except QueryError as error:
            if wanted is None:
                raise refusal(sql_text(prepared.dataset), error) from error
            other = error.error_name != wanted.text
            return None, f"expected the error {wanted.text}, came {error}" if other else None
        if wanted is not None:
            rows = "one row" if len(came) == 1 else f"{len(came)} rows"
            return None, f"expected the error {wanted.text}, came {rows}"
        expected = ExpectedRows.of(prepared, columns, is_ordered=compiled.ordered)
        return expected.difference(self.database, came), other_generation(prepared, columns, came)

    def _query(self, prepared: PreparedTest) -> CompiledQuery:
        key = _compiled_key(prepared)
        if key not in self._compiled:
            transform = AnalysedTransform.of(self._project, prepared.dataset, prepared.columns)
            self._compiled[key] = over_given(transform.compiled(transform.query(prepared.test.terms.cte)))
        return self._compiled[key]

    def _reached(self, prepared: PreparedTest) -> ReachedParts:
        key = _compiled_key(prepared)
        try:
            if key not in self._counted:
                self._counted[key] = CountedTransform.of(self._project, prepared)
        except QueryError as error:
            return ReachedParts(problem=str(error))
        return self._counted[key].reached(self.database, self._project, prepared)


def _columns(compiled: CompiledQuery) -> list[TypedColumn]:
    return [(column.name, parse_type(column.type)) for column in compiled.columns]


def _placed(test: SqlTest, error: DapflowError) -> DapflowError:
    """A mistake with a place: that of the test where it has none."""
    return error if error.file is not None else test.place.error(error.code, error.message, error.hint)


def _compiled_key(prepared: PreparedTest) -> tuple[object, ...]:
    """What tests have in common that run the same query."""
    cte = prepared.test.terms.cte
    declared = tuple((name, tuple(types.items())) for name, types in prepared.columns.items())
    return prepared.dataset.id, cte.text.lower() if cte else None, declared
