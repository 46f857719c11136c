"""Expressions: names, types and DuckDB's SQL, node by node."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from dapflow.trino.coercion import INTEGERS, can_coerce, castable, common, comparable, orderable
from dapflow.trino.duckdb import literals, operators
from dapflow.trino.duckdb.calls import CallAnalyser
from dapflow.trino.duckdb.conversion import coerce, convert
from dapflow.trino.duckdb.json_calls import json_call
from dapflow.trino.duckdb.lifting import out_of_lambdas
from dapflow.trino.duckdb.like import like_sql
from dapflow.trino.duckdb.scope import Field, Scope
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.structures import check_precision, element, held, map_value, packed
from dapflow.trino.duckdb.unwrapping import unwrapped
from dapflow.trino.duckdb.values import Value, failure_text, fresh, let
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import expression_text
from dapflow.trino.types import BIGINT, BOOLEAN, DATE, UNKNOWN, VARCHAR, Type, array, row

if TYPE_CHECKING:
    from dapflow.trino.duckdb.queries import QueryCompiler
    from dapflow.trino.duckdb.unit import Unit

_KEY_FIELDS: dict[type, tuple[str, ...]] = {}


class Analyser(CallAnalyser):
    """Translates expressions in one scope."""

    def __init__(self, queries: QueryCompiler, scope: Scope) -> None:
        self.queries = queries
        self.unit: Unit = queries.unit
        self.scope = scope
        self.lambdas: list[dict[str, Value]] = []
        #: In a query with groups: what may stand outside an aggregate, by `key`.
        self.groups: dict[Any, Value] | None = None
        self.in_aggregate = False
        self.in_window = False
        self.windows: dict[str, tree.Window] = {}
        #: Names of output columns, which ORDER BY looks at first.
        self.aliases: dict[str, Value | None] = {}
        self.whole: tree.Expr | None = None
        self.aggregates_allowed: str | None = None

    # ---------------------------------------------------------------------------------- the ground
    def visit(self, node: tree.Expr) -> Value:
        """Translate an expression."""
        if self.groups is not None and not self.in_aggregate and not isinstance(node, tree.Literal):
            found = self.groups.get(self.key(node))
            if found is not None:
                if isinstance(node, tree.Cast) and found.type != node.type:
                    return Value(convert(found.sql, found.type, node.type), node.type)
                return found
        value = _VISITS[type(node)](self, node)
        if self.unit.subqueries:
            value.sql = out_of_lambdas(value.sql, self.unit.subqueries)
        return value

    def top(self, node: tree.Expr) -> Value:
        """Translate a whole clause or output expression."""
        self.whole = node
        return self.visit(node)

    def wanted(self, node: tree.Expr, t: Type, what: str) -> Value:
        """Translate an expression that must be of a type."""
        value = self.visit(node)
        if not can_coerce(value.type, t):
            self.unit.fail("TYPE_MISMATCH", node.pos, f"{what} must evaluate to a {t}: actual type {value.type}")
        return coerce(value, t)

    def boolean(self, node: tree.Expr, what: str) -> str:
        """Translate a condition."""
        return self.wanted(node, BOOLEAN, what).sql

    def key(self, node: Any) -> Any:
        """What two occurrences of one expression have in common: its form with the fields that its names mean."""
        if isinstance(node, tree.Given):
            return id(node.given)
        if isinstance(node, tree.Ident | tree.Deref):
            one = self.field_of(node)
            if one is not None:
                return id(one)
        if isinstance(node, tree.Node):
            cls = type(node)
            names = _KEY_FIELDS.get(cls)
            if names is None:
                names = _KEY_FIELDS[cls] = tuple(f.name for f in dataclasses.fields(cls) if f.compare)
            return (cls.__name__, *(self.key(getattr(node, n)) for n in names))
        if isinstance(node, tuple):
            return tuple(self.key(n) for n in node)
        return str(node).lower().replace('"', "") if isinstance(node, Type) else node

    # --------------------------------------------------------------------------------------- names
    def field_of(self, node: tree.Expr) -> Field | None:
        """The field of this scope that a name means, if it means one."""
        if isinstance(node, tree.Ident):
            if node.name in self.aliases or any(node.name in bound for bound in self.lambdas):
                return None
            found = self.scope.named(node.name)
        else:
            parts = _parts(node)
            if parts is None or any(parts[0] in bound for bound in self.lambdas):
                return None
            found = self.scope.qualified(parts[:-1], parts[-1])
        return found[0] if len(found) == 1 else None

    def _ident(self, node: tree.Ident) -> Value:
        for bound in reversed(self.lambdas):
            if node.name in bound:
                return bound[node.name]
        if node.name in self.aliases:
            if self.in_aggregate:
                problem = "Invalid reference to output projection attribute from ORDER BY aggregation"
                self.unit.fail("COLUMN_NOT_FOUND", node.pos, problem)
            value = self.aliases[node.name]
            if value is None:
                self.unit.fail("AMBIGUOUS_NAME", node.pos, f"Column '{node.written}' is ambiguous")
            return value
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.named(node.name)
            if len(found) > 1:
                self.unit.fail("AMBIGUOUS_NAME", node.pos, f"Column '{node.written}' is ambiguous")
            if found:
                return self._field(found[0], scope, node)
            scope = scope.parent
        self.unit.fail("COLUMN_NOT_FOUND", node.pos, f"Column '{node.written}' cannot be resolved")

    def _field(self, one: Field, scope: Scope, node: tree.Expr) -> Value:
        if scope is self.scope and self.groups is not None and not self.in_aggregate:
            whole = self.whole or node
            text = expression_text(whole)
            self.unit.fail(
                "EXPRESSION_NOT_AGGREGATE",
                whole.pos,
                f"'{text}' must be an aggregate expression or appear in GROUP BY clause",
            )
        if scope is not self.scope:
            self.unit.correlated = True
        self.unit.use(one)
        return Value(one.sql, one.type)

    def _given(self, node: tree.Given) -> Value:
        return self._field(node.given, self.scope, node)

    def _deref(self, node: tree.Deref) -> Value:
        parts = _parts(node)
        if parts is not None and not any(parts[0] in bound for bound in self.lambdas):
            scope: Scope | None = self.scope
            while scope is not None:
                found = scope.qualified(parts[:-1], parts[-1])
                if len(found) > 1:
                    self.unit.fail("AMBIGUOUS_NAME", node.pos, f"Column '{expression_text(node)}' is ambiguous")
                if found:
                    return self._field(found[0], scope, node)
                if len(parts) == 2 and scope.has_relation(parts[:-1]) and not scope.named(parts[0]):
                    self.unit.fail("COLUMN_NOT_FOUND", node.pos, f"Column '{expression_text(node)}' cannot be resolved")
                scope = scope.parent
            if not self._known(parts):
                self.unit.fail("COLUMN_NOT_FOUND", node.pos, f"Column '{expression_text(node)}' cannot be resolved")
        base = self.visit(node.base)
        return self.row_field(base, node.name, node)

    def _known(self, parts: tuple[str, ...]) -> bool:
        """Whether a name begins with that of a column, which may be qualified: `t.c.f` is the field of a row."""
        scope: Scope | None = self.scope
        if parts[0] in self.aliases:
            return True
        while scope is not None:
            if any(scope.qualified(parts[:end], parts[end]) for end in range(1, len(parts))) or scope.named(parts[0]):
                return True
            scope = scope.parent
        return False

    def row_field(self, base: Value, name: str, node: tree.Expr) -> Value:
        """One field of a row."""
        if base.type.base != "row":
            self.unit.fail("TYPE_MISMATCH", node.pos, f"Expression {expression_text(node)} is not of type ROW")
        names = base.type.names or ()
        places = [i for i, n in enumerate(names) if n is not None and n.lower() == name]
        if len(places) != 1:
            problem = (
                "Ambiguous row field reference" if places else f"Column '{expression_text(node)}' cannot be resolved"
            )
            self.unit.fail("AMBIGUOUS_NAME" if places else "COLUMN_NOT_FOUND", node.pos, problem)
        held = field_names(base.type)[places[0]]
        return Value(f"({base.sql}).{quote(held)}", base.type.args[places[0]])

    # ------------------------------------------------------------------------------------ literals
    def _literal(self, node: tree.Literal) -> Value:
        return literals.literal(node, self.unit)

    def _typed_literal(self, node: tree.TypedLiteral) -> Value:
        return literals.typed_literal(node, self.unit)

    def _interval(self, node: tree.IntervalLiteral) -> Value:
        return literals.interval(node, self.unit)

    def _parameter(self, node: tree.Parameter) -> Value:
        if node.index >= len(self.unit.parameters):
            self.unit.fail("INVALID_PARAMETER_USAGE", node.pos, "Incorrect number of parameters: expected more values")
        return Analyser(self.queries, Scope()).visit(self.unit.parameters[node.index])

    def _special(self, node: tree.Special) -> Value:
        precision = 3 if node.precision is None else node.precision
        if precision > 6:
            self.unit.unsupported(f"{node.name} of a precision above 6", node.pos)
        name = node.name
        if name == "CURRENT_DATE":
            return Value("CAST(t_now() AS DATE)", DATE)
        if name in {"CURRENT_TIMESTAMP", "LOCALTIMESTAMP"}:
            now = "t_now()" if precision >= 6 else f"t_trunc_timestamp(t_now(), {10 ** (6 - precision)})"
            if name == "LOCALTIMESTAMP":
                return Value(now, Type("timestamp", precision=precision))
            return Value(f"t_zone_struct({now}, 'UTC')", Type("timestamp_tz", precision=precision))
        if name in {"CURRENT_TIME", "LOCALTIME"}:
            now = f"CAST(t_trunc_timestamp(t_now(), {10 ** (6 - min(precision, 6))}) AS TIME)"
            if name == "LOCALTIME":
                return Value(now, Type("time", precision=precision))
            return Value(f"t_time_zoned({now}, 0)", Type("time_tz", precision=precision))
        values = {
            "CURRENT_USER": "dapflow",
            "CURRENT_CATALOG": "awsdatacatalog",
            "CURRENT_SCHEMA": self.unit.database or "default",
        }
        if name not in values:
            self.unit.unsupported(name, node.pos)
        return Value("'" + values[name].replace("'", "''") + "'", VARCHAR)

    # ----------------------------------------------------------------------------------- operators
    def _binary(self, node: tree.Binary) -> Value:
        op = node.op
        left, right = self.visit(node.left), self.visit(node.right)
        if op == "||":
            if operators.ambiguous_concat(left.type, right.type):
                problem = f"Could not choose a best candidate operator concat({left.type}, {right.type})"
                self.unit.fail("AMBIGUOUS_FUNCTION_CALL", node.pos, problem)
            joined = operators.concat(left, right)
            if joined is None:
                self._no_operator("concat", "||", left, right, node.pos)
            return joined
        if op in {"+", "-", "*", "/", "%"}:
            result = operators.arithmetic(op, left, right)
            if result is None:
                self._no_operator("", op, left, right, node.pos)
            if op in {"/", "%"} and result.type.base in INTEGERS and self.unit.placed:
                self.unit.divisions.add(node.pos)
            return result
        return Value(self.comparison(op, left, right, node.pos), BOOLEAN)

    def comparison(self, op: str, left: Value, right: Value, pos: int) -> str:
        """A comparison of two values of any types."""
        both = common(left.type, right.type)
        if both is None:
            self._no_operator("", op, left, right, pos)
        exact = unwrapped(op, left, right)
        if exact is not None:
            return exact
        a, b = coerce(left, both), coerce(right, both)
        if op == "IS DISTINCT FROM":
            return operators.distinct_from(a.sql, b.sql, both)
        if op not in {"=", "<>"}:
            self.must_order(both, op, left, right, pos)
        elif not comparable(both):
            self._no_operator("", op, left, right, pos)
        return operators.compare(op, a, b, both)

    def must_order(self, t: Type, op: str, left: Value, right: Value, pos: int) -> None:
        """Refuse an order between values that have none."""
        if not orderable(t):
            self._no_operator("", op, left, right, pos)

    def _no_operator(self, function: str, op: str, left: Value, right: Value, pos: int) -> NoReturn:
        if function:
            self.unit.fail(
                "FUNCTION_NOT_FOUND", pos, f"Unexpected parameters ({left.type}, {right.type}) for function {function}"
            )
        self.unit.fail("TYPE_MISMATCH", pos, f"Cannot apply operator: {left.type} {op} {right.type}")

    def _unary(self, node: tree.Unary) -> Value:
        inner = node.expr
        if node.op == "-" and isinstance(inner, tree.Literal) and inner.kind == "integer":
            # The sign belongs to the number: the least of its type has no opposite.
            return literals.integer("-" + inner.value, node.pos, self.unit)
        value = self.visit(inner)
        if node.op == "-" and isinstance(inner, tree.Literal) and inner.kind == "double":
            negative = operators.negate(value)
            assert negative is not None  # noqa: S101 - numbers have a negative
            return Value(negative.sql, value.type, -value.const)
        if value.type.base == "unknown":
            return value
        result = operators.negate(value)
        if result is None:
            self.unit.fail("TYPE_MISMATCH", node.pos, f"Cannot negate {value.type}")
        return result if node.op == "-" else value

    def _logical(self, node: tree.Logical) -> Value:
        parts = [self.boolean(term, "Logical expression term") for term in node.terms]
        return Value(f"({f' {node.op} '.join(parts)})", BOOLEAN)

    def _not(self, node: tree.Not) -> Value:
        inner = node.expr
        if isinstance(inner, tree.Binary) and inner.op == "IS DISTINCT FROM":
            return Value(f"(NOT {self.visit(inner).sql})", BOOLEAN)
        return Value(f"(NOT {self.boolean(inner, 'Value of logical NOT expression')})", BOOLEAN)

    def _between(self, node: tree.Between) -> Value:
        value, low, high = self.visit(node.expr), self.visit(node.low), self.visit(node.high)
        both = common(value.type, low.type)
        both = common(both, high.type) if both else None
        if both is None:
            self.unit.fail(
                "TYPE_MISMATCH", node.pos, f"Cannot check if {value.type} is BETWEEN {low.type} and {high.type}"
            )
        low, high = coerce(low, both), coerce(high, both)
        self.must_order(both, "<", value, low, node.pos)
        if operators.plain(both):
            return Value(f"({coerce(value, both).sql} BETWEEN {low.sql} AND {high.sql})", BOOLEAN)

        def between(x: str) -> str:
            one = Value(x, value.type)
            return f"({self.comparison('>=', one, low, node.pos)} AND {self.comparison('<=', one, high, node.pos)})"

        return Value(let(value.sql, between), BOOLEAN)

    def _in_list(self, node: tree.InList) -> Value:
        value = self.visit(node.expr)
        items = [self.visit(item) for item in node.items]
        both: Type | None = value.type
        for item, source in zip(items, node.items, strict=True):
            wider = common(both, item.type) if both else None
            if wider is None:
                self.unit.fail(
                    "TYPE_MISMATCH",
                    source.pos,
                    f"IN value and list items must be the same type or coercible to a common type. "
                    f"Cannot find common type between {value.type} and {item.type}",
                )
            both = wider
        assert both is not None  # noqa: S101 - the loop fails otherwise
        value, items = coerce(value, both), [coerce(item, both) for item in items]
        if both.base == "unknown":
            return Value("CAST(NULL AS BOOLEAN)", BOOLEAN)
        if operators.plain(both):
            return Value(f"({value.sql} IN ({', '.join(item.sql for item in items)}))", BOOLEAN)
        return Value(
            let(
                value.sql,
                lambda x: "(" + " OR ".join(operators.compare("=", Value(x, both), i, both) for i in items) + ")",
            ),
            BOOLEAN,
        )

    def _like(self, node: tree.Like) -> Value:
        value, pattern = self.visit(node.expr), self.visit(node.pattern)
        escape = self.visit(node.escape) if node.escape is not None else None
        for one, source, what in (
            (value, node.expr, "Left side of LIKE expression"),
            (pattern, node.pattern, "Pattern for LIKE expression"),
        ):
            if one.type.base not in {"varchar", "char", "unknown"}:
                self.unit.fail("TYPE_MISMATCH", source.pos, f"{what} must evaluate to a varchar (actual: {one.type})")
        return Value(like_sql(value, pattern, escape, node.pos, self.unit), BOOLEAN)

    def _is_null(self, node: tree.IsNull) -> Value:
        return Value(f"({self.visit(node.expr).sql} IS NULL)", BOOLEAN)

    # ---------------------------------------------------------------------------------- conditions
    def unify(self, values: Sequence[Value], nodes: Sequence[tree.Expr], what: str) -> tuple[list[Value], Type]:
        """Values as one type."""
        both: Type = UNKNOWN
        for value, node in zip(values, nodes, strict=True):
            wider = common(both, value.type)
            if wider is None:
                self.unit.fail(
                    "TYPE_MISMATCH",
                    node.pos,
                    f"{what} must be the same type or coercible to a common type. "
                    f"Cannot find common type between {both} and {value.type}, all types (without duplicates): "
                    f"[{', '.join(dict.fromkeys(str(v.type) for v in values))}]",
                )
            both = wider
        return [coerce(value, both) for value in values], both

    def _case(self, node: tree.Case) -> Value:
        conditions = []
        if node.operand is not None:
            operand = self.visit(node.operand)
            for when, _ in node.whens:
                other = self.visit(when)
                if common(operand.type, other.type) is None:
                    self.unit.fail(
                        "TYPE_MISMATCH",
                        when.pos,
                        f"CASE operand type does not match WHEN clause operand type: {operand.type} vs {other.type}",
                    )
                conditions.append(self.comparison("=", operand, other, when.pos))
        else:
            conditions = [self.boolean(when, "CASE WHEN clause") for when, _ in node.whens]
        nodes = [then for _, then in node.whens]
        if node.default is not None:
            nodes.append(node.default)
        results, t = self.unify([self.visit(n) for n in nodes], nodes, "All CASE results")
        arms = " ".join(f"WHEN {c} THEN {r.sql}" for c, r in zip(conditions, results, strict=False))
        default = f" ELSE {results[-1].sql}" if node.default is not None else ""
        return Value(f"CASE {arms}{default} END", t)

    def _cast(self, node: tree.Cast) -> Value:
        value, t = self.visit(node.expr), node.type
        check_precision(self.unit, t, node.pos)
        check_precision(self.unit, value.type, node.expr.pos)
        if not castable(value.type, t):
            self.unit.fail("TYPE_MISMATCH", node.pos, f"Cannot cast {value.type} to {t}")
        sql = convert(value.sql, value.type, t)
        if value.sql == sql and value.type.base == t.base:
            return Value(sql, t, value.const)
        return Value(self.attempt(sql) if node.safe else sql, t)

    # ---------------------------------------------------------------------------------- structures
    def _array(self, node: tree.ArrayNode) -> Value:
        items, t = self.unify([self.visit(i) for i in node.items], node.items, "All ARRAY elements")
        if not items:
            return Value(f"CAST([] AS {duck_type(array(UNKNOWN))})", array(UNKNOWN))
        body = ", ".join(item.sql for item in items)
        return Value(f"CAST([{body}] AS {duck_type(array(t))})", array(t))

    def _row(self, node: tree.RowNode) -> Value:
        items = [self.visit(i) for i in node.items]
        t = row(*(i.type for i in items))
        parts = [f"{quote(n)}: {held(i)}" for n, i in zip(field_names(t), items, strict=True)]
        return Value("{" + ", ".join(parts) + "}", t)

    def _subscript(self, node: tree.Subscript) -> Value:
        base, index = self.visit(node.base), self.visit(node.index)
        t = base.type
        if t.base == "array":
            if index.type.base not in {*INTEGERS, "unknown"}:
                self._no_subscript(base, index, node.pos)
            at = coerce(index, BIGINT)
            if isinstance(index.const, int) and index.const <= 0:
                problem = (
                    "SQL array indices start at 1"
                    if index.const == 0
                    else f"Array subscript is negative: {index.const}"
                )
                return Value(failure_text("INVALID_FUNCTION_ARGUMENT", problem, t.args[0]), t.args[0])
            return Value(element(base.sql, at.sql, t.args[0]), t.args[0])
        if t.base == "map":
            if not can_coerce(index.type, t.args[0]):
                self._no_subscript(base, index, node.pos)
            key = coerce(index, t.args[0])
            return Value(map_value(base.sql, key.sql, t), t.args[1])
        if t.base == "row":
            if not isinstance(index.const, int) or not isinstance(node.index, tree.Literal):
                self.unit.fail(
                    "EXPRESSION_NOT_CONSTANT", node.index.pos, "Subscript expression on ROW requires a constant index"
                )
            if not 1 <= index.const <= len(t.args):
                self.unit.fail(
                    "INVALID_FUNCTION_ARGUMENT",
                    node.index.pos,
                    f"Invalid subscript index: {index.const}. ROW indices start at 1",
                )
            return Value(f"({base.sql}).{quote(field_names(t)[index.const - 1])}", t.args[index.const - 1])
        self._no_subscript(base, index, node.pos)

    def _no_subscript(self, base: Value, index: Value, pos: int) -> NoReturn:
        self.unit.fail("TYPE_MISMATCH", pos, f"Cannot use {index.type} for subscript of {base.type}")

    def _lambda(self, node: tree.Lambda) -> Value:
        self.unit.fail("SYNTAX_ERROR", node.pos, "Lambda expression should always be used inside a function")

    def apply_lambda(self, node: tree.Lambda, params: Sequence[Value]) -> Value:
        """The body of a lambda for given parameters."""
        self.lambdas.append(dict(zip(node.names, params, strict=True)))
        try:
            return self.visit(node.body)
        finally:
            self.lambdas.pop()

    def _at_time_zone(self, node: tree.AtTimeZone) -> Value:
        return self.call(tree.Call(node.pos, "at_timezone", (node.expr, node.zone)))

    def _json(self, node: tree.JsonCall) -> Value:
        return json_call(self, node)

    # ---------------------------------------------------------------------------------- subqueries
    def _scalar_query(self, node: tree.ScalarQuery) -> Value:
        sql, t = self.queries.nested(node, self)
        if len(t.args) != 1:
            whole = f"(SELECT {packed(t, inner := fresh('q'))} FROM ({sql}) AS {inner})"
            nothing = ", ".join(
                f"{quote(n)}: CAST(NULL AS {duck_type(part)})" for n, part in zip(field_names(t), t.args, strict=True)
            )
            self._subquery(Value(whole, t))
            return Value(f"coalesce({whole}, {{{nothing}}})", t)
        return self._subquery(Value(f"({sql})", t.args[0]))

    def _subquery(self, value: Value) -> Value:
        """Note the SQL of a subquery."""
        self.unit.subqueries.append(value.sql)
        return value

    def _in_query(self, node: tree.InQuery) -> Value:
        return self._quantified(tree.Quantified(node.pos, "=", "ANY", node.expr, node.query))

    def _quantified(self, node: tree.Quantified) -> Value:
        value = self.visit(node.expr)
        sql, t = self.queries.nested(node, self)
        inner = fresh("q")
        item = Value(packed(t, inner), t)
        if len(t.args) == 1 and not (
            value.type.base == "row" and len(value.type.args) == 1 and t.args[0].base != "row"
        ):
            item = Value(f"{inner}.c0", t.args[0])
        both = common(value.type, item.type)
        if both is None:
            self.unit.fail(
                "TYPE_MISMATCH",
                node.pos,
                f"Value expression and result of subquery must be of the same type: {value.type} vs {item.type}",
            )
        left = operators.comparable_form(coerce(value, both).sql, both)
        right = operators.comparable_form(coerce(item, both).sql, both)
        source = sql if right == f"{inner}.c0" else f"SELECT {right} FROM ({sql}) AS {inner}"
        if node.op == "=" and node.quantifier == "ANY":
            return self._subquery(Value(f"({left} IN ({source}))", BOOLEAN))
        if node.op == "<>" and node.quantifier == "ALL":
            return self._subquery(Value(f"({left} NOT IN ({source}))", BOOLEAN))
        if both.base == "row":
            return self._subquery(Value(_by_each(node, coerce(value, both), coerce(item, both), sql, inner), BOOLEAN))
        return self._subquery(Value(f"({left} {node.op} {node.quantifier} ({source}))", BOOLEAN))

    def _exists(self, node: tree.Exists) -> Value:
        sql, _ = self.queries.nested(node, self)
        return self._subquery(Value(f"EXISTS ({sql})", BOOLEAN))


def _by_each(node: tree.Quantified, left: Value, item: Value, sql: str, inner: str) -> str:
    """A comparison with each row of a subquery, where parts of rows may be NULL and the answer unknown."""
    test = operators.compare(node.op, left, item, item.type)
    some, all_ = ("FALSE", "TRUE") if node.quantifier == "ALL" else ("TRUE", "FALSE")
    decisive = "NOT t" if node.quantifier == "ALL" else "t"
    return (
        f"(SELECT CASE WHEN bool_or({decisive}) THEN {some} WHEN count(*) > count(t) THEN NULL ELSE {all_} END "
        f"FROM (SELECT {test} AS t FROM ({sql}) AS {inner}) AS {fresh('q')})"
    )


def _parts(node: tree.Expr) -> tuple[str, ...] | None:
    """A dotted name in parts."""
    names: list[str] = []
    while isinstance(node, tree.Deref):
        names.append(node.name)
        node = node.base
    if not isinstance(node, tree.Ident):
        return None
    names.append(node.name)
    return tuple(reversed(names))


_VISITS: dict[type, Callable[..., Value]] = {
    tree.Literal: Analyser._literal,
    tree.TypedLiteral: Analyser._typed_literal,
    tree.IntervalLiteral: Analyser._interval,
    tree.Parameter: Analyser._parameter,
    tree.Special: Analyser._special,
    tree.Given: Analyser._given,
    tree.Ident: Analyser._ident,
    tree.Deref: Analyser._deref,
    tree.Binary: Analyser._binary,
    tree.Unary: Analyser._unary,
    tree.Logical: Analyser._logical,
    tree.Not: Analyser._not,
    tree.Between: Analyser._between,
    tree.InList: Analyser._in_list,
    tree.InQuery: Analyser._in_query,
    tree.Quantified: Analyser._quantified,
    tree.Exists: Analyser._exists,
    tree.ScalarQuery: Analyser._scalar_query,
    tree.Like: Analyser._like,
    tree.IsNull: Analyser._is_null,
    tree.Case: Analyser._case,
    tree.Cast: Analyser._cast,
    tree.ArrayNode: Analyser._array,
    tree.RowNode: Analyser._row,
    tree.Subscript: Analyser._subscript,
    tree.Lambda: Analyser._lambda,
    tree.AtTimeZone: Analyser._at_time_zone,
    tree.JsonCall: Analyser._json,
    tree.Call: Analyser.call,
}
