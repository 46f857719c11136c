"""A temporary external table over landing files, so that Athena itself reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.manifest import Column
from dapflow.runtime.current_view import glue_column
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import put_table

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


def converted_storage(names: Sequence[str], location: str) -> dict[str, Any]:
    """JSON lines as ``ConvertedFile`` writes them: every value text, every key the name of a column."""
    serde = {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"ignore.malformed.json": "false", "case.insensitive": "true"},
    }
    return text_storage([Column(name, "string") for name in names], location, serde)


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


def text_storage(columns: Sequence[Column], location: str, serde: dict[str, Any]) -> dict[str, Any]:
    """A text format as Glue takes it, lines of text that ``serde`` reads."""
    return {
        "Columns": [glue_column(column) for column in columns],
        "Location": location,
        "InputFormat": _TEXT_INPUT,
        "OutputFormat": _TEXT_OUTPUT,
        "SerdeInfo": serde,
    }
