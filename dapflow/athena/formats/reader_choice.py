"""Which reader serves a table or partition: by its SerDe, as Glue names it."""

from __future__ import annotations

from typing import Any

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.formats.format_reader import FormatReader


def reader_of(table: dict[str, Any], storage: dict[str, Any], columns: list[dict[str, Any]]) -> FormatReader:
    """The reader for a storage descriptor. ``columns`` are the table's data columns."""
    serde = storage.get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary") or "")
    properties = {str(key): str(value) for key, value in (serde.get("Parameters") or {}).items()}
    parameters = {str(key): str(value) for key, value in (table.get("Parameters") or {}).items()}
    name = library.rpartition(".")[2]
    if str(parameters.get("table_type", "")).upper() == "ICEBERG":
        raise QueryFailed("NOT_SUPPORTED", f"Iceberg table '{table['Name']}' cannot be read: Iceberg is not supported")
    if name == "ParquetHiveSerDe":
        return FormatReader("parquet", bills_columns=True)
    if name in {"OrcSerde", "AvroSerDe"}:
        from dapflow.athena.formats.columnar import avro_reader, orc_reader  # noqa: PLC0415 - rarely needed

        return orc_reader(columns, properties) if name == "OrcSerde" else avro_reader(columns)
    if name == "OpenCSVSerde":
        from dapflow.athena.formats.opencsv import opencsv_reader  # noqa: PLC0415

        return opencsv_reader(columns, properties, parameters)
    if name == "LazySimpleSerDe":
        from dapflow.athena.formats.lazy_simple import lazy_simple_reader  # noqa: PLC0415

        return lazy_simple_reader(columns, properties, parameters)
    if name in {"JsonSerDe"}:
        from dapflow.athena.formats.jsonlines import json_reader  # noqa: PLC0415

        return json_reader(columns, properties, parameters, openx="openx" in library)
    if name == "RegexSerDe":
        from dapflow.athena.formats.regex import regex_reader  # noqa: PLC0415

        return regex_reader(columns, properties, parameters)
    raise QueryFailed(
        "HIVE_UNSUPPORTED_FORMAT", f"Table '{table['Name']}' has an unsupported SerDe: {library or 'none'}"
    )
