"""What to write instead of what Athena refuses, by its own words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dapflow.sql.other_dialects import FUNCTIONS
from dapflow.sql.text import SqlText
from dapflow.sql.trino.errors import QueryError, Unsupported
from dapflow.sql.trino.lexer import Token, tokens
from dapflow.sql.trino.types import split_top

_TEXTS = ("varchar", "char")
_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal")


@dataclass(frozen=True)
class _Said:
    """Athena's words, and the text that they are about: all of it, and what follows the place, without comments."""

    name: str
    message: str
    before: list[Token]
    after: list[Token]
    functions: Collection[str]

    @property
    def source(self) -> str:
        """The text without comments."""
        return " ".join(token.text for token in (*self.before, *self.after))

    @property
    def rest(self) -> str:
        """What follows the place."""
        return " ".join(token.text for token in self.after)

    @property
    def grouped(self) -> bool:
        """Whether the SELECT around the place has a GROUP BY: a word between the brackets that stand around it."""
        return "GROUP" in _level(self.after, "(", ")") or "GROUP" in _level(self.before[::-1], ")", "(")

    def match(self, pattern: str) -> re.Match[str] | None:
        """What a pattern finds in the message."""
        return re.search(pattern, self.message)


def remedy(text: SqlText, error: QueryError, functions: Collection[str] = ()) -> str | None:
    """What to write instead of what Athena refuses; None where nobody knows."""
    if isinstance(error, Unsupported):
        return "the embedded Athena cannot run this; Athena on AWS may"
    at = text.offset(error.line, error.column) if error.line and error.column and error.line <= text.lines else 0
    try:
        found = tokens(text.text)
    except QueryError:
        found = []
    before = [token for token in found if token.start < at]
    said = _Said(error.error_name, error.message, before, found[len(before) :], functions)
    rules = (*_BY_NAME.get(error.error_name, ()), _plain)
    return next((hint for rule in rules if (hint := rule(said)) is not None), None)


# -- functions


def _function(said: _Said) -> str | None:
    match = said.match(r"^Function '([^']+)' not registered")
    if match is None:
        return None
    name = match[1].lower()
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    near = difflib.get_close_matches(name, said.functions, n=2)
    return f"did you mean {' or '.join(near)}?" if near else "https://trino.io/docs/current/functions.html lists all"


def _arguments(said: _Said) -> str | None:
    match = said.match(r"^Unexpected parameters \((.*?)\) for function ([a-z_0-9]+)(?:\. Expected: (.*))?")
    if match is None:
        return None
    types, name, expected = split_top(match[1]), match[2], match[3] or ""
    own = _BY_FUNCTION[name](types) if name in _BY_FUNCTION else None
    return own or _by_types(types, name, expected) or (f"{name} takes {_shown(expected)}" if expected else None)


def _by_types(types: list[str], name: str, expected: str) -> str | None:
    """What is missing where a function is given a value of another kind."""
    first = types[0] if types else ""
    if "<function>" in types:
        return f"a lambda is written x -> expression; {name} takes {_shown(expected)}"
    if re.search(rf"{name}\((?:\w+, )?(date|timestamp)", expected) and any(_is(kind, _TEXTS) for kind in types):
        return (
            f"{name} wants a date or a timestamp: date(a) for texts such as 2024-06-05, "
            "date_parse(a, '%d/%m/%Y') for others"
        )
    if _is(first, _TEXTS) and re.search(rf"{name}\((bigint|double|integer)", expected):
        return f"the text is no number yet: {name}(CAST(a AS double)), or try_cast, which gives NULL where it fails"
    if _is(first, (*_NUMBERS, "date", "timestamp", "boolean")) and f"{name}(varchar" in expected:
        return f"{name} wants a text: {name}(CAST(a AS varchar))"
    return None


def _shown(expected: str) -> str:
    return expected if len(expected) < 160 else expected[:160].rpartition("), ")[0] + "), …"


