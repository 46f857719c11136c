"""AWS that refuses every call from one on, half-way through up and down: a clear end, and the second go finishes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.local.branches import take_down, take_down_expired
from tests.aws_servers import LocalAws
from tests.local.projects import LocalProject
from tests.local.test_branches import NAME, Airflow, airflow, project, up
from tests.local.test_killed_branches import LENGTHS, differing, down, expire, left, settled

__all__ = ["airflow", "project"]
# Credentials that ran out, an account's quota, and too many calls; each as AWS names it.
CODES = ("ExpiredTokenException", "ResourceNumberLimitExceededException", "ThrottlingException")
ONWARDS = "the same command goes on from there"


@contextmanager
def refusing(first: int | None, code: str = "") -> Iterator[list[str]]:
    """Let AWS answer every call from the ``first`` on with an error; gives the calls."""
    calls: list[str] = []
    really = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, given: dict[str, Any]) -> Any:
        calls.append(operation)
        if first is not None and len(calls) >= first:
            raise ClientError({"Error": {"Code": code, "Message": "by the test"}}, operation)
        return really(client, operation, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield calls


def places(calls: list[str], slow: bool) -> list[tuple[int, str]]:
    """From which call on, and with which code."""
    every = [(first, code) for first in range(1, len(calls) + 1) for code in CODES]
    return every if slow else every[len(every) // 3 :: len(every) // 2]


def refused(error: DapflowError, code: str) -> None:
    """It says which call AWS has refused, why, and how it goes on."""
    assert error.code == ("aws-credentials" if code == CODES[0] else "aws")
    assert f"was refused: by the test ({code})" in error.message
    assert ONWARDS in (error.hint or "")


@pytest.mark.parametrize("slow", LENGTHS)
def test_refused_while_it_comes_up(aws: LocalAws, airflow: Airflow, project: LocalProject, slow: bool) -> None:
    before = left(project, aws, airflow)
    with refusing(None) as calls:
        up(project)
    whole = settled(left(project, aws, airflow))
    down(project)
    for first, code in places(calls, slow):
        with refusing(first, code), pytest.raises(DapflowError) as raised:
            up(project)
        refused(raised.value, code)
        up(project)
        assert not differing(settled(left(project, aws, airflow)), whole), f"up again after {code} at {first}"
        down(project)
        with refusing(first, code), pytest.raises(DapflowError):
            up(project)
        down(project)
        assert not differing(left(project, aws, airflow), before), f"down after {code} at {first}"


@pytest.mark.parametrize("slow", LENGTHS)
def test_refused_while_it_goes_down(aws: LocalAws, airflow: Airflow, project: LocalProject, slow: bool) -> None:
    before = left(project, aws, airflow)
    up(project)
    with refusing(None) as calls:
        down(project)
    for first, code in places(calls, slow):
        up(project)
        with refusing(first, code), pytest.raises(DapflowError) as raised:
            take_down(project.state, NAME, lambda _: None)
        refused(raised.value, code)
        # What is half gone can be brought up again, too.
        up(project)
        with refusing(first, code), pytest.raises(DapflowError):
            take_down(project.state, NAME, lambda _: None)
        take_down(project.state, NAME, lambda _: None)
        assert not differing(left(project, aws, airflow), before), f"after {code} at {first}"


def test_what_has_expired_and_is_refused_does_not_keep_the_platform_from_coming_up(
    aws: LocalAws, airflow: Airflow, project: LocalProject
) -> None:
    before = left(project, aws, airflow)
    up(project)
    expire(project)
    said: list[str] = []
    with refusing(1, CODES[2]):
        take_down_expired(project.state, said.append)
    assert said[-1].startswith("it could not be removed: ")
    take_down_expired(project.state, said.append)
    assert not differing(left(project, aws, airflow), before)
