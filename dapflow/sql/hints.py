"""What to say about a word that cannot stand where it stands: the usual slips, and their remedies."""

from __future__ import annotations

import difflib

from dapflow.errors import DapflowError
from dapflow.sql.expressions import VALUE, Unexpected
from dapflow.sql.lexer import END, INTEGER, QUOTED, RESERVED, STRING, Words
from dapflow.sql.text import SqlText

_CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "OFFSET", "LIMIT")
_AFTER_COMMA = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", ")", "]", END})
# Words that are often mistyped, for a word that looks like one of them.
_KEYWORDS = (
    "SELECT", "DISTINCT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "JOIN", "INNER", "LEFT",
    "RIGHT", "OUTER", "CROSS", "CASE", "WHEN", "THEN", "ELSE", "BETWEEN", "PARTITION", "OVER", "WITH", "NULL", "LIKE",
    "EXISTS", "INTERSECT", "EXCEPT", "VALUES", "USING", "END", "AND", "DESC",
)  # fmt: skip
_TEMPLATE = "there are no templates here: write the name itself, dapflow finds the tables in the SQL"
# By the word that cannot stand there.
_BY_WORD = {
    ":": "there are no parameters and no :: here; write CAST(a AS varchar) for a::varchar",
    "{": _TEMPLATE,
    "$": _TEMPLATE,
    "?": "write the value",
    "[": "a list is ARRAY[1, 2]; a name with spaces is quoted with double quotes",
    "^": "write power(a, b)",
    "ILIKE": "write lower(a) LIKE 'text'",
    "RLIKE": "write regexp_like(a, 'pattern')",
    "REGEXP": "write regexp_like(a, 'pattern')",
    "EXCLUDE": "Athena has no * EXCLUDE; list the columns",
    "REPLACE": "Athena has no * REPLACE; list the columns",
    "INTO": "a transform is one SELECT; dapflow creates and fills the table itself",
    "SEPARATOR": "write array_join(array_agg(a), ',') or listagg(a, ',') WITHIN GROUP (ORDER BY a)",
    "MATERIALIZED": "Athena has no MATERIALIZED; delete it",
    "NOLOCK": "Athena has no table hints; delete it",
}
# By the word before it.
_BY_PREVIOUS = {
    "TOP": "Athena has no TOP; write LIMIT at the end of the query",
    "QUALIFY": "Athena has no QUALIFY; filter in an outer SELECT: SELECT * FROM (SELECT …, row_number() …) WHERE …",
    "MINUS": "write EXCEPT instead of MINUS",
    "DIV": "write a / b; whole numbers divide without a rest",
    "INTERVAL": "write INTERVAL '1' DAY",
    "APPLY": "write CROSS JOIN UNNEST(…) or LEFT JOIN LATERAL (…) ON true",
    "STRAIGHT_JOIN": "write JOIN",
    "LATERAL": "write CROSS JOIN UNNEST(…) AS t(column)",
    "PIVOT": "Athena has no PIVOT; write sum(if(…)) for each column",
    "UNPIVOT": "Athena has no UNPIVOT; write CROSS JOIN UNNEST(…)",
    "CLUSTER": "Athena has only ORDER BY",
    "DISTRIBUTE": "Athena has only ORDER BY",
    "SORT": "Athena has only ORDER BY",
}


def explain(text: SqlText, words: Words, problem: Unexpected) -> DapflowError:
    """The error for a word that the grammar does not expect."""
    index = problem.index
    mistyped = _mistyped(text, words, index)
    if mistyped is not None:
        at, keyword = mistyped
        message = f"{_shown(text, words, at)} is not expected here"
        return text.error("sql-syntax", message, words.starts[at], f"did you mean {keyword}?")
    message = _message(text, words, problem)
    return text.error("sql-syntax", message, _offset(text, words, index), _hint(text, words, problem))


def _offset(text: SqlText, words: Words, index: int) -> int:
    """Where to point: for the end of the text, behind the last word, because comments and blank lines may follow."""
    return words.ends[index - 1] if words.kinds[index] == END and index else words.starts[index]


def _message(text: SqlText, words: Words, problem: Unexpected) -> str:
    found = _shown(text, words, problem.index)
    if problem.expected == "the end of the statement":
        after = f" after {_shown(text, words, problem.index - 1)}" if problem.index else ""
        return f"{found} is not expected{after}"
    if (
        problem.expected == VALUE
        and words.kinds[problem.index - 1] == ","
        and words.kinds[problem.index] in _AFTER_COMMA
    ):
        return f"after the comma {VALUE} is missing, before {found}"
    return f"expected {problem.expected}, found {found}"


def _shown(text: SqlText, words: Words, index: int) -> str:
    if words.kinds[index] == END:
        return "the end of the statement"
    word = text.text[words.starts[index] : words.ends[index]]
    word = word if len(word) <= 40 else f"{word[:39]}…"
    return word if words.kinds[index] in {STRING, QUOTED} else f"'{word}'"


