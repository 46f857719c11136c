"""CAST of arrays, maps and rows: of each of their parts. TRY_CAST gives NULL for the whole where a part fails."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.trino.duckdb.conversions.attempts import Converted, Fallible, failing, or_null
from dapflow.trino.duckdb.nodes import Sql, Variable, field, joined, sql, struct
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import let, type_sql
from dapflow.trino.types import Type

Nested = Callable[[Sql, Type, Type, Callable[[Sql, Type, Type], Converted]], Converted]


def array(value: Sql, source: Type, target: Type, converted: Callable[[Sql, Type, Type], Converted]) -> Converted:
    """An array as one of other elements."""
    e = Variable("e")
    item = converted(e, source.args[0], target.args[0])
    if not isinstance(item, Fallible):
        return _each(value, e, item)

    def whole(x: Sql) -> Sql:
        made = _each(x, e, item.or_null())
        return let(made, lambda m: sql("CASE WHEN list_count($m) = list_count($x) THEN $m END", m=m, x=x), limit=0)

    return Fallible(lambda: _each(value, e, item.failing()), lambda: let(value, whole))


def _each(value: Sql, e: Variable, item: Sql) -> Sql:
    return sql("list_transform($value, lambda $e: $item)", value=value, e=e, item=item)


def map_(value: Sql, source: Type, target: Type, converted: Callable[[Sql, Type, Type], Converted]) -> Converted:
    """A map as one of other keys and values."""
    e = Variable("e")
    key = converted(sql("($e).key", e=e), source.args[0], target.args[0])
    item = converted(sql("($e).value", e=e), source.args[1], target.args[1])

    def made() -> Sql:
        return sql(
            "CAST(map_from_entries(list_transform(map_entries($value), lambda $e: {'key': $key, 'value': $item})) "
            "AS $t)",
            value=value,
            e=e,
            key=failing(key),
            item=failing(item),
            t=type_sql(target),
        )

    def whole(x: Sql) -> Sql:
        entries = sql("map_entries($x)", x=x)
        keys, items = _each(entries, e, or_null(key)), _each(entries, e, or_null(item))
        return let(keys, lambda k: let(items, lambda v: _fitting(x, k, v, target), limit=0), limit=0)

    return Fallible(made, lambda: let(value, whole))


def _fitting(x: Sql, keys: Sql, items: Sql, target: Type) -> Sql:
    """A map of keys, which may be equal now, and values, if all of them could be converted."""
    return sql(
        "CASE WHEN len(list_distinct($keys)) = len($keys) AND list_count($items) = list_count(map_values($x)) "
        "THEN CAST(map($keys, $items) AS $t) END",
        x=x,
        keys=keys,
        items=items,
        t=type_sql(target),
    )


def row(value: Sql, source: Type, target: Type, converted: Callable[[Sql, Type, Type], Converted]) -> Converted:
    """A row as one of other fields."""
    fields = list(zip(field_names(source), field_names(target), source.args, target.args, strict=True))

    def parts(x: Sql) -> list[tuple[str, str, Converted]]:
        return [(old, new, converted(field(x, old), a, b)) for old, new, a, b in fields]

    def made(x: Sql) -> Sql:
        whole = struct((new, failing(part)) for _, new, part in parts(x))
        return sql("CASE WHEN $x IS NOT NULL THEN $whole END", x=x, whole=whole)

    def attempt(x: Sql) -> Sql:
        found = parts(x)
        unsure = [(old, new) for old, new, part in found if isinstance(part, Fallible)]
        whole = struct((new, or_null(part)) for _, new, part in found)
        return let(whole, lambda r: _complete(x, r, unsure), limit=0)

    return Fallible(lambda: let(value, made, limit=120), lambda: let(value, attempt))


def _complete(x: Sql, made: Sql, unsure: list[tuple[str, str]]) -> Sql:
    """A row, if those of its fields that may fail have not."""
    tests = [sql("($old IS NULL OR $new IS NOT NULL)", old=field(x, old), new=field(made, new)) for old, new in unsure]
    return sql(
        "CASE WHEN $tests THEN $made END", tests=joined(" AND ", [sql("$x IS NOT NULL", x=x), *tests]), made=made
    )


NESTED: dict[str, Nested] = {"array": array, "map": map_, "row": row}
