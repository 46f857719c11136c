"""Partitions that keep the columns that their table had: text is compared by place, Parquet by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws_servers import LocalAws


def declare(aws: LocalAws, name: str, columns: list[tuple[str, str]]) -> None:
    """Declare the table's columns anew, and leave its partitions as they are."""
    described: Any = aws.glue.get_table(DatabaseName="db", Name=name)["Table"]
    table: Any = {
        key: described[key] for key in ("Name", "TableType", "PartitionKeys", "Parameters", "StorageDescriptor")
    }
    table["StorageDescriptor"]["Columns"] = [{"Name": column, "Type": kind} for column, kind in columns]
    aws.glue.update_table(DatabaseName="db", TableInput=table)


@pytest.mark.parametrize(
    ("stored", "columns", "refused"),
    [
        ("TEXTFILE", [("b", "date"), ("a", "int")], "column 'b' in table 'db.{name}' is declared as type 'date'"),
        ("PARQUET", [("b", "date"), ("a", "int")], None),
        (
            "PARQUET",
            [("a", "smallint"), ("b", "date")],
            "column 'a' in table 'db.{name}' is declared as type 'smallint'",
        ),
        ("PARQUET", [("a", "array<int>"), ("b", "date")], "is declared as type 'array<int>'"),
        ("TEXTFILE", [("a", "bigint"), ("b", "date"), ("c", "boolean")], None),
        ("TEXTFILE", [("a", "string"), ("b", "timestamp")], None),
    ],
)
def test_types_that_never_fit_are_refused(
    aws: LocalAws, stored: str, columns: list[tuple[str, str]], refused: str | None, request: pytest.FixtureRequest
) -> None:
    name = f"parts_{abs(hash(request.node.name))}"
    described = f"{name} (a int, b date) PARTITIONED BY (day string) STORED AS {stored}"
    aws.query(f"CREATE EXTERNAL TABLE {described} LOCATION 's3://lake/{name}/'")
    aws.query(f"ALTER TABLE {name} ADD PARTITION (day='2024-06-05')")
    declare(aws, name, columns)
    if refused is None:
        assert aws.query(f"SELECT a, b FROM {name}") == []
        return
    failure = aws.failure(f"SELECT a, b FROM {name}")
    assert failure.startswith(
        "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas"
    )
    assert refused.format(name=name) in failure
    assert "but partition 'day=2024-06-05' declared column 'a' as type 'int'." in failure
    # A partition that is not read is not compared.
    assert aws.query(f"SELECT a, b FROM {name} WHERE day = '2024-06-06'") == []
