"""Footers as Parquet libraries write them."""

from __future__ import annotations

import io
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapflow.runtime.parquet_footer import Footer, FooterError, read_footer


def footer(data: bytes) -> Footer:
    return read_footer(lambda length: data[-length:])


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


TYPES = {
    "Boolean": (pa.bool_(), "boolean"),
    "tiny": (pa.int8(), "tinyint"),
    "small": (pa.int16(), "smallint"),
    "int": (pa.int32(), "int"),
    "big": (pa.int64(), "bigint"),
    "unsigned": (pa.uint32(), "bigint"),
    "float": (pa.float32(), "float"),
    "double": (pa.float64(), "double"),
    "text": (pa.string(), "string"),
    "bytes": (pa.binary(), "binary"),
    "fixed": (pa.binary(4), "binary"),
    "day": (pa.date32(), "date"),
    "milliseconds": (pa.timestamp("ms"), "timestamp"),
    "zoned": (pa.timestamp("us", tz="UTC"), "timestamp(6)"),
    "many": (pa.list_(pa.timestamp("ns")), "array<timestamp>"),
    "money": (pa.decimal128(12, 2), "decimal(12,2)"),
    "list": (pa.list_(pa.int32()), "array<int>"),
    "map": (pa.map_(pa.string(), pa.list_(pa.date32())), "map<string,array<date>>"),
    "row": (pa.struct({"a": pa.int64(), "b": pa.list_(pa.struct({"c": pa.string()}))}),
            "struct<a:bigint,b:array<struct<c:string>>>"),
    "category": (pa.dictionary(pa.int8(), pa.string()), "string"),
}  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_types_of_pyarrow(version: str) -> None:
    schema = pa.schema([(name, kind) for name, (kind, _) in TYPES.items()])
    parsed = footer(written(schema.empty_table(), version=version))
    expected = {name.lower(): hive for name, (_, hive) in TYPES.items()}
    if version == "1.0":
        expected["unsigned"] = "bigint"
    assert dict(parsed.columns) == expected
    assert parsed.rows == 0


def test_old_timestamps(tmp_path: Any) -> None:
    table = pa.table({"at": pa.array([0], pa.timestamp("ns"))})
    assert footer(written(table, use_deprecated_int96_timestamps=True)).columns == (("at", "timestamp"),)


def test_rows_and_a_footer_longer_than_the_first_read() -> None:
    table = pa.table({f"column_{number}": list(range(100)) for number in range(2000)})
    parsed = footer(written(table, row_group_size=10))
    assert (parsed.rows, len(parsed.columns)) == (100, 2000)


def test_files_of_duckdb(tmp_path: Any) -> None:
    file = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT 1::bigint AS a, [{{'b': DATE '2013-12-31'}}] AS c FROM range(3)) TO '{file}'")
    parsed = footer(file.read_bytes())
    assert parsed == Footer(3, (("a", "bigint"), ("c", "array<struct<b:date>>")))


@pytest.mark.parametrize(
    "data",
    [b"", b"PAR1", b"x" * 100, b"\xff" * 40 + (32).to_bytes(4, "little") + b"PAR1", b"a\xff\xff\xff\x00PAR1" * 3],
)
def test_what_is_no_parquet_file(data: bytes) -> None:
    with pytest.raises(FooterError):
        footer(data)


def test_a_time_of_day_is_named() -> None:
    with pytest.raises(FooterError, match="column t is a time of day"):
        footer(written(pa.table({"t": pa.array([], pa.time32("ms"))})))


def test_a_decimal_of_too_many_digits_is_named() -> None:
    with pytest.raises(FooterError, match=r"column d is decimal\(50,3\), and tables hold 38 digits"):
        footer(written(pa.table({"d": pa.array([], pa.decimal256(50, 3))})))


@pytest.mark.parametrize(
    ("names", "said"), [(("Id", "id"), "two fields of a struct are called id"), (("a", "c:d"), "is called 'c:d'")]
)
def test_names_within_a_struct_that_no_table_takes(names: tuple[str, ...], said: str) -> None:
    kind = pa.list_(pa.struct([(name, pa.int32()) for name in names]))
    with pytest.raises(FooterError, match=said):
        footer(written(pa.table({"s": pa.array([], kind)})))
