"""Templates of DuckDB's SQL: what `nodes.sql` fills. `$name` is a slot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_SLOT = re.compile(r"\$(\w+)")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\blambda\b[^:]*:|\$\w+|\w*[(\[{]|[)\]},]")
_CALLED = re.compile(r"[a-z_0-9]+(?=\()")
#: What the name of every macro begins with.
MACRO = "t_"


#: Functions of DuckDB whose answer is not the same each time.
_VOLATILE = frozenset({"random", "uuid"})


#: What something stands in: the argument of a macro, by its place; or, with the name LAMBDA, the body of a lambda, with
#: how often DuckDB binds it.
Place = tuple[str, int]
LAMBDA = "lambda"
#: By the function that is given the lambda, as measured; twice for all others.
_BINDINGS = {"list_reduce": 3}


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template that was read: what stands between its slots, their names, and what each stands in."""

    fixed: tuple[str, ...]
    slots: tuple[str, ...]
    places: tuple[tuple[Place, ...], ...]
    #: Which slots stand in a lambda, or where a macro may put them into one.
    bound: tuple[bool, ...]
    #: The macros that it calls, and what each call stands in.
    macros: tuple[tuple[str, tuple[Place, ...]], ...]
    #: The functions and macros that it calls.
    calls: frozenset[str]
    size: int
    calls_macro: bool
    #: Whether it is another value each time it is computed.
    is_volatile: bool


@cache
def read_template(text: str) -> Template:
    """Read a template. Its brackets are closed in it: ValueError if not."""
    fixed, slots = [], []
    end = 0
    for match in _SLOT.finditer(text):
        fixed.append(text[end : match.start()])
        slots.append(match[1])
        end = match.end()
    fixed.append(text[end:])
    places, macros = _places(text)
    if len(places) != len(slots):
        raise ValueError(text)
    calls = frozenset(_CALLED.findall(text))
    return Template(
        tuple(fixed),
        tuple(slots),
        tuple(places),
        tuple(map(bool, places)),
        tuple(macros),
        calls,
        sum(map(len, fixed)),
        bool(macros),
        not calls.isdisjoint(_VOLATILE),
    )


def _places(text: str) -> tuple[list[tuple[Place, ...]], list[tuple[str, tuple[Place, ...]]]]:
    """What each slot and each call of a macro stands in."""
    slots, macros = [], []
    #: For each bracket that is open, what its inside stands in, beginning with what the bracket itself stands in.
    opened: list[tuple[Place, ...]] = [()]
    called = [""]
    for token in _TOKEN.finditer(text):
        word, here = token[0], opened[-1]
        if word[0] in "'\"":
            continue
        if word[0] == "$":
            slots.append(here)
        elif word.startswith("lambda"):
            slots += [here] * len(_SLOT.findall(word))
            opened[-1] = (*here, (LAMBDA, _BINDINGS.get(called[-1], 2)))
        elif word == "," and here and here[-1][0] != LAMBDA and len(here) > len(opened[-2]):
            opened[-1] = (*here[:-1], (here[-1][0], here[-1][1] + 1))
        elif word[-1] in "([{":
            called.append(word[:-1])
            opened.append((*here, (word[:-1], 0)) if word.startswith(MACRO) else here)
            if word.startswith(MACRO):
                macros.append((word[:-1], here))
        elif word in {")", "]", "}"}:
            if len(opened) == 1:
                raise ValueError(text)
            opened.pop()
            called.pop()
    if len(opened) != 1 or opened[0]:
        raise ValueError(text)
    return slots, macros
