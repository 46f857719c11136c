"""Values in a form by which they can be grouped and put in order whatever their type.

Trino orders no map (https://trino.io/docs/current/language/types.html#map). Two maps are equal that hold the same
entries, in whatever order, so a map stands as the list of its entries in the order of their keys.
"""

from __future__ import annotations

from dapflow.runtime.column_types import type_parts


def holds_map(kind: str) -> bool:
    """Whether a type, in Glue's spelling, is a map or is made of one."""
    return "map<" in kind


def comparable(value: str, kind: str, depth: int = 0) -> str:
    """An expression that gives the value of an expression in such a form."""
    if not holds_map(kind):
        return value
    outer, parts = type_parts(kind)
    item = f'"v{depth}"'
    if outer == "array":
        return f"transform({value}, {item} -> {comparable(item, parts[0], depth + 1)})"
    if outer == "map":
        held = comparable(f"element_at({value}, {item})", parts[1], depth + 1)
        key = comparable(item, parts[0], depth + 1)
        return f"transform(array_sort(map_keys({value})), {item} -> ROW({key}, {held}))"
    fields = (part.split(":", 1) for part in parts)
    values = ", ".join(
        comparable(f'{value}."{name.replace(chr(34), chr(34) * 2)}"', kind, depth) for name, kind in fields
    )
    return f"CASE WHEN {value} IS NOT NULL THEN ROW({values}) END"
