"""What to say about a word that cannot stand where it stands: the usual slips, and their remedies."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.errors import DapflowError
from dapflow.sql.fixes import plainer, quoted_name
from dapflow.sql.foreign_forms import BY_PREVIOUS, BY_WORD, FOREIGN_FORMS, PLACEHOLDERS
from dapflow.sql.mistyped import mistyped
from dapflow.sql.slip import AN_OPERATOR, CLAUSES, NOTHING_MORE, VALUE, Slip, clause_of
from dapflow.sql.sql_text import SqlText
from dapflow.sql.words import END, INTEGER, QUOTED, STRING, Words
from dapflow.trino.errors import Mismatch
from dapflow.trino.syntax.reserved_words import RESERVED

_ORDER = "the order is SELECT, FROM, WHERE, GROUP BY, HAVING, WINDOW, ORDER BY, OFFSET, LIMIT"
_ENDING = frozenset({"FROM", "WHERE", "HAVING", "LIMIT", "UNION", "AS"})
_AFTER_COMMA = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", ")", "]", END})
# By what the grammar says in Trino's words.
_EXPECTED = {
    "<expression>": VALUE,
    "<EOF>": NOTHING_MORE,
    "<string>": "a text",
    "<integer>": "a number",
    "<type>": "a type such as varchar",
    "'ALL', <integer>": "a number of rows",
    "'(', 'SELECT', 'TABLE', 'VALUES'": "SELECT",
    "'ON', 'USING'": "ON and the condition of the JOIN",
    "'DISTINCT', 'NOT', 'NULL'": "NULL",
    "','": "a comma or )",
    "'ELSE', 'END', 'WHEN'": "WHEN, ELSE or END of the CASE",
}
# By what is expected.
_BY_EXPECTED = {
    "ONLY": "write FETCH FIRST 10 ROWS ONLY, or LIMIT 10",
    "WITHIN": "write listagg(a, ',') WITHIN GROUP (ORDER BY a)",
}
_OPERATORS = frozenset({"ILIKE", "RLIKE", "REGEXP"})
# What other dialects write before a text.
_PREFIXES = frozenset({"N", "E", "B", "R"})
_SIGNS = frozenset({"=", "<", ">", "<>", "<=", ">="})


def explain_word(text: SqlText, words: Words, problem: Mismatch) -> DapflowError:
    """The error for a word that the grammar does not expect."""
    index = words.starts.index(problem.offset)
    slip = Slip(text, words, index, _expected(words, index, problem.expected))
    plain = slip.word in {QUOTED, STRING, INTEGER, END, "(", "*"} or slip.word[:1].isalpha()
    typo = mistyped(words, index) if plain else None
    if typo is not None:
        at, keyword = typo
        message = f"{slip.shown(at)} is not expected here"
        return text.error("sql-syntax", message, words.starts[at], f"did you mean {keyword}?")
    # For the end of the text, point behind the last word, because comments and blank lines may follow it.
    at_end = slip.word == END and index
    offset = words.ends[index - 1] if at_end else words.starts[index]
    hint = next((hint for rule in _RULES if (hint := rule(slip)) is not None), None)
    if slip.word in PLACEHOLDERS:
        return text.error("placeholder", _message(slip), offset, hint)
    if _hyphenated(slip):
        return text.error("hyphenated-name", _message(slip), offset, hint, quoted_name(slip))
    return text.error("sql-syntax", _message(slip), offset, hint, plainer(slip))


def _hyphenated(slip: Slip) -> bool:
    """Whether a hyphen stands in the name of a table."""
    return slip.word == "-" and slip.clause == "FROM"


def _expected(words: Words, index: int, expected: str) -> str:
    """What the grammar expects, in plain words."""
    plain = _EXPECTED.get(expected)
    if plain is not None:
        return plain
    if expected != "<identifier>":
        return expected.replace("'", "")
    previous, clause = words.kinds[index - 1], clause_of(words, index)
    if previous in {"FROM", "JOIN"} or (previous == "," and clause == "FROM"):
        return "a table"
    if previous == "AS":
        return "a name for the table" if clause == "FROM" else "a name for the column"
    if previous in {"WITH", "RECURSIVE"} or (previous == "," and clause is None):
        return "the name of a WITH query"
    return "a name"


def _message(slip: Slip) -> str:
    word = slip.shown(slip.index)
    if slip.expected == NOTHING_MORE:
        return f"{word} is not expected{f' after {slip.shown(slip.index - 1)}' if slip.index else ''}"
    if slip.expected == VALUE and slip.previous == "," and slip.word in _AFTER_COMMA:
        return f"after the comma {VALUE} is missing, before {word}"
    return f"expected {slip.expected}, found {word}"


def _of_word(slip: Slip) -> str | None:
    if slip.expected in _BY_EXPECTED:
        return _BY_EXPECTED[slip.expected]
    if slip.word in BY_WORD:
        return BY_WORD[slip.word]
    return BY_PREVIOUS.get(slip.previous) or (BY_WORD[slip.previous] if slip.previous in _OPERATORS else None)


def _of_sign(slip: Slip) -> str | None:  # noqa: PLR0911 (one return per sign)
    if slip.word == "=" and slip.previous == "=":
        return "equal is written with one ="
    if slip.word == ">" and slip.previous == "->":
        return "write json_extract_scalar(a, '$.name')"
    if slip.word == slip.previous == "/":
        return "a comment begins with --; whole numbers divide without a rest by one /"
    if slip.word in _SIGNS and slip.previous in _SIGNS:
        return "comparisons are written =, <>, <, <=, > and >="
    if slip.word in _SIGNS and slip.expected == NOTHING_MORE:
        return "a comparison has two sides: join several with AND or OR; || joins texts"
    if slip.word == "," and slip.previous == INTEGER and slip.next == INTEGER and slip.clause != "LIMIT":
        return "numbers have no separator of thousands: 1000"
    if slip.word == "*" and slip.previous == "DISTINCT":
        return "write count(*), or count(DISTINCT a)"
    return None


def _of_query(slip: Slip) -> str | None:
    """What takes a SELECT in brackets, or a list."""
    if slip.previous == "IN" and slip.expected == "(":
        return "IN takes values in brackets: a IN (1, 2); an array is looked into by contains(list, a)"
    if slip.word == ")" and slip.before(2) == ["IN", "("]:
        return "write at least one value: a IN (1, 2); IN of none is false"
    before = slip.words.kinds[slip.index - 2] if slip.index > 1 and slip.previous == "(" else END
    if slip.expected == "SELECT" and before in {"ALL", "ANY", "SOME"}:
        return f"{before} takes a SELECT; of values, write a > greatest(1, 2), or a IN (1, 2)"
    return "EXISTS takes a SELECT: EXISTS (SELECT 1 FROM …)" if before == "EXISTS" else None


def _of_reserved_word(slip: Slip) -> str | None:
    """A column with the name of a word of the language: `SELECT order, table FROM …`."""
    as_column = slip.expected == VALUE and slip.word in RESERVED and slip.word not in _ENDING
    if as_column and slip.next in {",", ")", "FROM", "AS", "=", END}:
        return f'{slip.word} is a word of the language; as a name it is quoted: "{slip.word.lower()}"'
    return None


def _of_comment(slip: Slip) -> str | None:
    """Behind an inner comment's end a value may stand, so that either sign of the outer end may be the slip."""
    star = slip.index - 1 if (slip.previous, slip.word) == ("*", "/") else slip.index
    if slip.words.kinds[star] == "*" and slip.text.text.startswith("*/", slip.words.starts[star]):
        return "comments do not stand in comments: the first */ ends them all"
    return None


