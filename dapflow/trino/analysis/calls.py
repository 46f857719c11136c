"""Calls of functions by the table, with lambdas among their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dapflow.trino.analysis import typed, typed_calls
from dapflow.trino.analysis.call_checks import check_call, check_extract
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce
from dapflow.trino.analysis.findings import Finding
from dapflow.trino.analysis.typed import LambdaParameter, Unchecked
from dapflow.trino.analysis.walk import within
from dapflow.trino.coercion import orderable
from dapflow.trino.functions import FUNCTIONS, Function, is_refused_by_name
from dapflow.trino.functions.binding import BoundSignature, LambdaArgument, resolve
from dapflow.trino.functions.refused import is_refused_for
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT, UNCHECKED, Type

#: Arguments that Java lets a function have.
_MOST_ARGUMENTS = 127
#: Lambdas around a lambda. Where what it gives widens what it is given, each is typed twice, with all in it.
_MOST_LAMBDAS = 12
#: Digits of a second that the embedded Athena carries.
_FINEST = 6


class GivenLambda(LambdaArgument):
    """A lambda in a call, until its types are known."""

    def __init__(self, node: tree.Lambda, context: AnalysisContext) -> None:
        super().__init__(len(node.names), self._type_of)
        self.node = node
        self.context = context
        #: By the types of its parameters, with what is wrong in it then.
        self._known: dict[tuple[Type, ...], tuple[typed.Lambda, list[Finding]]] = {}

    def _type_of(self, params: Sequence[Type]) -> Type:
        return self._tried(tuple(params))[0].type

    def _tried(self, params: tuple[Type, ...]) -> tuple[typed.Lambda, list[Finding]]:
        if params not in self._known:
            context = self.context.trial()
            self._known[params] = self._applied(params, context), context.statement.findings
        return self._known[params]

    def _applied(self, params: Sequence[Type], context: AnalysisContext) -> typed.Lambda:
        place = context.place(self.node)
        parameters = tuple(
            LambdaParameter(type=t, place=place, number=context.statement.number(), name=name)
            for name, t in zip(self.node.names, params, strict=True)
        )
        bound = {parameter.name: parameter for parameter in parameters}
        body = context._replace(lambdas=(*context.lambdas, bound)).visit(self.node.body)
        return typed.Lambda(type=body.type, place=place, parameters=parameters, body=body)

    def report(self) -> None:
        """Note what is wrong in the body, though nobody knows what it is given."""
        self._applied((UNCHECKED,) * self.count, self.context)

    def finished(self) -> typed.Lambda:
        """The lambda with the types that were settled."""
        applied, findings = self._tried(self.params)
        self.context.statement.findings += findings
        if self.result is None:
            return applied
        return replace(applied, type=self.result, body=coerce(applied.body, self.result))


Argument = typed.Expr | GivenLambda


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call whose signature is chosen; None where arguments could not be checked, and for count(*)."""

    type: Type
    signature: str | None
    args: tuple[typed.Expr, ...]


def argument(node: tree.Expr, context: AnalysisContext) -> Argument:
    """An argument, which may be a lambda."""
    if not isinstance(node, tree.Lambda):
        return context.visit(node)
    if len(context.lambdas) == _MOST_LAMBDAS:
        return context.limit(f"A lambda in {_MOST_LAMBDAS} others", node)
    return GivenLambda(node, context)


def named_function(node: tree.Call, context: AnalysisContext) -> Function | Unchecked:
    """The function that a call names."""
    if len(node.args) > _MOST_ARGUMENTS:
        return context.fault("TOO_MANY_ARGUMENTS", node, f"Too many arguments for function call {node.name}()")
    function = FUNCTIONS.get(node.name)
    if function is not None:
        return function
    if is_refused_by_name(node.name):
        fault = context.limit(f"Function {node.name}", node)
    else:
        fault = context.fault("FUNCTION_NOT_FOUND", node, f"Function '{node.written or node.name}' not registered")
    for arg in node.args:
        given = argument(arg, context)
        if isinstance(given, GivenLambda):
            given.report()
    return fault


