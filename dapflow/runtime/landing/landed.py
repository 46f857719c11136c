"""What was found of the landing files of a generation, and how Athena reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dapflow.runtime.landing.converted import number_of
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import Moments


@dataclass(frozen=True)
class Landed:
    """The landing files of a generation, and the table through which Athena reads them.

    Attributes:
        columns: name and Glue's type, as the table has them.
        read_as: the name of a column in the table where it is another one.
        moments: the leaves of Parquet files with timestamps that may be finer than milliseconds, by URI.
        rows: by the URI of the file.
        storage: the table's storage.
        header_lines: lines that Athena leaves out at the start of each file.
        converted: the prefix that Athena reads instead of the landing files; None where it reads these themselves.
    """

    files: tuple[Object, ...]
    columns: tuple[tuple[str, str], ...]
    rows: dict[str, int]
    storage: dict[str, Any]
    header_lines: int = 0
    converted: str | None = None
    read_as: dict[str, str] = field(default_factory=dict)
    moments: dict[str, tuple[Moments, ...]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.rows.values())

    def origin(self, uri: str) -> Object | None:
        """The landing file that Athena's ``$path`` stands for."""
        if self.converted is not None and uri.startswith(self.converted):
            return self.files[number_of(uri)]
        return next((file for file in self.files if file.uri == uri), None)


def text_columns(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The columns of a table in which every value is text."""
    return tuple((name, "string") for name in names)
