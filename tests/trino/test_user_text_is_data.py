"""What a user writes in a literal or a name is data, whatever it looks like: it never becomes part of the SQL around.

In queries of the tests, and of Trino's own tests where they are at hand, a literal is replaced by a text that looks
like marks of templates, generated names or SQL. The result must be that of the query in which the same value is
computed from bytes. So must that of a query in which an alias is such a text be that of one with a plain alias.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from dapflow.trino.catalogue import ColumnMetadata, Relation
from dapflow.trino.duckdb import compile_query, prepare_connection, translate_error
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import Token, tokens
from dapflow.trino.syntax.statements import parse
from tests.trino import corpus
from tests.trino.conformance import NoTables
from tests.trino.texts import TEXTS

_PIECES = (
    "$1", "over $1", "$100", "$ret", "$order", "$name", "{order}", "{tail}", "{0}", "x[", "box[2]", "w4", "w_4", "v_1",
    "r19.c0", "c0", "a0", "'", "''", '"', "{", "}", "--", "/*", "*/", "lambda x: x", "SELECT 1", "t_now()", "fail(",
    "%s", "\\", ";", ")", "TRY(", "ß",
)  # fmt: skip
_SECONDS = 5.0


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "512MiB"})
    prepare_connection(connection)
    return connection


def _outcome(engine: duckdb.DuckDBPyConnection, text: str) -> Any:
    """The rows in some order, or the error's name."""
    try:
        query = compile_query(text, NoTables(), "default")
    except QueryError as error:
        return error.error_name
    timer = threading.Timer(_SECONDS, engine.interrupt)
    timer.start()
    try:
        return sorted(map(repr, engine.execute(query.text_sql).fetchall()))
    except duckdb.Error as error:
        return translate_error(error).error_name
    finally:
        timer.cancel()


def _hostile(chance: random.Random) -> str:
    return "k" + "".join(chance.choice(_PIECES) for _ in range(chance.randint(1, 3)))


def _literals(text: str) -> list[Token]:
    """The string literals of a text that are expressions: not those of `DATE '…'` and its like."""
    try:
        places = {node.pos for node in tree.nodes(parse(text)) if isinstance(node, tree.Literal)}
        return [token for token in tokens(text) if token.kind == "string" and token.start in places]
    except QueryError:
        return []


def _replaced(text: str, places: list[Token], written: str) -> str:
    parts, end = [], 0
    for token in places:
        parts += [text[end : token.start], written]
        end = token.end
    return "".join([*parts, text[end:]])


def _is_read(text: str) -> bool:
    try:
        parse(text)
    except QueryError:
        return False
    return True


