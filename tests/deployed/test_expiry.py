"""A branch's stacks on AWS that are deleted at once: in order, to the end, and what stays is named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dapflow.branch import branch_slug
from dapflow.deployed import expiry
from dapflow.environment import Branches, Environment, LakeNames
from dapflow.errors import DapflowError

BRANCH = "Fix/Costs"
STEM = f"dapflow-branch-{branch_slug(BRANCH)}-"
COMMON = Branches("dapflow-branch", "b", "/", LakeNames({}, {}), "s3://a/", "s3://a/", expires_days=14)
HOST = Environment("staging", "eu-west-2", "123456789012", {}, {}, {}, branches=COMMON)


class Stacks:
    """CloudFormation with these stacks, of which those ``failing`` cannot be deleted."""

    def __init__(self, *names: str) -> None:
        self.status = dict.fromkeys(names, "UPDATE_COMPLETE")
        self.failing: set[str] = set()
        self.events: list[str] = []

    def described(self, name: str) -> dict[str, Any]:
        return {"StackName": name, "StackId": name, "StackStatus": self.status[name], "StackStatusReason": "in use"}

    def get_paginator(self, _operation: str) -> Any:
        stacks = [self.described(name) for name, status in self.status.items() if status != "DELETE_COMPLETE"]
        return SimpleNamespace(paginate=lambda: [{"Stacks": stacks}])

    def delete_stack(self, **given: Any) -> None:
        self.events.append(given["StackName"])
        self.status[given["StackName"]] = "DELETE_IN_PROGRESS"

    def describe_stacks(self, **given: Any) -> dict[str, Any]:
        name = given["StackName"]
        answer = self.described(name)
        # It is asked again, and has ended by then.
        if self.status[name] == "DELETE_IN_PROGRESS":
            self.status[name] = "DELETE_FAILED" if name in self.failing else "DELETE_COMPLETE"
        return {"Stacks": [answer]}


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    parts = ("network", "service-air", "bundle", "airflow", "service-rail")
    others = ("dapflow-prod-bundle", "dapflow-branch-other-123456-bundle")
    made = Stacks(*(f"{STEM}{part}" for part in parts), *others)
    monkeypatch.setattr(expiry, "cloudformation", lambda *_: made)
    monkeypatch.setattr(expiry, "assumed", lambda *_: None)
    monkeypatch.setattr(expiry, "_SECONDS", 0.0)
    return made


def removed() -> list[str]:
    session: Any = None
    return [name.removeprefix(STEM) for name in expiry.remove(session, HOST, COMMON, BRANCH, by="somebody")]


def test_what_was_deployed_last_goes_first_and_nothing_of_others(stacks: Stacks) -> None:
    assert removed() == ["bundle", "service-air", "service-rail", "airflow", "network"]
    assert {name for name, status in stacks.status.items() if status == "UPDATE_COMPLETE"} == {
        "dapflow-prod-bundle",
        "dapflow-branch-other-123456-bundle",
    }
    with pytest.raises(DapflowError) as raised:
        removed()
    assert raised.value.code == "branch-not-up"


def test_what_cannot_go_is_named_and_goes_at_the_next_try(stacks: Stacks) -> None:
    stacks.failing = {f"{STEM}service-air"}
    with pytest.raises(DapflowError, match=r"service-air \(DELETE_FAILED: in use\)") as raised:
        removed()
    assert raised.value.code == "branch-left"
    assert "the same command goes on" in str(raised.value.hint)
    assert f"{STEM}airflow" not in stacks.events, "what others stand on stays until they are gone"
    stacks.failing = set()
    assert removed() == ["service-air", "airflow", "network"]
