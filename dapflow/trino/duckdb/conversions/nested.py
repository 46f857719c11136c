"""CAST of arrays, maps and rows: of each of their parts. TRY_CAST gives NULL for the whole where a part fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dapflow.trino.duckdb.conversions.attempts import Converted, Fallible, failing, or_null
from dapflow.trino.duckdb.nodes import FieldOf, Sql, Variable, joined, sql, struct
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import let, row_field, type_sql
from dapflow.trino.types import Type

Converting = Callable[[Sql, Type, Type], Converted]


def array(value: Sql, source: Type, target: Type, converted: Converting) -> Converted:
    """An array as one of other elements."""
    e = Variable("e")
    item = converted(e, source.args[0], target.args[0])
    if not isinstance(item, Fallible):
        return _each(value, e, item)
    return Fallible(
        lambda: _each(value, e, item.failing()),
        lambda: let(value, lambda x: complete_array(x, source.args[0], _each(x, e, item.or_null()))),
    )


def _each(value: Sql, e: Variable, item: Sql) -> Sql:
    return sql("list_transform($value, lambda $e: $item)", value=value, e=e, item=item)


def map_(value: Sql, source: Type, target: Type, converted: Converting) -> Converted:
    """A map as one of other keys and values. It may always fail, since two keys may become one."""
    e = Variable("e")

    def made() -> Sql:
        return sql(
            "CAST(map_from_entries(list_transform(map_entries($value), lambda $e: {'key': $key, 'value': $item})) "
            "AS $t)",
            value=value,
            e=e,
            key=failing(converted(sql("($e).key", e=e), source.args[0], target.args[0])),
            item=failing(converted(sql("($e).value", e=e), source.args[1], target.args[1])),
            t=type_sql(target),
        )

    def attempt(x: Sql) -> Sql:
        given = sql("map_values($x)", x=x)
        keys = _each(sql("map_keys($x)", x=x), e, or_null(converted(e, source.args[0], target.args[0])))
        items = _each(given, e, or_null(converted(e, source.args[1], target.args[1])))
        return complete_map(keys, given, source.args[1], items, target)

    return Fallible(made, lambda: let(value, attempt))


def row(value: Sql, source: Type, target: Type, converted: Converting) -> Converted:
    """A row as one of other fields."""
    names = list(zip(field_names(source), field_names(target), strict=True))

    def parts(x: Sql) -> list[Converted]:
        return [
            converted(row_field(x, old, a), a, b)
            for (old, _), a, b in zip(names, source.args, target.args, strict=True)
        ]

    def made(x: Sql) -> Sql:
        whole = struct((new, failing(part)) for (_, new), part in zip(names, parts(x), strict=True))
        return sql("CASE WHEN $x IS NOT NULL THEN $whole END", x=x, whole=whole)

    def attempt(x: Sql) -> Sql:
        fields = list(zip(names, source.args, parts(x), strict=True))
        whole = struct((new, or_null(part)) for (_, new), _, part in fields)
        unsure = [(FieldOf(x, old), t, new) for (old, new), t, part in fields if isinstance(part, Fallible)]
        return complete_row(x, whole, unsure)

    return Fallible(lambda: let(value, made, limit=120), lambda: let(value, attempt))


# ------------------------------------------------------------------------------------------------- what failed
def complete_array(given: Sql, t: Type, made: Sql) -> Sql:
    """What was made of the elements `given`, which are of type t; NULL if NULL was made of one that is not."""
    return let(made, lambda m: sql("CASE WHEN $all THEN $m END", all=_all_converted(given, t, m), m=m), limit=0)


def complete_map(keys: Sql, given: Sql, t: Type, made: Sql, target: Type) -> Sql:
    """The same of a map: `keys` were made of its keys, and `made` of the values `given`."""

    def whole(k: Sql, m: Sql) -> Sql:
        return sql(
            "CASE WHEN len(list_distinct($k)) = len($k) AND $all THEN CAST(map($k, $m) AS $t) END",
            k=k,
            all=_all_converted(given, t, m),
            m=m,
            t=type_sql(target),
        )

    return let(keys, lambda k: let(made, lambda m: whole(k, m), limit=0), limit=0)


def complete_row(whole: Sql, made: Sql, fields: Sequence[tuple[Sql, Type, str]]) -> Sql:
    """The same of a row: what was given for each of these fields, its type, and what it is called now."""

    def checked(m: Sql) -> Sql:
        tests = [sql("$x IS NOT NULL", x=whole)]
        for given, t, name in fields:
            tests.append(sql("($made IS NOT NULL OR $none)", made=FieldOf(m, name), none=_nothing(given, t)))
        return sql("CASE WHEN $tests THEN $m END", tests=joined(" AND ", tests), m=m)

    return let(made, checked, limit=0)


def _all_converted(given: Sql, t: Type, made: Sql) -> Sql:
    """Whether something was made of each element that is something."""
    if t.base != "json":
        return sql("list_count($made) >= list_count($given)", made=made, given=given)
    e = Variable("e")
    return sql("list_count($made) >= len(list_filter($given, lambda $e: $e <> 'null'))", made=made, given=given, e=e)


def _nothing(value: Sql, t: Type) -> Sql:
    """Whether NULL may be made of a value: JSON has a null of its own."""
    return sql("coalesce($x, 'null') = 'null'" if t.base == "json" else "$x IS NULL", x=value)


NESTED: dict[str, Callable[[Sql, Type, Type, Converting], Converted]] = {"array": array, "map": map_, "row": row}
