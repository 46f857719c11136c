"""Sessions of roles: asked for with their tags, and again before they end; refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from dapflow.deployed.assumed_role import assumed
from dapflow.errors import DapflowError

REGION = "eu-west-2"
ROLE = "arn:aws:iam::111122223333:role/dapflow/staging/branch/dapflow-branch-air-runner"
TAGS = {"branch": "fix-0a1b2c", "databases": "fix_0a1b2c"}


class Sts:
    """STS as a session of one's own sees it: what it was asked, and what it says next."""

    def __init__(self) -> None:
        self.session = boto3.Session("AKIAEXAMPLE", "secret", region_name=REGION)
        answer: Any = self._answer
        self.session.events.register("before-call.sts.AssumeRole", answer)
        self.session.events.register("provide-client-params.sts.AssumeRole", self._note)
        self.asked: list[dict[str, Any]] = []
        self.minutes = 60
        self.refuses = ""

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.asked.append(params)

    def _answer(self, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        if self.refuses:
            error = {"Code": self.refuses, "Message": f"User: someone is not authorized to assume {ROLE}"}
            return AWSResponse("", 403, HTTPHeaders(), None), {
                "Error": error,
                "ResponseMetadata": {"HTTPStatusCode": 403},
            }
        given = {
            "AccessKeyId": f"ASIA{len(self.asked)}",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + timedelta(minutes=self.minutes),
        }
        return AWSResponse("", 200, HTTPHeaders(), None), {
            "Credentials": given,
            "AssumedRoleUser": {"Arn": f"{ROLE}/me"},
        }


@pytest.fixture
def sts() -> Iterator[Sts]:
    yield Sts()


def key_of(session: boto3.Session) -> str:
    """The key that the next request of a session is signed with."""
    credentials = session.get_credentials()
    assert credentials is not None
    return str(credentials.get_frozen_credentials().access_key)


def test_a_role_is_assumed_when_it_is_needed_and_with_its_tags(sts: Sts) -> None:
    session = assumed(sts.session, ROLE, "a person/from CI", TAGS)
    assert sts.asked == []
    assert (key_of(session), key_of(session)) == ("ASIA1", "ASIA1")
    [asked] = sts.asked
    assert asked["RoleArn"] == ROLE
    # An hour is the most for a role that is assumed with a role's credentials; more is refused.
    assert asked.get("DurationSeconds", 3600) == 3600
    assert asked["RoleSessionName"] == "dapflow-a_person_from_CI"
    assert {tag["Key"]: tag["Value"] for tag in asked["Tags"]} == TAGS


def test_what_takes_longer_than_a_session_gets_another(sts: Sts) -> None:
    """Long before the end, so that no request is on its way when it comes; a role that has one is asked in between."""
    run = assumed(sts.session, ROLE, "me")
    service = assumed(run, ROLE, "me", TAGS)
    sts.minutes = 9
    assert key_of(run) == "ASIA1"
    sts.minutes = 60
    assert key_of(run) == "ASIA2"
    assert key_of(run) == "ASIA2"
    assert service.region_name == REGION


def test_who_may_not_assume_it_is_told(sts: Sts) -> None:
    sts.refuses = "AccessDenied"
    with pytest.raises(DapflowError, match="cannot be assumed: User: someone") as refused:
        assumed(sts.session, ROLE, "me").client("s3").list_buckets()
    assert (refused.value.code, ROLE in refused.value.message) == ("role-refused", True)


def test_credentials_that_have_run_out_are_not_tried_again(sts: Sts) -> None:
    session = assumed(sts.session, ROLE, "me")
    sts.minutes = 9
    key_of(session)
    sts.refuses = "ExpiredToken"
    with pytest.raises(DapflowError, match="have run out") as ended:
        key_of(session)
    assert (type(ended.value), ended.value.code) == (DapflowError, "aws-credentials")
