"""An account in which Lake Formation decides: what a run says there, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.runtime.aws import PassingError
from tests.runtime.lake import Lake

# As AWS words them.
REQUIRED = "Insufficient Lake Formation permission(s): Required Create Table on air_traffic_refined_zone"
LOCATION = "User: arn:aws:iam::1:role/x is not authorized to perform: lakeformation:GetDataAccess on resource: x"


@contextmanager
def answering(client: Any, event: str, answer: Callable[..., Any]) -> Iterator[None]:
    client.meta.events.register(event, answer)
    try:
        yield
    finally:
        client.meta.events.unregister(event, answer)


def denied(message: str, code: str = "AccessDeniedException") -> Callable[..., Any]:
    """What stands for AWS's answer."""
    parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return lambda **_: (SimpleNamespace(status_code=400), parsed)


@pytest.mark.parametrize(
    ("message", "code", "remedy"),
    [
        (
            REQUIRED,
            "lake-formation",
            "grant-permissions --principal DataLakePrincipalIdentifier=IAM_ALLOWED_PRINCIPALS",
        ),
        (LOCATION, "lake-formation", "deregister-resource"),
        ("User: x is not authorized to perform: glue:GetTable", "aws", None),
    ],
)
def test_glue_says_that_lake_formation_decides(lake: Lake, message: str, code: str, remedy: str | None) -> None:
    product = lake.product("planes", "SELECT 1 AS a")
    with answering(lake.clients.glue, "before-call.glue", denied(message)), pytest.raises(DapflowError) as caught:
        lake.publish(product)
    # Another attempt would not help.
    assert (caught.value.code, isinstance(caught.value, PassingError)) == (code, False)
    assert message in caught.value.message
    assert (remedy is None) is (caught.value.hint is None)
    assert (remedy or "") in (caught.value.hint or "")


def test_athena_says_that_lake_formation_decides(lake: Lake) -> None:
    product = lake.product("planes", "SELECT 1 AS a")

    def failed(parsed: Any, **_: Any) -> None:
        reason = f"FAILED: Execution Error. {REQUIRED} (Service: AmazonDataCatalog; Status Code: 400)"
        parsed["QueryExecution"]["Status"] |= {"State": "FAILED", "StateChangeReason": reason}

    event = "after-call.athena.GetQueryExecution"
    with answering(lake.clients.athena, event, failed), pytest.raises(DapflowError) as caught:
        lake.publish(product)
    assert caught.value.code == "lake-formation"
    assert "IAM_ALLOWED_PRINCIPALS" in (caught.value.hint or "")
