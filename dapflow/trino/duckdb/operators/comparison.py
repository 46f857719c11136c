"""Comparison by type."""

from __future__ import annotations

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.nodes import FALSE, TRUE, FieldOf, Sql, Variable, Word, joined, sql, struct
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import Value, let, null, type_sql
from dapflow.trino.types import BOOLEAN, Type

#: Types that DuckDB compares just as Trino does.
_PLAIN = frozenset(
    {
        *INTEGERS,
        "boolean",
        "decimal",
        "varchar",
        "varbinary",
        "date",
        "timestamp",
        "time",
        "interval_ds",
        "interval_ym",
        "char",
        "uuid",
        "unknown",
    }
)
_FLOATS = frozenset({"double", "real"})
_COMPARABLE = {"timestamp_tz": "($x).u", "time_tz": "t_time_instant($x)", "ipaddress": "py_ip_binary($x)"}


def plain(t: Type) -> bool:
    """Whether DuckDB's own comparison gives Trino's answer."""
    return t.base in _PLAIN


def comparable_form(value: Sql, t: Type) -> Sql:
    """What stands for a value where it is grouped, joined or ordered; the same object if DuckDB's own order will do."""
    if t.base in _COMPARABLE:
        return sql(_COMPARABLE[t.base], x=value)
    if t.base == "array":
        e = Variable("e")
        item = comparable_form(e, t.args[0])
        return value if item is e else sql("list_transform($x, lambda $e: $item)", x=value, e=e, item=item)
    if t.base == "row":
        fields = [(name, FieldOf(value, name), part) for name, part in zip(field_names(t), t.args, strict=True)]
        forms = [(name, held, comparable_form(held, part)) for name, held, part in fields]
        if any(form is not held for _, held, form in forms):
            whole = struct((name, form) for name, _, form in forms)
            return sql("CASE WHEN $x IS NOT NULL THEN $whole END", x=value, whole=whole)
    if t.base == "map":
        return _sorted_entries(value, t)
    return value


def _sorted_entries(m: Sql, t: Type) -> Sql:
    """Maps are equal whatever the order of their entries; DuckDB compares the entries one after the other."""
    e = Variable("e")
    key, held = (comparable_form(FieldOf(e, name), part) for name, part in zip(("key", "value"), t.args, strict=True))
    entry = struct((("key", key), ("value", held)))
    return sql(
        "CASE WHEN $m IS NOT NULL THEN list_sort(list_transform(map_entries($m), lambda $e: $entry)) END",
        m=m,
        e=e,
        entry=entry,
    )


# ---------------------------------------------------------------------------------------------------- equality
def equal(a: Sql, b: Sql, t: Type) -> Sql:
    """a = b for two values of one type."""
    if t.base in _FLOATS:
        return sql("($a = $b AND NOT isnan($a))", a=a, b=b)
    if t.base in {"timestamp_tz", "time_tz"}:
        a, b = comparable_form(a, t), comparable_form(b, t)
    if t.base == "row":
        parts = [equal(FieldOf(a, n), FieldOf(b, n), part) for n, part in zip(field_names(t), t.args, strict=True)]
        test = joined(" AND ", parts)
        return sql("CASE WHEN $a IS NOT NULL AND $b IS NOT NULL THEN ($test) END", a=a, b=b, test=test)
    if t.base == "array":
        return _array_equal(a, b, t)
    if t.base == "map":
        return _map_equal(a, b, t)
    return sql("($a = $b)", a=a, b=b)


def _array_equal(a: Sql, b: Sql, t: Type) -> Sql:
    z = Variable("z")
    return sql(
        "CASE WHEN $a IS NULL OR $b IS NULL THEN NULL WHEN len($a) <> len($b) THEN FALSE "
        "ELSE t_all(list_transform(list_zip($a, $b), lambda $z: $item)) END",
        a=a,
        b=b,
        z=z,
        item=equal(sql("$z[1]", z=z), sql("$z[2]", z=z), t.args[0]),
    )


def _map_equal(a: Sql, b: Sql, t: Type) -> Sql:
    k = Variable("k")
    return sql(
        "CASE WHEN $a IS NULL OR $b IS NULL THEN NULL WHEN cardinality($a) <> cardinality($b) THEN FALSE "
        "ELSE t_all(list_transform(map_keys($a), "
        "lambda $k: CASE WHEN NOT map_contains($b, $k) THEN FALSE ELSE $same END)) END",
        a=a,
        b=b,
        k=k,
        same=equal(_at(a, k), _at(b, k), t.args[1]),
    )


