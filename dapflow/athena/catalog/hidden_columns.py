"""The columns that every table of files has and no description of it names."""

from __future__ import annotations

from dapflow.trino.catalogue import Column

HIDDEN_COLUMNS = (
    Column("$path", "varchar"),
    Column("$file_size", "bigint"),
    Column("$file_modified_time", "timestamp(3) with time zone"),
    Column("$partition", "varchar"),
)
