"""A temporary external table over landing files, so that Athena itself reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.manifest import Column, Source
from dapflow.runtime.current_view import glue_column
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import put_table

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
# The SerDe's own default is the backslash, with which the text \N would be read as N. No file holds this character.
_NO_ESCAPE = "\u0001"


def csv_storage(source: Source, names: Sequence[str], location: str) -> dict[str, Any]:
    """CSV files whose columns come in the order of ``names``, quoted by doubling alone."""
    columns = [Column(name, "string") for name in names]
    serde = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"separatorChar": source.delimiter, "quoteChar": '"', "escapeChar": _NO_ESCAPE},
    }
    return _text_storage(columns, location, serde)


def json_storage(names: Sequence[str], location: str) -> dict[str, Any]:
    """JSON lines as ``ConvertedFile`` writes them: every value text, every key the name of a column."""
    serde = {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"ignore.malformed.json": "false", "case.insensitive": "true"},
    }
    return _text_storage([Column(name, "string") for name in names], location, serde)


def create_landing_table(target: Target, name: str, storage: dict[str, Any], *, header_lines: int = 0) -> None:
    """Create the table in the dataset's database; one that another attempt made stays in place.

    The journal must know it before.
    """
    skip = {"skip.header.line.count": str(header_lines)} if header_lines else {}
    table = {
        "Name": name,
        "Description": f"Temporary: the ingest of {target.dataset.id} reads landing files through it",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": storage,
        "Parameters": {"EXTERNAL": "TRUE", **skip},
    }
    put_table(target.catalog, target.place.database, table)


def _text_storage(columns: Sequence[Column], location: str, serde: dict[str, Any]) -> dict[str, Any]:
    return {
        "Columns": [glue_column(column) for column in columns],
        "Location": location,
        "InputFormat": _TEXT_INPUT,
        "OutputFormat": _TEXT_OUTPUT,
        "SerdeInfo": serde,
    }