def _of_comma(slip: Slip) -> str | None:
    if slip.previous == "," and slip.word in {*_AFTER_COMMA, ","}:
        return "delete the comma"
    if slip.previous == "," and slip.word == "SELECT":
        return "delete the comma before SELECT"
    if slip.word in {"OFFSET", ","} and slip.clause == "LIMIT":
        return "write OFFSET 5 LIMIT 10"
    return None


def _of_case(slip: Slip) -> str | None:
    if slip.expected in {"WHEN", "THEN"}:
        return "CASE WHEN condition THEN value ELSE value END"
    if slip.word == "END" and slip.expected in {NOTHING_MORE, AN_OPERATOR}:
        return "this END closes no CASE: delete it"
    return "close the CASE with END" if slip.expected.startswith("WHEN, ELSE") else None


def _of_interval(slip: Slip) -> str | None:
    if slip.expected.startswith("DAY, HOUR"):
        return "write INTERVAL '7' DAY: the number alone in quotes, the unit behind it in the singular"
    return None


def _of_join(slip: Slip) -> str | None:
    if slip.expected == "JOIN" and slip.word in {"SEMI", "ANTI"}:
        condition = "EXISTS (SELECT 1 FROM b WHERE b.id = a.id)"
        return f"write WHERE NOT {condition}" if slip.word == "ANTI" else f"write WHERE {condition}"
    if slip.expected.startswith("ON and"):
        return "add ON and the condition, or write CROSS JOIN"
    if slip.word == "ON" and slip.clause == "FROM":
        return "only JOIN takes ON, and once; CROSS JOIN and NATURAL JOIN take none"
    if slip.word == "." and slip.expected == "a comma or )":
        return "USING takes names alone: USING (id); with the tables' names, write ON a.id = b.id"
    if slip.word == "ON" and slip.previous == "DISTINCT":
        return "Athena has no DISTINCT ON; number the rows with row_number() in a subquery and keep the first"
    return None


