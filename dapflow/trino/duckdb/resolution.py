"""The SQL of a call whose signature is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from dapflow.trino.analysis.findings import Place
from dapflow.trino.duckdb.nodes import NOTHING, Filled, Sql, joined, sql
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


# Characters that a template may write again before it pays to bind the argument to a name.
_REPEATED = 200


def render(call: LoweredCall) -> Sql:
    """The SQL of a call."""
    return call.template(call) if callable(call.template) else fill(call.template, call)


def fill(template: str, call: LoweredCall, **given: Sql) -> Sql:
    """Put a call's arguments into a template, and what is `given` for other slots.

    `$1`, `$2`, … are the arguments, `$all` all of them, `$t1` the type of the first, `$ret` that of the result. A long
    argument that a scalar function's template repeats is bound to a name.
    """
    slots = read_template(template).slots
    if call.kind == "scalar":
        for slot in dict.fromkeys(slots):
            argument = call.args[int(slot) - 1] if slot.isdigit() else None
            if isinstance(argument, Value) and argument.sql.size * (slots.count(slot) - 1) > _REPEATED:
                return let(argument.sql, _NamedArgument(template, call, int(slot) - 1, given), limit=0)
    return _filled(template, call, given)


@dataclass(frozen=True, slots=True)
class _NamedArgument:
    """A template with a name in place of one argument."""

    template: str
    call: LoweredCall
    at: int
    given: dict[str, Sql]

    def __call__(self, name: Sql) -> Sql:
        if name is self.call.args[self.at].sql:
            # It may stand in no lambda, so that it is written out after all.
            return _filled(self.template, self.call, self.given)
        args = [*self.call.args]
        args[self.at] = replace(args[self.at], sql=name)
        return fill(self.template, replace(self.call, args=args), **self.given)


def _filled(template: str, call: LoweredCall, given: dict[str, Sql]) -> Filled:
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
