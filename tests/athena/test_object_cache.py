"""Copies of objects on the local disk: never more than the bound, and never stale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dapflow.athena import AthenaSettings, serve
from dapflow.athena.storage.cache import FileCache
from tests.aws_servers import REGION, LocalAws

LIMIT = 20_000


def size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())


def link(cache: FileCache, key: str, target: Path, body: str) -> bool:
    """Whether the cache had the key."""
    target.unlink(missing_ok=True)

    def make(part: Path) -> None:
        part.write_text(body)

    return cache.link(key, target, make)


def test_the_least_recently_used_goes_first_and_who_uses_it_keeps_it(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 30)
    target = tmp_path / "target"
    for key in "abc":
        assert not link(cache, key, tmp_path / f"held {key}", key * 10)
    assert link(cache, "a", target, "")
    assert not link(cache, "d", target, "d" * 10)
    assert size(tmp_path / "cache") == 30
    assert link(cache, "a", target, "")
    assert not link(cache, "b", target, "b" * 10)
    assert (tmp_path / "held b").read_text() == "b" * 10


def test_what_is_larger_than_the_cache_is_served_and_not_kept(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 30)
    target = tmp_path / "target"
    assert not link(cache, "small", target, "x")
    assert not link(cache, "large", target, "y" * 31)
    assert target.read_text() == "y" * 31
    assert size(tmp_path / "cache") == 1
    assert link(cache, "small", target, "")


def test_a_new_cache_counts_what_the_last_one_left(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 100)
    for number in range(10):
        link(cache, str(number), tmp_path / "target", "x" * 10)
    (tmp_path / "cache" / "half.part1").write_text("left by a process that was killed")
    FileCache(tmp_path / "cache", 50)
    assert size(tmp_path / "cache") == 50


@pytest.fixture
def bounded(aws: LocalAws, tmp_path: Path) -> Iterator[LocalAws]:
    """An Athena whose cache holds two or three of the objects that the tests put."""
    with serve(AthenaSettings(aws_endpoint=aws.aws_url, region=REGION, state=tmp_path, cache_bytes=LIMIT)) as server:
        yield LocalAws(aws.aws_url, server.url, aws.session)


def body(letter: str, number: int) -> str:
    return "\n".join(f"{letter},{number * 1000 + row}" for row in range(1000)) + "\n"


def test_queries_over_evicted_and_changed_objects_are_right(bounded: LocalAws, tmp_path: Path) -> None:
    for number in range(6):
        bounded.put(f"bounded/{number}.csv", body("x", number))
    bounded.query(
        "CREATE EXTERNAL TABLE bounded (letter string, n bigint) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        "LOCATION 's3://lake/bounded/'"
    )
    total = "SELECT letter, count(*), sum(n) FROM bounded GROUP BY letter ORDER BY letter"
    for _ in range(2):
        assert bounded.query(total) == [["x", "6000", str(sum(range(6000)))]]
        assert 0 < size(tmp_path / "objects") <= LIMIT
    bounded.put("bounded/3.csv", body("y", 3))
    bounded.s3.delete_object(Bucket="lake", Key="bounded/5.csv")
    assert bounded.query(total) == [
        ["x", "4000", str(sum(range(3000)) + sum(range(4000, 5000)))],
        ["y", "1000", str(sum(range(3000, 4000)))],
    ]
    assert 0 < size(tmp_path / "objects") <= LIMIT
