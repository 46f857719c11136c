"""Which row of the function table a call means, as Trino chooses it, and the SQL for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dapflow.trino.duckdb.coercion import as_decimal, can_coerce, common
from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.functions.registry import Function, Pattern
from dapflow.trino.duckdb.storage import duck_type
from dapflow.trino.duckdb.values import Value, let
from dapflow.trino.syntax import tree
from dapflow.trino.types import UNKNOWN, Type, array, decimal, map_of, row, varchar

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import Unit

#: What a lambda is before the types of its parameters are known.
FUNCTION = Type("function")


class LambdaArgument:
    """A lambda in a call: `apply` gives its body for parameters of given SQL and types."""

    def __init__(self, node: tree.Lambda, apply: Callable[[tree.Lambda, Sequence[Value]], Value]) -> None:
        self.node = node
        self._apply = apply
        self.type = FUNCTION
        self.result: Type | None = None
        self.params: tuple[Type, ...] = ()

    def body(self, *sqls: str) -> str:
        """SQL of the body, of the type the signature wants."""
        found = self._apply(self.node, [Value(s, t) for s, t in zip(sqls, self.params, strict=True)])
        return coerce(found, self.result).sql if self.result else found.sql

    def typed(self, params: Sequence[Type]) -> Type:
        """Type of the body for parameters of these types."""
        return self._apply(self.node, [Value(f"p{i}", t) for i, t in enumerate(params)]).type


Argument = Value | LambdaArgument


@dataclass
class Call:
    """A resolved call: arguments converted, variables bound."""

    function: Function
    args: list[Any]
    types: list[Type]
    bindings: dict[str, Any]
    type: Type
    node: tree.Call
    modifiers: dict[str, str]
    unit: Unit


def _bind(p: Pattern, t: Type, bound: dict[str, Any], coercing: bool) -> bool:
    if p.base == "any":
        return True
    if p.concrete is not None:
        return can_coerce(t, p.concrete) if coercing else t == p.concrete
    if p.variable:
        before = bound.get(p.variable)
        if before is None:
            bound[p.variable] = t
            return True
        both = common(before, t) if coercing else (t if t == before else None)
        if both is None:
            return False
        bound[p.variable] = both
        return True
    if p.base == "function":
        return t is FUNCTION
    if p.numbers:
        return _bind_numbers(p, t, bound, coercing)
    if t.base == "unknown" and coercing:
        return True
    if t.base != p.base or len(t.args) != len(p.args):
        return False
    return all(_bind(a, b, bound, coercing) for a, b in zip(p.args, t.args, strict=True))


def _bind_numbers(p: Pattern, t: Type, bound: dict[str, Any], coercing: bool) -> bool:
    if coercing and t.base != p.base:
        if t.base == "unknown":
            values: tuple[int | None, ...] = {"decimal": (1, 0), "varchar": (0,), "char": (1,)}.get(p.base, (0,))
            for name, value in zip(p.numbers, values, strict=True):
                bound.setdefault(name, value)
            return True
        moved = _to_base(t, p.base)
        if moved is None:
            return False
        t = moved
    if t.base != p.base:
        return False
    if p.base == "decimal":
        new: tuple[int | None, ...] = (t.precision, t.scale)
    elif p.base in {"varchar", "char"}:
        new = (t.length,)
    else:
        new = (t.precision,)
    for name, value in zip(p.numbers, new, strict=True):
        if name in bound and bound[name] != value:
            if not coercing:
                return False
            old = bound[name]
            bound[name] = None if old is None or value is None else max(old, value)
        else:
            bound[name] = value
    return True


def _to_base(t: Type, base: str) -> Type | None:
    """The type of a base that a value of another base is coerced to."""
    if base == "decimal":
        return as_decimal(t)
    if base == "varchar" and t.base == "char":
        return varchar(t.length)
    if base == "timestamp" and t.base == "date":
        return Type("timestamp", precision=0)
    if base == "timestamp_tz" and t.base in {"date", "timestamp"}:
        return Type("timestamp_tz", precision=t.precision)
    if base == "time_tz" and t.base == "time":
        return Type("time_tz", precision=t.precision)
    return None


def substitute(p: Pattern, bound: dict[str, Any]) -> Type:
    """The type that a pattern stands for."""
    if p.concrete is not None:
        return p.concrete
    if p.variable:
        found: Type = bound.get(p.variable, UNKNOWN)
        return found
    if p.numbers:
        numbers = [bound.get(n) for n in p.numbers]
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


def _params(f: Function, count: int) -> list[Pattern] | None:
    """The patterns for a number of arguments."""
    if f.variadic:
        fixed = len(f.params) - 1
        if count < fixed:
            return None
        return [*f.params[:fixed], *([f.params[-1]] * (count - fixed))]
    return list(f.params) if len(f.params) == count else None


def _attempt(f: Function, args: Sequence[Argument], coercing: bool) -> tuple[dict[str, Any], list[Type]] | None:
    patterns = _params(f, len(args))
    if patterns is None:
        return None
    bound: dict[str, Any] = {}
    pairs = list(zip(patterns, args, strict=True))
    for p, a in pairs:
        if (p.base == "function") != isinstance(a, LambdaArgument):
            if not (p.base == "function" and a.type.base == "unknown"):
                return None
            return None
        if isinstance(a, Value) and not _bind(p, a.type, bound, coercing):
            return None
    if coercing:
        # A variable bound late may widen what an earlier argument bound: check that all still fit.
        for p, a in pairs:
            if (
                isinstance(a, Value)
                and p.concrete is None
                and p.base != "any"
                and not can_coerce(a.type, substitute(p, bound))
            ):
                return None
    for p, a in pairs:
        if isinstance(a, LambdaArgument) and not _bind_lambda(p, a, bound):
            return None
    return bound, [
        a.type if isinstance(a, LambdaArgument) or p.base == "any" else substitute(p, bound) for p, a in pairs
    ]


def _bind_lambda(p: Pattern, a: LambdaArgument, bound: dict[str, Any]) -> bool:
    inputs, result = p.args[:-1], p.args[-1]
    if len(inputs) != len(a.node.names):
        return False
    a.params = tuple(substitute(i, bound) for i in inputs)
    got = a.typed(a.params)
    if result.variable:
        before = bound.get(result.variable)
        if before is None:
            bound[result.variable] = got
        elif not can_coerce(got, before):
            wider = common(got, before)
            if wider is None:
                return False
            bound[result.variable] = wider
            a.params = tuple(substitute(i, bound) for i in inputs)
        elif got.base not in {before.base, "unknown"}:
            # Trino does not coerce what a lambda returns.
            return False
    elif not _bind(result, got, bound, True):
        return False
    a.result = substitute(result, bound)
    return True


def resolve(
    functions: Sequence[Function], args: Sequence[Argument]
) -> tuple[Function, dict[str, Any], list[Type]] | None:
    """The row to use, its variables and the types its arguments must have."""
    for f in functions:
        found = _attempt(f, args, False)
        if found is not None:
            return f, *found
    candidates = [(f, *found) for f in functions if (found := _attempt(f, args, True)) is not None]
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    for one in candidates:
        if all(one is other or _narrower(one[2], other[2]) for other in candidates):
            return _again(one, args)
    # Trino prefers double among numbers only through its coercion order; the first row stands for that order here.
    return _again(candidates[0], args)


def _again(
    one: tuple[Function, dict[str, Any], list[Type]], args: Sequence[Argument]
) -> tuple[Function, dict[str, Any], list[Type]]:
    """Bind once more, since a later candidate may have left its types in a lambda."""
    found = _attempt(one[0], args, True)
    return (one[0], *found) if found else one


def _narrower(a: list[Type], b: list[Type]) -> bool:
    return all(x is FUNCTION or y is FUNCTION or can_coerce(x, y) for x, y in zip(a, b, strict=True))


# Characters that a template may write again before it pays to bind the argument to a name.
_REPEATED = 200
_SLOT = re.compile(r"\$(t?)(\d+|\*|ret)")


def render(call: Call) -> str:
    """The SQL of a call."""
    template = call.function.template
    return template(call) if callable(template) else _fill(template, call)


def fill(template: str, call: Call) -> str:
    """Put a call's arguments into a template; for templates that are functions."""
    return _fill(template, call)


