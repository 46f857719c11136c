"""What to write where a function is not there, or is given what it does not take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from dapflow.sql.other_dialects import FUNCTIONS
from dapflow.sql.remedies.said import NUMBERS, TEXTS, Said, is_of
from dapflow.trino.types import split_top


def unknown_function(said: Said) -> str | None:
    """A function that is not there: what Athena has in its place, or the nearest name."""
    match = said.match(r"^Function '([^']+)' not registered")
    if match is None:
        return None
    name = match[1].lower()
    if said.before and said.before[-1].upper == "LIKE":
        return "write a LIKE 'a%' OR a LIKE 'b%', or regexp_like(a, '^(a|b)')"
    if name == "isnull" and said.argument_count == 1:
        return "write a IS NULL"
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    near = difflib.get_close_matches(name, said.functions, n=2)
    return f"did you mean {' or '.join(near)}?" if near else "https://trino.io/docs/current/functions.html lists all"


def wrong_arguments(said: Said) -> str | None:
    """A function that is given what it does not take."""
    match = said.match(r"^Unexpected parameters \((.*?)\) for function ([a-z_0-9]+)(?:\. Expected: (.*))?")
    if match is None:
        return None
    types, name, expected = split_top(match[1]), match[2], match[3] or ""
    own = _BY_FUNCTION[name](types) if name in _BY_FUNCTION else None
    known = own or _bytes(types, name, expected) or _by_types(types, name, expected)
    return known or (f"{name} takes {_shown(expected)}" if expected else None)


def _by_types(types: list[str], name: str, expected: str) -> str | None:
    """What is missing where a function is given a value of another kind."""
    first = types[0] if types else ""
    if "<function>" in types:
        return f"a lambda is written x -> expression; {name} takes {_shown(expected)}"
    if "function(" in expected:
        return f"the last argument is a lambda, such as x -> x = 'a'; {name} takes {_shown(expected)}"
    if re.search(rf"{name}\((?:\w+, )?(date|timestamp)", expected) and any(is_of(kind, TEXTS) for kind in types):
        return (
            f"{name} wants a date or a timestamp: date(a) for texts such as 2024-06-05, "
            "date_parse(a, '%d/%m/%Y') for others"
        )
    if is_of(first, TEXTS) and re.search(rf"{name}\((bigint|double|integer)", expected):
        return f"the text is no number yet: {name}(CAST(a AS double)), or try_cast, which gives NULL where it fails"
    if is_of(first, (*NUMBERS, "date", "timestamp", "boolean")) and f"{name}(varchar" in expected:
        return f"{name} wants a text: {name}(CAST(a AS varchar){', …' if len(types) > 1 else ''})"
    return None


def _bytes(types: list[str], name: str, expected: str) -> str | None:
    if types and is_of(types[0], TEXTS) and f"{name}(varbinary" in expected and f"{name}(varchar" not in expected:
        return f"{name} wants bytes: {name}(to_utf8(a)); to_hex(…) makes a text of bytes"
    return None


def _shown(expected: str) -> str:
    return expected if len(expected) < 160 else expected[:160].rpartition("), ")[0] + "), …"


def _of_concat(types: list[str]) -> str | None:
    if any(not is_of(kind, (*TEXTS, "array", "row", "varbinary")) for kind in types):
        return "texts are joined with texts: CAST(a AS varchar) || ' ' || b"
    return None


def _of_date_unit(types: list[str]) -> str | None:
    if len(types) > 2 and is_of(types[0], TEXTS) and is_of(types[1], TEXTS) and not is_of(types[2], TEXTS):
        return "a number stands without quotes: date_add('day', 7, a); a text becomes a date by date(a)"
    if len(types) > 2 and is_of(types[2], TEXTS):
        return "a text becomes a date by date(a): date_add('day', 7, date(a)), date_diff('day', date(a), date(b))"
    if types and not is_of(types[0], TEXTS):
        return "the unit comes first, in quotes: date_diff('day', earlier, later), date_add('day', 7, a)"
    return None


def _of_date_format(types: list[str]) -> str | None:
    if types and is_of(types[0], TEXTS):
        return (
            "the first argument must be a date or a timestamp: date_format(date_parse(a, '%d/%m/%Y'), '%Y-%m'), "
            "or CAST(a AS date) for texts such as 2024-06-05"
        )
    return None


def _of_date_parse(types: list[str]) -> str | None:
    if types and is_of(types[0], ("date", "timestamp")):
        return "it is a date already: leave date_parse out; date_format(a, '%Y-%m') makes a text of it"
    return "date_parse(text, '%d/%m/%Y') takes a text and a pattern"


def _of_round(types: list[str]) -> str | None:
    return "the text is no number yet: round(CAST(a AS double), 2)" if types and is_of(types[0], TEXTS) else None


def _of_json(types: list[str]) -> str | None:
    if types and not is_of(types[0], (*TEXTS, "json")):
        return "it takes JSON as a text: json_extract_scalar(json_format(CAST(a AS json)), '$.name')"
    return None


def _of_count(types: list[str]) -> str | None:
    return "count takes one value: count(DISTINCT ROW(a, b)), or count(*)" if len(types) > 1 else None


def _of_sum(types: list[str]) -> str | None:
    return "write count_if(condition), or sum(if(condition, 1, 0))" if types and is_of(types[0], ("boolean",)) else None


def _of_contains(types: list[str]) -> str | None:
    if types and is_of(types[0], TEXTS):
        return "contains is for lists; of a text write strpos(a, 'part') > 0, or a LIKE '%part%'"
    return None


def _of_format(types: list[str]) -> str | None:
    if types and is_of(types[0], ("date", "timestamp")):
        return "write format_datetime(a, 'yyyy-MM'), or date_format(a, '%Y-%m')"
    if types and not is_of(types[0], TEXTS):
        return "the pattern comes first: format('%.2f', a)"
    return None


def _of_concat_ws(types: list[str]) -> str | None:
    if any(not is_of(kind, (*TEXTS, "array")) for kind in types):
        return "texts are joined with texts: concat_ws(', ', a, CAST(b AS varchar))"
    return None


_BY_FUNCTION: dict[str, Callable[[list[str]], str | None]] = {
    "concat": _of_concat,
    "concat_ws": _of_concat_ws,
    "count": _of_count,
    "sum": _of_sum,
    "avg": _of_sum,
    "date_diff": _of_date_unit,
    "date_add": _of_date_unit,
    "date_trunc": lambda types: (
        "the unit comes first: date_trunc('month', a); a text becomes a date by date(a)"
        if any(is_of(kind, TEXTS) for kind in types[1:]) or (types and not is_of(types[0], TEXTS))
        else None
    ),
    "date_format": _of_date_format,
    "format_datetime": _of_date_format,
    "date_parse": _of_date_parse,
    "contains": _of_contains,
    "format": _of_format,
    "round": _of_round,
    "json_extract": _of_json,
    "json_extract_scalar": _of_json,
}
