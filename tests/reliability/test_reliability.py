"""The short form of each part of the trials, and that the trials see what they look for."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import Clients, connect
from tests.reliability.__main__ import MODULES
from tests.reliability.faults import Fault, Faults, KilledError, Kind, Place, quick_retries
from tests.reliability.part import measured
from tests.reliability.reading import ROWS, WRONG, Reader, Row, Truth
from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients
from tests.runtime.lake import REGION

__all__ = ["athena_endpoint", "aws_endpoint", "clients"]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_what_is_promised_holds(name: str) -> None:
    assert measured(name, one_in=30).broken == []


def row(number: int, *, day: str = "20131231", counted: int = ROWS, distinct: int = ROWS) -> Row:
    return {"import_date": day, "number": str(number), "c": str(counted), "d": str(distinct)}


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([row(1)], ()),
        ([row(2)], ()),
        ([], ("missing",)),
        ([row(2, counted=ROWS - 1, distinct=ROWS - 1)], ("partial",)),
        ([row(2, counted=2 * ROWS)], ("doubled",)),
        ([row(1), row(2)], ("mixed",)),
        ([row(2), row(2, day="20131230")], ("mixed",)),
        ([row(9)], ("stale",)),
        ([row(7, day="20131230")], ("stale",)),
    ],
)
def test_a_wrong_read_of_a_current_view_is_known(rows: list[Row], wrong: tuple[str, ...]) -> None:
    truth = Truth()
    truth.is_now("20131230", 7)
    truth.is_now("20131231", 1)
    truth.may_become("20131231", 2)
    reader = Reader(truth, lambda _: [dict(known) for known in rows], current="", history="")
    reader.reads = 1  # the next one is of the current view
    reader.read()
    assert tuple(kind for kind in WRONG if reader.wrong[kind]) == wrong


def test_a_generation_that_was_new_once_is_not_old_again() -> None:
    truth = Truth()
    truth.is_now("20131231", 1)
    truth.may_become("20131231", 2)
    answers = [[row(1)], [row(1)], [row(2)], [row(1)], [row(1)]]
    reader = Reader(truth, lambda _: [dict(known) for known in answers[reader.reads - 1]], current="", history="")
    for _ in range(4):
        reader.read()
    # The history was new at the third read; the view is still the old one.
    assert reader.wrong == {}
    reader.read()
    assert reader.wrong == {"stale": 1}


def test_a_table_that_cannot_be_read_is_missing() -> None:
    def gone(_: str) -> list[dict[str, str | None]]:
        raise DapflowError("query-failed", "there is no such table")

    reader = Reader(Truth(), gone, current="", history="")
    reader.read()
    assert reader.wrong == {"missing": 1}


@pytest.mark.parametrize(
    ("kind", "lasting", "raised", "kept"),
    [
        ("throttled", False, None, True),
        ("error 500", False, None, True),
        ("answer lost", False, None, True),
        ("answer lost", True, ReadTimeoutError, True),
        ("throttled", True, ClientError, False),
        ("access denied", False, ClientError, False),
        ("killed before", False, KilledError, False),
        ("killed after", False, KilledError, True),
    ],
)
def test_a_fault_is_what_the_sdk_makes_of_it(
    clients: Clients, kind: Kind, lasting: bool, raised: type[BaseException] | None, kept: bool
) -> None:
    """The second of two objects is written, or not, and the caller learns it, or not."""
    bucket = f"faults-{abs(hash((kind, lasting)))}"
    there: Any = {"LocationConstraint": REGION}
    clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=there)
    faults = Faults([Fault(kind, Place("PutObject", 2), lasting)])
    s3 = faults.put_into(connect(boto3.Session(), REGION)).s3
    s3.put_object(Bucket=bucket, Key="first", Body=b"1")
    with quick_retries(), nullcontext() if raised is None else pytest.raises(raised):
        s3.put_object(Bucket=bucket, Key="second", Body=b"2")
    listed = clients.s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [item["Key"] for item in listed] == (["first", "second"] if kept else ["first"])