def _of_concat(types: list[str]) -> str | None:
    if any(not _is(kind, (*_TEXTS, "array", "row", "varbinary")) for kind in types):
        return "texts are joined with texts: CAST(a AS varchar) || ' ' || b"
    return None


def _of_date_unit(types: list[str]) -> str | None:
    if types and not _is(types[0], _TEXTS):
        return "the unit comes first, in quotes: date_diff('day', earlier, later), date_add('day', 7, a)"
    return None


def _of_date_format(types: list[str]) -> str | None:
    if types and _is(types[0], _TEXTS):
        return (
            "the first argument must be a date or a timestamp: date_format(date_parse(a, '%d/%m/%Y'), '%Y-%m'), "
            "or CAST(a AS date) for texts such as 2024-06-05"
        )
    return None


def _of_date_parse(types: list[str]) -> str | None:
    if types and _is(types[0], ("date", "timestamp")):
        return "it is a date already: leave date_parse out; date_format(a, '%Y-%m') makes a text of it"
    return "date_parse(text, '%d/%m/%Y') takes a text and a pattern"


def _of_round(types: list[str]) -> str | None:
    return "the text is no number yet: round(CAST(a AS double), 2)" if types and _is(types[0], _TEXTS) else None


def _of_json(types: list[str]) -> str | None:
    if types and not _is(types[0], (*_TEXTS, "json")):
        return "it takes JSON as a text: json_extract_scalar(json_format(CAST(a AS json)), '$.name')"
    return None


def _of_count(types: list[str]) -> str | None:
    return "count takes one value: count(DISTINCT ROW(a, b)), or count(*)" if len(types) > 1 else None


_BY_FUNCTION: dict[str, Callable[[list[str]], str | None]] = {
    "concat": _of_concat,
    "count": _of_count,
    "date_diff": _of_date_unit,
    "date_add": _of_date_unit,
    "date_trunc": lambda types: (
        "the unit comes first: date_trunc('month', a); a text becomes a date by date(a)"
        if any(_is(kind, _TEXTS) for kind in types[1:]) or (types and not _is(types[0], _TEXTS))
        else None
    ),
    "date_format": _of_date_format,
    "format_datetime": _of_date_format,
    "date_parse": _of_date_parse,
    "round": _of_round,
    "json_extract": _of_json,
    "json_extract_scalar": _of_json,
}


# -- types


def _operator(said: _Said) -> str | None:
    match = said.match(r"^Cannot apply operator: (.+?) (=|<>|<=|>=|<|>|\+|-|\*|/|%|\|\||IS DISTINCT FROM) (.+)$")
    if match is None:
        return None
    left, operator, right = match.groups()
    pair = (left, right)
    if operator == "||":
        return "texts are joined with texts: CAST(a AS varchar) || ' ' || b"
    if operator == "+" and any(_is(kind, _TEXTS) for kind in pair):
        return "texts are joined with ||: a || ' ' || b; a text becomes a number by CAST(a AS double)"
    if operator in {"+", "-"} and any(_is(kind, ("date", "timestamp")) for kind in pair):
        if any(_is(kind, _NUMBERS) for kind in pair):
            return f"write a {operator} INTERVAL '7' DAY, or date_add('day', {'-' if operator == '-' else ''}7, a)"
        return "write date_diff('day', earlier, later); a text becomes a date by date(a)"
    return _unlike(left, right)


