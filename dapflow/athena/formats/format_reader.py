"""How the files of a table are read: what every format fills in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dapflow.athena.storage.locations import Location
from dapflow.trino.types import Type

Convert = Callable[[Path, Path, Location], None]


@dataclass(frozen=True)
class FormatReader:
    """How a file is read.

    Attributes:
        form: names the conversion and all that its outcome depends on, for the cache.
        convert: writes the Parquet form of a file; None for Parquet itself.
        typed: DuckDB SQL that gives a converted column the table's type; None where the general rules do it.
        bills_columns: whether only the columns that are read are billed (columnar formats), else the whole file.
    """

    form: str
    convert: Convert | None = None
    typed: Callable[[str, str, Type], str] | None = None
    bills_columns: bool = False
