"""What is read and what is refused, by Trino's grammars SqlBase.g4 and JsonPath.g4 as they were in 2022."""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path

import pytest

from dapflow.trino.errors import QueryError
from dapflow.trino.json_path.grammar import PathError, parse_path
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import query_text
from dapflow.trino.syntax.lexer import tokens
from dapflow.trino.syntax.parser import Parser
from stacks import NODE
from tests.sql.test_fixtures import FIXTURES, text_of
from tests.stacks.node import installed
from tests.trino import corpus

#: Queries of every form of the grammar, one a line, to be changed at random.
QUERIES = Path(__file__).with_name("grammar_queries.sql").read_text(encoding="utf-8").splitlines()

REFUSED = [
    ("SELECT 1 UNION ALL (WITH a AS (SELECT 1) SELECT * FROM a)", "1:21: mismatched input 'WITH'"),
    ("(WITH a AS (SELECT 1) SELECT * FROM a)", "1:2: mismatched input 'WITH'"),
    ("SELECT 1 + a.* FROM t", "1:14: mismatched input '*'"),
    ("SELECT (a) + b.* FROM t", "1:16: mismatched input '*'"),
    ("SELECT count(*) FROM t GROUP BY GROUPING SETS ()", "1:48: mismatched input ')'"),
    ("SELECT * FROM (a, b)", "1:17: mismatched input ','"),
    ("SELECT a AT TIME ZONE b", "1:23: mismatched input 'b'"),
    ("SELECT a AT TIME ZONE interval", "1:23: mismatched input 'interval'"),
    ("SELECT trim(LEADING a)", "1:22: mismatched input ')'"),
    ("SELECT grouping(a + 1) FROM t GROUP BY a", "1:19: mismatched input '+'"),
    ("SELECT lag(a) IGNORE NULLS FROM t", "1:28: mismatched input 'FROM'"),
    ("SELECT listagg(a) WITHIN GROUP (ORDER BY a) FILTER (WHERE b)", "1:52: mismatched input '('"),
    ("SELECT listagg(a) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b)", "1:50: mismatched input '('"),
    ("SELECT (x, ) -> x", "1:12: mismatched input ')'"),
    ("SELECT (table) -> 1", "1:14: mismatched input ')'"),
    ("SELECT CAST(a AS interval day to week)", "1:34: mismatched input 'week'"),
    ("SELECT CAST(a AS integer array[x])", "1:32: mismatched input 'x'"),
    ("SELECT json_value(a, 'lax $' NULL ON ERROR NULL ON EMPTY)", "1:44: mismatched input 'NULL'"),
    ("SELECT json_value(a, 'lax $' WITH WRAPPER)", "1:30: mismatched input 'WITH'"),
    ("SELECT json_exists(a, 'lax $' TRUE ON EMPTY)", "1:39: mismatched input 'EMPTY'"),
    ("SELECT json_query(a, 'lax $' EMPTY ON ERROR)", "1:36: mismatched input 'ON'"),
    ("SELECT json_object(NULL ON NULL)", "1:25: mismatched input 'ON'"),
    ("SELECT json_object(KEY 'a' : 1)", "1:28: mismatched input ':'"),
    *((f"SELECT {number}", "1:8: identifiers must not start with a digit") for number in ("1_", "1__0", "0x_")),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_what_the_grammar_refuses_is_refused_where_it_goes_wrong(sql: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        Parser(sql).statement()
    assert message in str(caught.value)


TAKEN = [
    *QUERIES,
    "SELECT * FROM ((WITH a AS (SELECT 1) SELECT * FROM a))",
    "SELECT ((WITH a AS (SELECT 1) SELECT * FROM a))",
    "SELECT ((a)).*, (a + b).*, a[1].*, f(x).y.* FROM t",
    "SELECT count(*) FROM t GROUP BY GROUPING SETS (()), ROLLUP ()",
    "SELECT sum(a) OVER (rows), sum(a) OVER (rows PARTITION BY b ROWS 1 PRECEDING) FROM t WINDOW rows AS ()",
    "SELECT sum(a) OVER (partition) FROM t WINDOW partition AS (ORDER BY b)",
]


@pytest.mark.parametrize("sql", TAKEN)
def test_what_the_grammar_takes_is_read(sql: str) -> None:
    assert takes(sql) is not False


PATHS = [
    ('lax $."a""b"', True),
    ('lax $."a\\"', True),
    ('lax $."a\\"b"', False),
    ("lax $[*] ? (!exists(@.a))", True),
    ("lax $ ? (!(@ > 1) && exists(@.b))", True),
    ("lax $ ? (!@ > 1)", False),
    ('lax $ ? (@ starts with $x || @ starts with "y")', True),
    ("lax $ ? (@ starts with @.a)", False),
    ('lax $"x"', False),
    ("lax $x", True),
    ("lax $.é", False),
    ("lax 1. + .5", True),
    ("$.a", False),
]


@pytest.mark.parametrize(("path", "taken"), PATHS)
def test_json_paths_are_read_by_their_grammar(path: str, taken: bool) -> None:
    if taken:
        parse_path(path)
    else:
        with pytest.raises(PathError):
            parse_path(path)


def takes(sql: str) -> bool | None:
    """Whether the text is read as a query; None where it is refused for another reason than its syntax."""
    try:
        Parser(sql).statement()
    except QueryError as error:
        return False if error.error_name == "SYNTAX_ERROR" else None
    return True


#: What only that grammar takes, and why that is well.
REFUSED_LATER = {
    "a call by the name of a form": r"(?i)\b(ROW|TRY_CAST|POSITION|SUBSTRING|ALL|ANY|SOME)\s*\(",
    "a literal of the type `interval`, which has no name": r"(?i)\binterval\s+'[^']*'",
    "RUNNING and FINAL, and a label with a star, outside of a pattern": r"\b(RUNNING|FINAL)\b|\(\s*\w+\s*\.\s*\*",
    "a type where a precision is wanted": r"(?i)\b(TIME|TIMESTAMP|ARRAY|MAP)\s*\(",
    "a field that EXTRACT does not know": r"(?i)\bextract\s*\(",
    "a name without a letter": r'""',
    "FILTER behind LISTAGG, which Trino reads since 2023": r"(?is)\bwithin\s+group\b.*\bfilter\b",
    "more parentheses than anyone writes": r"\({400}",
}
#: `left` and `right` are read as functions, so that the message can say what to write.
READ_FOR_THE_MESSAGE = re.compile(r"(?i)\b(left|right)\s*\(")
WORDS = """
SELECT FROM WHERE GROUP BY ORDER LIMIT OFFSET ALL DISTINCT UNION INTERSECT WITH AS ON USING JOIN CROSS NATURAL LEFT
NOT NULL AND OR IN LIKE BETWEEN IS EXISTS CASE WHEN THEN ELSE END CAST ROW ARRAY MAP INTERVAL DAY YEAR DATE TIMESTAMP
TIME ZONE AT OVER PARTITION ROWS RANGE FILTER UNNEST VALUES TABLE LATERAL TRUE DEFAULT EMPTY JSON_VALUE TRIM EXTRACT
LISTAGG GROUPING SETS ROLLUP x "y" 'z' 1 1.5 1e3 ( ) [ ] , . * + - = <> || -> => ? X'00' u&'a' ESCAPE UESCAPE FOR
FORMAT JSON KEY VALUE RETURNING NULLS FIRST IGNORE WINDOW FETCH TABLESAMPLE CURRENT_DATE TRY_CAST RECURSIVE OF VERSION
"""


def tree_of(sql: str) -> tree.QueryNode:
    """The tree of a text, in which doubles of one value are equal however they are written."""
    statement = Parser(sql).statement()
    for node in tree.nodes(statement):
        if isinstance(node, tree.Literal) and node.kind == "double":
            node.value = float(node.value)
    return statement


def test_the_text_of_a_tree_reads_as_the_same_tree() -> None:
    files = [*FIXTURES.glob("valid/*.sql"), *FIXTURES.glob("tpch/*.sql")]
    folder = corpus.folder()
    written = [*TAKEN, *map(text_of, files), *(corpus.texts(folder) if folder else [])]
    for text in written:
        if takes(text):
            parsed = tree_of(text)
            assert tree_of(query_text(parsed)) == parsed, text


def changed(words: list[str], chance: random.Random) -> str:
    """The text with one token less, doubled, moved, replaced or added."""
    at = chance.randrange(len(words))
    before, token, after = words[:at], words[at], words[at + 1 :]
    other = chance.choice(WORDS.split())
    ways = [[], [token, token], [*after[:1], token], [other], [other, token]]
    way = chance.randrange(len(ways))
    return " ".join([*before, *ways[way], *(after[1:] if way == 2 else after)])


def known(text: str, expected: bool) -> bool:
    """Whether the difference is one that is meant."""
    if expected:
        return any(re.search(pattern, text) for pattern in REFUSED_LATER.values())
    return READ_FOR_THE_MESSAGE.search(text) is not None


def trinos(texts: list[str]) -> list[bool]:
    """Whether Trino's grammar takes each text as a query."""
    script = Path(__file__).with_name("trino_grammar.mjs")
    command = [str(NODE), str(script), str(installed("dt-sql-parser@4.4.2"))]
    run = subprocess.run(command, input=json.dumps(texts), check=True, capture_output=True, text=True, timeout=600)
    answers: list[bool] = json.loads(run.stdout)
    return answers


@pytest.mark.slow
def test_the_same_is_taken_as_by_a_parser_made_of_trinos_grammar() -> None:
    files = [*FIXTURES.glob("valid/*.sql"), *FIXTURES.glob("invalid/*.sql"), *FIXTURES.glob("tpch/*.sql")]
    written = QUERIES + [text_of(file) for file in files if ";" not in text_of(file)]
    if folder := corpus.folder():
        written += corpus.texts(folder)
    chance = random.Random(2022)  # noqa: S311 - the same texts at each run
    whole = [[token.text for token in tokens(text)[:-1]] for text in written if takes(text)]
    texts = written + [changed(chance.choice(whole), chance) for _ in range(6000)]
    wrong = []
    for text, expected in zip(texts, trinos(texts), strict=True):
        if takes(text) not in {None, expected} and not known(text, expected):
            wrong.append(f"{'refused' if expected else 'taken'}: {text}")
    assert not wrong, "\n".join(wrong)
