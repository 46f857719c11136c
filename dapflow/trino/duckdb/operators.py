"""Comparison and arithmetic by type."""

from __future__ import annotations

from dataclasses import replace

from dapflow.trino.coercion import INTEGERS, as_decimal, common
from dapflow.trino.duckdb.conversion import coerce
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.values import Value, fresh, let
from dapflow.trino.types import BIGINT, INTERVAL_DS, Type, array, decimal, varchar

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


def plain(t: Type) -> bool:
    """Whether DuckDB's own comparison gives Trino's answer."""
    return t.base in _PLAIN


def comparable_form(sql: str, t: Type) -> str:
    """What stands for a value where values are grouped, joined or ordered: its text, if DuckDB's own order will do."""
    if t.base == "array" and comparable_form("e", t.args[0]) != "e":
        e = fresh("e")
        return f"list_transform({sql}, lambda {e}: {comparable_form(e, t.args[0])})"
    if t.base == "row" and any(comparable_form("e", part) != "e" for part in t.args):
        names = [quote(n) for n in field_names(t)]
        fields = (
            f"{name}: {comparable_form(f'({sql}).{name}', part)}" for name, part in zip(names, t.args, strict=True)
        )
        return f"CASE WHEN {sql} IS NOT NULL THEN {{{', '.join(fields)}}} END"
    if t.base == "timestamp_tz":
        return f"({sql}).u"
    if t.base == "time_tz":
        return f"t_time_instant({sql})"
    if t.base == "ipaddress":
        return f"py_ip_binary({sql})"
    return sql


def equal(a: str, b: str, t: Type) -> str:
    """a = b for two values of one type."""
    if plain(t) or t.base in {"json", "ipaddress"}:
        return f"({a} = {b})"
    if t.base in {"double", "real"}:
        return f"({a} = {b} AND NOT isnan({a}))"
    if t.base in {"timestamp_tz", "time_tz"}:
        return f"({comparable_form(a, t)} = {comparable_form(b, t)})"
    if t.base == "row":
        parts = [
            equal(f"({a}).{quote(n)}", f"({b}).{quote(n)}", part)
            for n, part in zip(field_names(t), t.args, strict=True)
        ]
        return f"CASE WHEN {a} IS NOT NULL AND {b} IS NOT NULL THEN ({' AND '.join(parts)}) END"
    if t.base == "array":
        return _array_equal(a, b, t)
    if t.base == "map":
        return _map_equal(a, b, t)
    return f"({a} = {b})"


def _array_equal(a: str, b: str, t: Type) -> str:
    z = fresh("z")
    item = equal(f"{z}[1]", f"{z}[2]", t.args[0])
    each = f"t_all(list_transform(list_zip({a}, {b}), lambda {z}: {item}))"
    return f"CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL WHEN len({a}) <> len({b}) THEN FALSE ELSE {each} END"


def _map_equal(a: str, b: str, t: Type) -> str:
    k = fresh("k")
    same = equal(f"{a}[{k}]", f"{b}[{k}]", t.args[1])
    item = f"CASE WHEN NOT map_contains({b}, {k}) THEN FALSE ELSE {same} END"
    each = f"t_all(list_transform(map_keys({a}), lambda {k}: {item}))"
    return (
        f"CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL WHEN cardinality({a}) <> cardinality({b}) THEN "
        f"FALSE ELSE {each} END"
    )


def distinct_from(a: str, b: str, t: Type) -> str:
    """a IS DISTINCT FROM b."""
    if t.base == "map":
        k = fresh("k")
        other = f"NOT map_contains({b}, {k}) OR {distinct_from(f'{a}[{k}]', f'{b}[{k}]', t.args[1])}"
        differing = f"len(list_filter(map_keys({a}), lambda {k}: {other})) > 0"
        return (
            f"CASE WHEN {a} IS NULL OR {b} IS NULL THEN ({a} IS NULL) <> ({b} IS NULL) "
            f"ELSE cardinality({a}) <> cardinality({b}) OR {differing} END"
        )
    return f"({comparable_form(a, t)} IS DISTINCT FROM {comparable_form(b, t)})"


def _never_nan(value: Value) -> bool:
    return value.const is not None and str(value.const).strip().lower() != "nan"


