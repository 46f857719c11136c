"""What stands in FROM: aliases, subqueries, UNNEST, samples and joins."""

from __future__ import annotations

from dataclasses import replace

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce, condition, constant
from dapflow.trino.analysis.names import column
from dapflow.trino.analysis.scopes import Field, Scope, ScopedSource, fields_of, renamed, with_qualifier
from dapflow.trino.analysis.tables import OPEN, table
from dapflow.trino.analysis.typed import ColumnRef
from dapflow.trino.analysis.typed_queries import Join, OutputColumn, Sample, Source, Subquery, Unnest
from dapflow.trino.analysis.walk import correlated, within
from dapflow.trino.coercion import common
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT, UNCHECKED


def relation(node: tree.RelationNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
    """What stands in FROM; the context's scope is what stands around the query."""
    if isinstance(node, tree.TableNode):
        return table(node, context)
    if isinstance(node, tree.AliasNode):
        return _alias(node, context, beside)
    if isinstance(node, tree.SubqueryNode):
        return _subquery(node, context, beside)
    if isinstance(node, tree.JoinNode):
        return _join(node, context, beside)
    if isinstance(node, tree.UnnestNode):
        return _unnest(node, context, beside)
    assert isinstance(node, tree.SampleNode)  # noqa: S101 - the parser refuses all others by name
    return _sample(node, context, beside)


def _subquery(node: tree.SubqueryNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
    around = Scope(beside, context.scope) if node.lateral else context.scope
    query = context.statement.visitor.query(node.query, context.inside(around))
    source = Subquery(
        number=context.statement.number(),
        columns=query.columns,
        place=context.place(node),
        query=query,
        lateral=node.lateral,
    )
    return ScopedSource(source, fields_of(source))


def _sample(node: tree.SampleNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
    sampled = relation(node.relation, context, beside)
    percentage = context.bare().visit(node.percentage)
    share = constant(percentage)
    if isinstance(share, str | int | float) and not 0 <= float(share) <= 100:
        limit = "less than or equal to 100" if float(share) > 0 else "greater than or equal to 0"
        context.fault("NUMERIC_VALUE_OUT_OF_RANGE", node.percentage, f"Sample percentage must be {limit}")
    source = Sample(
        number=sampled.source.number,
        columns=sampled.source.columns,
        place=context.place(node),
        source=sampled.source,
        method=node.method,
        percentage=percentage,
    )
    return ScopedSource(source, sampled.fields)


def _alias(node: tree.AliasNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
    aliased = relation(node.relation, context, beside)
    fields = tuple([with_qualifier(field, node.name) for field in aliased.fields])
    if node.columns is None:
        return ScopedSource(aliased.source, fields)
    fields = tuple(field for field in fields if not field.hidden)
    if any(field.open for field in fields):
        unknown = replace(fields[0], open=False, type=UNCHECKED)
        named = tuple(replace(unknown, position=i) for i, _ in enumerate(node.columns))
        return ScopedSource(aliased.source, renamed(named, node.columns))
    if len(node.columns) != len(fields):
        problem = (
            f"Column alias list has {len(node.columns)} entries but '{node.name}' has {len(fields)} columns available"
        )
        context.fault("MISMATCHED_COLUMN_ALIASES", node, problem)
        count = min(len(fields), len(node.columns))
        return ScopedSource(aliased.source, (*renamed(fields[:count], node.columns[:count]), *fields[count:]))
    return ScopedSource(aliased.source, renamed(fields, node.columns))


def _unnest(node: tree.UnnestNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
    here = context.inside(Scope(beside, context.scope))
    items, columns = [], []
    for node_item in node.items:
        item = here.visit(node_item)
        t = item.type
        if t.base == "array" and t.args[0].base == "row":
            names = t.args[0].names or (None,) * len(t.args[0].args)
            columns += [OutputColumn(name, part) for name, part in zip(names, t.args[0].args, strict=True)]
        elif t.base == "array":
            columns += OPEN if t.args[0].base == "unchecked" else [OutputColumn(None, t.args[0])]
        elif t.base == "map":
            columns += [OutputColumn("key", t.args[0]), OutputColumn("value", t.args[1])]
        else:
            if t.base != "unchecked":
                here.fault("TYPE_MISMATCH", node_item, f"Cannot unnest type: {t}")
            columns += OPEN
        items.append(item)
    if node.ordinality:
        columns.append(OutputColumn("ordinality", BIGINT))
    source = Unnest(
        number=context.statement.number(),
        columns=tuple(columns),
        place=context.place(node),
        items=tuple(items),
        ordinality=node.ordinality,
    )
    return ScopedSource(source, fields_of(source))


# ------------------------------------------------------------------------------------------------------ joins
def _join(node: tree.JoinNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
    left = relation(node.left, context, beside)
    right = relation(node.right, context, (*beside, *left.fields))
    kind = "cross" if node.kind == "implicit" else node.kind
    fields = (*left.fields, *right.fields)
    join = Join(
        number=context.statement.number(),
        columns=(),
        place=context.place(node),
        kind=kind,
        left=left.source,
        right=right.source,
    )
    if kind == "cross":
        return ScopedSource(join, fields)
    inner = node.right.relation if isinstance(node.right, tree.AliasNode) else node.right
    always = isinstance(node.on, tree.Literal) and node.on.value is True
    lateral = kind in {"right", "full"} and _refers_to_left_side(right.source, left)
    if lateral and kind == "full" and not always:
        context.limit("FULL JOIN of LATERAL with a condition", node)
    if not lateral and isinstance(inner, tree.UnnestNode) and kind != "inner" and not always:
        problem = f"{kind.upper()} JOIN involving UNNEST is only supported with condition ON TRUE"
        context.fault("NOT_SUPPORTED", node, problem)
    if node.using is not None:
        return _using(node.using, join, left, right, context)
    assert node.on is not None  # noqa: S101 - the parser wants ON or USING
    here = context.inside(Scope(fields, context.scope))._replace(plain_clause="JOIN clause")
    on = condition(node.on, "JOIN ON clause", here)
    if not lateral and kind != "inner" and correlated(on):
        context.limit(f"A correlated subquery in the condition of a {kind.upper()} JOIN", node.on)
    return ScopedSource(replace(join, on=on), fields)


def _refers_to_left_side(source: Source, left: ScopedSource) -> bool:
    """Whether the right side of a join is LATERAL, or refers to the left side."""
    if isinstance(source, Subquery) and source.lateral:
        return True
    numbers = {field.relation for field in left.fields}
    return any(isinstance(node, ColumnRef) and node.relation in numbers for node in within(source))


def _using(
    names: tuple[tree.Ident, ...], join: Join, left: ScopedSource, right: ScopedSource, context: AnalysisContext
) -> ScopedSource:
    shared: list[OutputColumn] = []
    sides: list[tuple[typed.Expr, typed.Expr]] = []
    used: list[Field] = []
    seen: set[str] = set()
    for name in names:
        if name.name in seen:
            problem = f"Column '{name.written}' appears multiple times in USING clause"
            context.fault("DUPLICATE_COLUMN_NAME", name, problem)
            continue
        seen.add(name.name)
        a, b = _side("left", left, name, context), _side("right", right, name, context)
        if a is None or b is None:
            continue
        both = common(a.type, b.type)
        if both is None:
            problem = f"Column types of left and right side are not comparable: left {a.type}, right {b.type}"
            both = context.fault("TYPE_MISMATCH", name, problem).type
        used += [a, b]
        shared.append(OutputColumn(a.written, both))
        sides.append((coerce(column(a, name, context), both), coerce(column(b, name, context), both)))
    joined = replace(join, columns=tuple(shared), using=tuple(sides))
    rest = tuple(field for field in (*left.fields, *right.fields) if not any(field is other for other in used))
    return ScopedSource(joined, (*fields_of(joined), *rest))


def _side(side: str, source: ScopedSource, name: tree.Ident, context: AnalysisContext) -> Field | None:
    fields = Scope(source.fields).named(name.name)
    if not fields:
        problem = f"Column '{name.written}' is missing from {side} side of join"
        context.fault("COLUMN_NOT_FOUND", name, problem)
    elif len(fields) > 1:
        context.fault("AMBIGUOUS_NAME", name, f"Column '{name.written}' is ambiguous")
    else:
        return fields[0]
    return None