def _at(m: Sql, key: Sql) -> Sql:
    return sql("$m[$key]", m=m, key=key)


def distinct_from(a: Sql, b: Sql, t: Type) -> Sql:
    """a IS DISTINCT FROM b."""
    return sql("($a IS DISTINCT FROM $b)", a=comparable_form(a, t), b=comparable_form(b, t))


# -------------------------------------------------------------------------------------------------- all of them
def compare(op: str, a: Value, b: Value, t: Type) -> Sql:
    """`= <> < <= > >=` of two values that are already of type t."""
    if t.base == "unknown":
        return null(BOOLEAN)
    if t.base == "char" and op not in {"=", "<>"}:
        # A shorter text is padded, and some characters come before the space.
        return _test(op, _padded(a.sql, t), _padded(b.sql, t))
    if plain(t):
        return _test(op, a.sql, b.sql)
    if t.base in _FLOATS:
        return _compare_floats(op, a, b, t)
    if op in {"=", "<>"}:
        test = _on_both(a.sql, b.sql, t)
        return test if op == "=" else sql("(NOT $test)", test=test)
    if t.base == "row":
        return let(a.sql, lambda x: let(b.sql, lambda y: _row_order(op, x, y, t), limit=120), limit=120)
    return _test(op, comparable_form(a.sql, t), comparable_form(b.sql, t))


def _test(op: str, a: Sql, b: Sql) -> Sql:
    return sql("($a $op $b)", a=a, op=Word(op), b=b)


def _padded(value: Sql, t: Type) -> Sql:
    return sql("rpad($x, $length, ' ')", x=value, length=t.length or 0)


def _on_both(a: Sql, b: Sql, t: Type) -> Sql:
    return let(a, lambda x: let(b, lambda y: equal(x, y, t), limit=120), limit=120)


def _compare_floats(op: str, a: Value, b: Value, t: Type) -> Sql:
    """NaN equals nothing and has no order; DuckDB takes it for the largest number."""
    test = _test(op, a.sql, b.sql)
    if op in {"=", "<>"}:
        if _never_nan(a) or _never_nan(b):
            return test
        return _on_both(a.sql, b.sql, t) if op == "=" else sql("($test OR isnan($a))", test=test, a=a.sql)
    guarded = b if op in {"<", "<="} else a
    return test if _never_nan(guarded) else sql("($test AND NOT isnan($x))", test=test, x=guarded.sql)


def _never_nan(value: Value) -> bool:
    return value.const is not None and str(value.const).strip().lower() != "nan"


def _row_order(op: str, a: Sql, b: Sql, t: Type) -> Sql:
    """Rows one after the other, field by field; NULL makes the answer unknown."""
    test: Sql = TRUE if "=" in op else FALSE
    for name, part in reversed(list(zip(field_names(t), t.args, strict=True))):
        x, y = FieldOf(a, name), FieldOf(b, name)
        before = compare(op[0], Value(x, part), Value(y, part), part)
        test = sql("($before OR ($same AND $test))", before=before, same=equal(x, y, part), test=test)
    return test


# --------------------------------------------------------------------------------------------------------- NaN
def holds_float(t: Type) -> bool:
    """Whether a nested type has floating point numbers in it."""
    return any(part.base in _FLOATS or holds_float(part) for part in t.args)


def nan_lowest(value: Sql, t: Type) -> Sql:
    """A value to order by where NaN comes first: the largest is then the one that Trino takes."""
    if t.base in _FLOATS:
        return sql("CASE WHEN isnan($x) THEN CAST('-Infinity' AS $t) ELSE $x END", x=value, t=type_sql(t))
    if t.base == "array" and holds_float(t):
        e = Variable("e")
        return sql("list_transform($x, lambda $e: $item)", x=value, e=e, item=nan_lowest(e, t.args[0]))
    if t.base == "row" and holds_float(t):
        return struct((n, nan_lowest(FieldOf(value, n), part)) for n, part in zip(field_names(t), t.args, strict=True))
    return value
