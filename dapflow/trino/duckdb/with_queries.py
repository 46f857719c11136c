"""WITH queries: those that are named once stand in that place, others are DuckDB's to run once.

Those that draw by lot stand in each place that names them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dapflow.trino.analysis.typed_queries import Query, SetOperation, WithQuery, WithUse
from dapflow.trino.analysis.walk import deep, parts
from dapflow.trino.duckdb.bodies import sides
from dapflow.trino.duckdb.lowering import Frame, Lowering
from dapflow.trino.duckdb.nodes import NOTHING, Sql, Text, Variable, Word, joined, replaced, sql

#: Steps of a recursive query that Trino takes unless the session says otherwise, which Athena does not let it.
_DEPTH = 10
_TOO_DEEP = (
    f"NOT_SUPPORTED: Recursion depth limit exceeded ({_DEPTH}). Use 'max_recursion_depth' session property to modify "
    "the limit."
)
#: Characters of a WITH query that may stand several times: DuckDB plans so many in half a second.
_LONGEST_REPEATED = 200_000


def shared(node: Query, lowering: Lowering) -> Sql:
    """WITH and the queries that are named more than once."""
    if not node.with_queries:
        return NOTHING
    uses = _Uses()
    uses.note(node)
    definitions = []
    for with_query in node.with_queries:
        count = uses.counts[id(with_query)]
        if with_query.query is not None and (count > 1 or (with_query.recursive and count)):
            definition = _defined(with_query, with_query.query, lowering)
            if definition.is_volatile:
                _repeat(with_query, definition, lowering)
            else:
                definitions.append(definition)
    return sql("$definitions ", definitions=_with(definitions, node.with_queries)) if definitions else NOTHING


def _with(definitions: Sequence[Sql], with_queries: Sequence[WithQuery]) -> Sql:
    recursive = Word("RECURSIVE " if any(with_query.recursive for with_query in with_queries) else "")
    return sql("WITH $recursive$definitions", recursive=recursive, definitions=definitions)


def _defined(with_query: WithQuery, query: Query, lowering: Lowering) -> Sql:
    """A WITH query, which has a name from now on."""
    if with_query.recursive:
        return _recursive(with_query, query, lowering)
    rows = lowering.query(query)
    return sql("$name AS ($rows)", name=_named(with_query, lowering), rows=rows)


def _named(with_query: WithQuery, lowering: Lowering) -> Variable:
    """What a WITH query is called from now on."""
    name = lowering.notes.with_queries[id(with_query)] = Variable("w")
    return name


def _repeat(with_query: WithQuery, definition: Sql, lowering: Lowering) -> None:
    """Let a WITH query that draws by lot be run anew for each place that names it, as Trino runs all of them."""
    if definition.size > _LONGEST_REPEATED:
        lowering.unsupported("A WITH query that draws by lot and is named as often", with_query.place)
    known = lowering.notes.with_queries
    whole = _with([definition], [with_query])
    known[id(with_query)] = sql("($whole SELECT * FROM $name)", whole=whole, name=known[id(with_query)])


class _Uses:
    """How often WITH queries are named in a query, by what is itself part of it."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def note(self, node: Any) -> None:
        """Count what is named below a node."""
        for part in parts(node):
            if isinstance(part, WithQuery):
                continue
            if isinstance(part, WithUse):
                self._note_use(part.with_query)
            self.note(part)

    def _note_use(self, with_query: WithQuery) -> None:
        self.counts[id(with_query)] += 1
        if self.counts[id(with_query)] == 1 and with_query.query is not None:
            self.note(with_query.query)


# -------------------------------------------------------------------------------------------------- recursion
def _recursive(with_query: WithQuery, query: Query, lowering: Lowering) -> Sql:
    """A recursive query: an anchor, and a step that reads the rows so far by the query's name."""
    operation = query.body
    assert isinstance(operation, SetOperation)  # noqa: S101 - any other is a mistake
    name = _named(with_query, lowering)
    anchor, step = sides(operation, lowering.within(Frame()))
    columns = [Word(f"c{i}") for i in range(len(with_query.columns))]
    repeats = any(isinstance(part, WithUse) and part.with_query is with_query for part in deep(operation.right))
    union = " UNION ALL " if operation.all else " UNION "
    if repeats:
        return _unrolled(name, columns, anchor, step, union)
    # Where the name means another query inside the step, there is nothing to repeat.
    whole = joined(union, [sql("($rows)", rows=rows) for rows in (anchor, step)])
    return sql("$name($columns) AS ($whole)", name=name, columns=columns, whole=whole)


def _unrolled(name: Variable, columns: Sequence[Sql], anchor: Sql, step: Sql, union: str) -> Sql:
    """A recursive query as Trino runs it: step by step up to its limit, and failing when there is more.

    Without ALL, too, each step goes on from all rows of the one before; a row that comes twice is left out at the end.
    """
    names = [Variable("w") for _ in range(_DEPTH + 1)]
    steps = [anchor, *(replaced(step, {id(name): variable}) for variable in names)]
    parts = [
        sql("$name($columns) AS MATERIALIZED ($rows)", name=variable, columns=columns, rows=rows)
        for variable, rows in zip(names, steps, strict=False)
    ]
    rounds = joined(union, [sql("SELECT * FROM $name", name=variable) for variable in names])
    # The message takes in a value of the row, so that it fails only if there is a row.
    whole = sql(
        "$name($columns) AS ($rounds UNION ALL SELECT * FROM ($more) AS more "
        "WHERE fail($problem || coalesce(left(CAST(c0 AS VARCHAR), 0), '')) = 0)",
        name=name,
        columns=columns,
        rounds=rounds,
        more=steps[-1],
        problem=Text(_TOO_DEEP),
    )
    return joined(", ", [*parts, whole])
