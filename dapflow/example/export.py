"""CSV as a service database writes it, and files that grow by one day at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from dapflow.example.package_data import MISSING

GZIP = 31  # zlib's window bits for a gzip frame; its header then carries no time, so equal text gives equal bytes


class Layout:
    """How one table is written: its columns, which of them hold text, and what stands for NULL.

    Text is quoted and its quotes are doubled; numbers and NULL are not quoted. So ``\\N`` is NULL and ``""`` is an
    empty string.
    """

    def __init__(self, columns: Sequence[str], text: Iterable[str], null: str) -> None:
        self.columns = tuple(columns)
        self._text = tuple(self.columns.index(name) for name in text)
        self._null = null

    @property
    def header(self) -> str:
        """The first line of the file."""
        return ",".join(self.columns) + "\n"

    def line(self, values: Sequence[str]) -> str:
        """One row; the package's mark of a missing value becomes NULL."""
        cells = list(values)
        for index in self._text:
            cells[index] = '"' + cells[index].replace('"', '""') + '"'
        if MISSING in values:
            for index, value in enumerate(values):
                if value == MISSING:
                    cells[index] = self._null
        return ",".join(cells) + "\n"


class GrowingGzip:
    """A gzip file that is extended day by day and can be finished at any day without starting again."""

    def __init__(self, header: str) -> None:
        self._compressor = zlib.compressobj(level=4, wbits=GZIP)
        self._written = [self._compressor.compress(header.encode())]

    def extend(self, text: str) -> None:
        """Add text for good."""
        self._written.append(self._compressor.compress(text.encode()))

    def finished(self, text: str = "") -> bytes:
        """The file as it would be if it ended with ``text``; the growing one stays as it is."""
        compressor = self._compressor.copy()
        return b"".join((*self._written, compressor.compress(text.encode()), compressor.flush()))
