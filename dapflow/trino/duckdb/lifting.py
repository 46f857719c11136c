"""Parts of an expression that DuckDB refuses inside a lambda or TRY, computed before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dapflow.trino.duckdb.nodes import Computed, Filled, Sql, SubquerySql, Variable, Word, replaced, sql


def out_of_lambdas(expr: Sql) -> Sql:
    """The same expression without a subquery in a lambda.

    What a macro is given may get into a lambda too, or be written more than once: DuckDB plans each copy of a
    subquery, in a time that doubles with each.
    """
    if not expr.has_subquery:
        return expr
    subqueries = list(_subqueries(expr, False))
    parts = _distinct([subquery for subquery, _ in subqueries])
    # With one goes every other: the rest of the expression gets into a lambda of its own.
    if len(parts) < len(subqueries) or any(bound for _, bound in subqueries):
        return computed_first(expr, parts, lambda rest: rest)
    return expr


def tried(expr: Sql) -> Sql:
    """NULL where an expression fails.

    DuckDB takes an expression that comes twice out of TRY, and evaluates it outside, where its failure is the
    query's. It does not look for such expressions in a lambda. Subqueries, aggregates and window functions are
    computed before, in Trino too.
    """
    return computed_first(expr, _distinct(list(_computed(expr))), lambda rest: sql("TRY($rest)", rest=rest))


def computed_first(expr: Sql, parts: Sequence[Sql], body: Callable[[Sql], Sql]) -> Sql:
    """An expression around `expr`, in which these parts of it are computed first."""
    held = Variable("h")
    if not parts:
        return sql("list_transform([0], lambda $held: $body)[1]", held=held, body=body(expr))
    names = [Word(f"a{i}") for i in range(len(parts))]
    places = {id(part): sql("($held).$name", held=held, name=name) for part, name in zip(parts, names, strict=True)}
    fields = [sql("$name: $part", name=name, part=part) for part, name in zip(parts, names, strict=True)]
    rest = body(replaced(expr, dict(places)))
    return sql("list_transform([{$fields}], lambda $held: $rest)[1]", fields=fields, held=held, rest=rest)


def _distinct(parts: Sequence[Sql]) -> list[Sql]:
    return list({id(part): part for part in parts}.values())


def _subqueries(node: Sql, bound: bool) -> Iterator[tuple[Sql, bool]]:
    """The outermost subqueries, and whether each stands where DuckDB takes none. An aggregate keeps its own."""
    if isinstance(node, SubquerySql):
        yield node, bound
    elif node.has_subquery and not isinstance(node, Computed):
        for part, inner in node.parts():
            yield from _subqueries(part, bound or inner)


def _computed(node: Sql) -> Iterator[Sql]:
    """The outermost of what is computed before; so is what differs each time, which TRY does not take."""
    if isinstance(node, SubquerySql | Computed) or _is_random(node):
        yield node
    elif node.has_subquery or node.has_computed or node.is_volatile:
        for part, _ in node.parts():
            yield from _computed(part)


def _is_random(node: Sql) -> bool:
    return isinstance(node, Filled) and node.template.is_volatile and not node.filling
