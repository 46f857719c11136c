"""Files land all at once or not at all, whatever goes wrong in between."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime import land as landing
from dapflow.runtime.aws import PassingError
from dapflow.runtime.file_content import LocalFile, read_local
from dapflow.runtime.land import Landing, land
from dapflow.runtime.landable import check_apart
from tests.runtime.lake import DAY, Lake

PREFIX = "air_traffic/planes/2013-12-31/"


def local(folder: Path, **files: str) -> list[LocalFile]:
    """``a_csv="…"`` is a.csv."""
    files_read = []
    for name, content in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(content)
        files_read.append(read_local(path))
    return files_read


@pytest.fixture
def folder(lake: Lake) -> str:
    lake.raw("planes")
    return f"s3://{lake.bucket('landing')}/{PREFIX}"


def contents(lake: Lake) -> dict[str, str]:
    """All objects of the landing folder, the hidden ones too."""
    s3, bucket = lake.clients.s3, lake.bucket("landing")
    return {
        item["Key"].removeprefix(PREFIX): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", ())
    }


class DeadError(BaseException):
    """The process ends here."""


@contextmanager
def dies_at(monkeypatch: pytest.MonkeyPatch, s3: Any, call: str, number: int) -> Iterator[None]:
    """Let the process die before its ``number``-th call of a method of S3, and do nothing more in S3 after it."""
    calls = 0
    made = s3._make_api_call

    def call_or_die(operation: str, parameters: dict[str, Any]) -> Any:
        nonlocal calls
        calls += operation == call
        if calls >= number:
            raise DeadError
        return made(operation, parameters)

    with monkeypatch.context() as patch, pytest.raises(DeadError):
        patch.setattr(s3, "_make_api_call", call_or_die)
        yield


def states(done: Landing) -> dict[str, str]:
    return {file.name: file.state for file in done.files}


def test_files_land_and_are_loaded(lake: Lake, folder: str, tmp_path: Path) -> None:
    files = local(tmp_path, a_csv="tailnum,seats\nN1,4\n", b_csv="tailnum,seats\nN2,5\n")
    sent: list[int] = []
    done = land(lake.clients.s3, folder, files, advance=sent.append)
    assert states(done) == {"a.csv": "landed", "b.csv": "landed"}
    assert sum(sent) == sum(file.bytes for file in files)
    assert contents(lake) == {"a.csv": "tailnum,seats\nN1,4\n", "b.csv": "tailnum,seats\nN2,5\n"}
    assert lake.publish(lake.datasets["air_traffic.raw.planes"], DAY).rows == 2


def test_landing_twice_changes_nothing_and_what_lies_beside_is_named(lake: Lake, folder: str, tmp_path: Path) -> None:
    land(lake.clients.s3, folder, local(tmp_path, a_csv="1"))
    done = land(lake.clients.s3, folder, local(tmp_path, a_csv="1", b_csv="2"))
    assert states(done) == {"a.csv": "unchanged", "b.csv": "landed"}
    assert land(lake.clients.s3, folder, local(tmp_path, b_csv="2")).beside == ("a.csv",)


def test_another_content_needs_replace(lake: Lake, folder: str, tmp_path: Path) -> None:
    land(lake.clients.s3, folder, local(tmp_path, a_csv="1"))
    for changed in ("2", "longer"):
        with pytest.raises(DapflowError, match="landing-exists"):
            land(lake.clients.s3, folder, local(tmp_path, b_csv="new", a_csv=changed))
    assert contents(lake) == {"a.csv": "1"}
    done = land(lake.clients.s3, folder, local(tmp_path, b_csv="new", a_csv="2"), replace=True)
    assert states(done) == {"b.csv": "landed", "a.csv": "replaced"}
    assert contents(lake) == {"a.csv": "2", "b.csv": "new"}


def test_the_same_content_under_another_name_is_refused(lake: Lake, folder: str, tmp_path: Path) -> None:
    # As an export writes it, without what our landing notes.
    lake.put_landing(lake.datasets["air_traffic.raw.planes"], DAY, "old.csv", "1")
    with pytest.raises(DapflowError, match=r"landed already, as old\.csv"):
        land(lake.clients.s3, folder, local(tmp_path, new_csv="1"), replace=True)
    assert states(land(lake.clients.s3, folder, local(tmp_path, old_csv="1"))) == {"old.csv": "unchanged"}


@pytest.mark.parametrize("noted", [True, False])
@pytest.mark.parametrize("first", ["a.csv", "a.csv.gz"])
def test_the_same_content_packed_and_unpacked_is_refused(
    lake: Lake, folder: str, tmp_path: Path, first: str, noted: bool
) -> None:
    text = "tailnum,seats\nN1,4\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text[:5].encode()) + gzip.compress(text[5:].encode()))
    second = {"a.csv": "a.csv.gz", "a.csv.gz": "a.csv"}[first]
    files = {name: read_local(tmp_path / name) for name in (first, second)}
    if noted:
        land(lake.clients.s3, folder, [files[first]])
    else:
        lake.put_landing(lake.datasets["air_traffic.raw.planes"], DAY, first, (tmp_path / first).read_bytes())
    with pytest.raises(DapflowError, match=f"landed already, as {first}:"):
        land(lake.clients.s3, folder, [files[second]])
    assert states(land(lake.clients.s3, folder, [files[first]])) == {first: "unchanged"}
    with pytest.raises(DapflowError, match="hold the same"):
        check_apart(list(files.values()))


@pytest.mark.parametrize("cut", [slice(None, -3), slice(None, 12)])
def test_gzip_that_is_damaged_lands_not(tmp_path: Path, cut: slice) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"tailnum,seats\nN1,4\n")[cut])
    with pytest.raises(DapflowError, match="landing-format"):
        read_local(tmp_path / "a.csv.gz")


def test_a_file_that_changes_meanwhile_lands_not(lake: Lake, folder: str, tmp_path: Path) -> None:
    files = local(tmp_path, a_csv="1", b_csv="2")
    (tmp_path / "b.csv").write_text("23")
    with pytest.raises(DapflowError, match="landing-changed"):
        land(lake.clients.s3, folder, files)
    assert contents(lake) == {}


def test_an_upload_that_fails_leaves_nothing(
    lake: Lake, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(lake.clients.s3, folder, local(tmp_path, a_csv="old"))
    made = lake.clients.s3._make_api_call  # type: ignore[attr-defined]

    def refused(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "PutObject" and parameters["Key"].endswith("b.csv"):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
        return made(operation, parameters)

    with monkeypatch.context() as patch, pytest.raises(DapflowError, match="nothing has landed"):
        patch.setattr(lake.clients.s3, "_make_api_call", refused)
        land(lake.clients.s3, folder, local(tmp_path, a_csv="new", b_csv="2"), replace=True)
    assert contents(lake) == {"a.csv": "old"}


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("PutObject", 3),
        ("CopyObject", 1),
        ("CopyObject", 2),
        ("DeleteObject", 1),
        ("DeleteObject", 2),
        ("DeleteObject", 3),
    ],
)
def test_a_killed_landing_is_never_read_by_half_and_repeated_it_is_whole(
    lake: Lake, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    planes = lake.datasets["air_traffic.raw.planes"]
    wanted = {"a_csv": "tailnum,seats\nN1,4\n", "b_csv": "tailnum,seats\nN2,5\n"}
    land(lake.clients.s3, folder, local(tmp_path, a_csv="tailnum,seats\nN0,1\n"))
    with dies_at(monkeypatch, lake.clients.s3, call, number):
        land(lake.clients.s3, folder, local(tmp_path, **wanted), replace=True)
    if call == "PutObject":
        assert lake.publish(planes, DAY).rows == 1
    else:
        with pytest.raises(PassingError, match="landing-under-way"):
            lake.publish(planes, DAY)
        with pytest.raises(DapflowError, match="landing-under-way"):
            land(lake.clients.s3, folder, local(tmp_path, c_csv="other"))
    land(lake.clients.s3, folder, local(tmp_path, **wanted), replace=True)
    assert contents(lake) == {"a.csv": wanted["a_csv"], "b.csv": wanted["b_csv"]}
    assert lake.publish(planes, DAY).rows == 2


def test_another_landing_finishes_a_killed_one_after_a_while(
    lake: Lake, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dies_at(monkeypatch, lake.clients.s3, "CopyObject", 2):
        land(lake.clients.s3, folder, local(tmp_path, a_csv="1", b_csv="2"))
    monkeypatch.setattr(landing, "PATIENCE", timedelta(0))
    land(lake.clients.s3, folder, local(tmp_path, c_csv="3"))
    assert contents(lake) == {"a.csv": "1", "b.csv": "2", "c.csv": "3"}


def test_of_two_landings_at_once_one_gives_way_without_a_trace(
    lake: Lake, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = landing._upload

    def meanwhile(*arguments: Any) -> None:
        upload(*arguments)
        lake.put_landing(lake.datasets["air_traffic.raw.planes"], DAY, f"{landing.NOTE}other.json", '{"files": []}')

    monkeypatch.setattr(landing, "_upload", meanwhile)
    with pytest.raises(DapflowError, match="landing-under-way"):
        land(lake.clients.s3, folder, local(tmp_path, a_csv="1"))
    assert list(contents(lake)) == [f"{landing.NOTE}other.json"]


def test_what_a_kill_left_before_it_mattered_goes_in_time(
    lake: Lake, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dies_at(monkeypatch, lake.clients.s3, "PutObject", 2):
        land(lake.clients.s3, folder, local(tmp_path, a_csv="1", b_csv="2"))
    assert [name[:8] for name in contents(lake)] == [landing.STAGED]
    monkeypatch.setattr(landing, "KEPT", timedelta(0))
    land(lake.clients.s3, folder, local(tmp_path, c_csv="3"))
    assert contents(lake) == {"c.csv": "3"}
