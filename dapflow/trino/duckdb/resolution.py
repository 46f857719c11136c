"""The SQL of a call whose signature is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from dapflow.trino.analysis.findings import Place
from dapflow.trino.duckdb.lifting import computed_first
from dapflow.trino.duckdb.nodes import NOTHING, Filled, Sql, joined, readings, replaced, sql
from dapflow.trino.duckdb.templates import read_template
from dapflow.trino.duckdb.values import Value, let, type_sql
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.lowering import Lowering


#: How a signature is computed: a template, or what makes the SQL of a call.
CallTemplate = str | Callable[["LoweredCall"], Sql]


class LambdaValue:
    """A lambda in a call: `body` gives its SQL for parameters of given SQL. `type` is that of its body."""

    const = None

    def __init__(self, parameters: Sequence[Type], result: Type, body: Callable[[Sequence[Sql]], Sql]) -> None:
        self.parameters = tuple(parameters)
        self.type = result
        self._body = body

    def body(self, *given: Sql) -> Sql:
        """SQL of the body, of the type that the signature wants."""
        return self._body(given)


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What stands in and behind the brackets of an aggregate or window function."""

    distinct: bool = False
    #: The keys of ORDER BY within the brackets.
    order: Sql | None = None
    ignore_nulls: bool = False
    #: The condition of FILTER.
    filter: Sql | None = None
    #: What stands between the brackets of OVER.
    over: Sql | None = None

    def slots(self) -> dict[str, Sql]:
        """What fills a template's slots of these names."""
        condition = NOTHING if self.filter is None else sql(" FILTER (WHERE $condition)", condition=self.filter)
        over = NOTHING if self.over is None else sql(" OVER ($over)", over=self.over)
        return {
            "distinct": sql("DISTINCT ") if self.distinct else NOTHING,
            "order": NOTHING if self.order is None else sql(" ORDER BY $order", order=self.order),
            "nulls": sql(" IGNORE NULLS") if self.ignore_nulls else NOTHING,
            "filter": condition,
            "and": NOTHING if self.filter is None else sql(" AND $condition", condition=self.filter),
            "over": over,
            "tail": joined("", (condition, over)),
        }


@dataclass(slots=True)
class LoweredCall:
    """A call: its arguments are of the types that the signature wants. `kind` is scalar, aggregate or window."""

    name: str
    kind: str
    template: CallTemplate
    args: list[Any]
    type: Type
    place: Place
    lowering: Lowering
    modifiers: Modifiers = field(default_factory=Modifiers)
    #: What LISTAGG says of overflow.
    extra: tuple[Any, ...] = ()

    def fail(self, error_name: str, message: str) -> NoReturn:
        """Raise an error at the call's place."""
        self.lowering.fail(error_name, self.place, message)

    def unsupported(self, construct: str) -> NoReturn:
        """Refuse by name what Athena may know."""
        self.lowering.unsupported(construct, self.place)


#: An argument that is longer than the one and costs more than the other to read again is bound to a name.
_SHORT = 40
_REPEATED = 200
_LONG_LITERAL = 200


def render(call: LoweredCall) -> Sql:
    """The SQL of a call. What a scalar function reads again and again of its arguments is computed before."""
    whole = call.template(call) if callable(call.template) else fill(call.template, call)
    if call.kind != "scalar":
        return whole
    given = [arg for arg in call.args if isinstance(arg, Value)]
    repeated = [arg.sql for arg in given if _is_repeated(arg, whole)]
    if not repeated:
        return whole
    # What stands beside them would get into a lambda.
    parts = [arg.sql for arg in given if arg.sql in repeated or arg.sql.weight > _REPEATED]
    if len(parts) == 1:
        return let(parts[0], lambda name: replaced(whole, {id(parts[0]): name}), limit=0)
    return computed_first(whole, parts, lambda rest: rest)


def _is_repeated(argument: Value, whole: Sql) -> bool:
    """Whether it pays to compute an argument once. A literal is as good as a name."""
    given = argument.sql
    if given.simple or (argument.const is not None and given.weight < _LONG_LITERAL):
        return False
    if given.is_volatile:
        return readings(whole, given) > 1
    return given.weight > _SHORT and given.weight * (readings(whole, given) - 1) > _REPEATED


def fill(template: str, call: LoweredCall, **given: Sql) -> Filled:
    """Put a call's arguments into a template, and what is `given` for other slots.

    `$1`, `$2`, … are the arguments, `$all` all of them, `$t1` the type of the first, `$ret` that of the result.
    """
    parsed = read_template(template)
    modifiers = call.modifiers.slots() if call.kind != "scalar" else {}
    return Filled(parsed, [_slot(name, call, modifiers, given) for name in parsed.slots])


def _slot(name: str, call: LoweredCall, modifiers: dict[str, Sql], given: dict[str, Sql]) -> Sql:
    if name in given:
        return given[name]
    if name in modifiers:
        return modifiers[name]
    if name.isdigit():
        arg_sql: Sql = call.args[int(name) - 1].sql
        return arg_sql
    if name == "all":
        return joined(", ", [arg.sql for arg in call.args])
    if name == "ret":
        return type_sql(call.type)
    return type_sql(call.args[int(name[1:]) - 1].type)