def _of_as(slip: Slip) -> str | None:
    if slip.word != "AS" or slip.expected == ")":
        return None
    clause = slip.clause
    if clause in {"GROUP", "ORDER"}:
        return f"{clause} BY takes no AS: give the name in the SELECT list, and only the expression to {clause} BY"
    return "AS names a column in the SELECT list, a table in FROM, or a query in WITH; nothing else"


def _of_with(slip: Slip) -> str | None:
    if slip.expected == "SELECT" and slip.next == "AS":
        return "a comma is missing between the queries of WITH"
    if slip.expected == "SELECT" and slip.word == "WITH":
        return "there is one WITH; its queries are separated by commas"
    if slip.expected == "SELECT" and slip.word == END and slip.previous == ")":
        return "a SELECT must follow the queries of WITH"
    if slip.expected == "SELECT" and slip.word in CLAUSES:
        return _ORDER
    if slip.word == "SELECT":
        return "put the inner SELECT into parentheses"
    return None


def _of_window(slip: Slip) -> str | None:
    if slip.before(2) == ["OVER", "PARTITION"]:
        return "put it into brackets: OVER (PARTITION BY a ORDER BY b)"
    if slip.before(2) == ["(", "PARTITION"]:
        return "write PARTITION BY a"
    if slip.word in {"IGNORE", "RESPECT"} and slip.expected == ")":
        return f"it stands behind the bracket: last_value(a) {slip.word} NULLS OVER (…)"
    return None


def _of_bracket(slip: Slip) -> str | None:
    if slip.expected not in {")", "]"} and slip.word != END:
        return None
    opener = slip.opener
    if opener is None:
        return None
    # PIVOT (…) and such look like an alias with columns.
    before = slip.words.kinds[opener - 1] if opener else END
    if before in BY_PREVIOUS:
        return BY_PREVIOUS[before]
    line, column = slip.text.place(slip.words.starts[opener])
    comma = _missing_comma(slip)
    bracket = slip.words.kinds[opener]
    return f"the {bracket} of line {line}, column {column} is not closed here{f'; or {comma}' if comma else ''}"