_MOMENTS = ("date", "timestamp")
_ANY = ()
# What is said of two types that cannot be compared; the first line that fits them, in either order.
_PAIRS: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("json",), _ANY, "json_extract_scalar(a, '$.name') gives a text, which can be compared"),
    (
        ("date",),
        _TEXTS,
        "write DATE '2024-06-05'; a column of text becomes a date by date(a), or date_parse(a, '%d/%m/%Y')",
    ),
    (
        ("timestamp",),
        _TEXTS,
        "write TIMESTAMP '2024-06-05 12:00:00'; a column of text becomes one by CAST(a AS timestamp)",
    ),
    (("boolean",), _ANY, "a boolean is compared with true or false, or stands alone: WHERE done, WHERE NOT done"),
    (
        _TEXTS,
        _NUMBERS,
        "the types must be the same: 'text' in quotes beside a text, a plain number beside a number; of columns, "
        "CAST(number AS varchar) = text, or number = try_cast(text AS bigint)",
    ),
    (
        ("array",),
        _ANY,
        "a list is looked into by contains(list, value), or made rows by CROSS JOIN UNNEST(list) AS t (name)",
    ),
    (
        _NUMBERS,
        _MOMENTS,
        "a number becomes a date by date_parse(CAST(a AS varchar), '%Y%m%d'), or from_unixtime(a) for seconds",
    ),
    (_ANY, _ANY, "bring both sides to one type with CAST(a AS type)"),
)


def _unlike(left: str, right: str) -> str:
    """How two values of unlike types are brought together."""
    return next(
        hint
        for one, other, hint in _PAIRS
        if (_is(left, one) and _is(right, other)) or (_is(right, one) and _is(left, other))
    )


def _in_common(said: _Said) -> str | None:
    match = said.match(r"Cannot find common type between (\S+(?:\(.*?\))?) and (\S+?(?:\(.*?\))?)(?:, all types|$)")
    if match is None:
        return None
    what = said.message.partition(" must be")[0]
    if what.startswith("IN value"):
        return f"the list must be of the column's type: {_list_of(match[1])}; or {_unlike(match[1], match[2])}"
    return f"bring all results to one type: CAST(a AS varchar) beside a text; {match[1]} and {match[2]} have none"


def _list_of(kind: str) -> str:
    return "a IN ('x', 'y')" if _is(kind, _TEXTS) else "a IN (1, 2)" if _is(kind, _NUMBERS) else "a IN (DATE '…')"


def _set_operation(said: _Said) -> str | None:
    match = said.match(r"^column (\d+) in (\w+) query has incompatible types: (.+)$")
    if match is not None:
        return (
            f"give both sides of the {match[2]} the same columns in the same order; CAST column {match[1]} to one type"
        )
    if said.match(r"query has different number of fields"):
        return "both sides must have the same columns: add what is missing, as NULL AS name or CAST(NULL AS type)"
    return None


def _row_of_subquery(said: _Said) -> str | None:
    if said.match(r"row\(|Multiple columns"):
        return "let the subquery select one column alone, of the same type as the value before IN"
    match = said.match(r"must be of the same type: (.+) vs (.+)$")
    return _unlike(match[1], match[2]) if match else None


def _condition(said: _Said) -> str | None:
    match = said.match(r"(?:clause|term|expression|condition) must evaluate to a boolean: actual type (.+)$")
    if match is None:
        return None
    return f"a condition is true or false, and this is {match[1]}: compare it, for example a > 0 or a <> ''"


_BY_WORDS = (
    (
        "is not of type ROW",
        "a field of JSON text is read by json_extract_scalar(a, '$.name'); a.name is for tables and rows",
    ),
    ("Cannot unnest type: (varchar|char)", "UNNEST takes a list: UNNEST(split(a, ','))"),
    (
        "Cannot unnest type",
        "UNNEST takes a list or a map: UNNEST(ARRAY[a, b]), UNNEST(CAST(json_parse(a) AS array(varchar)))",
    ),
    (
        "^Cannot cast ",
        "go by text: CAST(CAST(a AS varchar) AS type); a moment becomes a number by to_unixtime(a)",
    ),
    (
        "is not orderable|is not comparable",
        "lists, maps and JSON have no order: use json_format(a), array_join(a, ','), or one of their fields",
    ),
    ("LIKE expression must", "LIKE is for texts: CAST(a AS varchar) LIKE '…'"),
)
_TWO_TYPES = re.compile(r"^Cannot check if (.+) is BETWEEN (.+) and|^CASE operand type.*: (.+) vs (.+)$")


