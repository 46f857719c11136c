"""What else is asked of single functions: arguments that are known now, and types that a variable may not stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import constant
from dapflow.trino.analysis.typed import Unchecked
from dapflow.trino.coercion import castable, orderable
from dapflow.trino.date_units import is_no_unit, unit_families
from dapflow.trino.moments import zone_name
from dapflow.trino.syntax import tree
from dapflow.trino.types import VARCHAR, Type

#: What is wrong: Trino's error name and its words.
Problem = tuple[str, str] | None
_Check = Callable[[Sequence[Type], Sequence[Any]], Problem]


def check_call(
    node: tree.Call, signature: str, args: Sequence[Any], types: Sequence[Type], context: AnalysisContext
) -> Unchecked | None:
    """Note what is wrong with the arguments of a call whose signature is chosen."""
    check = _CHECKS.get(signature) or _CHECKS.get(node.name)
    values = [constant(a) if isinstance(a, typed.Expr) else None for a in args]
    problem = check(types, values) if check is not None else None
    return None if problem is None else context.fault(problem[0], node, problem[1])


_MOMENTS = frozenset({"timestamp", "timestamp_tz"})
_DAYS = _MOMENTS | {"date"}
_TIMES = _MOMENTS | {"time", "time_tz", "interval_ds"}
_ZONED = frozenset({"timestamp_tz", "time_tz"})
_EXTRACTED_FROM = {
    "year": _DAYS | {"interval_ym"},
    "month": _DAYS | {"interval_ym"},
    "day": _DAYS | {"interval_ds"},
    "hour": _TIMES,
    "minute": _TIMES,
    "second": _TIMES,
    "timezone_hour": _ZONED,
    "timezone_minute": _ZONED,
}


def check_extract(node: tree.Call, type_: Type, context: AnalysisContext) -> Unchecked | None:
    """Note what EXTRACT does not take: it is stricter than the function of the same name."""
    if type_.is_unchecked or type_.base in _EXTRACTED_FROM.get(node.name, _DAYS):
        return None
    return context.fault("TYPE_MISMATCH", node.args[0], f"Cannot extract {node.name.upper()} from {type_}")


def _share(_: Sequence[Type], values: Sequence[Any]) -> Problem:
    share = values[-1]
    if isinstance(share, str | int | float) and not 0 <= float(share) <= 1:
        return "INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1"
    return None


def _unit(types: Sequence[Type], values: Sequence[Any]) -> Problem:
    """The unit of date_trunc and its like, for the type of the last argument."""
    base, unit = types[-1].base, values[0]
    if isinstance(unit, str) and not any(unit.lower() in family for family in unit_families(base)):
        return "INVALID_FUNCTION_ARGUMENT", f"'{unit.lower()}'{is_no_unit(base)}"
    return None


def _zone(_: Sequence[Type], values: Sequence[Any]) -> Problem:
    zone = values[1]
    if isinstance(zone, str):
        try:
            zone_name(zone)
        except ValueError:
            return "INVALID_FUNCTION_ARGUMENT", f"'{zone}' is not a valid time zone"
    return None


def _sortable(types: Sequence[Type], _: Sequence[Any]) -> Problem:
    item = types[0].args[0]
    return None if orderable(item) else ("TYPE_MISMATCH", f"Type {item} is not orderable")


def _joinable(types: Sequence[Type], _: Sequence[Any]) -> Problem:
    item = types[0].args[0]
    if item.base == "unknown" or (castable(item, VARCHAR) and not item.args):
        return None
    return "INVALID_FUNCTION_ARGUMENT", f"Input type {item} not supported"


def _several(problem: str) -> _Check:
    def check(types: Sequence[Type], _: Sequence[Any]) -> Problem:
        return None if len(types) > 1 else ("INVALID_FUNCTION_ARGUMENT", problem)

    return check


#: By the signature's text, or by the function's name.
_CHECKS: dict[str, _Check] = {
    "approx_percentile": _share,
    "date_trunc": _unit,
    "date_add": _unit,
    "date_diff": _unit,
    "at_timezone(timestamp(p) with time zone, varchar(z))": _zone,
    "with_timezone(timestamp(p), varchar(z))": _zone,
    "from_unixtime(double, varchar(z))": _zone,
    "array_sort(array(E))": _sortable,
    "array_join": _joinable,
    "concat_ws(varchar, varchar...)": _several("There must be two or more arguments"),
    "concat(varchar, varchar...)": _several("There must be two or more concatenation arguments"),
    "concat(array(E), array(E)...)": _several("There must be two or more concatenation arguments to concat"),
    "map_concat(map(K,V), map(K,V)...)": _several("There must be two or more concatenation arguments to map_concat"),
}
