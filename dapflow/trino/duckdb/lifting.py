"""Parts of an expression that DuckDB refuses inside a lambda or TRY, computed before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.duckdb.values import fresh

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\blambda\b[^:]*:|\w*[(\[{]|[)\]},]")


def apart(sql: str, parts: Sequence[str], body: Callable[[str], str], *, always: bool = False) -> str:
    """An expression around `sql`, in which these parts of it are computed first; in a lambda `always`."""
    name = fresh("h")
    held: list[str] = []
    for part in sorted(dict.fromkeys(parts), key=len, reverse=True):
        if part in sql:
            sql = sql.replace(part, f"({name}).a{len(held)}")
            held.append(f"'a{len(held)}': {part}")
    if not held and not always:
        return body(sql)
    if not held:
        return f"list_transform([0], lambda {name}: {body(sql)})[1]"
    return f"list_transform([{{{', '.join(held)}}}], lambda {name}: {body(sql)})[1]"


def out_of_lambdas(sql: str, subqueries: Sequence[str]) -> str:
    """The same expression without a subquery in a lambda.

    What a macro is given may get into a lambda too, or be written more than once: DuckDB plans each copy of a
    subquery, in a time that doubles with each.
    """
    present = [one for one in subqueries if one in sql]
    # What stands in another subquery is part of that one.
    present = [one for one in present if not any(one in other and one != other for other in present)]
    if not present:
        return sql
    bound = _bound_ranges(sql)

    def inside(part: str) -> bool:
        places = [m.start() for m in re.finditer(re.escape(part), sql)]
        return len(places) > 1 or any(start <= place < end for place in places for start, end in bound)

    # With one goes every other: the rest of the expression gets into a lambda of its own.
    return apart(sql, present, str) if any(inside(one) for one in present) else sql


@cache
def _macros() -> frozenset[str]:
    return frozenset(text.partition("(")[0] for text in REGISTRY.macros)


def _bound_ranges(sql: str) -> list[tuple[int, int]]:
    """Where the bodies of lambdas and the arguments of macros begin and end."""
    found: list[tuple[int, int]] = []
    #: For each bracket that is open, where a lambda's body or a macro's arguments began in it.
    opened: list[int | None] = [None]
    for token in _TOKEN.finditer(sql):
        text = token[0]
        if text.startswith("lambda"):
            opened[-1] = token.end()
        elif text[-1] in "([{" and text[0] not in "'\"":
            opened.append(token.end() if text[:-1] in _macros() else None)
        elif text in {")", "]", "}"} and len(opened) > 1:
            start = opened.pop()
            if start is not None:
                found.append((start, token.start()))
    return found
