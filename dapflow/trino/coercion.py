"""Which types become which others by themselves, as Trino decides it."""

from __future__ import annotations

from functools import lru_cache

from dapflow.trino.types import DOUBLE, REAL, UNCHECKED, Type, array, decimal, map_of, row, varchar

#: Integer types with the decimals that hold them.
INTEGERS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_ORDER = ("tinyint", "smallint", "integer", "bigint")
_FLOATS = ("real", "double")
_MOMENTS = frozenset({"date", "timestamp", "timestamp_tz", "time", "time_tz"})

NUMERIC = frozenset({*INTEGERS, *_FLOATS, "decimal"})


def as_decimal(t: Type) -> Type | None:
    """The decimal that holds every value of an exact number type."""
    if t.base == "decimal":
        return t
    digits = INTEGERS.get(t.base)
    return None if digits is None else decimal(digits, 0)


@lru_cache(maxsize=8192)
def common(a: Type, b: Type) -> Type | None:
    """The type that both become where one type is wanted, or None."""
    if a == b or b.base == "unknown":
        return a
    if a.base == "unknown":
        return b
    if "unchecked" in {a.base, b.base}:
        return UNCHECKED
    if a.base in NUMERIC and b.base in NUMERIC:
        return _common_number(a, b)
    if a.base == b.base:
        return _common_same(a, b)
    if {a.base, b.base} == {"varchar", "char"}:
        longest = max(65536 if t.length is None else t.length for t in (a, b))
        return Type("char", length=min(longest, 65536))
    if a.base in _MOMENTS and b.base in _MOMENTS:
        return _common_moment(a, b)
    return None


def _common_number(a: Type, b: Type) -> Type:
    if "double" in {a.base, b.base}:
        return DOUBLE
    if "real" in {a.base, b.base}:
        return REAL
    if a.base in INTEGERS and b.base in INTEGERS:
        return a if _ORDER.index(a.base) >= _ORDER.index(b.base) else b
    x, y = as_decimal(a), as_decimal(b)
    assert x is not None  # noqa: S101 - both are exact numbers here
    assert y is not None  # noqa: S101
    scale = max(x.scale, y.scale)
    whole = max(x.precision - x.scale, y.precision - y.scale)
    return decimal(min(38, whole + scale), scale)


def _common_same(a: Type, b: Type) -> Type | None:
    base = a.base
    if base == "varchar":
        return varchar(None if a.length is None or b.length is None else max(a.length, b.length))
    if base == "char":
        return Type("char", length=max(a.length or 0, b.length or 0))
    if base in {"timestamp", "timestamp_tz", "time", "time_tz"}:
        return a if a.precision >= b.precision else b
    if base == "row" and len(a.args) != len(b.args):
        return None
    parts = [common(x, y) for x, y in zip(a.args, b.args, strict=True)]
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    if base == "array":
        return array(known[0])
    if base == "map":
        return map_of(known[0], known[1])
    if base == "row":
        left, right = a.names or (None,) * len(known), b.names or (None,) * len(known)
        return row(*known, names=tuple(x if x == y else None for x, y in zip(left, right, strict=True)))
    return None


def _common_moment(a: Type, b: Type) -> Type | None:
    kinds = {a.base, b.base}
    precision = max(a.precision, b.precision)
    if kinds <= {"date", "timestamp", "timestamp_tz"}:
        return Type("timestamp_tz" if "timestamp_tz" in kinds else "timestamp", precision=precision)
    if kinds == {"time", "time_tz"}:
        return Type("time_tz", precision=precision)
    return None


@lru_cache(maxsize=8192)
def can_coerce(source: Type, target: Type) -> bool:
    """Whether a value of one type is taken where another is wanted."""
    if source == target or source.base == "unknown" or "unchecked" in {source.base, target.base}:
        return True
    if target.base == "varchar":
        if source.base == "varchar":
            return target.length is None or (source.length is not None and source.length <= target.length)
        return source.base == "char" and (target.length is None or (source.length or 0) <= target.length)
    if source.base in INTEGERS and target.base == "decimal":
        return target.precision - target.scale >= INTEGERS[source.base]
    if source.base == "row" and target.base == "row" and len(source.args) == len(target.args):
        return all(can_coerce(x, y) for x, y in zip(source.args, target.args, strict=True))
    if source.base == target.base and source.base in {"array", "map"}:
        return all(can_coerce(x, y) for x, y in zip(source.args, target.args, strict=True))
    return common(source, target) == target


_TEXTS = frozenset({"varchar", "char"})
_NUMBERS = frozenset({"boolean", *NUMERIC, *_TEXTS})
_DAYS = frozenset({"date", "timestamp", "timestamp_tz", *_TEXTS})
#: What a CAST makes of each kind of type, besides what nested types and JSON become. Source: Trino's operators.
_CASTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("boolean", *NUMERIC), _NUMBERS),
    **dict.fromkeys(_TEXTS, _NUMBERS | _MOMENTS | {"uuid", "ipaddress", "varbinary"}),
    "date": _DAYS,
    "timestamp": _MOMENTS - {"time_tz"} | _TEXTS,
    "timestamp_tz": _MOMENTS | _TEXTS,
    **dict.fromkeys(("time", "time_tz"), _MOMENTS - {"date"} | _TEXTS),
    **dict.fromkeys(("interval_ds", "interval_ym"), _TEXTS),
    **dict.fromkeys(("uuid", "ipaddress"), _TEXTS | {"varbinary"}),
    "varbinary": frozenset({"uuid", "ipaddress"}),
}
#: What becomes JSON, and JSON becomes, by CAST; and which keys of maps do.
_JSON_VALUES = frozenset({"boolean", *NUMERIC, "varchar", "json", "date", "timestamp", "unknown"})
_JSON_KEYS = frozenset({"boolean", *NUMERIC, "varchar", "unknown"})


@lru_cache(maxsize=8192)
def castable(source: Type, target: Type) -> bool:
    """Whether Trino has a cast between two types."""
    if source == target or can_coerce(source, target):
        return True
    if source.base == target.base and source.args and target.args:
        return len(source.args) == len(target.args) and all(
            castable(a, b) for a, b in zip(source.args, target.args, strict=True)
        )
    if target.base == "json":
        return _json_castable(source)
    if source.base == "json":
        return _json_castable(target)
    return target.base in _CASTS.get(source.base, ())


def _json_castable(t: Type) -> bool:
    if t.base in {"array", "row"}:
        return all(_json_castable(part) for part in t.args)
    if t.base == "map":
        return t.args[0].base in _JSON_KEYS and _json_castable(t.args[1])
    return t.base in _JSON_VALUES


def orderable(t: Type) -> bool:
    """Whether values of the type have an order."""
    if t.base in {"map", "json", "function", "HyperLogLog", "JsonPath", "color", "qdigest", "tdigest"}:
        return False
    return all(orderable(part) for part in t.args)


def comparable(t: Type) -> bool:
    """Whether values of the type can be equal."""
    if t.base in {"function", "HyperLogLog", "JsonPath", "qdigest", "tdigest"}:
        return False
    return all(comparable(part) for part in t.args)
