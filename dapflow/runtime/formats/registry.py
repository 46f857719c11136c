"""The formats of landing files by their names. What compiling must know of each is in ``dapflow.landing_formats``."""

from __future__ import annotations

from dapflow.manifest import LandingSource
from dapflow.runtime.formats.csv import Csv
from dapflow.runtime.formats.json_lines import JsonLines
from dapflow.runtime.formats.landing_format import LandingFormat
from dapflow.runtime.formats.parquet import Parquet

_FORMATS: dict[str, LandingFormat] = {"csv": Csv(), "json": JsonLines(), "parquet": Parquet()}


def format_of(source: LandingSource) -> LandingFormat:
    """The format that the files of a source are in."""
    return _FORMATS[source.format]
