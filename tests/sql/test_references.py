"""Every table that a statement names is found, and at its very place; names of CTEs are not tables.

Statements are made at random from parts that are known to name tables or CTEs, so what must be found is known too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.statements import parse
from tests.sql.known import statement_of

WORDS = ["flights", "airlines", "a", "b", "planes_history", "Été", "x y", "ORDERS"]
# A busy machine is no reason to fail.
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
GAPS = [" ", "\n", "\t", "  -- from nowhere\n", " /* select * from z */ ", "\r\n"]


@dataclass
class Made:
    """A text in the making, and where its tables stand."""

    text: str = ""
    spans: list[tuple[int, int]] = field(default_factory=list)


class Maker:
    """Writes a statement; ``draw`` decides."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.made = Made()

    def choose(self, most: int) -> int:
        return self.draw(st.integers(0, most))

    def write(self, text: str) -> None:
        self.made.text += text

    def gap(self) -> None:
        self.write(self.draw(st.sampled_from(GAPS)))

    def quoted(self, word: str) -> str:
        plain = word.isascii() and word.isidentifier() and word.upper() != "ORDERS"
        return word if plain and self.choose(3) else f'"{word}"'

    def table(self, visible: frozenset[str]) -> None:
        """A table or a CTE; with a database it can only be a table."""
        word = self.draw(st.sampled_from(WORDS))
        start = len(self.made.text)
        kind = self.choose(3)
        if kind == 0:
            self.write("awsdatacatalog." if self.choose(1) else "")
            self.write('"housing-raw-zone".' if self.choose(1) else "db.")
        self.write(self.quoted(word if self.choose(1) else word.upper()))
        if kind == 0 or word.lower() not in visible:
            self.made.spans.append((start, len(self.made.text)))

    def relation(self, visible: frozenset[str], depth: int) -> None:
        kind = self.choose(5) if depth else 0
        if kind <= 1:
            self.table(visible)
            self.write(self.draw(st.sampled_from(["", " t", " AS t", ' AS "select" (c)'])))
        elif kind == 2:
            self.write("(")
            self.query(visible, depth - 1)
            self.write(") t")
        elif kind == 3:
            self.write("(")
            self.relation(visible, depth - 1)
            self.write(" CROSS JOIN ")
            self.relation(visible, depth - 1)
            self.write(")")
        elif kind == 4:
            self.relation(visible, depth - 1)
            self.write(" JOIN ")
            self.relation(visible, depth - 1)
            self.write(" ON 1 IN (")
            self.query(visible, depth - 1)
            self.write(")")
        else:
            self.table(visible)
            self.write(" CROSS JOIN LATERAL (")
            self.query(visible, depth - 1)
            self.write(") l CROSS JOIN UNNEST(ARRAY[(")
            self.query(visible, depth - 1)
            self.write(")]) AS u (c)")

    def select(self, visible: frozenset[str], depth: int) -> None:
        self.write("SELECT")
        self.gap()
        self.write("'from planes' AS c")
        if depth and self.choose(1):
            self.write(", (")
            self.query(visible, depth - 1)
            self.write(") AS d")
        self.gap()
        self.write("FROM")
        self.gap()
        self.relation(visible, depth)
        if depth and self.choose(2) == 0:
            self.write(" WHERE EXISTS (")
            self.query(visible, depth - 1)
            self.write(")")

    def query(self, visible: frozenset[str], depth: int) -> None:
        if depth and self.choose(2) == 0:
            self.write("WITH ")
            for number in range(1 + self.choose(1)):
                word = self.draw(st.sampled_from(WORDS))
                self.write(", " if number else "")
                self.write(f"{self.quoted(word)} AS (")
                self.query(visible, depth - 1)
                self.write(")")
                self.gap()
                visible |= {word.lower()}
        self.select(visible, depth)
        if depth and self.choose(3) == 0:
            self.write(" UNION ALL ")
            self.select(visible, depth - 1)


@st.composite
def statements(draw: st.DrawFn) -> Made:
    maker = Maker(draw)
    maker.write(draw(st.sampled_from(["", "-- 😀 from x\n", "/* é */"])))
    maker.query(frozenset(), 3)
    maker.write(draw(st.sampled_from(["", ";", "\n-- from y", " ;\n-- z;"])))
    return maker.made


@settings(SLOW)
@given(statements())
def test_tables_are_found_at_their_places(made: Made) -> None:
    statement = statement_of(made.text)
    assert [(table.start, table.end) for table in statement.tables] == sorted(made.spans)
    assert made.text.startswith(statement.sql)


@settings(SLOW)
@given(statements())
def test_a_replaced_table_leaves_a_statement(made: Made) -> None:
    """Pinning replaces the spans alone; what comes out names the replacement and nothing else."""
    statement = statement_of(made.text)
    text = statement.sql
    for table in reversed(statement.tables):
        alias = "" if table.alias else f' AS "{table.name}"'
        text = f"{text[: table.start]}(SELECT c FROM pinned){alias}{text[table.end :]}"
    assert {table.name for table in statement_of(text).tables} <= {"pinned"}
    assert len(statement_of(text).tables) == len(statement.tables)


def nodes(value: object) -> Iterator[tree.Node]:
    """Every node of a tree, whatever holds it."""
    if isinstance(value, tuple):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, tree.Node):
        yield value
        for field in fields(value):
            yield from nodes(getattr(value, field.name))


@settings(SLOW)
@given(statements())
def test_every_table_node_of_the_tree_is_a_table_or_a_cte(made: Made) -> None:
    """No corner of a statement is overlooked: what the tree holds and is no table must be called like a CTE."""
    statement = statement_of(made.text)
    starts = {table.start for table in statement.tables}
    whole = list(nodes(parse(statement.sql)))
    names = {node.name for node in whole if isinstance(node, tree.Cte)}
    for node in whole:
        if isinstance(node, tree.TableNode):
            assert node.pos in starts or (node.parts[-1] in names and len(node.parts) == 1)


@pytest.mark.parametrize(
    ("sql", "alias"),
    [
        ("select 1 as a from flights", False),
        ("select 1 as a from flights f", True),
        ("select 1 as a from flights as f", True),
        ("select 1 as a from (flights)", False),
        ("select 1 as a from (flights) f", True),
        ("select 1 as a from ((flights)) as f", True),
        ("select 1 as a from (flights cross join (select 1 as b) x)", False),
        ("select 1 as a from flights tablesample system (5)", False),
        ("select 1 as a from flights f tablesample system (5)", True),
        ("table flights", False),
    ],
)
def test_whether_the_text_gives_an_alias(sql: str, alias: bool) -> None:
    [table] = statement_of(sql).tables
    assert table.alias is alias
    assert sql[table.start : table.end] == "flights"


def test_parts_of_a_name() -> None:
    sql = 'select 1 as a from AwsDataCatalog . "Housing-Raw-Zone" /* here */ . "Repairs" r'
    [table] = statement_of(sql).tables
    assert (table.catalog, table.database, table.name) == ("awsdatacatalog", "housing-raw-zone", "repairs")
    assert sql[table.start : table.end] == 'AwsDataCatalog . "Housing-Raw-Zone" /* here */ . "Repairs"'
