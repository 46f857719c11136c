"""Function calls: the table of functions, the special forms, aggregates and windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dapflow.trino.coercion import common, orderable
from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.duckdb.lifting import apart
from dapflow.trino.duckdb.operators import equal
from dapflow.trino.duckdb.resolution import Call, LambdaOfSql, SqlArgument, render
from dapflow.trino.duckdb.storage import duck_type, literal
from dapflow.trino.duckdb.values import Value, let
from dapflow.trino.duckdb.windows import WindowAnalyser
from dapflow.trino.functions import FUNCTIONS, is_refused_by_name
from dapflow.trino.functions.binding import resolve
from dapflow.trino.functions.refused import is_refused_for
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT, VARCHAR, Type, grouping_type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.scope import Scope

#: Arguments that Java lets a function have.
_MOST_ARGUMENTS = 127


class CallAnalyser(WindowAnalyser):
    """The part of the analyser that reads calls."""

    scope: Scope
    groups: dict[Any, Value] | None
    in_aggregate: bool
    in_window: bool
    aggregates_allowed: str | None

    if TYPE_CHECKING:

        def boolean(self, node: tree.Expr, what: str) -> str:
            """Translate a condition."""
            ...

        def key(self, node: Any) -> Any:
            """What two occurrences of one expression have in common."""
            ...

        def unify(self, values: Sequence[Value], nodes: Sequence[tree.Expr], what: str) -> tuple[list[Value], Type]:
            """Values as one type."""
            ...

        def apply_lambda(self, node: tree.Lambda, params: Sequence[Value]) -> Value:
            """The body of a lambda."""
            ...

        def comparison(self, op: str, left: Value, right: Value, pos: int) -> str:
            """A comparison."""
            ...

    # ---------------------------------------------------------------------------------------- calls
    def call(self, node: tree.Call) -> Value:
        """Any call."""
        if len(node.args) > _MOST_ARGUMENTS:
            problem = f"Too many arguments for function call {node.name}()"
            self.unit.fail("TOO_MANY_ARGUMENTS", node.pos, problem)
        special = _SPECIAL.get(node.name)
        if special is not None and node.over is None:
            return special(self, node)
        function = FUNCTIONS.get(node.name)
        if function is None:
            if is_refused_by_name(node.name):
                self.unit.unsupported(f"Function {node.name}", node.pos)
            self.unit.fail("FUNCTION_NOT_FOUND", node.pos, f"Function '{node.written or node.name}' not registered")
        if function.kind == "scalar":
            return self._scalar(node)
        if function.kind == "window" and node.over is None:
            self.unit.fail("MISSING_OVER", node.pos, f"Window function {node.name} requires an OVER clause")
        return self._aggregate(node, function.kind)

    def _scalar(self, node: tree.Call) -> Value:
        for present, what in (
            (node.over, "OVER"),
            (node.filter, "FILTER"),
            (node.distinct or None, "DISTINCT"),
            (node.order or None, "ORDER BY"),
        ):
            if present is not None:
                problem = f"{what} is not allowed for the function {node.name}"
                if what == "OVER":
                    problem = f"'{node.name}' is not a window function"
                    self.unit.fail("FUNCTION_NOT_WINDOW", node.pos, problem)
                if what in {"FILTER", "DISTINCT"}:
                    problem = (
                        f"{what} is not supported for scalar function {node.name}" if what == "DISTINCT" else problem
                    )
                self.unit.fail("FUNCTION_NOT_AGGREGATE", node.pos, problem)
        return self._resolved(node, [self.argument(a) for a in node.args], {})

    def argument(self, node: tree.Expr) -> SqlArgument:
        """An argument, which may be a lambda."""
        if isinstance(node, tree.Lambda):
            return LambdaOfSql(node, self.apply_lambda)
        return self.visit(node)

    def _resolved(self, node: tree.Call, args: list[SqlArgument], modifiers: dict[str, str]) -> Value:
        function = FUNCTIONS[node.name]
        found = resolve(function.signatures, args)
        if found is None:
            shown = ", ".join("<function>" if isinstance(a, LambdaOfSql) else str(a.type) for a in args)
            if any(is_refused_for(node.name, a.type.base) for a in args):
                self.unit.unsupported(f"Function {node.name}({shown})", node.pos)
            expected = ", ".join(dict.fromkeys(one.text for one in function.signatures))
            self.unit.fail(
                "FUNCTION_NOT_FOUND",
                node.pos,
                f"Unexpected parameters ({shown}) for function {node.name}. Expected: {expected}",
            )
        held: list[Any] = [
            a if isinstance(a, LambdaOfSql) else coerce(a, t) for a, t in zip(args, found.types, strict=True)
        ]
        originals = [a.type for a in args]
        if not orderable(found.bindings.get("O", BIGINT)):
            problem = (
                f"Unexpected parameters ({found.bindings['O']}) for function {node.name}: the type is not orderable"
            )
            self.unit.fail("FUNCTION_NOT_FOUND", node.pos, problem)
        template = REGISTRY.templates[found.signature.text]
        call = Call(function, template, held, originals, found.bindings, found.type, node, modifiers, self.unit)
        return Value(render(call), call.type)

    # ---------------------------------------------------------------------- aggregates and windows
    def _aggregate(self, node: tree.Call, kind: str) -> Value:
        if node.over is None:
            if self.aggregates_allowed is not None:
                self.unit.fail(
                    "EXPRESSION_NOT_SCALAR",
                    node.pos,
                    f"{self.aggregates_allowed} cannot contain aggregations, window functions or grouping "
                    f"operations: [{node.name}]",
                )
            if self.in_aggregate:
                self.unit.fail(
                    "NESTED_AGGREGATION", node.pos, f"Cannot nest aggregations inside aggregation '{node.name}'"
                )
        elif self.aggregates_allowed is not None:
            self.unit.fail(
                "EXPRESSION_NOT_SCALAR",
                node.pos,
                f"{self.aggregates_allowed} cannot contain aggregations, window functions or grouping "
                f"operations: [{node.name}]",
            )
        if node.over is not None and (self.in_aggregate or self.in_window):
            where = "inside a window or an aggregation"
            self.unit.fail("NESTED_WINDOW", node.pos, f"Cannot nest window functions {where}: {node.name}")
        before = self.in_aggregate, self.in_window
        self.in_aggregate = self.in_aggregate or node.over is None
        self.in_window = self.in_window or node.over is not None
        try:
            args = [self.argument(a) for a in node.args]
            self._check_distinct_order(node)
            order = self.ordering(node.order)
            condition = self.boolean(node.filter, "FILTER expression") if node.filter is not None else None
            window = self.window(node.over) if node.over is not None else ""
        finally:
            self.in_aggregate, self.in_window = before
        tail = f" FILTER (WHERE {condition})" if condition else ""
        over = ""
        if node.over is not None:
            if node.order:
                self.unit.fail("NOT_SUPPORTED", node.pos, "Window function with ORDER BY is not supported")
            if node.distinct:
                problem = f"DISTINCT in window function parameters not yet supported: {node.name}"
                self.unit.fail("NOT_SUPPORTED", node.pos, problem)
            if node.filter is not None and kind == "window":
                self.unit.fail("FUNCTION_NOT_AGGREGATE", node.pos, f"FILTER is not allowed for {node.name}")
            if node.name in {"lag", "lead"}:
                self._check_shift(node, node.over)
            over = f" OVER ({window})"
        if node.nulls and kind != "window":
            problem = f"Cannot specify null treatment clause for {node.name} function"
            self.unit.fail("NULL_TREATMENT_NOT_ALLOWED", node.pos, problem)
        modifiers = {
            "{distinct}": "DISTINCT " if node.distinct else "",
            "{order}": f" ORDER BY {order}" if order else "",
            "{nulls}": " IGNORE NULLS" if node.nulls == "IGNORE" else "",
            "{filter}": tail,
            "{and}": f" AND {condition}" if condition else "",
            "{over}": over,
            "{tail}": tail + over,
        }
        if node.star or (node.name == "count" and not args):
            self.unit.aggregated.append(f"count(*){tail}{over}")
            return Value(f"count(*){tail}{over}", BIGINT)
        found = self._resolved(node, args, modifiers)
        self.unit.aggregated.append(found.sql)
        return found

    def _check_distinct_order(self, node: tree.Call) -> None:
        """Distinct values can be put in order only by what tells them apart."""
        if not (node.distinct and node.order):
            return
        held = {self.key(a) for a in node.args}
        for item in node.order:
            if self.key(item.expr) not in held:
                problem = "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments"
                self.unit.fail("EXPRESSION_NOT_IN_DISTINCT", item.expr.pos, problem)

    def _check_shift(self, node: tree.Call, over: tree.Window) -> None:
        """lag and lead count rows of an order, whatever the frame."""
        named = self.windows.get(over.existing or "", over)
        if not (over.order or named.order):
            problem = f"{node.name} function requires an ORDER BY window clause"
            self.unit.fail("MISSING_ORDER_BY", over.pos, problem)
        if over.unit or named.unit:
            problem = f"Cannot specify window frame for {node.name} function"
            self.unit.fail("INVALID_WINDOW_FRAME", over.pos, problem)

    # ---------------------------------------------------------------------------------- special forms
    def _coalesce(self, node: tree.Call) -> Value:
        if len(node.args) < 2:
            self.unit.fail(
                "INVALID_ARGUMENTS" if node.args else "SYNTAX_ERROR",
                node.pos,
                "The 'coalesce' function must have at least two arguments",
            )
        values, t = self.unify([self.visit(a) for a in node.args], node.args, "All COALESCE operands")
        return Value(f"coalesce({', '.join(v.sql for v in values)})", t)

    def _if(self, node: tree.Call) -> Value:
        if len(node.args) not in {2, 3}:
            self.unit.fail("SYNTAX_ERROR", node.pos, "Invalid number of arguments for 'if' function")
        condition = self.boolean(node.args[0], "IF condition")
        branches = node.args[1:]
        values, t = self.unify([self.visit(a) for a in branches], branches, "Result types for IF")
        default = f" ELSE {values[1].sql}" if len(values) > 1 else ""
        return Value(f"CASE WHEN {condition} THEN {values[0].sql}{default} END", t)

    def _nullif(self, node: tree.Call) -> Value:
        if len(node.args) != 2:
            self.unit.fail("SYNTAX_ERROR", node.pos, "Invalid number of arguments for 'nullif' function")
        first, second = self.visit(node.args[0]), self.visit(node.args[1])
        both = common(first.type, second.type)
        if both is None:
            self.unit.fail(
                "TYPE_MISMATCH", node.pos, f"Types are not comparable with NULLIF: {first.type} vs {second.type}"
            )
        if both.base == "unknown" or second.type.base == "unknown":
            return first
        other = coerce(second, both).sql
        sql = let(
            first.sql,
            lambda x: f"CASE WHEN {equal(coerce(Value(x, first.type), both).sql, other, both)} THEN NULL ELSE {x} END",
        )
        return Value(sql, first.type)

    def _try(self, node: tree.Call) -> Value:
        if len(node.args) != 1:
            self.unit.fail("SYNTAX_ERROR", node.pos, "The 'try' function must have exactly one argument")
        value = self.visit(node.args[0])
        return Value(self.attempt(value.sql), value.type)

    def attempt(self, sql: str) -> str:
        """NULL where an expression fails.

        DuckDB takes an expression that comes twice out of TRY, and evaluates it outside, where its failure is the
        query's. It does not look for such expressions in a lambda. Subqueries, aggregates and window functions are
        computed before, in Trino too.
        """
        before = [*self.unit.subqueries, *self.unit.aggregated]
        return apart(sql, before, lambda body: f"TRY({body})", always=True)

    def _typeof(self, node: tree.Call) -> Value:
        if len(node.args) != 1:
            self.unit.fail(
                "FUNCTION_NOT_FOUND", node.pos, "Unexpected parameters for function typeof. Expected: typeof(t)"
            )
        return Value(literal(str(self.visit(node.args[0]).type)), VARCHAR)

    def _grouping(self, node: tree.Call) -> Value:
        if self.groups is None:
            self.unit.fail(
                "MISSING_GROUP_BY",
                node.pos,
                "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY clause",
            )
        names = [self.visit(a).sql for a in node.args]
        result = grouping_type(len(names))
        return Value(f"CAST(grouping({', '.join(names)}) AS {duck_type(result)})", result)


_SPECIAL: dict[str, Callable[[Any, tree.Call], Value]] = {
    "coalesce": CallAnalyser._coalesce,
    "if": CallAnalyser._if,
    "nullif": CallAnalyser._nullif,
    "try": CallAnalyser._try,
    "typeof": CallAnalyser._typeof,
    "grouping": CallAnalyser._grouping,
}
