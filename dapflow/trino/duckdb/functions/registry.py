"""How DuckDB computes Trino's functions: SQL for each signature of the table in `dapflow.trino.functions`.

What its slots mean is said by `resolution.fill`; templates of aggregates and window functions also hold `$distinct`,
`$order`, `$nulls` and `$tail` (FILTER and OVER), or its parts `$filter`, `$and` and `$over`. A template may be a
function of the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dapflow.trino.duckdb.macros import MACROS, read_macro
from dapflow.trino.duckdb.resolution import CallTemplate
from dapflow.trino.duckdb.templates import MACRO, read_template
from dapflow.trino.functions import FUNCTIONS

# The names of an expression's own variables end in a digit. What a macro is given may get into a lambda of it.
_NUMBERED = re.compile(r"\blambda\b[^:]*\d\s*[,:]")


@dataclass(frozen=True)
class Udf:
    """A Python function for DuckDB, called for each row whose arguments are not NULL."""

    name: str
    function: Callable[..., Any]
    params: tuple[str, ...]
    result: str
    #: Whether it gives NULL where the function fails.
    or_null: bool = False


@dataclass
class Registry:
    """Everything that the topics register."""

    #: By the signature's text.
    templates: dict[str, CallTemplate] = field(default_factory=dict)
    #: What stands for a call within TRY, of some: NULL where the call itself fails. To raise an error and catch it
    #: takes far longer. The arguments may fail still.
    attempts: dict[str, CallTemplate] = field(default_factory=dict)
    udfs: dict[str, Udf] = field(default_factory=dict)


REGISTRY = Registry()


def lowering(signature: str, template: CallTemplate, *, attempt: CallTemplate | None = None) -> None:
    """Say how a signature is computed, which is written as in the table, without its result; see `Registry`."""
    name = signature.partition("(")[0]
    if not any(text.startswith(f"{signature} ->") for text in FUNCTIONS[name].texts):
        raise KeyError(signature)
    for table, given in ((REGISTRY.templates, template), (REGISTRY.attempts, attempt)):
        if given is not None:
            table[signature] = given
        if isinstance(given, str):
            read_template(given)


def macro(definition: str) -> None:
    """Add a DuckDB macro: `t_name(x) AS expression`.

    ValueError if its name does not begin as those of macros do, or if parameters of lambdas in it end in a digit.
    """
    read = read_macro(definition)
    if not read.name.startswith(MACRO) or _NUMBERED.search(definition):
        raise ValueError(definition)
    MACROS[read.name] = read


def udf(name: str, params: Sequence[str], result: str, *, or_null: str | None = None) -> Callable[[Any], Any]:
    """Add a Python function under a name, with DuckDB's types.

    `or_null` names a second one, which gives NULL where this one fails.
    """

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY.udfs[name] = Udf(name, function, tuple(params), result)
        if or_null is not None:
            REGISTRY.udfs[or_null] = Udf(or_null, function, tuple(params), result, or_null=True)
        return function

    return add
