"""What may land is said before anything is uploaded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.file_content import read_local
from dapflow.runtime.landable import check_apart, check_path, landing_day, raw_table
from tests.project.writing import compile_files

SERVICE = """\
timezone: Europe/London
sources:
  orders: {columns: {id: integer}}
  events: {format: json}
  scans: {format: parquet}
external: {raw: {meters: {}}}
"""
PREFIX = "s3://landing/shop/orders/2024-06-05/"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    files: dict[str, str | bytes] = {"shop/service.yml": SERVICE, "shop/refined/sums.sql": "SELECT 1 AS n"}
    return compile_files(tmp_path_factory.mktemp("project"), files)


@pytest.mark.parametrize("written", ["shop.orders", "shop.raw.orders", "Shop.Orders"])
def test_a_table_by_its_name(manifest: Manifest, written: str) -> None:
    assert raw_table(manifest, written).id == "shop.raw.orders"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("shop.order", "did you mean shop.orders"),
        ("shops.orders", "did you mean shop.orders"),
        ("orders", "did you mean shop.orders"),
        ("nothing.like.it", "raw tables: air.airlines"),
        ("shop.sums", "it is a data product"),
        ("shop.refined.sums", "it is a data product"),
        ("shop.meters", "something else makes it"),
    ],
)
def test_a_table_that_takes_no_files(manifest: Manifest, written: str, said: str) -> None:
    with pytest.raises(DapflowError, match="landing-target") as caught:
        raw_table(manifest, written)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("written", "now", "day"),
    [
        (None, datetime(2024, 6, 5, 22, 59, tzinfo=UTC), "2024-06-05"),
        (None, datetime(2024, 6, 5, 23, 1, tzinfo=UTC), "2024-06-06"),
        ("2024-06-07", datetime(2024, 6, 5, 23, 1, tzinfo=UTC), "2024-06-07"),
        ("20130101", datetime(2024, 6, 5, 12, tzinfo=UTC), "2013-01-01"),
    ],
)
def test_the_day_is_the_services(manifest: Manifest, written: str | None, now: datetime, day: str) -> None:
    assert str(landing_day(written, manifest.services["shop"], now)) == day


@pytest.mark.parametrize(
    ("written", "code"),
    [("2024-06-07", "future-generation"), ("2030-01-01", "future-generation"), ("5 June", "generation")],
)
def test_a_day_that_is_none_or_too_late(manifest: Manifest, written: str, code: str) -> None:
    with pytest.raises(DapflowError, match=rf"\[{code}\]") as caught:
        landing_day(written, manifest.services["shop"], datetime(2024, 6, 5, 22, 59, tzinfo=UTC))
    assert "--allow-future" not in str(caught.value)


GZIP = b"\x1f\x8b\x08\x00"


@pytest.mark.parametrize(
    ("table", "name", "content"),
    [
        ("orders", "a.csv", b"id\n1\n"),
        ("orders", "export 2024.TXT", b"id\n1\n"),
        ("orders", "a", b"id\n1\n"),
        ("orders", "a.csv.gz", GZIP),
        ("events", "a.jsonl", b"{}\n"),
        ("events", "a.ndjson.gz", GZIP),
        ("scans", "part-0000.snappy.parquet", b"PAR1"),
        ("scans", "part-0000", b"PAR1"),
    ],
)  # fmt: skip
def test_files_that_may_land(manifest: Manifest, tmp_path: Path, table: str, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    check_path(manifest.datasets[f"shop.raw.{table}"], path, PREFIX)


@pytest.mark.parametrize(
    ("table", "name", "content", "code"),
    [
        ("orders", "gone.csv", None, "landing-file"),
        ("orders", "empty.csv", b"", "landing-empty-file"),
        ("orders", "_a.csv", b"id", "landing-name"),
        ("orders", ".a.csv", b"id", "landing-name"),
        ("orders", "a\nb.csv", b"id", "landing-name"),
        ("orders", "a.json", b"{}", "landing-format"),
        ("orders", "a.parquet", b"PAR1", "landing-format"),
        ("orders", "a.csv", b"PAR1", "landing-format"),
        ("orders", "a.xlsx", b"PK\x03\x04", "landing-format"),
        ("orders", "a.csv", b"PK\x03\x04", "landing-format"),
        ("orders", "a.csv.zip", b"PK\x03\x04", "landing-format"),
        ("orders", "a.csv.bz2", b"BZh9", "landing-format"),
        ("orders", "a.csv", GZIP, "landing-format"),
        ("orders", "a.csv.gz", b"id\n1\n", "landing-format"),
        ("events", "a.csv", b"{}", "landing-format"),
        ("scans", "a.parquet", b"id\n1\n", "landing-format"),
        ("scans", "a.parquet.gz", GZIP, "landing-format"),
    ],
)
def test_files_that_may_not(
    manifest: Manifest, tmp_path: Path, table: str, name: str, content: bytes | None, code: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DapflowError, match=rf"\[{code}\]"):
        check_path(manifest.datasets[f"shop.raw.{table}"], path, PREFIX)


def test_a_folder_is_no_file(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(DapflowError, match="is a folder"):
        check_path(manifest.datasets["shop.raw.orders"], tmp_path, PREFIX)


def test_two_files_of_one_name_or_of_one_content(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name, content in {"a.csv": "1", "b.csv": "1", "x/a.csv": "2"}.items():
        (tmp_path / name).write_text(content)
    a, b, other = (read_local(tmp_path / name) for name in ("a.csv", "b.csv", "x/a.csv"))
    with pytest.raises(DapflowError, match=r"a\.csv and b\.csv hold the same"):
        check_apart([a, b])
    with pytest.raises(DapflowError, match=r"two files are called a\.csv"):
        check_apart([a, other])
    check_apart([b, other])
