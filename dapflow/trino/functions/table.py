"""What the table of functions holds: names, signatures, how NULLs are met, and a sentence of documentation.

A signature is written as Trino documents it, `name(type, ...) -> type`; `...` after the last type means that it may
come any number of times. What types with variables look like is in `patterns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dapflow.trino.functions.patterns import Pattern, pattern
from dapflow.trino.types import split_top

_PAGES = "https://trino.io/docs/current/functions/"


@dataclass(frozen=True, eq=False)
class Signature:
    """One way to call a function. `text` is the signature without its result, as messages show it."""

    name: str
    params: tuple[Pattern, ...]
    variadic: bool
    result: Pattern
    text: str

    def patterns(self, count: int) -> list[Pattern] | None:
        """The patterns for a number of arguments, or None if it takes another number."""
        if self.variadic:
            fixed = len(self.params) - 1
            if count < fixed:
                return None
            return [*self.params[:fixed], *([self.params[-1]] * (count - fixed))]
        return list(self.params) if len(self.params) == count else None


@dataclass(frozen=True)
class Function:
    """A function of Trino's. `kind` is scalar, aggregate or window.

    Unless it `takes_nulls`, a scalar function gives NULL for a NULL and an aggregate leaves such rows out. One that is
    not `deterministic` may give another answer for the same arguments.
    """

    name: str
    kind: str
    about: str
    source: str
    texts: tuple[str, ...]
    takes_nulls: bool = False
    deterministic: bool = True

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        """The ways to call it, in the order in which they are tried."""
        return tuple(read_signature(text) for text in self.texts)


def function(
    page: str,
    about: str,
    *texts: str,
    kind: str = "scalar",
    takes_nulls: bool = False,
    deterministic: bool = True,
) -> Function:
    """A row of the table; `page` is Trino's page of documentation, `texts` are the signatures."""
    name = texts[0].partition("(")[0]
    return Function(name, kind, about, f"{_PAGES}{page}.html", texts, takes_nulls, deterministic)


def read_signature(text: str) -> Signature:
    """Read a signature."""
    head, _, result = text.rpartition("->")
    head = head.strip()
    name, _, body = head.partition("(")
    parts = [p for p in split_top(body[:-1]) if p]
    variadic = bool(parts) and parts[-1].endswith("...")
    params = tuple(pattern(p.removesuffix("...")) for p in parts)
    return Signature(name, params, variadic, pattern(result), head)