def _fill(template: str, call: Call, settled: frozenset[str] = frozenset()) -> str:
    """Put arguments in; a long one that the template repeats is bound to a name, unless ``settled`` has its number."""
    for marker, value in call.modifiers.items():
        template = template.replace(marker, value)
    uses = re.findall(r"\$(\d+)", template)
    for number in set(uses) - settled:
        argument = call.args[int(number) - 1]
        if (
            isinstance(argument, Value)
            and len(argument.sql) * (uses.count(number) - 1) > _REPEATED
            and call.function.kind == "scalar"
        ):
            others = list(call.args)

            def body(name: str, at: int = int(number) - 1, kind: Type = argument.type, held: list[Any] = others) -> str:
                args = [*held[:at], Value(name, kind), *held[at + 1 :]]
                again = Call(call.function, args, call.types, call.bindings, call.type, call.node, {}, call.unit)
                return _fill(template, again, settled | {str(at + 1)})

            return let(argument.sql, body, limit=0)

    def one(m: re.Match[str]) -> str:
        what = m[2]
        if what == "*":
            return ", ".join(a.sql for a in call.args)
        if what == "ret":
            return duck_type(call.type)
        argument = call.args[int(what) - 1]
        if m[1]:
            return duck_type(argument.type)
        return str(argument.sql)

    return _SLOT.sub(one, template)