def compare(op: str, a: Value, b: Value, t: Type) -> str:
    """A comparison of two values that are already of type t."""
    if t.base == "unknown":
        return "CAST(NULL AS BOOLEAN)"
    if t.base == "char" and op not in {"=", "<>"}:
        # A shorter text is padded, and some characters come before the space.
        return f"(rpad({a.sql}, {t.length}, ' ') {op} rpad({b.sql}, {t.length}, ' '))"
    if plain(t):
        return f"({a.sql} {op} {b.sql})"
    if op in {"=", "<>"}:
        if t.base in {"double", "real"}:
            if _never_nan(a) or _never_nan(b):
                return f"({a.sql} {op} {b.sql})"
            if op == "<>":
                return f"({a.sql} <> {b.sql} OR isnan({a.sql}))"
        test = let(a.sql, lambda x: let(b.sql, lambda y: equal(x, y, t), limit=120), limit=120)
        return test if op == "=" else f"(NOT {test})"
    if t.base in {"double", "real"}:
        guarded = b if op in {"<", "<="} else a
        plain_test = f"({a.sql} {op} {b.sql})"
        return plain_test if _never_nan(guarded) else f"({plain_test} AND NOT isnan({guarded.sql}))"
    if t.base == "row":
        return let(a.sql, lambda x: let(b.sql, lambda y: _row_order(op, x, y, t), limit=120), limit=120)
    return f"({comparable_form(a.sql, t)} {op} {comparable_form(b.sql, t)})"


def _row_order(op: str, a: str, b: str, t: Type) -> str:
    """Rows one after the other, field by field; NULL makes the answer unknown."""
    test = "TRUE" if "=" in op else "FALSE"
    for name, part in reversed(list(zip(field_names(t), t.args, strict=True))):
        x, y = f"({a}).{quote(name)}", f"({b}).{quote(name)}"
        before = compare(op[0], Value(x, part), Value(y, part), part)
        test = f"({before} OR ({equal(x, y, part)} AND {test}))"
    return test


def holds_float(t: Type) -> bool:
    """Whether a nested type has floating point numbers in it."""
    return any(part.base in {"double", "real"} or holds_float(part) for part in t.args)


def nan_lowest(sql: str, t: Type) -> str:
    """A value to order by where NaN comes first: the largest is then the one that Trino takes."""
    if t.base in {"double", "real"}:
        return f"CASE WHEN isnan({sql}) THEN CAST('-Infinity' AS {duck_type(t)}) ELSE {sql} END"
    if t.base == "array" and (holds_float(t)):
        e = fresh("e")
        return f"list_transform({sql}, lambda {e}: {nan_lowest(e, t.args[0])})"
    if t.base == "row" and holds_float(t):
        parts = (
            f"{quote(n)}: {nan_lowest(f'({sql}).{quote(n)}', part)}"
            for n, part in zip(field_names(t), t.args, strict=True)
        )
        return "{" + ", ".join(parts) + "}"
    return sql


def arithmetic(op: str, a: Value, b: Value) -> Value | None:
    """The result of `+ - * / %`, or None if Trino has no such operator."""
    x, y = a.type, b.type
    if x.base == "unknown" and y.base == "unknown":
        return None
    moments = _moments(op, a, b)
    if moments is not None:
        return moments
    if x.base == "unknown":
        a, x = coerce(a, y), y
    if y.base == "unknown":
        b, y = coerce(b, x), x
    both = common(x, y)
    if both is None or both.base not in {*INTEGERS, "real", "double", "decimal"}:
        return None
    if both.base == "decimal":
        found = _decimal(op, a, b)
        return found if found is None else replace(found, short=_short(op, a, b, found.type))
    a, b = coerce(a, both), coerce(b, both)
    if op == "/":
        return Value(f"({a.sql} {'//' if both.base in INTEGERS else '/'} {b.sql})", both)
    return Value(f"({a.sql} {op} {b.sql})", both)


def _decimal(op: str, a: Value, b: Value) -> Value | None:
    x, y = as_decimal(a.type), as_decimal(b.type)
    assert x is not None  # noqa: S101 - the caller saw that both are exact numbers
    assert y is not None  # noqa: S101
    a, b = coerce(a, x), coerce(b, y)
    scale = max(x.scale, y.scale)
    if op in {"+", "-"}:
        whole = max(x.precision - x.scale, y.precision - y.scale)
        t = decimal(min(38, whole + scale + 1), scale)
        if whole + scale > 38:
            # An operand may be too large for the scale of the result while the result is not.
            fast = f"CAST({a.sql} AS {duck_type(t)}) {op} CAST({b.sql} AS {duck_type(t)})"
            texts = f"CAST({a.sql} AS VARCHAR), CAST({'-' if op == '-' else ''}{b.sql} AS VARCHAR), {scale}"
            return Value(f"coalesce(TRY({fast}), CAST(py_decimal_add({texts}) AS {duck_type(t)}))", t)
        if t.precision > 18:
            wide = decimal(min(38, t.precision), scale)
            return Value(f"CAST(CAST({a.sql} AS {duck_type(wide)}) {op} {b.sql} AS {duck_type(t)})", t)
        return Value(f"({a.sql} {op} {b.sql})", t)
    if op == "*":
        t = decimal(min(38, x.precision + y.precision), x.scale + y.scale)
        if t.scale > 38:
            return None
        if x.precision <= 18 and y.precision <= 18 and t.precision > 18:
            wide = decimal(19, x.scale)
            return Value(f"CAST(CAST({a.sql} AS {duck_type(wide)}) * {b.sql} AS {duck_type(t)})", t)
        return Value(f"CAST({a.sql} * {b.sql} AS {duck_type(t)})", t)
    if op == "/":
        t = decimal(min(38, x.precision + y.scale + max(0, y.scale - x.scale)), scale)
        return Value(divide(a.sql, x, b.sql, y, t), t)
    t = decimal(min(y.precision - y.scale, x.precision - x.scale) + scale, scale)
    if max(x.precision - x.scale, y.precision - y.scale) + scale > 38:
        return Value(f"CAST(py_decimal_mod(CAST({a.sql} AS VARCHAR), CAST({b.sql} AS VARCHAR)) AS {duck_type(t)})", t)
    both = duck_type(decimal(max(x.precision - x.scale, y.precision - y.scale) + scale, scale))
    return Value(f"CAST(CAST({a.sql} AS {both}) % CAST({b.sql} AS {both}) AS {duck_type(t)})", t)


