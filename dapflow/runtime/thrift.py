"""Thrift's compact protocol, in which the structures of Parquet files are written."""

from __future__ import annotations

from typing import Any


class Compact:
    """A reader of Thrift's compact protocol: a structure becomes a dict of field number to value."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

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
