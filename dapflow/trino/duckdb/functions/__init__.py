"""The table of functions, by topic. Importing a topic adds its rows."""

from dapflow.trino.duckdb.functions import (
    aggregates,
    arrays,
    binary,
    casting,
    datetime,
    datetime_formats,
    format,  # noqa: A004 - named after the function
    json,
    maps,
    mathematics,
    moments,
    regexp,
    sketches,
    stems,
    strings,
    url,
    windows,
)
from dapflow.trino.duckdb.functions.registry import REGISTRY

__all__ = [
    "REGISTRY",
    "aggregates",
    "arrays",
    "binary",
    "casting",
    "datetime",
    "datetime_formats",
    "format",
    "json",
    "maps",
    "mathematics",
    "moments",
    "regexp",
    "sketches",
    "stems",
    "strings",
    "url",
    "windows",
]
