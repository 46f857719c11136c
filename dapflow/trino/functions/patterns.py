"""Types with variables, as signatures hold them.

A capital letter is a type variable (`O` for types with an order only); a small letter inside varchar(), char(),
decimal(), time() or timestamp() is a variable for the number there, and in a result also what is computed with such
numbers, such as `decimal(min(38, p + 1), s)`. `function(T,U)` is a lambda from T to U; `any` is any type.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dapflow.trino.types import UNKNOWN, Type, array, decimal, map_of, parse_type, row, split_top, varchar

#: What variables stand for: types, and numbers; None for a length without a bound.
Bindings = dict[str, Any]


@dataclass(frozen=True)
class Pattern:
    """A type with variables. `variable` is a type variable; `numbers` are what stands in parentheses."""

    base: str
    args: tuple[Pattern, ...] = ()
    variable: str | None = None
    numbers: tuple[str, ...] = ()
    concrete: Type | None = None


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
        if not all(p.isdigit() for p in parts):
            return Pattern(m[1], numbers=tuple(parts))
    concrete = parse_type(text)
    return Pattern(concrete.base, concrete=concrete)


def substitute(p: Pattern, bound: Bindings) -> Type:
    """The type that a pattern stands for."""
    if p.concrete is not None:
        return p.concrete
    if p.variable:
        variable_type: Type = bound.get(p.variable, UNKNOWN)
        return variable_type
    if p.numbers:
        numbers = [number_of(n, bound) for n in p.numbers]
        if p.base == "decimal":
            return decimal(numbers[0] or 1, numbers[1] or 0)
        if p.base == "varchar":
            return varchar(numbers[0])
        if p.base == "char":
            return Type("char", length=numbers[0] or 0)
        return Type(p.base, precision=numbers[0] or 0)
    parts = tuple(substitute(a, bound) for a in p.args)
    if p.base == "array":
        return array(parts[0])
    if p.base == "map":
        return map_of(parts[0], parts[1])
    if p.base == "row":
        return row(*parts)
    return Type(p.base, parts)


def number_of(text: str, bound: Bindings) -> int | None:
    """The number that a variable, or a sum of some, stands for; None where one of them has no bound."""
    if text.isidentifier():
        number: int | None = bound.get(text)
        return number
    try:
        return _value(_parsed(text), bound)
    except _Boundless:
        return None


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _Boundless(Exception):
    """A length without a bound."""


_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}


def _value(node: ast.expr, bound: Bindings) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        number: int | None = bound.get(node.id)
        if number is None:
            raise _Boundless
        return number
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, bound), _value(node.right, bound))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return {"min": min, "max": max}[node.func.id](_value(argument, bound) for argument in node.args)
    raise ValueError(ast.unparse(node))
