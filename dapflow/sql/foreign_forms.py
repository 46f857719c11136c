"""Forms of other dialects that Athena's grammar does not have, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.sql.other_dialects import FUNCTIONS
from dapflow.sql.slip import NOTHING_MORE, VALUE, Slip
from dapflow.sql.words import INTEGER, QUOTED

_APPLY = "write CROSS JOIN UNNEST(…) or LEFT JOIN LATERAL (…) ON true"
_TEMPLATE = "there are no templates here: write the name itself, dapflow finds the tables in the SQL"
# What the placeholders of templates begin with.
PLACEHOLDERS = ("{", "$")
# By the word that cannot stand there.
BY_WORD = {
    ":": "there are no parameters and no :: here; write CAST(a AS varchar) for a::varchar",
    **dict.fromkeys(PLACEHOLDERS, _TEMPLATE),
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
    "ISNULL": "write a IS NULL",
    "NOTNULL": "write a IS NOT NULL",
    "=>": "a lambda is written x -> expression",
    "NOLOCK": "Athena has no table hints; delete it",
    "CONNECT": "Athena has no CONNECT BY; write WITH RECURSIVE",
    "APPLY": _APPLY,
    "DECLARE": "Athena has no variables; write the value itself, or WITH given AS (SELECT 5 AS n)",
    "SAMPLE": "write TABLESAMPLE BERNOULLI (10)",
}
# By the word before it.
BY_PREVIOUS = {
    "TOP": "Athena has no TOP; write LIMIT at the end of the query",
    "QUALIFY": "Athena has no QUALIFY; filter in an outer SELECT: SELECT * FROM (SELECT …, row_number() …) WHERE …",
    "CONNECT": "Athena has no CONNECT BY; write WITH RECURSIVE",
    "START": "Athena has no START WITH … CONNECT BY; write WITH RECURSIVE",
    "MINUS": "write EXCEPT instead of MINUS",
    "DIV": "write a / b; whole numbers divide without a rest",
    "INTERVAL": "write INTERVAL '1' DAY",
    "APPLY": _APPLY,
    "STRAIGHT_JOIN": "write JOIN",
    "LATERAL": "write CROSS JOIN UNNEST(…) AS t(column)",
    "PIVOT": "Athena has no PIVOT; write sum(if(…)) for each column",
    "UNPIVOT": "Athena has no UNPIVOT; write CROSS JOIN UNNEST(…)",
    "CLUSTER": "Athena has only ORDER BY",
    "DISTRIBUTE": "Athena has only ORDER BY",
    "SORT": "Athena has only ORDER BY",
    "WITHIN": "only listagg takes WITHIN GROUP; write array_agg(a ORDER BY b), approx_percentile(a, 0.5)",
    "MOD": "write a % b",
    "FILTER": "write sum(a) FILTER (WHERE condition)",
    "SAMPLE": "write TABLESAMPLE BERNOULLI (10)",
    "BERNOULLI": "write TABLESAMPLE BERNOULLI (10)",
    "SYSTEM": "write TABLESAMPLE SYSTEM (10)",
}
_SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_CASTS = frozenset({"SAFE_CAST", "TRYCAST", "TRY_CONVERT", "CONVERT"})


def _of_rows(slip: Slip) -> str | None:
    """What makes rows of a list, and stands in FROM."""
    if slip.word == "UNNEST" and slip.expected == VALUE:
        return "UNNEST stands in FROM: SELECT t.name FROM … CROSS JOIN UNNEST(list) AS t (name)"
    if slip.word == "=>" and "FLATTEN" in slip.before(4):
        return "write CROSS JOIN UNNEST(list) AS t (name)"
    if slip.word == "(" and slip.clause == "FROM" and slip.before(2)[:1] in (["FROM"], ["JOIN"], [","]):
        return "FROM takes no function; rows are made of a list: FROM UNNEST(sequence(1, 5)) AS t (n)"
    return None


def _of_table(slip: Slip) -> str | None:
    """What stands behind a table."""
    if slip.before(2) == ["SAMPLE", "("]:
        return BY_WORD["SAMPLE"]
    if slip.word == "WITH" and slip.next == "(":
        return "Athena has no table hints; delete it"
    if slip.expected == "TIMESTAMP, VERSION":
        if slip.word in {"XML", "JSON"}:
            return "write array_join(array_agg(a ORDER BY a), ', ') in place of FOR XML PATH"
        return "Athena locks no rows; delete FOR and what follows"
    if slip.before(2) == ["(", "+"]:
        return "write LEFT JOIN … ON a.id = b.id in place of (+)"
    return None


def _of_list(slip: Slip) -> str | None:
    """What the SELECT list does not take."""
    if slip.before(3) == ["*", "EXCEPT", "("]:
        return "Athena has no * EXCEPT; list the columns"
    opener = slip.opener
    if slip.word == "AS" and opener and slip.words.kinds[opener - 1] in _CASTS:
        return "write try_cast(a AS integer), which gives NULL where a value does not fit"
    if slip.word == "AS" and opener and slip.words.kinds[opener - 1] == "STRUCT":
        return FUNCTIONS["struct"]
    return None


def _of_groups(slip: Slip) -> str | None:
    if slip.word == "WITH" and slip.next in {"ROLLUP", "CUBE"}:
        return f"write GROUP BY {slip.next} (a, b)"
    if slip.expected == VALUE and slip.clause == "GROUP" and slip.previous == "ALL":
        return "Athena has no GROUP BY ALL; name the columns, or count them: GROUP BY 1, 2"
    if slip.word in _SET_OPERATIONS and slip.expected == NOTHING_MORE and slip.clause in {"ORDER", "LIMIT", "OFFSET"}:
        return (
            f"ORDER BY and LIMIT stand behind the last SELECT, for all rows; for one SELECT alone put it in brackets: "
            f"(SELECT … LIMIT 5) {slip.word} …"
        )
    return None


def _of_brackets(slip: Slip) -> str | None:
    if slip.word == "{" and slip.next in {"D", "T", "TS"}:
        return "write DATE '2024-06-05', or TIMESTAMP '2024-06-05 12:00:00'"
    if slip.word == ":" and slip.opener is not None and slip.words.kinds[slip.opener] == "[":
        return "write slice(a, 1, 2): from the first item, two of them"
    return None


def _of_operator(slip: Slip) -> str | None:
    if slip.word == "*" and slip.previous == "*":
        return "write power(a, b)"
    if slip.word == ":" and slip.next != ":" and (slip.previous[:1].isalpha() or slip.previous == QUOTED):
        return "a field of JSON is read by json_extract_scalar(a, '$.name')"
    if slip.word == "NOT" and slip.next == "NULL":
        return "write a IS NOT NULL"
    if slip.expected == "AND" and slip.word in {",", "TO", INTEGER}:
        return "write a BETWEEN 1 AND 5"
    return None


#: Rules for what a word, and those around it, may be meant as.
FOREIGN_FORMS: tuple[Callable[[Slip], str | None], ...] = (
    _of_rows,
    _of_table,
    _of_list,
    _of_groups,
    _of_brackets,
    _of_operator,
)
