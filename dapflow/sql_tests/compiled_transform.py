"""A transform, or one of its WITH queries, made ready to run over rows that are given."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.project.file_position import PlacedText
from dapflow.sql import SqlText
from dapflow.sql_tests.catalogue import DeclaredColumns, ProjectUnderTest
from dapflow.trino.analysis import Analysed, analyse
from dapflow.trino.analysis.reading_with import reading_with
from dapflow.trino.analysis.typed_queries import Query, Table, WithQuery
from dapflow.trino.analysis.walk import deep
from dapflow.trino.duckdb import CompiledQuery, compile_analysed


@dataclass(frozen=True)
class AnalysedTransform:
    """A transform with the columns of its tables, as far as the project or a test says them."""

    project: ProjectUnderTest
    dataset: Dataset
    analysed: Analysed

    @classmethod
    def of(
        cls, project: ProjectUnderTest, dataset: Dataset, columns: Mapping[str, DeclaredColumns]
    ) -> AnalysedTransform:
        """Analyse a transform anew. ``columns`` are those that a test says, by the id of the dataset."""
        database = project.database(dataset)
        project.lineage.tables.database = database
        return cls(project, dataset, analyse(sql_text(dataset).text, project.catalogue(columns), database))

    def query(self, cte: PlacedText | None) -> Query:
        """The whole query, or what reads one of its WITH queries.

        Raises QueryError where Athena refuses the text, DapflowError ``unknown-cte``.
        """
        for finding in self.analysed.findings:
            raise finding.error()
        query = self.analysed.query
        if query is None:
            raise LookupError(self.dataset.id)  # it would have been a finding
        return query if cte is None else reading_with(query, self._with_query(query, cte))

    def compiled(self, query: Query) -> CompiledQuery:
        """A query of the transform, compiled. Raises QueryError, DapflowError ``unknown-columns``."""
        for node in deep(query):
            if isinstance(node, Table) and node.relation is None:
                raise self._unknown_columns(node)
        analysed = Analysed(query, (), self.analysed.node)
        return compile_analysed(analysed, sql_text(self.dataset).text, self.project.database(self.dataset))

    def _with_query(self, query: Query, cte: PlacedText) -> WithQuery:
        named = {with_query.name: with_query for with_query in query.with_queries}
        wanted = cte.text.lower()
        if wanted in named:
            return named[wanted]
        near = difflib.get_close_matches(wanted, named, n=1)
        listed = f"the queries of its WITH are {', '.join(named)}" if named else "it has no WITH at its beginning"
        hint = f"did you mean {near[0]!r}?" if near else listed
        raise cte.place.error("unknown-cte", f"{self.dataset.name} has no WITH query {cte.text!r}", hint)

    def _unknown_columns(self, table: Table) -> DapflowError:
        name = ".".join(table.parts)
        read = self.project.named(name, self.dataset)
        known = f"; dapflow columns {read.id} prints them where the platform runs" if read else ""
        return DapflowError(
            "unknown-columns",
            f"nothing in the project says which columns {name} has",
            hint=f"say it in the test: given: {{{name}: {{columns: {{…: string}}, rows: []}}}}{known}",
        )


def sql_text(dataset: Dataset) -> SqlText:
    """The text of a transform."""
    assert dataset.transform is not None  # noqa: S101 - a raw table has no tests
    return SqlText(dataset.transform.sql, dataset.transform.file)