def _by_words(said: _Said) -> str | None:
    match = _TWO_TYPES.search(said.message)
    if match is not None:
        return _unlike(match[1] or match[3], match[2] or match[4])
    return next((hint for pattern, hint in _BY_WORDS if said.match(pattern)), None)


# -- names, groups and the rest


def _column(said: _Said) -> str | None:
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


def _group(said: _Said) -> str | None:
    match = said.match(r"^'(.+)' must be an aggregate")
    if match is None:
        return None
    if said.grouped:
        return f"add {match[1]} to GROUP BY, or take one value of it: max({match[1]}), arbitrary({match[1]})"
    return f"add GROUP BY {match[1]}; without groups, filter with WHERE and not HAVING, and leave aggregates out"


def _scalar(said: _Said) -> str | None:
    match = said.match(r"^(\w+)[^[]*cannot contain aggregations.*\[(.*)\]")
    if match is None:
        return None
    if re.match(r"\w+\s*\([^)]*\)\s*over\b", said.rest, re.IGNORECASE):
        return "number the rows in a subquery: SELECT * FROM (SELECT …, row_number() OVER (…) AS n FROM …) WHERE n = 1"
    if match[1] == "GROUP":
        return "group by columns, not by what is computed of the groups"
    return "a condition on an aggregate stands in HAVING, behind GROUP BY"


def _literal(said: _Said) -> str | None:
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
    "INVALID_CAST_ARGUMENT": "try_cast(a AS type) gives NULL where a value does not fit; dates are 2024-06-05, other "
    "forms by date_parse(a, '%d/%m/%Y')",
    "DIVISION_BY_ZERO": "write a / nullif(b, 0), which gives NULL where b is 0",
    "AMBIGUOUS_NAME": "write the table's name or alias before it",
    "SUBQUERY_MULTIPLE_ROWS": "the subquery gives several rows: take one with max(…), or use IN",
    "NUMERIC_VALUE_OUT_OF_RANGE": "cast to a wider type before computing: CAST(a AS bigint), CAST(a AS double)",
    "INVALID_FUNCTION_ARGUMENT": "an argument has a value that the function does not take; try(…) gives NULL there",
    "MISSING_COLUMN_ALIASES": "name the columns: WITH RECURSIVE name (a, b) AS (…)",
    "COLUMN_ALIAS_MISMATCH": "give as many names as there are columns",
    "CATALOG_NOT_FOUND": "write database.table; the catalog is awsdatacatalog",
    "SCHEMA_NOT_FOUND": "SHOW DATABASES lists the databases; names with hyphens are in double quotes",
    "TABLE_NOT_FOUND": "a name without a database is looked up in the database of the query; SHOW TABLES lists them",
}


def _plain(said: _Said) -> str | None:
    return _FIXED.get(said.name)


_BY_NAME: dict[str, tuple[Callable[[_Said], str | None], ...]] = {
    "FUNCTION_NOT_FOUND": (_function, _arguments),
    "TYPE_MISMATCH": (_operator, _in_common, _set_operation, _row_of_subquery, _condition, _by_words),
    "COLUMN_NOT_FOUND": (_column,),
    "EXPRESSION_NOT_AGGREGATE": (_group,),
    "EXPRESSION_NOT_SCALAR": (_scalar,),
    "INVALID_LITERAL": (_literal,),
}


def _level(found: Sequence[Token], opening: str, closing: str) -> set[str]:
    """The words from a place on, up to the bracket that closes what stands around it; none of brackets inside."""
    depth, words = 0, set()
    for token in found:
        depth += (token.upper == opening) - (token.upper == closing)
        if depth < 0:
            break
        if depth == 0 and token.kind == "word":
            words.add(token.upper)
    return words


def _is(kind: str, bases: tuple[str, ...]) -> bool:
    """Whether a type is of one of these; of any where none is named."""
    return not bases or kind.partition("(")[0].partition(" ")[0] in bases
