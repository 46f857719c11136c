"""The SQL of a call whose signature is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.functions.registry import Template
from dapflow.trino.duckdb.storage import duck_type
from dapflow.trino.duckdb.values import Value, let
from dapflow.trino.functions.binding import LambdaArgument
from dapflow.trino.functions.table import Function
from dapflow.trino.syntax import tree
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import Unit


class LambdaOfSql(LambdaArgument):
    """A lambda in a call: `body` gives its SQL for parameters of given SQL, once its types are known."""

    def __init__(self, node: tree.Lambda, apply: Callable[[tree.Lambda, Sequence[Value]], Value]) -> None:
        super().__init__(len(node.names), self._type_of)
        self.node = node
        self._apply = apply

    def body(self, *sqls: str) -> str:
        """SQL of the body, of the type the signature wants."""
        found = self._apply(self.node, [Value(s, t) for s, t in zip(sqls, self.params, strict=True)])
        return coerce(found, self.result).sql if self.result else found.sql

    def _type_of(self, params: Sequence[Type]) -> Type:
        return self._apply(self.node, [Value(f"p{i}", t) for i, t in enumerate(params)]).type


SqlArgument = Value | LambdaOfSql


@dataclass
class Call:
    """A resolved call: arguments converted, variables bound."""

    function: Function
    template: Template
    args: list[Any]
    types: list[Type]
    bindings: dict[str, Any]
    type: Type
    node: tree.Call
    modifiers: dict[str, str]
    unit: Unit


# Characters that a template may write again before it pays to bind the argument to a name.
_REPEATED = 200
_SLOT = re.compile(r"\$(t?)(\d+|\*|ret)")


def render(call: Call) -> str:
    """The SQL of a call."""
    return call.template(call) if callable(call.template) else _fill(call.template, call)


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
                again = replace(call, args=args, modifiers={})
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
