"""Timestamps of Parquet files: loaded where milliseconds hold them, refused by place where they do not."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dapflow.runtime.formats import snappy
from tests.runtime.lake import DAY, Lake
from tests.runtime.landing.refusal import refused

NOON = datetime(2024, 6, 1, 12)
LATE = NOON + timedelta(microseconds=123_456)
OLD = datetime(1969, 12, 31, 23, 59, 59, 999_999)

# Ways of writing: the type of a column, what makes a value of it of a moment, and what pyarrow is told.
FLAT: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "microseconds": (pa.timestamp("us"), None, {}),
    "nanoseconds": (pa.timestamp("ns"), None, {}),
    "adjusted to UTC": (pa.timestamp("us", "UTC"), None, {}),
    "Zstandard": (pa.timestamp("us"), None, {"compression": "zstd"}),
    "96 bits": (pa.timestamp("ns"), None, {"use_deprecated_int96_timestamps": True}),
    "96 bits without a dictionary": (
        pa.timestamp("ns"), None, {"use_deprecated_int96_timestamps": True, "use_dictionary": False},
    ),
    "96 bits in gzip": (
        pa.timestamp("ns"), None, {"use_deprecated_int96_timestamps": True, "compression": "gzip"},
    ),
}  # fmt: skip
NESTED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "a list": (pa.list_(pa.timestamp("us")), lambda at: [NOON, None, at], {}),
    "a list of 96 bits": (
        pa.list_(pa.timestamp("ns")), lambda at: [at], {"use_deprecated_int96_timestamps": True},
    ),
    "a struct, plain": (
        pa.struct({"n": pa.int64(), "t": pa.timestamp("us")}), lambda at: {"n": 7, "t": at},
        {"use_dictionary": False, "compression": "none"},
    ),
    "a map, second pages": (
        pa.map_(pa.string(), pa.timestamp("ns")), lambda at: [("a", at)],
        {"use_dictionary": False, "data_page_version": "2.0"},
    ),
}  # fmt: skip
WAYS = FLAT | NESTED


def written(way: str, moments: list[datetime | None]) -> bytes:
    """A file with a column ``seen`` of these moments, one row group for each two rows."""
    kind, shape, options = WAYS[way]
    values = [shape(moment) if shape and moment else moment for moment in moments]
    sink = io.BytesIO()
    table = pa.table({"id": range(len(values)), "seen": pa.array(values, kind)})
    pq.write_table(table, sink, row_group_size=2, **options)
    return sink.getvalue()


@pytest.mark.parametrize("way", WAYS)
def test_whole_milliseconds_are_loaded(lake: Lake, tmp_path: Path, way: str) -> None:
    table = lake.source(tmp_path, "format: parquet")
    moments = [NOON, None, NOON + timedelta(milliseconds=5), datetime(1969, 12, 31, 23, 59, 59, 999_000)]
    lake.put_landing(table, DAY, "a.parquet", written(way, moments))
    done = lake.publish(table)
    assert "timestamp" in done.columns[1].type
    assert "(" not in done.columns[1].type
    texts = [str(row[1]) for row in lake.rows(table)]
    for text, shown in zip(texts, ["12:00:00.000", "None", "12:00:00.005", "1969-12-31 23:59:59.999"], strict=True):
        assert shown in text


@pytest.mark.parametrize("at", [LATE, OLD])
@pytest.mark.parametrize("way", WAYS)
def test_more_than_milliseconds_stops_the_load(lake: Lake, tmp_path: Path, way: str, at: datetime) -> None:
    table = lake.source(tmp_path, "format: parquet")
    uri = lake.put_landing(table, DAY, "a.parquet", written(way, [NOON, NOON, None, None, NOON, at]))
    error = refused(lake, table)
    assert (error.code, error.file) == ("landing-value", uri)
    assert "column seen" in error.message
    assert str(at) in error.message
    assert way == "Zstandard" or "row group 2" in error.message
    assert "milliseconds" in (error.hint or "")


@pytest.mark.parametrize("way", ["microseconds", "nanoseconds"])
def test_text_keeps_all_digits(lake: Lake, tmp_path: Path, way: str) -> None:
    table = lake.source(tmp_path, "format: parquet\ncolumns: {id: int, seen: string}")
    lake.put_landing(table, DAY, "a.parquet", written(way, [LATE, OLD, None]))
    lake.publish(table)
    zeros = "" if way == "microseconds" else "000"
    assert [row[1] for row in lake.rows(table)] == [
        f"2024-06-01 12:00:00.123456{zeros}", f"1969-12-31 23:59:59.999999{zeros}", None,
    ]  # fmt: skip


def test_days_of_fine_timestamps(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet\ncolumns: {id: int, seen: date}")
    lake.put_landing(table, DAY, "a.parquet", written("nanoseconds", [datetime(1960, 2, 29), None]))
    lake.publish(table)
    assert [row[1] for row in lake.rows(table)] == ["1960-02-29", None]
    lake.put_landing(table, DAY, "a.parquet", written("nanoseconds", [NOON]))
    assert "'2024-06-01 12:00:00.000000000' is no date" in refused(lake, table).message


def test_a_fine_timestamp_is_no_number(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet\ncolumns: {id: int, seen: bigint}")
    lake.put_landing(table, DAY, "a.parquet", written("microseconds", [NOON]))
    assert "type timestamp" in (refused(lake, table).hint or "")


def test_files_of_one_generation_have_one_unit(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    lake.put_landing(table, DAY, "a.parquet", written("microseconds", [NOON]))
    lake.put_landing(table, DAY, "b.parquet", written("nanoseconds", [NOON, NOON]))
    error = refused(lake, table)
    assert "seen is timestamp(9), not timestamp(6)" in error.message


def test_what_cannot_be_looked_into_is_refused(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    sink = io.BytesIO()
    old = pa.table({"seen": pa.array([NOON], pa.timestamp("ns"))})
    pq.write_table(old, sink, use_deprecated_int96_timestamps=True, compression="zstd")
    lake.put_landing(table, DAY, "a.parquet", sink.getvalue())
    error = refused(lake, table)
    assert (error.code, "Zstandard" in error.message, "Snappy" in (error.hint or "")) == ("parquet", True, True)


def test_a_file_of_another_writer(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    file = tmp_path / "a.parquet"
    duckdb.sql(
        "COPY (SELECT range AS id, TIMESTAMP '2024-06-01' + to_seconds(range) AS seen, [seen] AS several "
        f"FROM range(50000)) TO '{file}'"
    )
    lake.put_landing(table, DAY, "a.parquet", file.read_bytes())
    assert lake.publish(table).rows == 50_000


def test_damage_is_said(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    content = bytearray(written("96 bits without a dictionary", [NOON + timedelta(days=day) for day in range(40)]))
    content[4:200] = b"\xff" * 196
    lake.put_landing(table, DAY, "a.parquet", bytes(content))
    assert refused(lake, table).code == "parquet"


@pytest.mark.parametrize("data", [b"", b"abc" * 50, bytes(range(256)) * 40, b"\0" * 70_000])
def test_snappy(data: bytes) -> None:
    assert snappy.unpacked(pa.compress(data, codec="snappy", asbytes=True)) == data
