"""The places of a text in which a dataset's tables are named, and what stands there afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dapflow.errors import Edit
from dapflow.lineage import ProductLineage
from dapflow.manifest import Dataset, Manifest
from dapflow.renaming.new_names import NewNames
from dapflow.review.project_lineage import ProjectLineage, upstream
from dapflow.review.project_tables import ProjectTables
from dapflow.sql import SqlText
from dapflow.sql.text_names import GivenName, Span, given_names, name_of, table_uses
from dapflow.trino.analysis import analyse
from dapflow.trino.analysis.meaning import is_checked, meaning
from dapflow.trino.analysis.typed_queries import Query, Table
from dapflow.trino.analysis.walk import deep
from dapflow.trino.catalogue import NotKnown, Relation
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import Token, identifier_value, tokens
from dapflow.trino.syntax.quoting import name_text, quoted_name
from dapflow.trino.syntax.statements import read_statement


def name_edits(text: SqlText, places: Collection[int], names: NewNames) -> list[Edit]:
    """The edits that give the tables which are named at these places their new names, and where columns are theirs.

    A name in quotes stays in quotes; the database before it stays as it is. Raises DapflowError ``rename``.
    """
    query = read_statement(text.text).query
    spans: set[Span] = set()
    for start, table in table_uses(text.text, query).items():
        if start in places:
            spans |= {table.place, *table.uses}
    written = {token.start: token for token in tokens(text.text)}
    edits = []
    for span in sorted(spans):
        token = written[span.start]
        bare, dollar, suffix = identifier_value(token).lower().partition("$")
        now = names.tables.get(bare)
        if now is not None and now != bare:
            whole = f"{now}{dollar}{suffix}"
            edits.append(Edit(span.start, span.end, quoted_name(whole) if token.kind == "quoted" else name_text(whole)))
    if edits and any(isinstance(node, tree.OpaqueNode | tree.OpaqueExpr) for node in tree.nodes(query)):
        _check_rest(text, spans, names)
    return edits


def _check_rest(text: SqlText, spans: Collection[Span], names: NewNames) -> None:
    """Of a text with a part that Athena alone reads, no name may be left that could be the table's."""
    starts = {span.start for span in spans}
    for token in tokens(text.text):
        if token.kind in {"word", "quoted"} and token.start not in starts and name_of(token) in names.tables:
            message = f"nobody can tell what {token.text} is here: the text has a part that Athena alone reads"
            raise text.error("rename", message, token.start, "write an alias for the table, then rename it")


def edited(text: str, edits: Collection[Edit]) -> str:
    """A text with its edits made."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class SameMeaning:
    """Whether texts mean afterwards what they mean now, over the columns that the project knows."""

    def __init__(
        self, manifest: Manifest, readers: Collection[str], names: NewNames, before: dict[str, ProductLineage]
    ) -> None:
        lineage = ProjectLineage(manifest)
        wanted = upstream(manifest, readers)
        lineage.lineages([dataset for dataset in manifest.datasets.values() if dataset.id in wanted], before)
        lineage.make_known()
        self._manifest = manifest
        self._tables = lineage.tables
        self._names = names

    def check(self, dataset: Dataset, text: SqlText, edits: Collection[Edit]) -> None:
        """Raise DapflowError ``rename`` for a transform whose text would mean something else."""
        database = self._manifest.services[dataset.service].database
        self._tables.database = database
        renamed = _RenamedTables(self._tables, self._names)
        now = analyse(text.text, self._tables, database)
        then = analyse(edited(text.text, edits), renamed, database)
        given = self._given(text, now.node) if now.node is not None else []
        others = [name.place.start for name in given]
        if (
            any(name.kind == "alias" for name in given)
            or now.query is None
            or now.node is None
            or then.query is None
            or then.node is None
        ):
            same = False
        elif now.findings or not is_checked(now.query):
            # What is not known cannot be compared; a name that stands nowhere hides nothing.
            others = [token.start for token in tokens(text.text) if self._is_new(token)]
            same = not others
        else:
            renamed.restore(then.query)
            same = not then.findings and meaning(now.query, now.node) == meaning(then.query, then.node)
        if not same:
            place = next(iter(others or [edit.start for edit in edits]))
            hint = "give what has that name here another one, or choose another name"
            message = f"the text would mean something else: it has the name {self._names.name} already"
            raise text.error("rename", message, place, hint)

    def _given(self, text: SqlText, query: tree.QueryNode) -> list[GivenName]:
        """The aliases and WITH queries that have one of the new names; a table would have it beside an alias."""
        return [name for name in given_names(text.text, query) if name.name in self._names.tables.values()]

    def _is_new(self, token: Token) -> bool:
        return token.kind in {"word", "quoted"} and name_of(token) in self._names.tables.values()


class _RenamedTables:
    """The tables by their new names."""

    def __init__(self, tables: ProjectTables, names: NewNames) -> None:
        self._tables = tables
        self._database = names.node.database
        self._now = {now: table for table, now in names.tables.items()}

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | NotKnown | None:
        """See dapflow.trino.catalogue."""
        known = (
            self._before(name) if self._tables.logical(database or self._tables.database) == self._database else name
        )
        relation = self._tables.relation(catalog, database, known)
        return replace(relation, name=name) if isinstance(relation, Relation) else relation

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return self._tables.has_database(database)

    def restore(self, query: Query) -> None:
        """Give the tables in a query the names that they have now."""
        for node in deep(query):
            if isinstance(node, Table) and node.relation is not None and node.relation.database == self._database:
                node.relation = replace(node.relation, name=self._before(node.relation.name))

    def _before(self, name: str) -> str:
        bare, dollar, suffix = name.partition("$")
        return f"{self._now.get(bare, bare)}{dollar}{suffix}"