def _short(op: str, a: Value, b: Value, t: Type) -> str | None:
    """`+ - *` in short. Source: DuckDB, which multiplies up to 18 digits in 64 bits and checks for overflow."""
    if op not in {"+", "-", "*"} or t.precision <= 18 or t.scale > 18:
        return None
    x, y = _in_64_bits(a), _in_64_bits(b)
    return None if x is None or y is None else f"({x} {op} {y})"


def _in_64_bits(value: Value) -> str | None:
    if value.short is not None:
        return value.short
    kind = as_decimal(value.type)
    return coerce(value, kind).sql if kind is not None and kind.precision <= 18 else None


def unscaled(sql: str, t: Type) -> str:
    """A decimal without its point, as an integer of 128 bits."""
    if t.scale == 0:
        return f"CAST({sql} AS HUGEINT)"
    if t.precision + t.scale <= 38:
        ten = f"CAST({10**t.scale} AS DECIMAL({t.scale + 1}, 0))"
        return f"CAST(CAST({sql} AS DECIMAL({max(19, t.precision)}, {t.scale})) * {ten} AS HUGEINT)"
    return f"CAST(replace(CAST({sql} AS VARCHAR), '.', '') AS HUGEINT)"


def rescaled(sql: str, t: Type) -> str:
    """The decimal that an integer without a point stands for."""
    if t.scale == 0:
        return f"CAST({sql} AS {duck_type(t)})"
    if t.scale == 38:
        return f"CAST(py_decimal_shift(CAST({sql} AS VARCHAR), {t.scale}) AS {duck_type(t)})"
    unit = f"CAST('{'0.' + '0' * (t.scale - 1) + '1'}' AS DECIMAL({t.scale + 1}, {t.scale}))"
    return f"CAST(CAST({sql} AS DECIMAL(38, 0)) * {unit} AS {duck_type(t)})"


def divide(a: str, x: Type, b: str, y: Type, t: Type) -> str:
    """a / b rounded half up to the scale of t."""
    shift = t.scale - x.scale + y.scale
    if x.precision + shift > 37 or y.precision > 37:
        return f"CAST(py_decimal_divide(CAST({a} AS VARCHAR), CAST({b} AS VARCHAR), {t.scale}) AS {duck_type(t)})"
    upper = f"({unscaled(a, x)} * CAST({10**shift} AS HUGEINT))" if shift else unscaled(a, x)
    return rescaled(f"t_divide_round({upper}, {unscaled(b, y)})", t)


def negate(a: Value) -> Value | None:
    """-a."""
    t = a.type
    if t.base in {*INTEGERS, "real", "double", "decimal", "interval_ds", "interval_ym"}:
        return Value(f"CAST(-({a.sql}) AS {duck_type(t)})" if t.base in INTEGERS else f"(-{a.sql})", t)
    return None


