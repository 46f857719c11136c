"""A step of a backfill that AWS refuses half-way: tried again where that may pass, else nothing of it is left."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from dapflow.backfill.building import Backfill, StepOutcome
from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.aws import Clients, connect
from dapflow.runtime.publish import Publisher
from tests.backfill.test_backfill import BUSY, DAYS, backfilled, library, loaded, planned, run_ids
from tests.runtime.lake import REGION, Lake

__all__ = ["library", "loaded"]


def refusing(code: str, times: int, service: str = "glue", operation: str = "CreatePartition") -> Clients:
    """Clients of which the first calls of an operation are refused with this code."""
    clients, left = connect(boto3.Session(), REGION), [times]

    def refuse(**_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if not left[0]:
            return None
        left[0] -= 1
        error = {"Error": {"Code": code, "Message": "not now"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return AWSResponse("", 400, HTTPHeaders(), None), error

    getattr(clients, service).meta.events.register(f"before-call.{service}.{operation}", refuse)
    return clients


def built(lake: Lake, clients: Clients, pauses: tuple[float, ...]) -> list[StepOutcome]:
    """The outcomes of three days."""

    def publisher(manifest: Manifest, _service: str) -> Publisher:
        return Publisher(clients, manifest, lake.environment, by="a person")

    plan = planned(lake, BUSY, days=DAYS[:3])
    return list(Backfill(Snapshot(lake.publications), publisher, 1, pauses=pauses).outcomes(plan))


@pytest.mark.parametrize("code", ["ThrottlingException", "ExpiredTokenException"])
def test_what_may_pass_is_tried_again(library: Lake, code: str) -> None:
    outcomes = built(library, refusing(code, 2), (0.01, 0.01))
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert run_ids(library, BUSY).keys() == set(DAYS[:3])


@pytest.mark.parametrize(
    ("code", "times", "service", "operation", "named"),
    [
        ("ThrottlingException", 3, "glue", "CreatePartition", "aws"),
        ("AccessDeniedException", 1, "glue", "CreatePartition", "aws"),
        ("TooManyRequestsException", 3, "athena", "StartQueryExecution", "aws"),
        ("AccessDenied", 1, "s3", "PutObject", "aws"),
        ("InvalidClientTokenId", 1, "athena", "StartQueryExecution", "aws-credentials"),
    ],
)
def test_what_does_not_pass_ends_it_and_the_next_one_goes_on(
    library: Lake, code: str, times: int, service: str, operation: str, named: str
) -> None:
    outcomes = built(library, refusing(code, times, service, operation), (0.01, 0.01))
    [error] = [outcome.error for outcome in outcomes]
    assert isinstance(error, DapflowError)
    assert (error.code, code in error.message) == (named, True)
    assert library.publications.of(BUSY) == {}
    backfilled(library, BUSY, days=DAYS[:3])
    assert run_ids(library, BUSY).keys() == set(DAYS[:3])


def test_who_ends_it_does_not_wait_for_the_next_attempt(library: Lake) -> None:
    """Of two steps one waits for an hour; the other one is told."""
    clients = refusing("ThrottlingException", 1)

    def publisher(manifest: Manifest, _service: str) -> Publisher:
        return Publisher(clients, manifest, library.environment, by="a person")

    plan = planned(library, BUSY, days=DAYS[:2])
    outcomes = Backfill(Snapshot(library.publications), publisher, 2, pauses=(3600,)).outcomes(plan)
    assert next(outcomes).error is None
    outcomes.close()
    assert len(library.publications.of(BUSY)) == 1
