"""The footer of a Parquet file: its rows and its columns, read without a Parquet library.

The footer is a structure of Thrift's; this reads as much of it as is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from dapflow.runtime.thrift import Compact

MAGIC = b"PAR1"
# Stands for the type of a column that holds nothing but NULL, and says so (logical type UNKNOWN).
NULLS = "void"
# Columns of timestamps of 64 bits with digits behind the milliseconds, and how many parts a millisecond has.
FINE = {"timestamp(6)": 1_000, "timestamp(9)": 1_000_000}
TAIL_BYTES = 64 * 1024


def table_type(file_type: str) -> str:
    """The type of a table's column for one that a file has; text takes whatever comes after nothing but NULL."""
    return "string" if file_type == NULLS else "timestamp" if file_type in FINE else file_type


_BOOLEAN, _INT32, _INT64, _INT96, _FLOAT, _DOUBLE, _BYTES, _FIXED = range(8)
_OPTIONAL, _REPEATED = 1, 2
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
# Kinds of pages that hold values, and the encodings in which these are places in a dictionary.
DATA_PAGES = (0, 3)
DICTIONARY_ENCODINGS = (2, 8)
_MAP, _LIST, _DECIMAL, _TIME_MILLIS, _TIME_MICROS, _INTERVAL = 1, 3, 5, 7, 8, 21
# Field numbers of the LogicalType union.
_LOGICAL = {1: "string", 4: "string", 6: "date", 8: "timestamp", 12: "string"}
_TIMESTAMP_MILLIS, _TIMESTAMP_MICROS, _LOGICAL_TIMESTAMP = 9, 10, 8
_MILLISECONDS = 3
_FLOAT16 = 15
# As Hive reads types from text (TypeInfoUtils.isTypeChar).
_FIELD_NAME = re.compile(r"[\w. $]+")
# Of a decimal (https://docs.aws.amazon.com/athena/latest/ug/data-types.html).
_DIGITS = 38


