"""The columns that every table of files has and no description of it names."""

from __future__ import annotations

from dapflow.trino.catalogue import ColumnMetadata

HIDDEN_COLUMNS = (
    ColumnMetadata("$path", "varchar"),
    ColumnMetadata("$file_size", "bigint"),
    ColumnMetadata("$file_modified_time", "timestamp(3) with time zone"),
    ColumnMetadata("$partition", "varchar"),
)
