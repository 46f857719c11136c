"""Trino's types: their text and their parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from dapflow.trino.errors import QueryError


@dataclass(frozen=True)
class Type:
    """A Trino type. `length` serves varchar and char; `precision` decimal, time and timestamp.

    Bases with a zone or an interval's unit are one word: `timestamp_tz`, `time_tz`, `interval_ds`, `interval_ym`.
    """

    base: str
    args: tuple[Type, ...] = ()
    names: tuple[str | None, ...] | None = None
    length: int | None = None
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return self._text

    # Not a cache by types, whose hashes are of all their parts.
    @cached_property
    def _text(self) -> str:
        return type_text(self)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.base, self.args, self.names, self.length, self.precision, self.scale))

    @cached_property
    def is_unchecked(self) -> bool:
        """Whether something in it could not be checked."""
        return self.base == "unchecked" or any(part.is_unchecked for part in self.args)

    def __reduce__(self) -> tuple[type[Type], tuple[Any, ...]]:
        # Without what was computed: in another process, hashes are others.
        return Type, (self.base, self.args, self.names, self.length, self.precision, self.scale)


def type_text(t: Type) -> str:
    """The type as Trino writes it."""
    base = t.base
    if base == "varchar":
        return "varchar" if t.length is None else f"varchar({t.length})"
    if base == "char":
        return f"char({t.length})"
    if base == "decimal":
        return f"decimal({t.precision},{t.scale})"
    if base in {"timestamp", "time"}:
        return f"{base}({t.precision})"
    if base in {"timestamp_tz", "time_tz"}:
        return f"{base[:-3]}({t.precision}) with time zone"
    if base == "interval_ds":
        return "interval day to second"
    if base == "interval_ym":
        return "interval year to month"
    if base == "row":
        names = t.names or (None,) * len(t.args)
        return "row(" + ", ".join(_field(n, a) for n, a in zip(names, t.args, strict=True)) + ")"
    if base == "function":
        return "function(" + ",".join(map(str, t.args)) + ")"
    if t.args:
        return f"{base}(" + ", ".join(map(str, t.args)) + ")"
    return base


def _field(name: str | None, t: Type) -> str:
    if name is None:
        return str(t)
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        return f"{name} {t}"
    doubled = name.replace('"', '""')
    return f'"{doubled}" {t}'


def display_name(t: Type) -> str:
    """The type as TYPEOF gives it: names of fields stand as they are, though one that needs quotes has none.

    https://github.com/trinodb/trino/blob/398/core/trino-spi/src/main/java/io/trino/spi/type/RowType.java
    """
    if t.base == "row":
        names = t.names or (None,) * len(t.args)
        fields = (
            f"{n} {display_name(a)}" if n is not None else display_name(a) for n, a in zip(names, t.args, strict=True)
        )
        return f"row({', '.join(fields)})"
    return f"{t.base}({', '.join(map(display_name, t.args))})" if t.base in {"array", "map"} else str(t)


BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT = (Type(n) for n in ("boolean", "tinyint", "smallint", "integer", "bigint"))
REAL, DOUBLE, DATE, JSON, UNKNOWN, VARBINARY = (
    Type(n) for n in ("real", "double", "date", "json", "unknown", "varbinary")
)
VARCHAR = Type("varchar")
#: Of what could not be checked, since a mistake lies below it or a table is not known; it fits everything.
UNCHECKED = Type("unchecked")
UUID, IPADDRESS = Type("uuid"), Type("ipaddress")
INTERVAL_DS, INTERVAL_YM = Type("interval_ds"), Type("interval_ym")

_SIMPLE = {
    "boolean": BOOLEAN,
    "tinyint": TINYINT,
    "smallint": SMALLINT,
    "integer": INTEGER,
    "int": INTEGER,
    "bigint": BIGINT,
    "real": REAL,
    "float": REAL,
    "double": DOUBLE,
    "double precision": DOUBLE,
    "date": DATE,
    "json": JSON,
    "unknown": UNKNOWN,
    "varbinary": VARBINARY,
    "binary": VARBINARY,
    "varchar": VARCHAR,
    "string": VARCHAR,
    "uuid": UUID,
    "ipaddress": IPADDRESS,
    "interval day to second": INTERVAL_DS,
    "interval year to month": INTERVAL_YM,
    "char": Type("char", length=1),
    "decimal": Type("decimal", precision=38),
    "numeric": Type("decimal", precision=38),
    "timestamp": Type("timestamp", precision=3),
    "time": Type("time", precision=3),
    "timestamp with time zone": Type("timestamp_tz", precision=3),
    "time with time zone": Type("time_tz", precision=3),
    "hyperloglog": Type("HyperLogLog"),
    "jsonpath": Type("JsonPath"),
    "qdigest": Type("qdigest"),
    "tdigest": Type("tdigest"),
    "json2016": Type("json2016"),
    "color": Type("color"),
    "ipprefix": Type("ipprefix"),
    "p4hyperloglog": Type("P4HyperLogLog"),
    "setdigest": Type("SetDigest"),
    "geometry": Type("Geometry"),
    "sphericalgeography": Type("SphericalGeography"),
    "bingtile": Type("BingTile"),
    "kdbtree": Type("KdbTree"),
}


def varchar(length: int | None) -> Type:
    """varchar(n), or varchar without a bound."""
    return VARCHAR if length is None or length >= 2147483647 else Type("varchar", length=length)


def decimal(precision: int, scale: int) -> Type:
    """decimal(p, s)."""
    return Type("decimal", precision=precision, scale=scale)


def array(item: Type) -> Type:
    """array(item)."""
    return Type("array", (item,))


def map_of(key: Type, value: Type) -> Type:
    """map(key, value)."""
    return Type("map", (key, value))


def row(*fields: Type, names: tuple[str | None, ...] | None = None) -> Type:
    """row(...) with or without names."""
    if names is not None and all(n is None for n in names):
        names = None
    return Type("row", fields, names)


def grouping_type(columns: int) -> Type:
    """The type of GROUPING(), which has a bit for each column."""
    return INTEGER if columns <= 31 else BIGINT


def split_top(text: str) -> list[str]:
    """Split at commas outside brackets, angle brackets and quotes."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif c in "(<":
            depth += 1
        elif c in ")>":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return parts


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    """Read a type; Hive's spellings (`array<int>`, `struct<a:int>`) are read too."""
    source = text.strip()
    lower = re.sub(r"\s+", " ", source.lower())
    if lower in _SIMPLE:
        return _SIMPLE[lower]
    m = re.fullmatch(r"(timestamp|time)\s*\(\s*(\d+)\s*\)(\s*with time zone|\s*without time zone)?", lower)
    if m:
        zoned = "_tz" if m[3] and "without" not in m[3] else ""
        return Type(m[1] + zoned, precision=int(m[2]))
    m = re.fullmatch(r"(\w+)\s*[(<](.*)[)>]", source, re.DOTALL)
    if not m:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {text}")
    base, body = m[1].lower(), m[2]
    parts = split_top(body)
    if base in {"varchar", "char"} and body.strip().isdigit():
        return varchar(int(body)) if base == "varchar" else Type("char", length=int(body))
    if base in {"decimal", "numeric"} and all(p.isdigit() for p in parts):
        return decimal(int(parts[0]), int(parts[1]) if len(parts) > 1 else 0)
    if base in {"array", "list"} and len(parts) == 1:
        return array(parse_type(parts[0]))
    if base == "map" and len(parts) == 2:
        return map_of(parse_type(parts[0]), parse_type(parts[1]))
    if base in {"row", "struct"}:
        return _row_type(parts, ":" if base == "struct" else None)
    if base in {"qdigest", "function"}:
        return Type(base, tuple(parse_type(p) for p in parts))
    raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {text}")


def _row_type(parts: list[str], separator: str | None) -> Type:
    fields, names = [], []
    for part in parts:
        name, body = None, part
        if separator:
            name, _, body = part.partition(separator)
        else:
            m = re.fullmatch(r'("(?:[^"]|"")*"|\w+)\s+(.+)', part, re.DOTALL)
            if m and not _is_type(part):
                name, body = m[1], m[2]
        fields.append(parse_type(body))
        names.append(None if name is None else name.strip('"').lower() if not name.startswith('"') else name[1:-1])
    return row(*fields, names=tuple(names))


def _is_type(text: str) -> bool:
    try:
        parse_type(text)
    except QueryError:
        return False
    return True
