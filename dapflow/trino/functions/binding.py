"""Which signature a call means, as Trino chooses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from dapflow.trino.coercion import as_decimal, can_coerce, common
from dapflow.trino.functions.patterns import Bindings, Pattern, substitute
from dapflow.trino.functions.table import Signature
from dapflow.trino.types import Type, varchar

#: What a lambda is before the types of its parameters are known.
FUNCTION = Type("function")


class Argument(Protocol):
    """An argument of a known type."""

    @property
    def type(self) -> Type:
        """Its type."""
        ...


class LambdaArgument:
    """A lambda; binding tells it the types that it is given, `params`, and the one that is wanted of it, `result`."""

    def __init__(self, count: int, typed: Callable[[Sequence[Type]], Type]) -> None:
        self.count = count
        #: The type of the body for parameters of given types.
        self.typed = typed
        self.type = FUNCTION
        self.params: tuple[Type, ...] = ()
        self.result: Type | None = None


@dataclass(frozen=True)
class BoundSignature:
    """A chosen signature: what its variables stand for, and the types its arguments must have. Nobody changes it."""

    signature: Signature
    bindings: Bindings
    types: list[Type]

    @property
    def type(self) -> Type:
        """The type of the result."""
        return substitute(self.signature.result, self.bindings)


class _OfType(NamedTuple):
    """An argument of which nothing but its type counts."""

    type: Type


def resolve(signatures: Sequence[Signature], args: Sequence[Argument]) -> BoundSignature | None:
    """The signature to use; None if none fits."""
    if any(isinstance(arg, LambdaArgument) for arg in args):
        return _resolved(signatures, args)
    return _resolved_for(tuple(signatures), tuple([_OfType(arg.type) for arg in args]))


@lru_cache(maxsize=4096)
def _resolved_for(signatures: tuple[Signature, ...], args: tuple[_OfType, ...]) -> BoundSignature | None:
    return _resolved(signatures, args)


def _resolved(signatures: Sequence[Signature], args: Sequence[Argument]) -> BoundSignature | None:
    for signature in signatures:
        bound = _attempt(signature, args, False)
        if bound is not None:
            return bound
    candidates = [bound for signature in signatures if (bound := _attempt(signature, args, True)) is not None]
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    for candidate in candidates:
        if all(candidate is other or _narrower(candidate.types, other.types) for other in candidates):
            return _bind_again(candidate, args)
    # Trino prefers double among numbers only through its coercion order; the first row stands for that order here.
    return _bind_again(candidates[0], args)


def _bind_again(bound: BoundSignature, args: Sequence[Argument]) -> BoundSignature:
    """Bind once more, since a later candidate may have left its types in a lambda."""
    return _attempt(bound.signature, args, True) or bound


def _narrower(a: list[Type], b: list[Type]) -> bool:
    return all(x is FUNCTION or y is FUNCTION or can_coerce(x, y) for x, y in zip(a, b, strict=True))


def _attempt(signature: Signature, args: Sequence[Argument], coercing: bool) -> BoundSignature | None:
    patterns = signature.patterns(len(args))
    if patterns is None:
        return None
    pairs = list(zip(patterns, args, strict=True))
    if any((p.base == "function") != isinstance(a, LambdaArgument) for p, a in pairs):
        return None
    bound: Bindings = {}
    plain = [(p, a) for p, a in pairs if p.base != "function"]
    if not all(_bind(p, a.type, bound, coercing) for p, a in plain):
        return None
    # A variable bound late may widen what an earlier argument bound: check that all still fit.
    if coercing and not all(
        p.concrete is not None or p.base == "any" or can_coerce(a.type, substitute(p, bound)) for p, a in plain
    ):
        return None
    if not all(_bind_lambda(p, a, bound) for p, a in pairs if isinstance(a, LambdaArgument)):
        return None
    types = [a.type if p.base in {"any", "function"} else substitute(p, bound) for p, a in pairs]
    return BoundSignature(signature, bound, types)


def _bind(p: Pattern, t: Type, bound: Bindings, coercing: bool) -> bool:
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
    if p.numbers:
        return _bind_numbers(p, t, bound, coercing)
    if t.base in {"unknown", "unchecked"} and coercing:
        return True
    if t.base != p.base or len(t.args) != len(p.args):
        return False
    return all(_bind(a, b, bound, coercing) for a, b in zip(p.args, t.args, strict=True))


def _bind_numbers(p: Pattern, t: Type, bound: Bindings, coercing: bool) -> bool:
    if coercing and t.base != p.base:
        if t.base in {"unknown", "unchecked"}:
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


def _bind_lambda(p: Pattern, a: LambdaArgument, bound: Bindings) -> bool:
    inputs, result = p.args[:-1], p.args[-1]
    if len(inputs) != a.count:
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
        elif got.base not in {before.base, "unknown", "unchecked"}:
            # Trino does not coerce what a lambda returns.
            return False
    elif not _bind(result, got, bound, True):
        return False
    a.result = substitute(result, bound)
    return True