def scalar(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """A call of a scalar function."""
    for present, error_name, problem in (
        (node.over, "FUNCTION_NOT_WINDOW", f"'{node.name}' is not a window function"),
        (node.filter, "FUNCTION_NOT_AGGREGATE", f"FILTER is not allowed for the function {node.name}"),
        (node.distinct, "FUNCTION_NOT_AGGREGATE", f"DISTINCT is not supported for scalar function {node.name}"),
        (node.order, "FUNCTION_NOT_AGGREGATE", f"ORDER BY is not allowed for the function {node.name}"),
    ):
        if present:
            return context.fault(error_name, node, problem)
    args = [argument(a, context) for a in node.args]
    if node.extracts and isinstance(args[0], typed.Expr):
        refused = check_extract(node, args[0].type, context)
        if refused is not None:
            return refused
    bound = resolved(node, args, context)
    if isinstance(bound, Unchecked):
        return bound
    return typed_calls.Call(
        type=bound.type, place=context.place(node), name=node.name, signature=bound.signature, args=bound.args
    )


def resolved(node: tree.Call, args: Sequence[Argument], context: AnalysisContext) -> Resolved | Unchecked:
    """The signature that the arguments mean, and the arguments as it wants them."""
    function = FUNCTIONS[node.name]
    doubtful = any(not isinstance(a, GivenLambda) and a.type.is_unchecked for a in args)
    bound = resolve(function.signatures, args)
    if bound is None:
        for arg in args:
            if isinstance(arg, GivenLambda) and arg.params:
                arg.finished()
        if doubtful or any(not isinstance(a, GivenLambda) and _holds_unchecked(a) for a in args):
            return Resolved(UNCHECKED, None, tuple(a for a in args if not isinstance(a, GivenLambda)))
        return _refused(node, function, args, context)
    settled = tuple(
        a.finished() if isinstance(a, GivenLambda) else coerce(a, t) for a, t in zip(args, bound.types, strict=True)
    )
    if doubtful:
        return Resolved(_certain_type(function, args, bound), None, settled)
    if not orderable(bound.bindings.get("O", BIGINT)):
        shown = bound.bindings["O"]
        problem = f"Unexpected parameters ({shown}) for function {node.name}: the type is not orderable"
        return context.fault("FUNCTION_NOT_FOUND", node, problem)
    if bound.type.precision > _FINEST and bound.type.base != "decimal":
        return context.limit(f"Function {node.name} (the finest precision is {_FINEST})", node)
    fault = check_call(node, bound.signature.text, args, bound.types, context)
    return fault or Resolved(bound.type, bound.signature.text, settled)


def _holds_unchecked(expr: typed.Expr) -> bool:
    return any(isinstance(node, typed.Expr) and node.type.is_unchecked for node in within(expr))


def _certain_type(function: Function, args: Sequence[Argument], chosen: BoundSignature) -> Type:
    """The type of a call with arguments that could not be checked, if it is the same whatever they are."""
    types = {bound.type for signature in function.signatures if (bound := resolve([signature], args)) is not None}
    return chosen.type if len(types) == 1 else UNCHECKED


def _refused(node: tree.Call, function: Function, args: Sequence[Argument], context: AnalysisContext) -> Unchecked:
    shown = ", ".join("<function>" if isinstance(a, GivenLambda) else str(a.type) for a in args)
    if any(is_refused_for(node.name, a.type.base) for a in args):
        return context.limit(f"Function {node.name}({shown})", node)
    expected = ", ".join(dict.fromkeys(signature.text for signature in function.signatures))
    problem = f"Unexpected parameters ({shown}) for function {node.name}. Expected: {expected}"
    return context.fault("FUNCTION_NOT_FOUND", node, problem)