# ---------------------------------------------------------------------------------------- dates and times
def _moments(op: str, a: Value, b: Value) -> Value | None:
    x, y = a.type.base, b.type.base
    intervals = {"interval_ds", "interval_ym"}
    if x in intervals and x == y and op in {"+", "-"}:
        return Value(f"({a.sql} {op} {b.sql})", a.type)
    if op == "*" and (x in intervals or y in intervals):
        if y in intervals:
            a, b, x, y = b, a, y, x
        return _scaled_interval(a, b, "*")
    if op == "/" and x in intervals:
        return _scaled_interval(a, b, "/")
    if op == "+" and x in intervals:
        a, b, x, y = b, a, y, x
    if y in intervals and op in {"+", "-"}:
        return _shifted(a, b.sql if op == "+" else f"(-{b.sql})", y)
    if op == "-" and x == y and x in {"date", "timestamp", "time", "timestamp_tz", "time_tz"}:
        return Value(_difference(a.sql, b.sql, x), INTERVAL_DS)
    if op == "-" and {x, y} <= {"date", "timestamp", "timestamp_tz"}:
        both = common(a.type, b.type)
        if both is not None:
            return Value(_difference(coerce(a, both).sql, coerce(b, both).sql, both.base), INTERVAL_DS)
    return None


def _scaled_interval(a: Value, b: Value, op: str) -> Value | None:
    if b.type.base in {*INTEGERS}:
        by = coerce(b, BIGINT).sql
        sql = f"({a.sql} * {by})" if op == "*" else f"({a.sql} // {by})"
    elif b.type.base in {"real", "double", "decimal"}:
        sql = f"trunc({a.sql} {op} CAST({b.sql} AS DOUBLE))"
    else:
        return None
    return Value(f"CAST({sql} AS {duck_type(a.type)})", a.type)


def _shifted(a: Value, amount: str, unit: str) -> Value | None:
    t = a.type
    if unit == "interval_ym":
        if t.base == "date":
            return Value(f"CAST({a.sql} + to_months({amount}) AS DATE)", t)
        if t.base == "timestamp":
            return Value(f"({a.sql} + to_months({amount}))", t)
        if t.base == "timestamp_tz":
            return Value(f"t_zoned_months({a.sql}, {amount})", t)
        return None
    if t.base == "date":
        return Value(f"t_date_plus({a.sql}, {amount})", t)
    wider = Type(t.base, precision=max(t.precision, 3))
    if t.base == "timestamp":
        return Value(f"({a.sql} + to_milliseconds({amount}))", wider)
    if t.base == "time":
        return Value(f"t_time_plus({a.sql}, {amount})", wider)
    if t.base == "timestamp_tz":
        return Value(f"t_zoned_plus({a.sql}, {amount})", wider)
    if t.base == "time_tz":
        return Value(f"t_time_zoned_plus({a.sql}, {amount})", wider)
    return None


def _difference(a: str, b: str, base: str) -> str:
    if base == "date":
        return f"(CAST({a} - {b} AS BIGINT) * 86400000)"
    if base == "time":
        return f"t_ms(epoch_us({a}) - epoch_us({b}))"
    if base == "time_tz":
        return f"t_ms(t_time_instant({a}) - t_time_instant({b}))"
    if base == "timestamp_tz":
        return f"t_ms(epoch_us(t_instant({a})) - epoch_us(t_instant({b})))"
    return f"t_ms(epoch_us({a}) - epoch_us({b}))"


def concat(a: Value, b: Value) -> Value | None:
    """a || b."""
    x, y = a.type, b.type
    if x.base == "array" or y.base == "array":
        return _concat_arrays(a, b)
    if {x.base, y.base} <= {"varchar", "char", "unknown"}:
        if "char" in {x.base, y.base} and x.length is not None and y.length is not None:
            t = Type("char", length=x.length + y.length)
            left = f"rpad({a.sql}, {x.length}, ' ')" if x.base == "char" else a.sql
            return Value(f"rtrim({left} || {b.sql}, ' ')", t)
        return Value(f"({coerce(a, varchar(x.length)).sql} || {coerce(b, varchar(y.length)).sql})", varchar(None))
    if {x.base, y.base} <= {"varbinary", "unknown"}:
        return Value(f"({coerce(a, Type('varbinary')).sql} || {coerce(b, Type('varbinary')).sql})", Type("varbinary"))
    return None


def ambiguous_concat(a: Type, b: Type) -> bool:
    """Whether a || b may mean two arrays as well as an array and one more item."""
    if not a.base == b.base == "array":
        return False
    return {a.args[0].base, b.args[0].base} == {"array", "unknown"}


def _concat_arrays(a: Value, b: Value) -> Value | None:
    x, y = a.type, b.type
    if x.base == "array" and y.base == "array":
        both = common(x, y)
        if both is not None:
            left, right = coerce(a, both).sql, coerce(b, both).sql
            return Value(f"({left} || {right})", both)
    if x.base == "array":
        item = common(x.args[0], y)
        if item is not None:
            return Value(f"list_append({coerce(a, array(item)).sql}, {coerce(b, item).sql})", array(item))
    if y.base == "array":
        item = common(x, y.args[0])
        if item is not None:
            return Value(f"list_prepend({coerce(a, item).sql}, {coerce(b, array(item)).sql})", array(item))
    return None
