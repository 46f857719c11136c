"""The table of functions: each row is a signature and the DuckDB SQL for it.

A signature is written as Trino documents it, `name(type, ...) -> type`. A capital letter is a type variable (`O` for
types with an order only), a small letter inside varchar(), char(), decimal(), time() or timestamp() is a variable for
the number there, and `...` after the last type means that it may come any number of times. `function(T,U)` is a lambda
from T to U.

A template holds `$1`, `$2`, … for the arguments (already converted to the signature's types), `$*` for all of them,
`$t1` for the DuckDB type of the first and `$ret` for that of the result. Templates of aggregates and window functions
also hold `{distinct}`, `{order}`, `{nulls}` and `{tail}` (FILTER and OVER). A template may be a function of the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dapflow.trino.types import Type, parse_type, split_top

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

Template = str | Callable[["Call"], str]
Returns = Callable[[dict[str, Any], Sequence[Type]], Type]


@dataclass(frozen=True)
class Pattern:
    """A type with variables. `variable` is a type variable; `numbers` name what stands in parentheses."""

    base: str
    args: tuple[Pattern, ...] = ()
    variable: str | None = None
    numbers: tuple[str, ...] = ()
    concrete: Type | None = None


@dataclass(frozen=True)
class Function:
    """One row of the table."""

    name: str
    kind: str
    params: tuple[Pattern, ...]
    variadic: bool
    result: Pattern
    template: Template
    returns: Returns | None
    text: str


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

    functions: dict[str, list[Function]] = field(default_factory=dict)
    macros: list[str] = field(default_factory=list)
    udfs: list[Udf] = field(default_factory=list)

    def ordered_macros(self) -> list[str]:
        """The macros, each after those that it uses: DuckDB looks into a macro when it is made."""
        by_name = {text.partition("(")[0]: text for text in self.macros}
        found: dict[str, str] = {}

        def add(name: str) -> None:
            if name in found:
                return
            text = by_name[name]
            for other in re.findall(r"[a-z_0-9]+(?=\()", text.partition(" AS ")[2]):
                if other in by_name and other != name:
                    add(other)
            found[name] = text

        for name in by_name:
            add(name)
        return list(found.values())


REGISTRY = Registry()
_ZONED = re.compile(r"(timestamp|time)\((\w+)\) with time zone")
_CALL = re.compile(r"([a-z]+)\((.*)\)", re.DOTALL)


def pattern(text: str) -> Pattern:
    """Read a type with variables."""
    text = text.strip()
    if text == "any":
        return Pattern("any")
    if re.fullmatch(r"[A-Z][0-9]?", text):
        return Pattern("", variable=text)
    m = _ZONED.fullmatch(text)
    if m and not m[2].isdigit():
        return Pattern(m[1] + "_tz", numbers=(m[2],))
    m = _CALL.fullmatch(text)
    if m:
        parts = split_top(m[2])
        if m[1] in {"array", "map", "function", "row"}:
            args = tuple(pattern(p) for p in parts)
            if all(a.concrete for a in args) and m[1] != "function":
                return Pattern(m[1], concrete=parse_type(text))
            return Pattern(m[1], args)
        if not any(p.isdigit() for p in parts):
            return Pattern(m[1], numbers=tuple(parts))
    concrete = parse_type(text)
    return Pattern(concrete.base, concrete=concrete)


def _register(kind: str, signature: str, template: Template, returns: Returns | None) -> None:
    head, _, result = signature.rpartition("->")
    name, _, body = head.strip().partition("(")
    parts = [p for p in split_top(body.rstrip()[:-1]) if p]
    variadic = bool(parts) and parts[-1].endswith("...")
    params = tuple(pattern(p.removesuffix("...")) for p in parts)
    row = Function(name, kind, params, variadic, pattern(result), template, returns, head.strip())
    REGISTRY.functions.setdefault(name, []).append(row)


def scalar(signature: str, template: Template, returns: Returns | None = None) -> None:
    """Add a row for a function of single values."""
    _register("scalar", signature, template, returns)


def aggregate(signature: str, template: Template, returns: Returns | None = None) -> None:
    """Add a row for an aggregate."""
    _register("aggregate", signature, template, returns)


def window(signature: str, template: Template, returns: Returns | None = None) -> None:
    """Add a row for a function that needs OVER."""
    _register("window", signature, template, returns)


def macro(text: str) -> None:
    """Add a DuckDB macro: `name(x) AS expression`."""
    REGISTRY.macros.append(text)


def udf(name: str, params: Sequence[str], result: str) -> Callable[[Any], Any]:
    """Add a Python function under a name, with DuckDB's types."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY.udfs.append(Udf(name, function, tuple(params), result))
        return function

    return add
