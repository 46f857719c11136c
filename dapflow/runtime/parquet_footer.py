"""The footer of a Parquet file: its rows and its columns, read without a Parquet library.

The footer is a Thrift structure in the compact protocol; this reads as much of it as is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"
# Stands for the type of a column that holds nothing but NULL, and says so (logical type UNKNOWN).
NULLS = "void"
TAIL_BYTES = 64 * 1024

_BOOLEAN, _INT32, _INT64, _INT96, _FLOAT, _DOUBLE, _BYTES, _FIXED = range(8)
_REPEATED = 2
_PLAIN = {
    _BOOLEAN: "boolean",
    _INT32: "int",
    _INT64: "bigint",
    _INT96: "timestamp",
    _FLOAT: "float",
    _DOUBLE: "double",
    _BYTES: "binary",
    _FIXED: "binary",
}
# ConvertedType of the Parquet format to Glue's type; MAP, LIST and DECIMAL have code of their own.
_CONVERTED = {
    0: "string",
    4: "string",
    6: "date",
    9: "timestamp",
    10: "timestamp",
    11: "smallint",
    12: "int",
    13: "bigint",
    14: "decimal(20,0)",
    15: "tinyint",
    16: "smallint",
    17: "int",
    18: "bigint",
    19: "string",
}
_UNKNOWN = 11
_MAP, _LIST, _DECIMAL, _TIME_MILLIS, _TIME_MICROS, _INTERVAL = 1, 3, 5, 7, 8, 21
# Field numbers of the LogicalType union.
_LOGICAL = {1: "string", 4: "string", 6: "date", 8: "timestamp", 12: "string"}


class FooterError(ValueError):
    """The bytes are not the end of a Parquet file, or it holds what no table can."""


@dataclass(frozen=True)
class Footer:
    """What a Parquet file holds: rows, and columns as name and Glue type."""

    rows: int
    columns: tuple[tuple[str, str], ...]


def read_footer(read_tail: Callable[[int], bytes]) -> Footer:
    """Read the footer of a file. ``read_tail(n)`` gives its last ``n`` bytes, or all when it has fewer."""
    tail = read_tail(TAIL_BYTES)
    if len(tail) < 12 or tail[-4:] != MAGIC:
        raise FooterError("it does not end as a Parquet file does")
    length = int.from_bytes(tail[-8:-4], "little")
    if length + 8 > len(tail):
        tail = read_tail(length + 8)
    if length + 8 > len(tail):
        raise FooterError("its footer is longer than the file")
    try:
        fields = _Compact(tail[-8 - length : -8]).struct(until=3)
        elements = iter(fields[2])
        root = next(elements)
        columns = tuple(_top_column(elements) for _ in range(root.get(5, 0)))
        return Footer(fields[3], columns)
    except (IndexError, KeyError, StopIteration, UnicodeDecodeError) as error:
        raise FooterError("its footer is damaged") from error


def _top_column(elements: Any) -> tuple[str, str]:
    element = next(elements)
    if _UNKNOWN in element.get(10, {}):
        return element[4].decode().lower(), NULLS
    return _column(elements, element)


def _column(elements: Any, element: dict[int, Any] | None = None) -> tuple[str, str]:
    """The column that begins with the next element, or with ``element``, which was the next."""
    element = element or next(elements)
    name = element[4].decode().lower()
    if 5 not in element:
        return name, _scalar(name, element)
    children = element[5]
    kind = element.get(6)
    logical = element.get(10, {})
    if kind == _LIST or 3 in logical:
        return name, f"array<{_list_item(elements)}>"
    if kind in (_MAP, 2) or 2 in logical:
        next(elements)  # the repeated group of keys and values
        return name, f"map<{_column(elements)[1]},{_column(elements)[1]}>"
    parts = [":".join(_column(elements)) for _ in range(children)]
    struct = f"struct<{','.join(parts)}>"
    return name, f"array<{struct}>" if element.get(3) == _REPEATED else struct


def _list_item(elements: Any) -> str:
    repeated = next(elements)
    if 5 not in repeated:  # two levels: the repeated field is the item
        return _scalar("item", repeated)
    parts = [_column(elements) for _ in range(repeated[5])]
    if len(parts) == 1 and repeated[4] not in (b"array",) and not repeated[4].endswith(b"_tuple"):
        return parts[0][1]
    return "struct<" + ",".join(":".join(part) for part in parts) + ">"


def _scalar(name: str, element: dict[int, Any]) -> str:
    kind, converted, logical = element.get(1), element.get(6), element.get(10, {})
    if converted == _DECIMAL or 5 in logical:
        decimal = logical.get(5, {})
        return f"decimal({decimal.get(2, element.get(8, 38))},{decimal.get(1, element.get(7, 0))})"
    if converted in (_TIME_MILLIS, _TIME_MICROS, _INTERVAL) or 7 in logical:
        raise FooterError(f"column {name} is a time of day or an interval, which no table can hold")
    if converted in _CONVERTED:
        return _CONVERTED[converted]
    known = next((each for number, each in _LOGICAL.items() if number in logical), None)
    if known is None and kind not in _PLAIN:
        raise FooterError(f"column {name} has no type")
    return known or _PLAIN[kind or 0]


class _Compact:
    """A reader of Thrift's compact protocol: a structure becomes a dict of field number to value."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def struct(self, until: int | None = None) -> dict[int, Any]:
        """The structure that starts here; nothing after field ``until``."""
        fields: dict[int, Any] = {}
        number = 0
        while (header := self._byte()) != 0:
            kind = header & 0x0F
            number = number + (header >> 4) if header >> 4 else self._zigzag()
            if until is not None and number > until:
                break
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:  # noqa: PLR0911 (one return per kind of the protocol)
        if kind in (1, 2, 3):
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            header = self._byte()
            size = header >> 4 if header >> 4 != 15 else self._varint()
            return [self._value(header & 0x0F) for _ in range(size)]
        if kind == 11:
            size = self._varint()
            kinds = self._byte() if size else 0
            return [(self._value(kinds >> 4), self._value(kinds & 0x0F)) for _ in range(size)]
        if kind == 12:
            return self.struct()
        raise KeyError(kind)

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise IndexError
        return self.data[self.at - count : self.at]

    def _varint(self) -> int:
        result = shift = 0
        while True:
            byte = self._byte()
            result |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return result
            shift += 7

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
