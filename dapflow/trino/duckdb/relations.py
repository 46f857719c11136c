"""What stands in FROM: tables, views, subqueries, UNNEST and joins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from dapflow.trino.catalogue import Relation
from dapflow.trino.coercion import common
from dapflow.trino.duckdb.analyser import Analyser
from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.scope import Field, Scope
from dapflow.trino.duckdb.storage import field_names, quote
from dapflow.trino.duckdb.unit import ScanBuilder
from dapflow.trino.duckdb.values import Value, fresh
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT, Type, parse_type, row

if TYPE_CHECKING:
    from dapflow.trino.duckdb.queries import Compiled, Environment
    from dapflow.trino.duckdb.unit import Unit


@dataclass(slots=True)
class Source:
    """A part of FROM: its SQL and its fields."""

    sql: str
    fields: list[Field]


class RelationCompiler:
    """Compiles FROM."""

    unit: Unit
    environment: Environment

    if TYPE_CHECKING:

        def query(self, node: tree.QueryNode, parent: Scope | None) -> Compiled:
            """A whole query; the query compiler gives it."""
            ...

    def relation(self, node: tree.RelationNode, parent: Scope | None, beside: list[Field]) -> Source:
        """A relation. `beside` are the fields to the left of it, which LATERAL and UNNEST see."""
        if isinstance(node, tree.TableNode):
            return self._table(node, parent)
        if isinstance(node, tree.AliasNode):
            return self._alias(node, parent, beside)
        if isinstance(node, tree.SubqueryNode):
            scope = Scope(beside, parent) if node.lateral else parent
            before, self.unit.correlated = self.unit.correlated, False
            found = self._derived(self.query(node.query, scope), ())
            if node.lateral and self.unit.correlated:
                found.sql = "LATERAL " + found.sql
            self.unit.correlated = self.unit.correlated or before
            return found
        if isinstance(node, tree.JoinNode):
            return self._join(node, parent, beside)
        if isinstance(node, tree.UnnestNode):
            return self._unnest(node, parent, beside)
        assert isinstance(node, tree.SampleNode)  # noqa: S101 - no other relation exists
        return self._sample(node, parent, beside)

    def _sample(self, node: tree.SampleNode, parent: Scope | None, beside: list[Field]) -> Source:
        """Some of the rows of a relation. Hidden columns are there only where they are read, so they are left out."""
        found = self.relation(node.relation, parent, beside)
        percentage = Analyser(self, Scope()).visit(node.percentage)  # type: ignore[arg-type]
        if percentage.const is not None and not 0 <= float(percentage.const) <= 100:
            limit = "less than or equal to 100" if float(percentage.const) > 0 else "greater than or equal to 0"
            self.unit.fail("NUMERIC_VALUE_OUT_OF_RANGE", node.percentage.pos, f"Sample percentage must be {limit}")
        name = fresh("r")
        moved, columns = [], []
        for i, one in enumerate(one for one in found.fields if not one.hidden):
            columns.append(f"{one.sql} AS c{i}")
            moved.append(replace(one, sql=f"{name}.c{i}"))
        chance = f"random() < CAST({percentage.sql} AS DOUBLE) / 100"
        return Source(f"(SELECT {', '.join(columns)} FROM {found.sql} WHERE {chance}) AS {name}", moved)

    def _derived(self, found: Compiled, qualifier: tuple[str, ...]) -> Source:
        name = fresh("r")
        fields = [replace(f, sql=f"{name}.c{i}", qualifier=qualifier) for i, f in enumerate(found.fields)]
        return Source(f"({found.sql}) AS {name}", fields)

    # -------------------------------------------------------------------------------------- tables
    def _table(self, node: tree.TableNode, parent: Scope | None) -> Source:
        parts = node.parts
        if len(parts) == 1:
            named = self.environment.find(parts[0])
            if named is not None:
                return self._named(named, node)
        catalog, database, name = (None, None, *parts)[-3:]
        assert name is not None  # noqa: S101 - the parser gives one part at least
        relation = self.unit.catalog.relation(catalog, database or self.unit.database, name)
        if relation is None:
            self._missing(node, catalog, database, name)
        if relation.view_sql is not None:
            return self._view(relation, node)
        alias = fresh("r")
        scan = ScanBuilder(f"scan_{len(self.unit.scans)}", alias, relation)
        self.unit.scans.append(scan)
        qualifier = (relation.catalog.lower(), relation.database.lower(), relation.name.lower())
        fields = []
        for hidden, columns in ((False, relation.columns), (True, relation.hidden)):
            for column in columns:
                t = parse_type(column.type)
                fields.append(
                    Field(
                        column.name.lower(),
                        t,
                        self._held(f"{alias}.{quote(column.name)}", t),
                        qualifier,
                        hidden,
                        (scan, column.name),
                        column.name,
                        frozenset({(scan, column.name.lower())}),
                    )
                )
        return Source(f"{quote(scan.name)} AS {alias}", fields)

    @staticmethod
    def _held(sql: str, t: Type) -> str:
        """A stored value in the form that values of its type have here."""
        if t.base == "char":
            return f"rtrim({sql}, ' ')"
        if t.base == "timestamp_tz":
            return f"t_zone_struct(CAST({sql} AS TIMESTAMP), 'UTC')"
        return sql

    def _missing(self, node: tree.TableNode, catalog: str | None, database: str | None, name: str) -> NoReturn:
        place = database or self.unit.database
        if place is None:
            self.unit.fail("MISSING_SCHEMA_NAME", node.pos, "Schema must be specified when session schema is not set")
        if catalog not in {None, "awsdatacatalog"} and self.unit.catalog.relation(catalog, database, name) is None:
            self.unit.fail("CATALOG_NOT_FOUND", node.pos, f"Catalog '{catalog}' does not exist")
        if not self.unit.catalog.has_database(place):
            self.unit.fail("SCHEMA_NOT_FOUND", node.pos, f"Schema '{place}' does not exist")
        self.unit.fail(
            "TABLE_NOT_FOUND", node.pos, f"Table '{catalog or 'awsdatacatalog'}.{place}.{name}' does not exist"
        )

    def _named(self, named: Any, node: tree.TableNode) -> Source:
        name = node.parts[0]
        if named.sql_name is not None:
            alias = fresh("r")
            copies = self.unit.copies(named.scans, alias, node.pos)
            fields = [
                replace(_moved(f, copies), sql=f"{alias}.c{i}", qualifier=(name,)) for i, f in enumerate(named.fields)
            ]
            return Source(f"{named.sql_name} AS {alias}", fields)
        before, self.environment = self.environment, named.scope
        try:
            found = self._aliased_columns(self.query(named.cte.query, None), named.cte)  # type: ignore[attr-defined]
        finally:
            self.environment = before
        return self._derived(found, (name,))

    def _view(self, relation: Relation, node: tree.TableNode) -> Source:
        from dapflow.trino.duckdb.queries import QueryCompiler  # noqa: PLC0415 - queries build on relations
        from dapflow.trino.syntax.parser import parse  # noqa: PLC0415 - only views need the parser here

        key = (relation.database, relation.name)
        shown = f"{relation.catalog}.{relation.database}.{relation.name}"
        if key in self.unit.views:
            self.unit.fail("VIEW_IS_RECURSIVE", node.pos, f"Statement would create a recursive view: {shown}")
        unit = self.unit.view(relation)
        unit.deps = self.unit.deps
        try:
            found = QueryCompiler(unit).query(parse(relation.view_sql or ""), None)
        except QueryError as error:
            self.unit.fail(
                "INVALID_VIEW" if error.error_name != "NOT_SUPPORTED" else "NOT_SUPPORTED",
                node.pos,
                f"Failed analyzing stored view '{shown}': {error.message}",
            )
        source = self._derived(found, (relation.catalog.lower(), relation.database.lower(), relation.name.lower()))
        if relation.columns:
            self._declared(relation, source, shown, node)
        return source

    def _declared(self, relation: Relation, source: Source, shown: str, node: tree.TableNode) -> None:
        if len(relation.columns) != len(source.fields):
            self.unit.fail(
                "VIEW_IS_STALE",
                node.pos,
                f"View '{shown}' is stale or in invalid state: stored view column count "
                f"({len(relation.columns)}) does not match column count derived from the view query "
                f"analysis ({len(source.fields)})",
            )
        for i, (column, one) in enumerate(zip(relation.columns, source.fields, strict=True)):
            declared = parse_type(column.type)
            if common(declared, one.type) != declared and not _loosely(declared, one.type):
                self.unit.fail(
                    "VIEW_IS_STALE",
                    node.pos,
                    f"View '{shown}' is stale or in invalid state: column [{column.name}] of type {one.type} "
                    f"projected from query view at position {i} "
                    f"cannot be coerced to column [{column.name}] of type {declared} stored in view definition",
                )
            if declared != one.type and common(declared, one.type) == declared:
                converted = coerce(Value(one.sql, one.type), declared)
                one.sql, one.type = converted.sql, declared
            one.name, one.written = column.name.lower(), column.name

    # ------------------------------------------------------------------------------------- aliases
    def _alias(self, node: tree.AliasNode, parent: Scope | None, beside: list[Field]) -> Source:
        found = self.relation(node.relation, parent, beside)
        visible = [f for f in found.fields if not f.hidden]
        if node.columns is not None and len(node.columns) != len(visible):
            self.unit.fail(
                "MISMATCHED_COLUMN_ALIASES",
                node.pos,
                f"Column alias list has {len(node.columns)} entries but '{node.name}' has {len(visible)} "
                f"columns available",
            )
        fields = [replace(f, qualifier=(node.name,)) for f in found.fields]
        if node.columns is not None:
            fields = [f for f in fields if not f.hidden]
            fields = [replace(f, name=n.lower(), written=n) for f, n in zip(fields, node.columns, strict=True)]
        return Source(found.sql, fields)

    # -------------------------------------------------------------------------------------- unnest
    def _unnest(self, node: tree.UnnestNode, parent: Scope | None, beside: list[Field]) -> Source:
        analyser = Analyser(self, Scope(beside, parent))  # type: ignore[arg-type]
        before, self.unit.seen = self.unit.seen, []
        name = fresh("r")
        columns: list[str] = []
        lengths: list[str] = []
        fields: list[Field] = []
        unpacked: list[tuple[str, Type]] = []
        for item in node.items:
            value = analyser.visit(item)
            t = value.type
            if t.base == "array":
                lengths.append(f"len({value.sql})")
                unpacked.append((value.sql, t.args[0]))
            elif t.base == "map":
                lengths.append(f"CAST(cardinality({value.sql}) AS BIGINT)")
                entries = row(*t.args, names=("key", "value"))
                unpacked.append((f"map_entries({value.sql})", entries))
            else:
                self.unit.fail("TYPE_MISMATCH", item.pos, f"Cannot unnest type: {t}")
        picked: list[str] = []
        for i, (sql, t) in enumerate(unpacked):
            columns.append(f"unnest({sql}) AS u{i}")
            if t.base == "row":
                for held, shown, part in zip(field_names(t), t.names or (None,) * len(t.args), t.args, strict=True):
                    fields.append(
                        Field(shown.lower() if shown else None, part, f"{name}.c{len(fields)}", written=shown)
                    )
                    picked.append(f"(u{i}).{quote(held)}")
            else:
                fields.append(Field(None, t, f"{name}.c{len(fields)}"))
                picked.append(f"u{i}")
        if node.ordinality or any(t.base == "row" for _, t in unpacked):
            # The row count keeps rows whose element is NULL, and numbers them.
            count = "greatest(" + ", ".join(f"coalesce({x}, 0)" for x in lengths) + ")"
            columns.append(f"unnest(range(1, {count} + 1)) AS n")
        if node.ordinality:
            fields.append(Field("ordinality", BIGINT, f"{name}.c{len(fields)}", written="ordinality"))
            picked.append("n")
        outer = ", ".join(f"{p} AS c{i}" for i, p in enumerate(picked))
        beside_used = any(one in beside for one in self.unit.seen)
        self.unit.seen = before
        sql = (
            f"{'LATERAL ' if beside_used else ''}(SELECT {outer} FROM (SELECT {', '.join(columns)}) AS "
            f"{fresh('q')}) AS {name}"
        )
        return Source(sql, fields)

    # --------------------------------------------------------------------------------------- joins
    def _join(self, node: tree.JoinNode, parent: Scope | None, beside: list[Field]) -> Source:
        left = self.relation(node.left, parent, beside)
        right = self.relation(node.right, parent, [*beside, *left.fields])
        lateral = right.sql.startswith("LATERAL ")
        if node.kind in {"cross", "implicit"}:
            return Source(f"{left.sql} CROSS JOIN {_wrapped(node.right, right.sql)}", [*left.fields, *right.fields])
        inner = node.right.relation if isinstance(node.right, tree.AliasNode) else node.right
        if node.kind in {"right", "full"} and (lateral or (isinstance(inner, tree.SubqueryNode) and inner.lateral)):
            return self._outer_lateral(node, left, right, parent)
        if (
            isinstance(inner, tree.UnnestNode)
            and node.kind != "inner"
            and not (isinstance(node.on, tree.Literal) and node.on.value is True)
        ):
            self.unit.fail(
                "NOT_SUPPORTED",
                node.pos,
                f"{node.kind.upper()} JOIN involving UNNEST is only supported with condition ON TRUE",
            )
        if node.using is not None:
            return self._using(node, left, right)
        fields = [*left.fields, *right.fields]
        analyser = Analyser(self, Scope(fields, parent))  # type: ignore[arg-type]
        analyser.aggregates_allowed = "JOIN clause"
        assert node.on is not None  # noqa: S101 - the parser wants ON or USING
        before = self.unit.deps
        self.unit.deps = set()
        outer, self.unit.correlated = self.unit.correlated, False
        condition = analyser.boolean(node.on, "JOIN ON clause")
        if node.kind != "inner" and self.unit.correlated:
            self.unit.unsupported(f"A correlated subquery in the condition of a {node.kind.upper()} JOIN", node.on.pos)
        self.unit.correlated = self.unit.correlated or outer
        self.unit.read(self.unit.deps)
        self.unit.deps = before
        if node.kind == "inner" and not lateral:
            self.push(node.on, Scope(fields, parent))
        return Source(
            f"{left.sql} {node.kind.upper()} JOIN {_wrapped(node.right, right.sql)} ON {condition}",
            _nullable(node.kind, left.fields, right.fields),
        )

    if TYPE_CHECKING:

        def push(self, condition: tree.Expr, scope: Scope) -> None:
            """Note literal conditions on table columns; the select compiler gives it."""
            ...

    def _outer_lateral(self, node: tree.JoinNode, left: Source, right: Source, parent: Scope | None) -> Source:
        """RIGHT or FULL JOIN of LATERAL: the join is made anew for each row of the left side."""
        always = isinstance(node.on, tree.Literal) and node.on.value is True
        if node.kind == "full":
            if not always:
                self.unit.unsupported("FULL JOIN of LATERAL with a condition", node.pos)
            fields = [*left.fields, *(replace(f, origin=None) for f in right.fields)]
            return Source(f"{left.sql} LEFT JOIN {right.sql} ON TRUE", fields)
        fields = list(left.fields)
        if not always and node.on is not None:
            analyser = Analyser(self, Scope([*left.fields, *right.fields], parent))  # type: ignore[arg-type]
            test = analyser.boolean(node.on, "JOIN ON clause")
            fields = [replace(f, sql=f"CASE WHEN {test} THEN {f.sql} END", origin=None) for f in fields]
        return Source(f"{left.sql} CROSS JOIN {right.sql}", [*fields, *right.fields])

    def _using(self, node: tree.JoinNode, left: Source, right: Source) -> Source:
        conditions, shared = [], []
        used: list[Field] = []
        seen: set[str] = set()
        for column in node.using or ():
            if column.name in seen:
                self.unit.fail(
                    "DUPLICATE_COLUMN_NAME",
                    column.pos,
                    f"Column '{column.written}' appears multiple times in USING clause",
                )
            seen.add(column.name)
            sides = []
            for side, fields in (("left", left.fields), ("right", right.fields)):
                found = Scope(fields).named(column.name)
                if not found:
                    self.unit.fail(
                        "COLUMN_NOT_FOUND", column.pos, f"Column '{column.written}' is missing from {side} side of join"
                    )
                if len(found) > 1:
                    self.unit.fail("AMBIGUOUS_NAME", column.pos, f"Column '{column.written}' is ambiguous")
                sides.append(found[0])
            a, b = sides
            both = common(a.type, b.type)
            if both is None:
                self.unit.fail(
                    "TYPE_MISMATCH",
                    column.pos,
                    f"Column types of left and right side are not comparable: left {a.type}, right {b.type}",
                )
            self.unit.read(a.deps | b.deps)
            x, y = coerce(Value(a.sql, a.type), both).sql, coerce(Value(b.sql, b.type), both).sql
            conditions.append(f"{comparable_form(x, both)} = {comparable_form(y, both)}")
            sql = {"inner": x, "left": x, "right": y}.get(node.kind, f"coalesce({x}, {y})")
            used += sides
            origin = a.origin if node.kind in {"inner", "left"} and both == a.type else None
            shared.append(Field(a.name, both, sql, (), False, origin, a.written))
        a_fields = [f for f in left.fields if f not in used]
        b_fields = [f for f in right.fields if f not in used]
        sql = f"{left.sql} {node.kind.upper()} JOIN {_wrapped(node.right, right.sql)} ON {' AND '.join(conditions)}"
        return Source(sql, [*shared, *_nullable(node.kind, a_fields, b_fields)])


def _moved(one: Field, copies: dict[ScanBuilder, ScanBuilder]) -> Field:
    """A WITH query's field at a place that names it, which reads the copies."""
    origin = one.origin and (copies.get(one.origin[0], one.origin[0]), one.origin[1])
    deps = frozenset((copies.get(scan, scan), column) for scan, column in one.deps)
    return replace(one, origin=origin, deps=deps)


def _wrapped(node: tree.RelationNode, sql: str) -> str:
    """The right side of a join, in parentheses if it is itself a join."""
    return f"({sql})" if isinstance(node, tree.JoinNode) else sql


def _nullable(kind: str, left: list[Field], right: list[Field]) -> list[Field]:
    """The fields of a join; those that may be NULL because nothing matched pass no condition on."""
    if kind in {"right", "full"}:
        left = [replace(f, origin=None) for f in left]
    if kind in {"left", "full"}:
        right = [replace(f, origin=None) for f in right]
    return [*left, *right]


def _loosely(declared: Type, found: Type) -> bool:
    """Whether two types differ only in a way that stored views lose, such as a bound of varchar."""
    return declared.base == found.base and declared.base in {"varchar", "row", "array", "map", "timestamp", "char"}