class FooterError(ValueError):
    """The bytes are not the end of a Parquet file, or it holds what no table can; ``hint`` says what helps."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Moments:
    """A leaf of the schema whose timestamps may hold more than the milliseconds that Athena's tables keep.

    Attributes:
        leaf: its place among all leaves; each row group has its chunks in this order.
        digits: of a second's fraction.
        old: whether they are timestamps of 96 bits (INT96), a day and nanoseconds.
        definition: the greatest definition level; a level of 0 is not written.
        repetition: the greatest repetition level, likewise.
    """

    path: tuple[str, ...]
    leaf: int
    digits: int
    old: bool
    definition: int
    repetition: int

    @property
    def plain(self) -> bool:
        """Whether Athena can show the numbers that the file holds: it takes a column of them for ``bigint``."""
        return len(self.path) == 1 and not self.old and not self.repetition


@dataclass(frozen=True)
class Chunk:
    """The values of one leaf in one row group: bytes ``start`` to ``end`` of the file hold what must be looked at.

    ``codec`` is the number of the compression.
    """

    start: int
    end: int
    codec: int


@dataclass(frozen=True)
class Footer:
    """What a Parquet file holds: rows, and columns as name and Glue type.

    A column of timestamps of 64 bits that are finer than milliseconds is ``timestamp(6)`` or ``timestamp(9)``.
    """

    rows: int
    columns: tuple[tuple[str, str], ...]
    moments: tuple[Moments, ...] = field(default=(), compare=False)


def read_footer(read_tail: Callable[[int], bytes]) -> Footer:
    """Read the footer of a file. ``read_tail(n)`` gives its last ``n`` bytes, or all when it has fewer."""
    try:
        fields = _fields(read_tail, until=3)
        elements = iter(fields[2])
        root = next(elements)
        columns = tuple(_top_column(elements) for _ in range(root.get(5, 0)))
        moments = _moments(iter(fields[2][1:]), root.get(5, 0), count())
        return Footer(fields[3], columns, tuple(moments))
    except (IndexError, KeyError, StopIteration, UnicodeDecodeError) as error:
        raise FooterError("its footer is damaged") from error


def read_chunks(read_tail: Callable[[int], bytes], leaves: set[int]) -> list[dict[int, Chunk]]:
    """Where these leaves lie, by row group. Raises FooterError."""
    try:
        groups = _fields(read_tail, until=4).get(4, [])
        return [{leaf: _chunk(group[1][leaf]) for leaf in leaves} for group in groups]
    except (IndexError, KeyError) as error:
        raise FooterError("its footer is damaged, or the file is encrypted") from error


def read_column_sizes(read_tail: Callable[[int], bytes]) -> dict[str, int]:
    """How many bytes the values of each column take in the file, as they are compressed. Raises FooterError."""
    sizes: dict[str, int] = {}
    try:
        for group in _fields(read_tail, until=4).get(4, []):
            for chunk in group[1]:
                meta = chunk[3]
                name = meta[3][0].decode().lower()
                sizes[name] = sizes.get(name, 0) + meta[7]
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise FooterError("its footer is damaged, or the file is encrypted") from error
    return sizes


def _fields(read_tail: Callable[[int], bytes], until: int) -> dict[int, Any]:
    tail = read_tail(TAIL_BYTES)
    if len(tail) < 12 or tail[-4:] != MAGIC:
        raise FooterError("it does not end as a Parquet file does")
    length = int.from_bytes(tail[-8:-4], "little")
    if length + 8 > len(tail):
        tail = read_tail(length + 8)
    if length + 8 > len(tail):
        raise FooterError("its footer is longer than the file")
    return Compact(tail[-8 - length : -8]).struct(until)


def _chunk(column: dict[int, Any]) -> Chunk:
    meta = column[3]
    data = meta[9]
    start = min(data, meta.get(11) or data)
    pages = [page for page in meta.get(13, ()) if page[1] in DATA_PAGES]
    if start < data and pages and all(page[2] in DICTIONARY_ENCODINGS for page in pages):
        return Chunk(start, data, meta[4])  # the dictionary has each value once
    return Chunk(start, start + meta[7], meta[4])


def _moments(
    elements: Iterator[dict[int, Any]],
    children: int,
    leaves: Iterator[int],
    above: tuple[str, ...] = (),
    levels: tuple[int, int] = (0, 0),
) -> Iterator[Moments]:
    """The leaves that hold moments finer than milliseconds, among the next elements of the schema."""
    for _ in range(children):
        element = next(elements)
        path = (*above, element[4].decode().lower())
        definition = levels[0] + (element.get(3) in (_OPTIONAL, _REPEATED))
        repetition = levels[1] + (element.get(3) == _REPEATED)
        if 5 in element:
            yield from _moments(elements, element[5], leaves, path, (definition, repetition))
            continue
        leaf = next(leaves)
        digits = _digits(element)
        if digits > _MILLISECONDS:
            yield Moments(path, leaf, digits, element.get(1) == _INT96, definition, repetition)


def _digits(element: dict[int, Any]) -> int:
    """Digits of the fraction of a second; 0 for what is no timestamp."""
    if element.get(1) == _INT96:
        return 9
    logical = element.get(10, {}).get(_LOGICAL_TIMESTAMP)
    if logical is not None:
        return 3 * int(next(iter(logical[2])))
    return {_TIMESTAMP_MILLIS: 3, _TIMESTAMP_MICROS: 6}.get(element.get(6, -1), 0)


def _top_column(elements: Any) -> tuple[str, str]:
    element = next(elements)
    if _UNKNOWN in element.get(10, {}):
        return element[4].decode().lower(), NULLS
    name, kind = _column(elements, element)
    if kind == "timestamp" and element.get(1) == _INT64 and _digits(element) > _MILLISECONDS:
        kind = f"timestamp({_digits(element)})"
    return name, kind


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
    struct = _struct([_column(elements) for _ in range(children)])
    return name, f"array<{struct}>" if element.get(3) == _REPEATED else struct


def _list_item(elements: Any) -> str:
    repeated = next(elements)
    if 5 not in repeated:  # two levels: the repeated field is the item
        return _scalar("item", repeated)
    parts = [_column(elements) for _ in range(repeated[5])]
    if len(parts) == 1 and repeated[4] not in (b"array",) and not repeated[4].endswith(b"_tuple"):
        return parts[0][1]
    return _struct(parts)


def _struct(parts: list[tuple[str, str]]) -> str:
    names = [name for name, _ in parts]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise FooterError(
            f"two fields of a struct are called {doubled}, but for the case of their letters",
            "Athena does not tell them apart; rename one of them in the export",
        )
    if odd := next((name for name in names if not _FIELD_NAME.fullmatch(name)), None):
        raise FooterError(
            f"a field of a struct is called {odd!r}, which no type of Glue can hold",
            "rename it in the export: letters, digits, blanks and _ . $ are taken",
        )
    return "struct<" + ",".join(":".join(part) for part in parts) + ">"


def _scalar(name: str, element: dict[int, Any]) -> str:
    kind, converted, logical = element.get(1), element.get(6), element.get(10, {})
    if converted == _DECIMAL or 5 in logical:
        decimal = logical.get(5, {})
        precision, scale = decimal.get(2, element.get(8, _DIGITS)), decimal.get(1, element.get(7, 0))
        if precision > _DIGITS:
            raise FooterError(
                f"column {name} is decimal({precision},{scale}), and tables hold {_DIGITS} digits",
                f"export it as text, or with {_DIGITS} digits (pyarrow: decimal128)",
            )
        return f"decimal({precision},{scale})"
    if converted in (_TIME_MILLIS, _TIME_MICROS, _INTERVAL) or 7 in logical:
        raise FooterError(
            f"column {name} is a time of day or an interval, which no table can hold", "export it as text or a number"
        )
    if _FLOAT16 in logical:
        raise FooterError(
            f"column {name} is a float16, which no table can hold",
            "export it as a float or a double, which hold each of its values (pandas: .astype('float32'))",
        )
    if converted in _CONVERTED:
        return _CONVERTED[converted]
    known = next((logical_type for number, logical_type in _LOGICAL.items() if number in logical), None)
    if known is None and kind not in _PLAIN:
        raise FooterError(f"column {name} has no type")
    return known or _PLAIN[kind or 0]