def _of_name(slip: Slip) -> str | None:
    if _hyphenated(slip):
        return 'a name with hyphens is quoted: "housing-raw-zone".repairs'
    if slip.previous == STRING and slip.words.ends[slip.index - 1] - slip.words.starts[slip.index - 1] == 2:
        return "a text stands in one quote on each side: 'text'"
    if slip.word == STRING and slip.previous in _PREFIXES:
        return "a text has no letter before it: 'text'"
    if slip.word == STRING and (slip.previous == "AS" or slip.expected == AN_OPERATOR):
        return 'a name is written in double quotes: AS "total"'
    if slip.word in RESERVED and slip.expected.startswith(("a name", "the name", "a table")):
        return f'{slip.word} is a word of the language; as a name it is quoted: "{slip.word.lower()}"'
    return None


def _of_form(slip: Slip) -> str | None:
    if slip.word == "(" and slip.previous.startswith(("CURRENT_", "LOCAL")):
        return f"write {slip.previous.lower()} without ()"
    if slip.word in {"TRUE", "FALSE"} and "IS" in slip.words.kinds[max(0, slip.index - 2) : slip.index]:
        return f"write a = {slip.word.lower()}"
    if slip.expected == "NULL" and "IS" in slip.before(2):
        return "IS is for NULL alone: write a = 5, a <> 5, or a IS DISTINCT FROM b where NULLs count"
    if slip.expected == "AS":
        return "CAST(value AS type), for example CAST(a AS varchar)"
    return None


def _of_clause(slip: Slip) -> str | None:
    """A word that begins a clause, where none may begin."""
    if slip.expected == NOTHING_MORE and slip.word == slip.clause == "WHERE":
        return "there is one WHERE: join the conditions with AND"
    if slip.expected == NOTHING_MORE and slip.word in {"GROUP", "ORDER"} and slip.next != "BY":
        quoted = f'{slip.word} is a word of the language; as a name it is quoted: "{slip.word.lower()}"'
        return quoted if slip.clause == "SELECT" else f"write {slip.word} BY"
    return _ORDER if slip.expected == NOTHING_MORE and slip.word in CLAUSES else None


def _missing_comma(slip: Slip) -> str | None:
    """Where a value follows a value, something between them is missing."""
    word = slip.word
    value = word in {QUOTED, STRING, INTEGER, "CASE", "CAST", "("} or (word[:1].isalpha() and word not in RESERVED)
    if value and slip.previous not in {",", "("}:
        return "a comma or an operator is missing before it"
    if word == "." and slip.index > 1 and slip.words.kinds[slip.index - 2] not in {",", "."}:
        return f"a comma is missing before {slip.shown(slip.index - 1)}"
    return None


def _of_end(slip: Slip) -> str | None:
    if slip.word in {"AND", "OR"} and slip.expected == VALUE:
        return f"a condition is missing before {slip.word}: write it, or delete {slip.word}"
    ends = slip.word in {END, ")"} or slip.word in CLAUSES
    if ends and slip.expected in {VALUE, "a table"} and slip.previous not in {END, "(", ","}:
        return f"write what follows {slip.shown(slip.index - 1)}, or delete it"
    return None


def _of_nothing_more(slip: Slip) -> str | None:
    return _missing_comma(slip) if slip.expected == NOTHING_MORE else None


_RULES: tuple[Callable[[Slip], str | None], ...] = (
    *FOREIGN_FORMS,
    _of_word,
    _of_sign,
    _of_query,
    _of_reserved_word,
    _of_comment,
    _of_comma,
    _of_case,
    _of_interval,
    _of_join,
    _of_as,
    _of_with,
    _of_window,
    _of_bracket,
    _of_name,
    _of_form,
    _of_clause,
    _of_end,
    _of_nothing_more,
)
