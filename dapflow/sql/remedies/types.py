"""What to write where two values have no type in common, or a value is of the wrong one."""

from __future__ import annotations

import re

from dapflow.sql.remedies.said import NUMBERS, TEXTS, Said, is_of


def operator(said: Said) -> str | None:
    """An operator between two types that it does not know."""
    match = said.match(r"^Cannot apply operator: (.+?) (=|<>|<=|>=|<|>|\+|-|\*|/|%|\|\||IS DISTINCT FROM) (.+)$")
    if match is None:
        return None
    left, operator, right = match.groups()
    pair = (left, right)
    if operator == "||":
        return "texts are joined with texts: CAST(a AS varchar) || ' ' || b"
    if operator == "+" and any(is_of(kind, TEXTS) for kind in pair):
        return "texts are joined with ||: a || ' ' || b; a text becomes a number by CAST(a AS double)"
    if operator in {"+", "-"} and any(is_of(kind, ("date", "timestamp")) for kind in pair):
        if any(is_of(kind, NUMBERS) for kind in pair):
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
        TEXTS,
        "write DATE '2024-06-05'; a column of text becomes a date by date(a), or date_parse(a, '%d/%m/%Y')",
    ),
    (
        ("timestamp",),
        TEXTS,
        "write TIMESTAMP '2024-06-05 12:00:00'; a column of text becomes one by CAST(a AS timestamp)",
    ),
    (("boolean",), _ANY, "a boolean is compared with true or false, or stands alone: WHERE done, WHERE NOT done"),
    (
        TEXTS,
        NUMBERS,
        "the types must be the same: 'text' in quotes beside a text, a plain number beside a number; of columns, "
        "CAST(number AS varchar) = text, or number = try_cast(text AS bigint)",
    ),
    (
        ("array",),
        _ANY,
        "a list is looked into by contains(list, value), or made rows by CROSS JOIN UNNEST(list) AS t (name)",
    ),
    (
        NUMBERS,
        _MOMENTS,
        "a number becomes a date by date_parse(CAST(a AS varchar), '%Y%m%d'), or from_unixtime(a) for seconds",
    ),
    (_ANY, _ANY, "bring both sides to one type with CAST(a AS type)"),
)


def _unlike(left: str, right: str) -> str:
    """How two values of unlike types are brought together."""
    return next(
        hint
        for kind, other, hint in _PAIRS
        if (is_of(left, kind) and is_of(right, other)) or (is_of(right, kind) and is_of(left, other))
    )


def in_common(said: Said) -> str | None:
    """Values of a list, a CASE or a function that have no type in common."""
    match = said.match(r"Cannot find common type between (\S+(?:\(.*?\))?) and (\S+?(?:\(.*?\))?)(?:, all types|$)")
    if match is None:
        return None
    what = said.message.partition(" must be")[0]
    if what.startswith("IN value"):
        return f"the list must be of the column's type: {_list_of(match[1])}; or {_unlike(match[1], match[2])}"
    return f"bring all results to one type: CAST(a AS varchar) beside a text; {match[1]} and {match[2]} have none"


def _list_of(kind: str) -> str:
    return "a IN ('x', 'y')" if is_of(kind, TEXTS) else "a IN (1, 2)" if is_of(kind, NUMBERS) else "a IN (DATE '…')"


def set_operation(said: Said) -> str | None:
    """Sides of a UNION that do not fit."""
    match = said.match(r"^column (\d+) in (\w+) query has incompatible types: (.+)$")
    if match is not None:
        return (
            f"give both sides of the {match[2]} the same columns in the same order; CAST column {match[1]} to one type"
        )
    if said.match(r"query has different number of fields"):
        return "both sides must have the same columns: add what is missing, as NULL AS name or CAST(NULL AS type)"
    return None


def row_of_subquery(said: Said) -> str | None:
    """A subquery of several columns, or of another type."""
    if said.match(r"row\(|Multiple columns"):
        return "let the subquery select one column alone, of the same type as the value before IN"
    match = said.match(r"must be of the same type: (.+) vs (.+)$")
    return _unlike(match[1], match[2]) if match else None


def condition(said: Said) -> str | None:
    """A condition that is neither true nor false."""
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
_TWO_TYPES = re.compile(r"^Cannot check if (.+) is BETWEEN (.+) and|^(?:CASE operand|Types are not).*: (.+) vs (.+)$")


def by_words(said: Said) -> str | None:
    """What else is of the wrong type, by what Athena says of it."""
    match = _TWO_TYPES.search(said.message)
    if match is not None:
        return _unlike(match[1] or match[3], match[2] or match[4])
    return next((hint for pattern, hint in _BY_WORDS if said.match(pattern)), None)
