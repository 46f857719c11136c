"""How DuckDB computes Trino's functions: SQL for each signature of the table in `dapflow.trino.functions`.

A template holds `$1`, `$2`, … for the arguments (already converted to the signature's types), `$*` for all of them,
`$t1` for the DuckDB type of the first and `$ret` for that of the result. Templates of aggregates and window functions
also hold `{distinct}`, `{order}`, `{nulls}` and `{tail}` (FILTER and OVER). A template may be a function of the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dapflow.trino.functions import FUNCTIONS

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

Template = str | Callable[["Call"], str]


@dataclass(frozen=True)
class Udf:
    """A Python function for DuckDB, called for each row whose arguments are not NULL."""

    name: str
    function: Callable[..., Any]
    params: tuple[str, ...]
    result: str


@dataclass
class Registry:
    """Everything that the topics register."""

    #: By the signature's text.
    templates: dict[str, Template] = field(default_factory=dict)
    macros: list[str] = field(default_factory=list)
    udfs: list[Udf] = field(default_factory=list)

    def ordered_macros(self, sql: str | None = None) -> list[str]:
        """The macros, each after those that it uses: DuckDB looks into a macro when it is made.

        With `sql` only those that it needs.
        """
        by_name = {text.partition("(")[0]: text for text in self.macros}
        found: dict[str, str] = {}

        def add(name: str) -> None:
            if name in found:
                return
            text = by_name[name]
            for other in called(text.partition(" AS ")[2]):
                if other in by_name and other != name:
                    add(other)
            found[name] = text

        for name in by_name if sql is None else called(sql):
            if name in by_name:
                add(name)
        return list(found.values())


def called(sql: str) -> list[str]:
    """The names before brackets."""
    return re.findall(r"[a-z_0-9]+(?=\()", sql)


REGISTRY = Registry()


def lowering(signature: str, template: Template) -> None:
    """Say how a signature is computed, which is written as in the table, without its result."""
    name = signature.partition("(")[0]
    if not any(text.startswith(f"{signature} ->") for text in FUNCTIONS[name].texts):
        raise KeyError(signature)
    REGISTRY.templates[signature] = template


def macro(text: str) -> None:
    """Add a DuckDB macro: `name(x) AS expression`."""
    REGISTRY.macros.append(text)


def udf(name: str, params: Sequence[str], result: str) -> Callable[[Any], Any]:
    """Add a Python function under a name, with DuckDB's types."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY.udfs.append(Udf(name, function, tuple(params), result))
        return function

    return add
