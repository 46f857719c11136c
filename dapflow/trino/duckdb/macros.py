"""DuckDB's macros, and how much it has to read where they are called.

DuckDB writes a macro out where it is called, with an argument wherever its parameter stands, and binds the body of a
lambda twice or more, with all that is in it. So calls within calls, and lambdas within lambdas, cost twice as much with
each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from dapflow.trino.duckdb.templates import LAMBDA, Place, Template, read_template


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro: `definition` is `name(x) AS expression`, and `body` the expression, with a slot for each parameter."""

    name: str
    definition: str
    parameters: tuple[str, ...]
    body: Template


#: A text, or a name; one after a point is that of a field.
_WORD = re.compile(r"'(?:[^']|'')*'|(?<![.\w])[A-Za-z_]\w*")
#: All macros, by name.
MACROS: dict[str, Macro] = {}


def read_macro(definition: str) -> Macro:
    """Read a macro's definition. Its brackets are closed in it: ValueError if not."""
    head, _, body = definition.partition(" AS ")
    name, _, listed = head.rstrip(")").partition("(")
    parameters = tuple(listed.split(", ")) if listed else ()
    marked = _WORD.sub(lambda match: f"${match[0]}" if match[0] in parameters else match[0], body)
    return Macro(name, definition, parameters, read_template(marked))


def ordered_macros(names: Iterable[str] | None = None) -> list[Macro]:
    """The macros, each after those that it uses: DuckDB looks into a macro when it is made.

    With `names` only those of these names and what they need.
    """
    ordered: dict[str, Macro] = {}

    def add(name: str) -> None:
        needed = MACROS.get(name)
        if needed is None or name in ordered:
            return
        for other in sorted(needed.body.calls - {name}):
            add(other)
        ordered[name] = needed

    for name in MACROS if names is None else sorted(names):
        add(name)
    return list(ordered.values())


@dataclass(frozen=True, slots=True)
class Expansion:
    """What DuckDB reads of a template: how many characters of its own, and each slot how often."""

    weight: int
    readings: tuple[int, ...]


@cache
def expansion(template: Template) -> Expansion:
    """What DuckDB reads of a template."""
    inner = sum(_readings(places) * expansion(MACROS[name].body).weight for name, places in template.macros)
    return Expansion(template.size + inner, tuple(map(_readings, template.places)))


def _readings(places: tuple[Place, ...]) -> int:
    """How often DuckDB reads what stands in such places."""
    times = 1
    for name, at in places:
        if name == LAMBDA:
            times *= at
            continue
        macro = MACROS[name]
        slots = zip(macro.body.slots, expansion(macro.body).readings, strict=True)
        times *= sum(readings for slot, readings in slots if slot == macro.parameters[at])
    return times
