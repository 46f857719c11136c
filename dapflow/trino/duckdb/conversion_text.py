"""Values as text: what CAST to varchar gives, and what Athena prints."""

from __future__ import annotations

from dapflow.trino.duckdb.storage import field_names, quote
from dapflow.trino.duckdb.values import fresh, let
from dapflow.trino.types import Type


def text_sql(sql: str, source: Type) -> str:
    """The text that CAST(x AS varchar) gives."""
    base = source.base
    if base == "varchar":
        return sql
    if base == "char":
        return f"rpad({sql}, {source.length}, ' ')"
    if base == "double":
        return f"t_double_cast({sql})"
    if base == "real":
        return f"t_real_cast({sql})"
    if base == "date":
        return let(sql, lambda x: f"t_date_text({x})")
    if base == "timestamp":
        return _timestamp(sql, source.precision)
    if base == "time":
        return _time(sql, source.precision)
    if base == "timestamp_tz":
        return let(sql, lambda x: f"({_local(x, source.precision)} || ' ' || ({x}).z)", limit=20)
    if base == "time_tz":
        return let(
            sql, lambda x: f"({_time(f't_time_local({x})', source.precision)} || t_offset_text(({x}).o))", limit=120
        )
    if base == "decimal" and source.precision == source.scale < 38:
        return f"CAST(CAST({sql} AS DECIMAL({source.precision + 1}, {source.scale})) AS VARCHAR)"
    if base == "decimal" and source.scale == 38:
        return f"regexp_replace(CAST({sql} AS VARCHAR), '^(-?)\\.', '\\10.')"
    if base == "interval_ds":
        return f"t_interval_ds_text({sql})"
    if base == "interval_ym":
        return f"t_interval_ym_text({sql})"
    return f"CAST({sql} AS VARCHAR)"


def _timestamp(sql: str, precision: int) -> str:
    return let(sql, lambda x: _cut(f"t_timestamp_text({x})", precision), limit=0)


def _local(sql: str, precision: int) -> str:
    return _timestamp(f"t_local({sql})", precision)


def _time(sql: str, precision: int) -> str:
    return _cut(f"t_time_text({sql})", precision)


def _cut(text: str, precision: int) -> str:
    """A text that ends in a second with six digits, with fewer of them."""
    if precision >= 6:
        return text
    return f"left({text}, {precision - 6 if precision else -7})"


def print_sql(sql: str, source: Type) -> str:
    """The text that Athena shows; NULL stays NULL."""
    base = source.base
    if base == "double":
        return f"t_double_text({sql})"
    if base == "real":
        return f"t_real_text({sql})"
    if base == "varbinary":
        return f"t_binary_text({sql})"
    if base == "array":
        name = fresh("e")
        return (
            f"('[' || array_to_string(list_transform({sql}, lambda {name}: {_inner(name, source.args[0])}), "
            f"', ') || ']')"
        )
    if base == "map":
        name = fresh("e")
        pair = f"{_inner(f'({name}).key', source.args[0])} || '=' || {_inner(f'({name}).value', source.args[1])}"
        return f"('{{' || array_to_string(list_transform(map_entries({sql}), lambda {name}: {pair}), ', ') || '}}')"
    if base == "row":
        names = source.names or tuple(None for _ in source.args)

        def body(x: str) -> str:
            parts = []
            for i, (held, shown, kind) in enumerate(zip(field_names(source), names, source.args, strict=True)):
                label = (shown if shown is not None else f"field{i}").replace("'", "''")
                parts.append(f"'{', ' if i else '{'}{label}=' || {_inner(f'({x}).{quote(held)}', kind)}")
            return f"CASE WHEN {x} IS NOT NULL THEN " + " || ".join(parts) + " || '}' END"

        return let(sql, body, limit=60)
    return text_sql(sql, source)


def _inner(sql: str, source: Type) -> str:
    return f"coalesce({print_sql(sql, source)}, 'null')"
