"""SELECT: output columns, WHERE, groups, HAVING, DISTINCT and ORDER BY."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from dapflow.trino.coercion import comparable, orderable
from dapflow.trino.duckdb.analyser import Analyser
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.scope import Field, Scope
from dapflow.trino.duckdb.storage import duck_type, quote
from dapflow.trino.duckdb.values import Value
from dapflow.trino.functions import AGGREGATES
from dapflow.trino.syntax import tree
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.queries import Compiled
    from dapflow.trino.duckdb.relations import Source
    from dapflow.trino.duckdb.unit import Unit

#: Functions whose answer is not the same each time; conditions with them are not passed to tables.
_UNSTEADY = frozenset({"random", "rand", "uuid", "now", "shuffle"})


class SelectCompiler:
    """Compiles SELECT."""

    unit: Unit

    if TYPE_CHECKING:

        def relation(self, node: tree.RelationNode, parent: Scope | None, beside: list[Field]) -> Source:
            """A relation; the relation compiler gives it."""
            ...

        def ordinal(self, item: tree.SortItem, count: int) -> int | None:
            """The output column that an ORDER BY number means."""
            ...

        def limited(
            self, sql: str, keys: Sequence[str], offset: str | None, limit: str | None, ties: bool, count: int
        ) -> str:
            """Add ORDER BY, OFFSET and LIMIT."""
            ...

    def select(
        self,
        node: tree.Select,
        parent: Scope | None,
        order: Sequence[tree.SortItem],
        offset: str | None,
        limit: str | None,
        ties: bool,
    ) -> Compiled:
        """One SELECT with the ORDER BY and LIMIT that follow it."""
        from dapflow.trino.duckdb.queries import Compiled  # noqa: PLC0415 - queries build on selects

        outer_deps, self.unit.deps = self.unit.deps, set()
        source = self.relation(node.source, parent, []) if node.source is not None else None
        scope = Scope(source.fields if source else [], parent)
        analyser = Analyser(self, scope)  # type: ignore[arg-type]
        analyser.windows = dict(node.windows)
        before, self.unit.correlated = self.unit.correlated, False
        where = self._where(node, analyser, scope)
        if limit is not None and self.unit.correlated and node.groups is None and node.where is not None:
            self._check_correlated_limit(node, node.where, limit, analyser)
        self.unit.correlated = self.unit.correlated or before
        items = self._items(node, scope, analyser)
        self._check_outer_columns(node, limit, items, scope)
        grouped = (
            node.groups is not None or node.having is not None or _aggregates((node.items, *(s.expr for s in order)))
        )
        group_sql = self._groups(node, analyser, items, scope) if grouped else ""
        self.unit.read(self.unit.deps)
        values: list[Value] = []
        fields: list[Field] = []
        for i, (expr, name, written, one) in enumerate(items):
            self.unit.deps = set()
            value = Value(one.sql, one.type) if one is not None and not grouped else analyser.top(expr)
            if one is not None and not grouped:
                self.unit.use(one)
            values.append(value)
            deps = frozenset(self.unit.deps)
            origin = self._origin(expr, one, analyser) if not grouped else None
            fields.append(Field(name, value.type, f"c{i}", origin=origin, written=written, deps=deps))
        self.unit.deps = set()
        having = analyser.boolean(node.having, "HAVING clause") if node.having is not None else None
        keys = self._order(node, order, analyser, items, values)
        self.unit.read(self.unit.deps)
        if node.distinct:
            self._check_distinct(node, fields)
            for one in fields:
                self.unit.read(one.deps)
        if limit is not None or offset is not None or _windowed((node.items, tuple(order))):
            for one in fields:
                one.origin = None
        self.unit.deps = outer_deps
        listed = ", ".join(f"{_output(v)} AS c{i}" for i, v in enumerate(values))
        if ties:
            listed, keys = _named_keys(listed, keys)
        sql = f"SELECT {_distinct(values) if node.distinct else ''}{listed}"
        if source is not None:
            sql += f" FROM {source.sql.removeprefix('LATERAL ')}"
        if where:
            sql += f" WHERE {where}"
        sql += group_sql
        if having:
            sql += f" HAVING {having}"
        if ties:
            sql = f"SELECT * FROM ({sql}) AS ties"
        return Compiled(self.limited(sql, keys, offset, limit, ties, len(values)), fields, bool(keys))

    # --------------------------------------------------------------------------------------- where
    def _where(self, node: tree.Select, analyser: Analyser, scope: Scope) -> str | None:
        if node.where is None:
            return None
        analyser.aggregates_allowed = "WHERE clause"
        condition = analyser.boolean(node.where, "WHERE clause")
        analyser.aggregates_allowed = None
        self.push(node.where, scope)
        return condition

    def _check_correlated_limit(self, node: tree.Select, where: tree.Expr, limit: str, analyser: Analyser) -> None:
        """Refuse a correlated LIMIT where Trino does: it must be told by equality which rows belong together."""
        held: set[int] = set()
        for term in where.terms if isinstance(where, tree.Logical) and where.op == "AND" else (where,):
            self.unit.correlated = False
            analyser.visit(term)
            before, self.unit.seen = self.unit.seen, []
            analyser.visit(term)
            mixed = any(one in analyser.scope.fields for one in self.unit.seen)
            self.unit.seen = before
            if not self.unit.correlated or not mixed:
                continue
            sides = (term.left, term.right) if isinstance(term, tree.Binary) and term.op == "=" else ()
            own = [
                f for s in sides if isinstance(s, tree.Ident | tree.Deref) and (f := analyser.field_of(s)) is not None
            ]
            floats = sum(analyser.visit(s).type.base in {"double", "real"} for s in sides)
            if not own or floats == 1:
                self.unit.fail("NOT_SUPPORTED", node.pos, "Given correlated subquery is not supported")
            held.update(id(f) for f in own)
        self.unit.correlated = True
        outputs = [i.expr if isinstance(i, tree.SelectItem) else None for i in node.items]
        if limit in {"1", "CAST(1 AS BIGINT)"} and not all(
            e is not None and self._constant_in(e, held, analyser) for e in outputs
        ):
            self.unit.fail("NOT_SUPPORTED", node.pos, "Given correlated subquery is not supported")

    def _check_distinct(self, node: tree.Select, fields: Sequence[Field]) -> None:
        for one, item in zip(fields, node.items, strict=False):
            if not comparable(one.type):
                self.unit.fail(
                    "TYPE_MISMATCH",
                    item.pos,
                    f"DISTINCT can only be applied to comparable types (actual: {one.type})",
                )

    def _check_outer_columns(
        self,
        node: tree.Select,
        limit: str | None,
        items: Sequence[tuple[tree.Expr, Any, Any, Field | None]],
        scope: Scope,
    ) -> None:
        """Refuse LIMIT beside all columns of an outer table, as Trino does."""
        single = node.source is None and limit not in {"0", "CAST(0 AS BIGINT)"}
        if limit is None or single or _one_row(node.source):
            return
        for expr, _, _, one in items:
            if one is not None and one not in scope.fields:
                self.unit.fail("NOT_SUPPORTED", expr.pos, "Given correlated subquery is not supported")

    @staticmethod
    def _constant_in(expr: tree.Expr, held: set[int], analyser: Analyser) -> bool:
        if isinstance(expr, tree.Literal):
            return True
        return isinstance(expr, tree.Ident | tree.Deref) and id(analyser.field_of(expr)) in held

    def push(self, condition: tree.Expr, scope: Scope) -> None:
        """Give conditions on one table's columns and literals to that table, so that files can be left out."""
        terms = condition.terms if isinstance(condition, tree.Logical) and condition.op == "AND" else (condition,)
        # The table knows its columns by their own names.
        stored = Scope([replace(f, sql=quote(f.origin[1])) if f.origin is not None else f for f in scope.fields])
        for term in terms:
            if isinstance(term, tree.Logical) and term.op == "AND":
                self.push(term, scope)
                continue
            if not _literal_condition(term):
                continue
            before, deps, self.unit.seen = self.unit.seen, self.unit.deps, []
            self.unit.deps = set()
            sql = Analyser(self, stored).visit(term).sql if _resolvable(term, scope) else ""  # type: ignore[arg-type]
            seen, self.unit.seen, self.unit.deps = self.unit.seen, before, deps
            scans = {id(f.origin[0]): f.origin[0] for f in seen if f.origin is not None}
            if len(scans) != 1 or any(f.origin is None for f in seen):
                continue
            next(iter(scans.values())).predicates.append(sql)

    def _origin(self, expr: Any, one: Field | None, analyser: Analyser) -> Any:
        if one is None and isinstance(expr, tree.Ident | tree.Deref):
            one = analyser.field_of(expr)
        return one.origin if one is not None else None

    # --------------------------------------------------------------------------------------- items
    def _items(
        self, node: tree.Select, scope: Scope, analyser: Analyser
    ) -> list[tuple[tree.Expr, str | None, str | None, Field | None]]:
        """Output columns: expression, name, name as written, and the field for what `*` stands for."""
        found: list[tuple[tree.Expr, str | None, str | None, Field | None]] = []
        for item in node.items:
            if isinstance(item, tree.AllColumns):
                found += self._all(item, node, scope, analyser)
                continue
            written = item.alias
            if written is None and isinstance(item.expr, tree.Ident | tree.Deref):
                written = item.expr.written
            found.append((item.expr, written.lower() if written else None, written, None))
        return found

    def _all(
        self, item: tree.AllColumns, node: tree.Select, scope: Scope, analyser: Analyser
    ) -> list[tuple[tree.Expr, str | None, str | None, Field | None]]:
        if item.base is None:
            fields = [f for f in scope.fields if not f.hidden]
            if node.source is None or not fields:
                self.unit.fail("COLUMN_NOT_FOUND", item.pos, "SELECT * not allowed in queries without FROM clause")
            return [(tree.Given(item.pos, f.written or "", f), f.name, f.written, f) for f in fields]
        parts = _name_parts(item.base)
        at: Scope | None = scope
        depth = 0
        while parts and at is not None:
            if at.has_relation(parts):
                bare = node.where is None or isinstance(node.where, tree.Literal)
                if depth > 1 or (depth and not bare):
                    self.unit.unsupported("SELECT of all columns of a table of an outer query here", item.pos)
                fields = [f for f in at.fields if f.qualifier[-len(parts) :] == parts and not f.hidden]
                if item.aliases and len(item.aliases) != len(fields):
                    self.unit.fail(
                        "MISMATCHED_COLUMN_ALIASES", item.pos, "Column alias list has wrong number of entries"
                    )
                names = item.aliases or [f.written for f in fields]
                return [
                    (tree.Given(item.pos, f.written or "", f), n.lower() if n else None, n, f)
                    for f, n in zip(fields, names, strict=True)
                ]
            at = at.parent
            depth += 1
        if parts and len(parts) == 1 and not scope.named(parts[0]):
            self.unit.fail("TABLE_NOT_FOUND", item.pos, f"Unable to resolve reference {parts[0]}")
        value = analyser.visit(item.base)
        if value.type.base != "row":
            self.unit.fail("TYPE_MISMATCH", item.pos, f"expected expression of type Row, actual type {value.type}")
        rows = []
        for i in range(len(value.type.args)):
            row_names = item.aliases or value.type.names or (None,) * len(value.type.args)
            shown = row_names[i]
            rows.append(
                (
                    tree.Subscript(item.pos, item.base, tree.Literal(item.pos, "integer", str(i + 1))),
                    shown.lower() if shown else None,
                    shown,
                    None,
                )
            )
        return rows  # type: ignore[return-value]

    # -------------------------------------------------------------------------------------- groups
    def _groups(self, node: tree.Select, analyser: Analyser, items: list[Any], scope: Scope) -> str:
        keys: dict[Any, Value] = {}
        parts = []
        every: list[list[list[str]]] = []
        analyser.aggregates_allowed = "GROUP BY clause"
        for grouping in node.groups or ():
            sets = []
            for group in grouping.sets:
                sqls = []
                for expr in group:
                    expr = self._group_expression(expr, items)  # noqa: PLW2901 - the number stands for the expression
                    before, self.unit.correlated = self.unit.correlated, False
                    value = self._group_value(expr, analyser)
                    if self.unit.correlated:
                        self.unit.fail("NOT_SUPPORTED", expr.pos, "Given correlated subquery is not supported")
                    self.unit.correlated = before
                    same = comparable_form(value.sql, value.type)
                    if same != value.sql:
                        # Values that are equal may look different: any of them stands for the group.
                        one = f"any_value({value.sql})"
                        held = one if grouping.kind == "simple" else f"CASE WHEN grouping({same}) = 0 THEN {one} END"
                        value = Value(held, value.type)
                        self.unit.aggregated.append(held)
                    keys.setdefault(analyser.key(expr), value)
                    sqls.append(same)
                sets.append(sqls)
            every.append(_grouping_sets(grouping.kind, sets))
            lists = ", ".join(f"({', '.join(sqls)})" for sqls in sets)
            if grouping.kind == "simple":
                parts.append(", ".join(sets[0]) or "()")
            else:
                name = {"rollup": "ROLLUP", "cube": "CUBE", "sets": "GROUPING SETS"}[grouping.kind]
                parts.append(f"{name} ({lists})")
        analyser.aggregates_allowed = None
        analyser.groups = keys
        if node.distinct_groups:
            chosen = {frozenset(sql for one in combined for sql in one): None for combined in product(*every)}
            parts = [f"GROUPING SETS ({', '.join('(' + ', '.join(sorted(one)) + ')' for one in chosen)})"]
        return " GROUP BY " + ", ".join(parts) if parts else ""

    def _group_value(self, expr: tree.Expr, analyser: Analyser) -> Value:
        value = analyser.visit(expr)
        if not comparable(value.type):
            problem = f"{value.type} is not comparable, and therefore cannot be used in GROUP BY"
            self.unit.fail("TYPE_MISMATCH", expr.pos, problem)
        if value.const is not None or isinstance(expr, tree.Literal):
            return Value(f"CAST({value.sql} AS {duck_type(value.type)})", value.type)
        return value

    def _group_expression(self, expr: tree.Expr, items: list[Any]) -> tree.Expr:
        if not isinstance(expr, tree.Literal) or expr.kind != "integer":
            return expr
        number = int(expr.value)
        if not 1 <= number <= len(items):
            self.unit.fail("INVALID_COLUMN_REFERENCE", expr.pos, f"GROUP BY position {number} is not in select list")
        found: tree.Expr = items[number - 1][0]
        return found

    # --------------------------------------------------------------------------------------- order
    def _order(
        self,
        node: tree.Select,
        order: Sequence[tree.SortItem],
        analyser: Analyser,
        items: list[Any],
        values: list[Value],
    ) -> list[str]:
        if not order:
            return []
        aliases: dict[str, Value | None] = {}
        for (_, name, _, _), value in zip(items, values, strict=True):
            if name is not None:
                known = aliases.get(name, value)
                aliases[name] = value if known is not None and known.sql == value.sql else None
        # What an expression looks like in SQL may differ from one place to the next: its names are made as it is read.
        forms = [analyser.key(expr) for expr, _, _, _ in items]
        analyser.aliases = aliases
        keys = []
        for item in order:
            place = self.ordinal(item, len(values))
            value = values[place] if place is not None else analyser.top(item.expr)
            sql = comparable_form(value.sql, value.type)
            form = analyser.key(item.expr)
            same = [
                i
                for i, v in enumerate(values)
                if (v.sql == value.sql and v.type == value.type) or (place is None and forms[i] == form)
            ]
            complex_key = place is None and not isinstance(item.expr, tree.Ident | tree.Deref)
            if place is None and node.distinct and (not same or (complex_key and _mentions_any(item.expr, aliases))):
                self.unit.fail(
                    "EXPRESSION_NOT_IN_DISTINCT",
                    item.pos,
                    "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                )
            if same and sql == value.sql:
                self._must_order(value.type, item)
                keys.append(analyser.sort_key(item, str(same[0] + 1)))
            elif value.const is not None or value.type.base == "unknown":
                continue
            else:
                self._must_order(value.type, item)
                keys.append(analyser.sort_key(item, sql))
        analyser.aliases = {}
        return keys

    def _must_order(self, t: Type, item: tree.SortItem) -> None:
        if not orderable(t):
            self.unit.fail(
                "TYPE_MISMATCH", item.pos, f"Type {t} is not orderable, and therefore cannot be used in ORDER BY"
            )


def _one_row(node: tree.RelationNode | None) -> bool:
    """Whether a relation is VALUES with a single row."""
    body = node.query.body if isinstance(node, tree.SubqueryNode) else None
    return isinstance(body, tree.Values) and len(body.rows) == 1


def distinct_on(fields: Sequence[Field]) -> str:
    """DISTINCT, for rows that may be equal though they look different."""
    forms = [comparable_form(f"c{i}", one.type) for i, one in enumerate(fields)]
    plain = all(form == f"c{i}" for i, form in enumerate(forms))
    return "DISTINCT " if plain else f"DISTINCT ON ({', '.join(forms)}) "


def _distinct(values: Sequence[Value]) -> str:
    """DISTINCT for a SELECT, where `c0` could as well be a column of what it reads."""
    forms = [comparable_form(one.sql, one.type) for one in values]
    if all(form == one.sql for form, one in zip(forms, values, strict=True)):
        return "DISTINCT "
    # A number on its own would be the place of a column.
    return f"DISTINCT ON ({', '.join(f'CAST({form} AS VARCHAR)' if form.isdigit() else form for form in forms)}) "


def _named_keys(listed: str, keys: Sequence[str]) -> tuple[str, list[str]]:
    """Output columns with those added that the order needs, and the order by names of columns."""
    named = []
    for i, key in enumerate(keys):
        m = re.fullmatch(r"(.*) ((?:ASC|DESC) NULLS (?:FIRST|LAST))", key, re.DOTALL)
        assert m is not None  # noqa: S101 - every key is written so
        if m[1].isdigit():
            named.append(f"c{int(m[1]) - 1} {m[2]}")
        else:
            listed += f", {m[1]} AS k{i}"
            named.append(f"k{i} {m[2]}")
    return listed, named


def _grouping_sets(kind: str, sets: list[list[str]]) -> list[list[str]]:
    """The sets that one element of GROUP BY stands for."""
    if kind == "rollup":
        return [[sql for one in sets[:count] for sql in one] for count in range(len(sets), -1, -1)]
    if kind == "cube":
        chosen = (c for count in range(len(sets), -1, -1) for c in combinations(sets, count))
        return [[sql for one in c for sql in one] for c in chosen]
    return sets


def _output(value: Value) -> str:
    return f"CAST({value.sql} AS INTEGER)" if value.type.base == "unknown" else value.sql


def _mentions_any(node: object, names: Container[str]) -> bool:
    """Whether an expression uses one of these names: in ORDER BY they mean output columns."""
    if isinstance(node, tree.Ident):
        return node.name in names
    return _inside(node, lambda part: _mentions_any(part, names))


def _name_parts(node: tree.Expr) -> tuple[str, ...]:
    names: list[str] = []
    while isinstance(node, tree.Deref):
        names.append(node.name)
        node = node.base
    if not isinstance(node, tree.Ident):
        return ()
    return (node.name, *reversed(names))


def _aggregates(node: object) -> bool:
    """Whether a part of a query calls an aggregate of this query."""
    if isinstance(node, tree.Call) and node.over is None and node.name in AGGREGATES:
        return True
    return _inside(node, _aggregates)


def _windowed(node: object) -> bool:
    """Whether a part of a query calls a window function of this query."""
    if isinstance(node, tree.Call) and node.over is not None:
        return True
    return _inside(node, _windowed)


def _inside(node: object, test: Any) -> bool:
    if isinstance(node, tuple):
        return any(test(part) for part in node)
    if isinstance(node, tree.Node) and not isinstance(node, tree.QueryNode):
        return any(test(getattr(node, n)) for n in tree.children(type(node)))
    return False


_CONDITION = (tree.Binary, tree.Between, tree.InList, tree.Like, tree.Logical)
_OPERAND = (
    tree.Literal,
    tree.TypedLiteral,
    tree.Ident,
    tree.Deref,
    tree.Cast,
    tree.Unary,
    tree.Special,
    tree.Call,
    tree.IntervalLiteral,
    tree.Parameter,
)


def _literal_condition(node: object) -> bool:
    """Whether a condition is made of columns and literals, and is never true of NULL."""
    if isinstance(node, tree.Call) and (
        node.over is not None or node.name in _UNSTEADY or node.name in {"coalesce", "if", "try"}
    ):
        return False
    if isinstance(node, tree.Binary) and node.op == "IS DISTINCT FROM":
        return False
    if not isinstance(node, (*_CONDITION, *_OPERAND)):
        return False
    for name in tree.children(type(node)):
        part = getattr(node, name)
        for one in part if isinstance(part, tuple) else (part,):
            if isinstance(one, tree.Node) and not _literal_condition(one):
                return False
    return True


def _resolvable(node: object, scope: Scope) -> bool:
    """Whether every name in the condition is a column of this very query."""
    if isinstance(node, tree.Ident):
        return len(scope.named(node.name)) == 1
    if isinstance(node, tree.Deref):
        parts = _name_parts(node)
        return bool(parts) and len(scope.qualified(parts[:-1], parts[-1])) == 1
    if isinstance(node, tuple):
        return all(_resolvable(part, scope) for part in node)
    if isinstance(node, tree.Node):
        return all(_resolvable(getattr(node, n), scope) for n in tree.children(type(node)))
    return True
