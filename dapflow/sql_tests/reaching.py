"""What of a transform a test reaches."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.sql_tests.catalogue import ProjectUnderTest
from dapflow.sql_tests.compiled_transform import AnalysedTransform, sql_text
from dapflow.sql_tests.counted_branches import count_branches
from dapflow.sql_tests.database import MemoryDatabase
from dapflow.sql_tests.given_tables import create_given, over_given, read_tables
from dapflow.sql_tests.outcome import ReachedParts, TransformPart
from dapflow.sql_tests.prepared_test import PreparedTest
from dapflow.trino.analysis.reading_with import reading_with
from dapflow.trino.analysis.typed_queries import WithQuery
from dapflow.trino.duckdb import CompiledQuery, QueryError


@dataclass(frozen=True)
class CountedTransform:
    """A query of a transform that tells which results of CASE and IF it computed, and its WITH queries, compiled.

    ``parts`` is all that may be reached in the transform.
    """

    counted: CompiledQuery
    branches: tuple[TransformPart, ...]
    with_queries: tuple[tuple[TransformPart, CompiledQuery], ...]
    parts: frozenset[TransformPart]

    @classmethod
    def of(cls, project: ProjectUnderTest, prepared: PreparedTest) -> CountedTransform:
        """What the test runs, compiled anew. Raises QueryError, DapflowError."""
        transform = AnalysedTransform.of(project, prepared.dataset, prepared.columns)
        text, cte = sql_text(prepared.dataset), prepared.test.terms.cte
        whole = transform.query(None)
        before = transform.query(cte).with_queries
        named = [(_named(with_query, prepared), with_query) for with_query in whole.with_queries]
        compiled = tuple(
            (part, over_given(transform.compiled(reading_with(whole, with_query))))
            for part, with_query in named
            if any(with_query is other for other in before)
        )
        branches = tuple(count_branches(whole, text))
        counted = over_given(transform.compiled(transform.query(cte)))
        return cls(counted, branches, compiled, frozenset((*branches, *(part for part, _ in named))))

    def reached(self, database: MemoryDatabase, project: ProjectUnderTest, prepared: PreparedTest) -> ReachedParts:
        """What the rows of a test reach. The clock is fixed already."""
        reached: set[TransformPart] = set()
        try:
            create_given(database, read_tables(project, prepared, self.counted))
            database.reached.clear()
            database.execute(self.counted.sql)
        except (QueryError, DapflowError) as error:
            return ReachedParts(self.parts, problem=str(error))
        reached |= {self.branches[number] for number in database.reached}
        for part, query in self.with_queries:
            if _has_rows(query, database, project, prepared):
                reached.add(part)
        return ReachedParts(self.parts, frozenset(reached))


def _has_rows(
    query: CompiledQuery, database: MemoryDatabase, project: ProjectUnderTest, prepared: PreparedTest
) -> bool:
    """Whether a WITH query has a row. One that nobody uses, and of which the test gives no tables, has none."""
    try:
        create_given(database, read_tables(project, prepared, query))
        return bool(database.execute(query.sql))
    except (QueryError, DapflowError):
        return False


def _named(with_query: WithQuery, prepared: PreparedTest) -> TransformPart:
    line, column = sql_text(prepared.dataset).place(with_query.place.start)
    return TransformPart(line, column, f"WITH query {with_query.name}")
