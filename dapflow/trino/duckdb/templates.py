"""Templates of DuckDB's SQL: what `nodes.sql` fills. `$name` is a slot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_SLOT = re.compile(r"\$(\w+)")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\blambda\b[^:]*:|\w*[(\[{]|[)\]}]")
_CALLED = re.compile(r"[a-z_0-9]+(?=\()")
#: What the name of every macro begins with.
MACRO = "t_"


#: Functions of DuckDB whose answer is not the same each time.
_VOLATILE = frozenset({"random", "uuid"})


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read: what stands between its slots, their names, and which stand in lambdas."""

    fixed: tuple[str, ...]
    slots: tuple[str, ...]
    bound: tuple[bool, ...]
    #: The functions and macros that it calls.
    calls: frozenset[str]
    size: int
    calls_macro: bool
    #: Whether it is another value each time it is computed.
    is_volatile: bool


@cache
def read_template(text: str) -> Template:
    """Read a template. Its brackets are closed in it: ValueError if not."""
    fixed, slots, starts = [], [], []
    end = 0
    for match in _SLOT.finditer(text):
        fixed.append(text[end : match.start()])
        slots.append(match[1])
        starts.append(match.start())
        end = match.end()
    fixed.append(text[end:])
    inner = _bound_ranges(text)
    bound = tuple(any(a <= at < b for a, b in inner) for at in starts)
    calls = frozenset(_CALLED.findall(text))
    macro = any(name.startswith(MACRO) for name in calls)
    size = sum(map(len, fixed))
    return Template(tuple(fixed), tuple(slots), bound, calls, size, macro, not calls.isdisjoint(_VOLATILE))


def _bound_ranges(text: str) -> list[tuple[int, int]]:
    """Where the bodies of lambdas and the arguments of macros begin and end."""
    ranges: list[tuple[int, int]] = []
    #: For each bracket that is open, where a lambda's body or a macro's arguments began in it.
    opened: list[int | None] = [None]
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word.startswith("lambda"):
            opened[-1] = token.end()
        elif word[0] not in "'\"" and word[-1] in "([{":
            opened.append(token.end() if word.startswith(MACRO) else None)
        elif word in {")", "]", "}"}:
            if len(opened) == 1:
                raise ValueError(text)
            start = opened.pop()
            if start is not None:
                ranges.append((start, token.start()))
    if len(opened) != 1 or opened[0] is not None:
        raise ValueError(text)
    return ranges