def _hint(text: SqlText, words: Words, problem: Unexpected) -> str | None:
    kinds, index = words.kinds, problem.index
    found, previous = kinds[index], kinds[index - 1] if index else ""
    if found == "=" and previous == "=":
        return "equal is written with one ="
    if found in _BY_WORD:
        return _BY_WORD[found]
    if previous in _BY_PREVIOUS:
        return _BY_PREVIOUS[previous]
    if previous in {"ILIKE", "RLIKE", "REGEXP"}:
        return _BY_WORD[previous]
    if previous == "," and found in _AFTER_COMMA:
        return "delete the comma"
    if previous == "," and found == "SELECT":
        return "delete the comma before SELECT"
    if found == "AS":
        return _hint_as(words, index)
    if problem.expected == "SELECT" and kinds[index + 1] == "AS":
        return "a comma is missing between the queries of WITH"
    if problem.expected == "SELECT" and found == "WITH":
        return "there is one WITH; its queries are separated by commas"
    if found in {"OFFSET", ","} and _clause(words, index) == "LIMIT":
        return "write OFFSET 5 LIMIT 10"
    if problem.expected == ")" or found == END:
        opened = _opened(words, index)
        if opened is not None:
            line, column = text.place(words.starts[opened])
            return f"the {kinds[opened]} of line {line}, column {column} is not closed here{_or_comma(words, index)}"
    return _hint_more(text, words, problem)


def _hint_more(text: SqlText, words: Words, problem: Unexpected) -> str | None:
    kinds, index = words.kinds, problem.index
    found, previous = kinds[index], kinds[index - 1] if index else ""
    if found == "-" and _clause(words, index) == "FROM":
        return 'a name with hyphens is quoted: "housing-raw-zone".repairs'
    if found == "(" and previous.startswith(("CURRENT_", "LOCAL")):
        return f"write {previous.lower()} without ()"
    if found in {"TRUE", "FALSE"} and "IS" in kinds[index - 2 : index]:
        return f"write a = {found.lower()}"
    if found == STRING and (previous == "AS" or problem.expected == "an operator or a comma"):
        return 'a name is written in double quotes: AS "total"'
    if problem.expected in {VALUE, "a value: a transform takes no parameters"}:
        return None
    if found in RESERVED and problem.expected.startswith(("a name", "the name", "a table")):
        return f'{found} is a word of the language; as a name it is quoted: "{found.lower()}"'
    if problem.expected == "the end of the statement" and found in _CLAUSES:
        return f"the order is {', '.join(_CLAUSES).replace('GROUP', 'GROUP BY').replace('ORDER', 'ORDER BY')}"
    if problem.expected == "the end of the statement":
        comma = _or_comma(words, index)
        return comma.removeprefix("; or ") or None
    return None


def _hint_as(words: Words, index: int) -> str:
    clause = _clause(words, index)
    if clause in {"GROUP", "ORDER"}:
        return f"{clause} BY takes no AS: name the column in the SELECT list, and write {clause} BY with the expression alone"
    return "AS names a column in the SELECT list, a table in FROM, or a query in WITH; nothing else"


def _or_comma(words: Words, index: int) -> str:
    """A comma may be missing where a value follows a value."""
    found = words.kinds[index]
    value = found in {QUOTED, STRING, INTEGER, "CASE", "CAST", "("} or (found[:1].isalpha() and found not in RESERVED)
    if value and words.kinds[index - 1] not in {",", "("}:
        return "; or a comma or an operator is missing before it"
    if found == "." and words.kinds[index - 2] not in {",", "."}:
        return "; or a comma is missing before the name that this . follows"
    return ""


def _opened(words: Words, index: int) -> int | None:
    """The innermost bracket that is open at a word and has not been closed before it."""
    open_ones = [start for start, close in words.closes.items() if start < index <= close]
    return max(open_ones) if open_ones else None


def _clause(words: Words, index: int) -> str | None:
    """The clause that a word stands in, at its own depth of parentheses."""
    closing = {close: start for start, close in words.closes.items()}
    at = index - 1
    while at >= 0:
        if at in closing:
            at = closing[at]
        elif words.kinds[at] in _CLAUSES or words.kinds[at] == "JOIN":
            return "FROM" if words.kinds[at] == "JOIN" else words.kinds[at]
        elif words.kinds[at] == "(":
            return None
        at -= 1
    return None


def _mistyped(text: SqlText, words: Words, index: int) -> tuple[int, str] | None:
    """A plain word here, or just before, that looks like a keyword but is none."""
    for at in (index, index - 1):
        kind = words.kinds[at] if at >= 0 else END
        known = kind in RESERVED or kind in _KEYWORDS or kind in _BY_WORD or kind in _BY_PREVIOUS
        if known or not kind[:1].isalpha() or words.kinds[at + 1] == "." or (at and words.kinds[at - 1] in {".", "AS"}):
            continue
        near = difflib.get_close_matches(kind, _KEYWORDS, n=1, cutoff=0.75)
        if near and len(kind) > 2:
            return at, near[0]
    return None
