"""Queries: WITH, set operations, VALUES, ORDER BY and LIMIT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dapflow.trino.coercion import common
from dapflow.trino.duckdb.analyser import Analyser
from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.relations import RelationCompiler
from dapflow.trino.duckdb.scope import Field, Scope
from dapflow.trino.duckdb.selects import SelectCompiler, distinct_on
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.values import Value, fresh
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT, Type, row

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import ScanBuilder, Unit


@dataclass(slots=True)
class Compiled:
    """SQL whose columns are named c0, c1, …; the fields tell what they are."""

    sql: str
    fields: list[Field]
    ordered: bool = False


@dataclass(slots=True, eq=False)
class NamedQuery:
    """A WITH query that may be used by name. `sql_name` is set when it is kept as one in DuckDB."""

    cte: tree.Cte
    scope: Environment
    sql_name: str | None = None
    fields: list[Field] = field(default_factory=list)
    scans: tuple[ScanBuilder, ...] = ()


@dataclass(slots=True, eq=False)
class Environment:
    """WITH queries by name, innermost first."""

    names: dict[str, NamedQuery] = field(default_factory=dict)
    parent: Environment | None = None

    def find(self, name: str) -> NamedQuery | None:
        """The WITH query of a name."""
        one: Environment | None = self
        while one is not None:
            if name in one.names:
                return one.names[name]
            one = one.parent
        return None


class QueryCompiler(RelationCompiler, SelectCompiler):
    """Compiles queries of one statement (or of one view in it)."""

    def __init__(self, unit: Unit, environment: Environment | None = None) -> None:
        self.unit = unit
        self.environment = environment or Environment()

    def nested(self, node: tree.ScalarQuery | tree.Quantified | tree.Exists, analyser: Analyser) -> tuple[str, Type]:
        """A subquery in an expression."""
        if analyser.lambdas:
            self.unit.fail("NOT_SUPPORTED", node.pos, "Lambda expression cannot contain subqueries")
        seen = self.unit.deps
        self.unit.deps = set()
        found = self.query(node.query, analyser.scope)
        for one in found.fields:
            self.unit.read(one.deps)
        self.unit.read(self.unit.deps)
        self.unit.deps = seen
        names = tuple(one.name for one in found.fields)
        return found.sql, row(*(one.type for one in found.fields), names=names)

    # ------------------------------------------------------------------------------------- queries
    def query(self, node: tree.QueryNode, parent: Scope | None) -> Compiled:
        """A whole query."""
        before = self.environment
        prefix = ""
        if node.ctes:
            prefix = self._with(node, parent)
        try:
            found = self._ordered(node, parent)
        finally:
            self.environment = before
        found.sql = prefix + found.sql
        return found

    def _with(self, node: tree.QueryNode, parent: Scope | None) -> str:
        self.environment = Environment({}, self.environment)
        shared = []
        seen: set[str] = set()
        for i, cte in enumerate(node.ctes):
            if cte.name in seen:
                self.unit.fail(
                    "DUPLICATE_NAMED_QUERY", cte.pos, f"WITH query name '{cte.name}' specified more than once"
                )
            seen.add(cte.name)
            later = (*(c.query for c in node.ctes[i + 1 :]), node.body, *(s.expr for s in node.order))
            recursive = node.recursive and _mentions(cte.query, cte.name) > 0
            uses = sum(_mentions(part, cte.name) for part in later)
            if recursive:
                shared.append(self._recursive(cte, parent))
            elif uses == 1:
                self.environment = Environment({cte.name: NamedQuery(cte, self.environment)}, self.environment)
            else:
                start = len(self.unit.scans)
                found = self._aliased_columns(self.query(cte.query, parent), cte)
                name = fresh("w")
                if uses:
                    shared.append(f"{name} AS ({found.sql})")
                named = NamedQuery(cte, self.environment, name, found.fields, self.unit.share(start, found.sql))
                self.environment = Environment({cte.name: named}, self.environment)
        if not shared:
            return ""
        return f"WITH {'RECURSIVE ' if node.recursive else ''}{', '.join(shared)} "

    def _aliased_columns(self, found: Compiled, cte: tree.Cte) -> Compiled:
        if cte.columns is not None:
            if len(cte.columns) != len(found.fields):
                self.unit.fail(
                    "MISMATCHED_COLUMN_ALIASES",
                    cte.pos,
                    f"WITH column alias list has {len(cte.columns)} entries, but WITH query(columns) has "
                    f"{len(found.fields)} columns",
                )
            for one, name in zip(found.fields, cte.columns, strict=True):
                one.name, one.written = name.lower(), name
        return found

    def _recursive(self, cte: tree.Cte, parent: Scope | None) -> str:
        body = cte.query.body
        if not isinstance(body, tree.SetOperation) or body.op != "UNION":
            self.unit.fail(
                "INVALID_RECURSIVE_REFERENCE", cte.pos, "recursive query must be a UNION of an anchor and a step"
            )
        if cte.columns is None:
            self.unit.fail("MISSING_COLUMN_ALIASES", cte.pos, "missing column aliases in recursive WITH query")
        start = len(self.unit.scans)
        anchor = self._aliased_columns(self.body(body.left, parent), cte)
        for one in anchor.fields:
            self.unit.read(one.deps)
        name = fresh("w")
        fields = [Field(f.name, f.type, f.sql, written=f.written) for f in anchor.fields]
        named = NamedQuery(cte, self.environment, name, fields)
        self.environment = Environment({cte.name: named}, self.environment)
        step = self.body(body.right, parent)
        if len(step.fields) != len(fields):
            self.unit.fail(
                "TYPE_MISMATCH", cte.pos, "base and step relations of recursion have different numbers of fields"
            )
        for i, (a, b) in enumerate(zip(fields, step.fields, strict=True)):
            if common(a.type, b.type) != a.type:
                self.unit.fail(
                    "TYPE_MISMATCH",
                    cte.pos,
                    f"recursion step relation output type ({b.type}) is not coercible to recursion base "
                    f"relation output type ({a.type}) at column {i + 1}",
                )
            self.unit.read(b.deps)
        named.scans = self.unit.share(start, anchor.sql + step.sql)
        step_sql = self._cast_columns(step, [f.type for f in fields])
        anchor_sql = self._cast_columns(anchor, [f.type for f in fields])
        columns = ", ".join(f"c{i}" for i in range(len(fields)))
        if body.all and not re.search(rf"\b{name}\b", step_sql):
            # The name meant another query inside the step, so that there is nothing to repeat.
            return f"{name}({columns}) AS (({anchor_sql}) UNION ALL ({step_sql}))"
        if body.all:
            return _unrolled(name, columns, anchor_sql, step_sql)
        return f"{name}({columns}) AS (({anchor_sql}) UNION ({step_sql}))"

    def _ordered(self, node: tree.QueryNode, parent: Scope | None) -> Compiled:
        limit, offset = self._count(node.limit), self._count(node.offset)
        if isinstance(node.body, tree.Select):
            return self.select(node.body, parent, node.order, offset, limit, node.ties)
        found = self.body(node.body, parent)
        if not node.order and limit is None and offset is None:
            return found
        inner = fresh("q")
        scope = Scope([Field(f.name, f.type, f"{inner}.c{i}", deps=f.deps) for i, f in enumerate(found.fields)], parent)
        analyser = Analyser(self, scope)
        keys = []
        for item in node.order:
            ordinal = self.ordinal(item, len(found.fields))
            if ordinal is None:
                keys.append(analyser.sort_key(item))
            else:
                one = scope.fields[ordinal]
                keys.append(analyser.sort_key(item, one.sql + (".u" if one.type.base == "timestamp_tz" else "")))
        for one in found.fields:
            one.origin = None
        sql = f"SELECT * FROM ({found.sql}) AS {inner}"
        return Compiled(self.limited(sql, keys, offset, limit, node.ties, len(found.fields)), found.fields, bool(keys))

    def _count(self, node: tree.Expr | None) -> str | None:
        if node is None:
            return None
        value = Analyser(self, Scope()).visit(node)
        return coerce(value, BIGINT).sql

    def ordinal(self, item: tree.SortItem, count: int) -> int | None:
        """The output column that an ORDER BY number means."""
        if not isinstance(item.expr, tree.Literal) or item.expr.kind != "integer":
            return None
        number = int(item.expr.value)
        if not 1 <= number <= count:
            self.unit.fail(
                "INVALID_COLUMN_REFERENCE", item.expr.pos, f"ORDER BY position {number} is not in select list"
            )
        return number - 1

    def limited(
        self, sql: str, keys: Sequence[str], offset: str | None, limit: str | None, ties: bool, count: int
    ) -> str:
        """Add ORDER BY, OFFSET and LIMIT to a SELECT."""
        order = f" ORDER BY {', '.join(keys)}" if keys else ""
        if ties:
            if not keys:
                self.unit.fail("MISSING_ORDER_BY", 0, "FETCH FIRST WITH TIES clause requires ORDER BY")
            columns = ", ".join(f"c{i}" for i in range(count))
            return (
                f"SELECT {columns} FROM (SELECT *, max(CASE WHEN rn <= {offset or 0} + {limit} THEN rk END) "
                f"OVER () AS mk FROM "
                f"(SELECT *, row_number() OVER (ORDER BY rk) AS rn FROM ({self._ranked(sql, keys)}) AS ts) AS "
                f"tt) AS tu "
                f"WHERE rk <= mk AND rn > {offset or 0} ORDER BY rn"
            )
        if offset:
            order += f" OFFSET {offset}" if limit is None else ""
        if limit is not None:
            order += f" LIMIT {limit}" + (f" OFFSET {offset}" if offset else "")
        return sql + order

    def _ranked(self, sql: str, keys: Sequence[str]) -> str:
        head, _, rest = sql.partition("SELECT ")
        # The rank stands first, where no FROM of a subquery can be taken for the query's own.
        return f"{head}SELECT rank() OVER (ORDER BY {', '.join(keys)}) AS rk, {rest}"

    # -------------------------------------------------------------------------------------- bodies
    def body(self, node: tree.BodyNode, parent: Scope | None) -> Compiled:
        """What stands before ORDER BY."""
        if isinstance(node, tree.Select):
            return self.select(node, parent, (), None, None, False)
        if isinstance(node, tree.Values):
            return self._values(node, parent)
        if isinstance(node, tree.Nested):
            found = self.query(node.query, parent)
            found.sql = f"SELECT * FROM ({found.sql}) AS {fresh('q')}"
            return found
        if isinstance(node, tree.TableBody):
            item = tree.AllColumns(node.pos, None, ())
            return self.select(
                tree.Select(node.pos, False, (item,), node.table, None, None, None, ()), parent, (), None, None, False
            )
        assert isinstance(node, tree.SetOperation)  # noqa: S101 - no other body exists
        return self._set_operation(node, parent)

    def _set_operation(self, node: tree.SetOperation, parent: Scope | None) -> Compiled:
        left, right = self.body(node.left, parent), self.body(node.right, parent)
        if len(left.fields) != len(right.fields):
            self.unit.fail(
                "TYPE_MISMATCH",
                node.right.pos,
                f"{node.op} query has different number of fields: {len(left.fields)}, {len(right.fields)}",
            )
        types, fields = [], []
        for i, (a, b) in enumerate(zip(left.fields, right.fields, strict=True)):
            both = common(a.type, b.type)
            if both is None:
                self.unit.fail(
                    "TYPE_MISMATCH",
                    node.right.pos,
                    f"column {i + 1} in {node.op} query has incompatible types: {a.type}, {b.type}",
                )
            types.append(both)
            deps = a.deps | b.deps
            if not (node.op == "UNION" and node.all):
                self.unit.read(deps)
            fields.append(Field(a.name, both, f"c{i}", deps=deps, written=a.written))
        left_sql, right_sql = self._cast_columns(left, types), self._cast_columns(right, types)
        distinct = distinct_on(fields)
        plain = distinct == "DISTINCT "
        if node.all and node.op != "UNION" and not plain:
            self.unit.unsupported(f"{node.op} ALL of values with time zones", node.pos)
        if node.all or plain:
            return Compiled(f"({left_sql}) {node.op} {'ALL ' if node.all else ''}({right_sql})", fields)
        if node.op != "UNION":
            return Compiled(self._beside(node.op, left_sql, right_sql, fields, distinct), fields)
        return Compiled(f"SELECT {distinct}* FROM (({left_sql}) UNION ALL ({right_sql})) AS {fresh('q')}", fields)

    @staticmethod
    def _beside(op: str, left: str, right: str, fields: Sequence[Field], distinct: str) -> str:
        """INTERSECT or EXCEPT of rows that may be equal though they look different."""
        a, b = fresh("q"), fresh("q")
        same = " AND ".join(
            f"{comparable_form(f'{a}.{one.sql}', one.type)} IS NOT DISTINCT FROM "
            f"{comparable_form(f'{b}.{one.sql}', one.type)}"
            for one in fields
        )
        test = "EXISTS" if op == "INTERSECT" else "NOT EXISTS"
        return f"SELECT {distinct}* FROM ({left}) AS {a} WHERE {test} (SELECT 1 FROM ({right}) AS {b} WHERE {same})"

    def _cast_columns(self, found: Compiled, types: Sequence[Type]) -> str:
        inner = fresh("q")
        parts = []
        for i, (one, t) in enumerate(zip(found.fields, types, strict=True)):
            sql = coerce(Value(f"{inner}.c{i}", one.type), t).sql
            parts.append(f"CAST({sql} AS {duck_type(t)}) AS c{i}")
        return f"SELECT {', '.join(parts)} FROM ({found.sql}) AS {inner}"

    def _values(self, node: tree.Values, parent: Scope | None) -> Compiled:
        analyser = Analyser(self, Scope(parent=parent))
        rows = [self._value_row(analyser, item) for item in node.rows]
        width = len(rows[0])
        types: list[Type] = []
        for values, source in zip(rows, node.rows, strict=True):
            if len(values) != width:
                self.unit.fail(
                    "TYPE_MISMATCH",
                    node.pos,
                    f"Values rows have mismatched types: row 1 has {width} columns, another {len(values)}",
                )
            for i, value in enumerate(values):
                both = common(types[i], value.type) if len(types) > i else value.type
                if both is None:
                    self.unit.fail(
                        "TYPE_MISMATCH", source.pos, f"Values rows have mismatched types: {types[i]} vs {value.type}"
                    )
                types[i:] = [both, *types[i + 1 :]]
        lines = []
        for values in rows:
            cells = (f"CAST({coerce(v, t).sql} AS {duck_type(t)})" for v, t in zip(values, types, strict=True))
            lines.append("(" + ", ".join(cells) + ")")
        inner = fresh("q")
        columns = ", ".join(f"c{i}" for i in range(width))
        fields = [Field(None, t, f"c{i}") for i, t in enumerate(types)]
        return Compiled(f"SELECT * FROM (VALUES {', '.join(lines)}) AS {inner}({columns})", fields)

    def _value_row(self, analyser: Analyser, item: tree.Expr) -> list[Value]:
        if isinstance(item, tree.RowNode):
            return [analyser.visit(part) for part in item.items]
        value = analyser.visit(item)
        if value.type.base == "row":
            names = field_names(value.type)
            return [Value(f"({value.sql}).{quote(n)}", t) for n, t in zip(names, value.type.args, strict=True)]
        return [value]


def _mentions(node: Any, name: str) -> int:
    """How often a table name is used in a part of the query, inner WITH queries of the same name included."""
    if isinstance(node, tree.TableNode):
        return 1 if node.parts == (name,) else 0
    if isinstance(node, tuple):
        return sum(_mentions(part, name) for part in node)
    if isinstance(node, tree.Node):
        return sum(_mentions(getattr(node, n), name) for n in tree.children(type(node)))
    return 0


#: Steps of a recursive query that Trino takes unless the session says otherwise, which Athena does not let it.
_DEPTH = 10


def _unrolled(name: str, columns: str, anchor: str, step: str) -> str:
    """A recursive query as Trino runs it: step by step up to its limit, and failing when there is more."""

    def on(place: int) -> str:
        return re.sub(rf"\b{name}\b", f"{name}_{place}", step)

    parts = [f"{name}_0({columns}) AS MATERIALIZED ({anchor})"]
    parts += [f"{name}_{i}({columns}) AS MATERIALIZED ({on(i - 1)})" for i in range(1, _DEPTH + 1)]
    problem = (
        f"NOT_SUPPORTED: Recursion depth limit exceeded ({_DEPTH}). Use ''max_recursion_depth'' session property to "
        f"modify the limit."
    )
    # The message takes in a value of the row, so that it fails only if there is a row.
    message = f"'{problem}' || coalesce(left(CAST(c0 AS VARCHAR), 0), '')"
    more = f"SELECT * FROM ({on(_DEPTH)}) AS more WHERE fail({message}) = 0"
    rounds = " UNION ALL ".join(f"SELECT * FROM {name}_{i}" for i in range(_DEPTH + 1))
    return ", ".join(parts) + f", {name}({columns}) AS ({rounds} UNION ALL {more})"
