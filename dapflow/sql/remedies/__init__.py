"""What to write instead of what Athena refuses, by its own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from dapflow.sql.remedies.functions import unknown_function, wrong_arguments
from dapflow.sql.remedies.said import Said
from dapflow.sql.remedies.types import by_words, condition, in_common, operator, row_of_subquery, set_operation
from dapflow.sql.sql_text import SqlText
from dapflow.trino.errors import QueryError, Unsupported
from dapflow.trino.syntax.lexer import tokens


def remedy(text: SqlText, error: QueryError, functions: Collection[str] = ()) -> str | None:
    """What to write instead of what Athena refuses; None where nobody knows."""
    if isinstance(error, Unsupported):
        return "the embedded Athena cannot run this; Athena on AWS may"
    at = text.offset(error.line, error.column) if error.line and error.column and error.line <= text.lines else 0
    try:
        all_tokens = tokens(text.text)
    except QueryError:
        all_tokens = []
    before = [token for token in all_tokens if token.start < at]
    said = Said(error.error_name, error.message, before, all_tokens[len(before) :], functions)
    rules = (*_BY_NAME.get(error.error_name, ()), _of_words, _plain)
    return next((hint for rule in rules if (hint := rule(said)) is not None), None)


# A window function where the place is; the words stand apart.
_OF_WINDOW = re.compile(r"\w+ \([^()]*\) over\b", re.IGNORECASE)


def _column(said: Said) -> str | None:
    match = said.match(r"^Column '(.+)' cannot be resolved")
    if match is None:
        return None
    table, dot, name = match[1].rpartition(".")
    if dot and re.search(rf"\busing\s*\([^)]*\b{re.escape(name)}\b", said.source, re.IGNORECASE):
        return f"USING makes one column of the two: write {name} without {table}."
    alias = re.search(rf"\bunnest\s*\(.*?\)\s*(?:with\s+ordinality\s*)?(?:as\s+)?{re.escape(match[1])}\b", said.source,
                      re.IGNORECASE | re.DOTALL)  # fmt: skip
    if alias:
        return f"the alias of UNNEST names a table; name its column too: UNNEST(…) AS t ({match[1]})"
    return "a text is written in single quotes; double quotes are for names" if said.rest.startswith('"') else None


def _group(said: Said) -> str | None:
    match = said.match(r"^(?:Subquery uses )?'(.+)' (?:must be an aggregate|which must appear in GROUP BY)")
    if match is None:
        return None
    if _OF_WINDOW.match(said.rest):
        return "a window function over groups takes an aggregate: sum(sum(a)) OVER (…), or computes in a subquery"
    if said.grouped:
        return f"add {match[1]} to GROUP BY, or take one value of it: max({match[1]}), arbitrary({match[1]})"
    return f"add GROUP BY {match[1]}; without groups, filter with WHERE and not HAVING, and leave aggregates out"


def _scalar(said: Said) -> str | None:
    match = said.match(r"^(\w+)[^[]*cannot contain aggregations.*\[(.*)\]")
    if match is None:
        return None
    if _OF_WINDOW.match(said.rest):
        return "number the rows in a subquery: SELECT * FROM (SELECT …, row_number() OVER (…) AS n FROM …) WHERE n = 1"
    if match[1] == "GROUP":
        return "group by columns, not by what is computed of the groups"
    return "a condition on an aggregate stands in HAVING, behind GROUP BY"


def _literal(said: Said) -> str | None:
    if re.search(r"\$\{|\{\{|<<|%\(", said.message):
        return "there are no templates here: write the value itself"
    match = said.match(r"is not a valid (\w+)")
    kind = match[1].upper() if match else ""
    if kind in {"DATE", "TIMESTAMP", "TIME"}:
        forms = {"DATE": "2024-06-05", "TIME": "12:30:00", "TIMESTAMP": "2024-06-05 12:30:00"}
        return (
            f"write {kind} '{forms[kind]}', of a day that there is; other forms by date_parse('05/06/2024', '%d/%m/%Y')"
        )
    if kind == "INTERVAL":
        return "write INTERVAL '7' DAY: the number in quotes, the unit behind it in the singular"
    return None


_FIXED = {
    "INVALID_COLUMN_REFERENCE": "the number counts the columns of the SELECT list; better write the column's name",
    "NESTED_AGGREGATION": "compute the inner aggregate in a subquery, and the outer one over it: "
    "SELECT max(n) FROM (SELECT count(*) AS n FROM … GROUP BY …)",
    "NESTED_WINDOW": "compute the inner window function in a subquery",
    "EXPRESSION_NOT_IN_DISTINCT": "add the column to the SELECT list, or use GROUP BY and order by an aggregate",
    "MISSING_OVER": "a window function needs OVER (PARTITION BY … ORDER BY …)",
    "MISSING_ORDER_BY": "add ORDER BY inside OVER (…)",
    "FUNCTION_NOT_AGGREGATE": "DISTINCT, FILTER and ORDER BY inside the brackets are for aggregates alone",
    "FUNCTION_NOT_WINDOW": "OVER is for aggregates and window functions alone",
    "MISMATCHED_COLUMN_ALIASES": "give as many names as there are columns",
    "DUPLICATE_NAMED_QUERY": "give each query of WITH a name of its own",
    "INVALID_ARGUMENTS": "it takes more arguments: coalesce(a, b) gives b where a is NULL",
    "INVALID_CAST_ARGUMENT": "try_cast(a AS type) gives NULL where a value does not fit",
    "DIVISION_BY_ZERO": "write a / nullif(b, 0), which gives NULL where b is 0",
    "AMBIGUOUS_NAME": "write the table's name or alias before it",
    "SUBQUERY_MULTIPLE_ROWS": "the subquery gives several rows: take one with max(…), or use IN",
    "NUMERIC_VALUE_OUT_OF_RANGE": "cast to a wider type before computing: CAST(a AS bigint), CAST(a AS double)",
    "INVALID_FUNCTION_ARGUMENT": "an argument has a value that the function does not take; where some rows "
    "alone have one, try(…) gives NULL there",
    "MISSING_COLUMN_ALIASES": "name the columns: WITH RECURSIVE name (a, b) AS (…)",
    "COLUMN_ALIAS_MISMATCH": "give as many names as there are columns",
    "CATALOG_NOT_FOUND": "write database.table; the catalog is awsdatacatalog",
    "SCHEMA_NOT_FOUND": "SHOW DATABASES lists the databases; names with hyphens are in double quotes",
    "TABLE_NOT_FOUND": "a name without a database is looked up in the database of the query; SHOW TABLES lists them",
}


def _of_words(said: Said) -> str | None:
    return next((hint for pattern, hint in _WORDS if said.match(pattern)), None)


_WORDS = (
    ("^Lambda expression should", "-> is for lambdas; a field of JSON is read by json_extract_scalar(a, '$.name')"),
    ("a path starts with lax or strict", "begin the path with lax: 'lax $.name'"),
    ("is not a valid Timestamp field|is not a valid D(?:ATE|ate) field|is not a valid T(?:IME|ime) field",
     "units are 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter' and 'year', in the singular"),
    ("cannot be cast to (?:date|timestamp)",
     "write DATE '2024-06-05', or date_parse('05/06/2024', '%d/%m/%Y'); try_cast(a AS date) gives NULL where a value "
     "does not fit"),
    ("^Cannot cast '.*' to (?:TINYINT|SMALLINT|INT|BIGINT|REAL|DOUBLE|DECIMAL)",
     "try_cast(a AS type) gives NULL where a value does not fit; a number has no separator and no unit: 1000.5; a "
     "whole number of '1.5' is round(CAST(a AS double))"),
    ("^Cannot cast .* to DECIMAL",
     "decimal(5, 2) has five digits, two of them behind the point: take a wider one, such as decimal(18, 2)"),
    ("^Invalid format: ",
     "the pattern must be that of the text: date_parse('05/06/2024', '%d/%m/%Y'), parse_datetime('05/06/2024', "
     "'dd/MM/yyyy'); try(…) gives NULL where a value does not fit"),
    ("^Cannot parse ", "ISO dates are 2024-06-05; other forms are read by date_parse('05/06/2024', '%d/%m/%Y')"),
    ("^Invalid format string", "%s takes any value, %d whole numbers, %.2f the others: format('%.2f', a)"),
    ("^(?:Array subscript|SQL array ind)",
     "the first item is [1]; element_at(a, 5) gives NULL where there is none, and element_at(a, -1) the last"),
    ("^Cannot convert value to JSON", """JSON is '{"name": "text"}'; try(json_parse(a)) gives NULL where it is none"""),
    ("unmatched (?:close )?parenthesis|^premature end of char-class|^target of repeat",
     r"a sign that is meant itself has a backslash before it in a pattern: '\(', '\[', '\*'"),
    ("^The delimiter may not be the empty", "the characters of a text are regexp_extract_all(a, '.')"),
    ("^Pattern has \\d+ groups", "a group stands in brackets: regexp_extract(a, '([0-9]+) km', 1)"),
    ("^Invalid JSON path", """a path is '$.name', '$.list[0]' or '$["a name"]'"""),
    ("^Key not present in map", "element_at(map, 'name') gives NULL where there is none"),
    ("^(?:tinyint|smallint|integer) (?:addition|subtraction|multiplication) overflow",
     "make one of the numbers a bigint first: CAST(a AS bigint) * b"),
    ("^Values rows have mismatched types", "give every row as many values, each of its column's type"),
    ("is not a valid time zone", "time zones are named 'Europe/London' or '+01:00'; from_unixtime(a) alone is in UTC"),
    ("^DISTINCT in window", "compute the distinct values in a subquery, or use GROUP BY and join its result"),
    ("correlated subquery", "write it as a JOIN with a grouped subquery"),
    ("^Cannot extract (?:HOUR|MINUTE|SECOND) from date", "a date has no time of day; take a timestamp"),
    ("^Cannot extract \\w+ from (?:var)?char", "a text becomes a date by date(a), or date_parse(a, '%d/%m/%Y')"),
    ("^Cannot resolve WINDOW name", "write OVER (PARTITION BY a), or say what it is: WINDOW name AS (PARTITION BY a)"),
    ("^Cannot use \\w+ for subscript of (?:var)?char", "a part of a text is substr(a, 1, 3), or split(a, ',')[1]"),
    ("is missing from (?:left|right) side of join", "USING takes names that both sides have; else write ON a.x = b.y"),
    ("^Invalid numeric literal", "a whole number has at most 19 digits; write DECIMAL '99999999999999999999'"),
    ("^There must be two or more", "give it a second one, or leave the function out"),
    ("^Invalid DECIMAL type", "decimal(38, 2) is the widest: at most 38 digits, of which two stand behind the point"),
)  # fmt: skip


def _plain(said: Said) -> str | None:
    return _FIXED.get(said.name)


_BY_NAME: dict[str, tuple[Callable[[Said], str | None], ...]] = {
    "FUNCTION_NOT_FOUND": (unknown_function, wrong_arguments),
    "TYPE_MISMATCH": (operator, in_common, set_operation, row_of_subquery, condition, by_words),
    "COLUMN_NOT_FOUND": (_column,),
    "EXPRESSION_NOT_AGGREGATE": (_group,),
    "EXPRESSION_NOT_SCALAR": (_scalar,),
    "INVALID_LITERAL": (_literal,),
}