def _literal_pairs(texts: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    for text in texts:
        literals = _literals(text)
        for token in chance.sample(literals, min(2, len(literals))):
            value = _hostile(chance)
            quoted = "'" + value.replace("'", "''") + "'"
            computed = f"CAST(from_utf8(X'{value.encode().hex()}') AS varchar({len(value)}))"
            other = _replaced(text, [token], computed)
            # Some places take a literal and nothing else.
            if _is_read(other):
                yield _replaced(text, [token], quoted), other


def _aliases(text: str) -> set[str]:
    """Names of tables, columns, WITH queries and parameters of lambdas that a text gives."""
    names: set[str] = set()
    for node in tree.nodes(parse(text)):
        if isinstance(node, tree.AliasNode | tree.Cte):
            names |= {node.name, *(node.columns or ())}
        elif isinstance(node, tree.SelectItem) and node.alias:
            names.add(node.alias)
        elif isinstance(node, tree.Lambda):
            names |= set(node.names)
    return names


def _alias_pairs(texts: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    for text in texts:
        try:
            words = [token for token in tokens(text) if token.kind == "word"]
            repeated = sorted(name for name in _aliases(text) if sum(word.text == name for word in words) > 1)
        except QueryError:
            continue
        if repeated:
            name = chance.choice(repeated)
            places = [word for word in words if word.text == name]
            # Names of fields of rows are printed.
            if "ROW" in text.upper():
                continue
            hostile = '"' + _hostile(chance).replace('"', '""').lower() + '"'
            yield _replaced(text, places, hostile), _replaced(text, places, "kplain")


def _differing(engine: duckdb.DuckDBPyConnection, pairs: Iterator[tuple[str, str]]) -> tuple[list[Any], int]:
    """The pairs with different outcomes, and how many pairs give rows."""
    seen: Counter[str] = Counter()
    differing = []
    for hostile, plain in pairs:
        a, b = _outcome(engine, hostile), _outcome(engine, plain)
        seen["rows" if isinstance(b, list) else "error"] += 1
        # A pattern that is known is checked before there are values; formats that only the run knows are not supported.
        if a not in (b, "INVALID_FUNCTION_ARGUMENT") and b != "NOT_SUPPORTED":
            differing.append((hostile, a, b))
    return differing, seen["rows"]


def _texts() -> list[str]:
    folder = corpus.folder()
    if folder is None:
        pytest.skip(f"{corpus.VARIABLE} does not say where the corpus is")
    return corpus.texts(folder)


def test_a_literal_is_its_value(engine: duckdb.DuckDBPyConnection) -> None:
    differing, rows = _differing(engine, _literal_pairs(TEXTS[::3], random.Random(1)))  # noqa: S311 - the same each time
    assert differing == []
    assert rows > 100


def test_an_alias_is_a_name(engine: duckdb.DuckDBPyConnection) -> None:
    differing, rows = _differing(engine, _alias_pairs(TEXTS[::2], random.Random(2)))  # noqa: S311 - the same each time
    assert differing == []
    assert rows > 20


class _Lookalikes:
    """A table with columns that are called as the SQL calls its relations and variables."""

    columns = (
        *(f"{letter}_{i}" for letter in "rqvehw" for i in range(1, 9)),
        "o",
        "ties",
        "c0",
        "k0",
        "rn",
        "rk",
        "a0",
    )

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.trino.catalogue."""
        columns = tuple(ColumnMetadata(column, "row(c0 integer, c1 integer, k varchar)") for column in self.columns)
        return Relation("awsdatacatalog", "default", name, columns)

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT x.v, (SELECT count(*) FROM w WHERE x.id = 99) FROM (VALUES (1, 'a')) x(id, v)", [("a", "0")]),
        ("SELECT x.v, (SELECT max(r_1.c0) FROM w WHERE x.id = 1) FROM (VALUES (1, 'a')) x(id, v)", [("a", "99")]),
        ("SELECT transform(ARRAY[1], e -> e + r_1.c0 + e_1.c0 + v_1.c0) FROM w", [("[298]",)]),
        ("SELECT r_1.c0 FROM w ORDER BY r_2.c0, k0.c0 FETCH FIRST 1 ROW WITH TIES", [("99",)]),
        ("SELECT count(*) FROM w a JOIN w b ON a.r_1.c0 = b.r_2.c0 WHERE a.o.k LIKE '%$1%'", [("1",)]),
        ("SELECT o.k, ties.c1, c0.c0 FROM w", [("$1", "7", "99")]),
    ],
)
def test_columns_are_told_from_names_of_ours(engine: duckdb.DuckDBPyConnection, text: str, expected: Any) -> None:
    query = compile_query(text, _Lookalikes(), "default")
    for scan in query.scans:
        columns = ", ".join(f"{{'c0': 99, 'c1': 7, 'k': '$1'}} AS \"{name}\"" for name in _Lookalikes.columns)
        engine.execute(f'CREATE OR REPLACE TEMP VIEW "{scan.name}" AS SELECT {columns}')
    assert engine.execute(query.text_sql).fetchall() == expected


@pytest.mark.slow
def test_literals_and_aliases_of_the_corpus(engine: duckdb.DuckDBPyConnection) -> None:
    chance = random.Random(3)  # noqa: S311 - the same each time
    for pairs in (_literal_pairs, _alias_pairs):
        differing, rows = _differing(engine, pairs(_texts(), chance))
        assert differing == []
        assert rows > 150
