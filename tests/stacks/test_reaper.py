"""The reaper of branches against stacks in any state: it comes to an end, says what it did, and takes no other."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from stacks.functions import reaper
from tests.stacks.test_functions import JUNE, branch_stack

STATES = (
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "DELETE_FAILED",
    "DELETE_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
)
PARTS = ("bundle", "service-air", "service-rail", "airflow", "network")
WHY = "its bucket holds objects"
NEW = JUNE.replace(year=2999)


class CloudFormation:
    """CloudFormation as a reaper meets it: old stacks of two branches, a new branch, and stacks of others.

    A stack that is at something refuses to be deleted, but one that is being created or has only a change set. A
    deletion may fail. To delete what is gone is no mistake.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.asked: list[str] = []
        old = [f"{slug}-{part}" for slug in ("a-000000", "b-111111") for part in chance.sample(PARTS, 4)]
        stacks = [branch_stack(name) for name in old]
        stacks += [branch_stack(f"c-222222-{part}", LastUpdatedTime=NEW) for part in PARTS]
        stacks += [{**branch_stack(""), "StackName": name} for name in ("dapflow-prod-bundle", "dapflow-branches-lake")]
        self.stacks = {
            stack["StackName"]: {**stack, "StackStatus": chance.choice(STATES), "StackStatusReason": WHY}
            for stack in stacks
        }
        self.mine = {f"dapflow-branch-{name}" for name in old}

    def get_paginator(self, _operation: str) -> Any:
        listed = [dict(stack) for stack in self.stacks.values()]
        self.asked = []
        # When it was listed, somebody deletes one by hand, or deploys it.
        for name in sorted(self.left()):
            status = self.stacks[name]["StackStatus"]
            if self.chance.random() < 0.05:
                del self.stacks[name]
            elif self.chance.random() < 0.05 and status == "UPDATE_COMPLETE":
                self.stacks[name]["StackStatus"] = "UPDATE_IN_PROGRESS"
        return SimpleNamespace(paginate=lambda: [{"Stacks": listed}])

    def delete_stack(self, **given: Any) -> None:
        name = given["StackName"]
        self.asked.append(name)
        stack = self.stacks.get(name)
        if stack is None:
            return
        status = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS") and status not in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
            said = f"Stack [{name}] cannot be deleted while in status {status}"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": said}}, "DeleteStack")
        stack["StackStatus"] = "DELETE_IN_PROGRESS"

    def left(self) -> set[str]:
        return self.mine & self.stacks.keys()

    def others(self) -> dict[str, Any]:
        return {name: dict(stack) for name, stack in self.stacks.items() if name not in self.mine}

    def hour(self) -> None:
        """What a stack of the two was at has ended."""
        for name in sorted(self.left()):
            stack = self.stacks[name]
            if stack["StackStatus"] == "DELETE_IN_PROGRESS":
                if self.chance.random() < 0.7:
                    del self.stacks[name]
                else:
                    stack["StackStatus"] = "DELETE_FAILED"
            else:
                stack["StackStatus"] = stack["StackStatus"].replace("_CLEANUP", "").replace("IN_PROGRESS", "COMPLETE")


@pytest.mark.parametrize("seed", range(25))
def test_it_comes_to_an_end_from_any_state(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    cloud = CloudFormation(random.Random(seed))  # noqa: S311 (no secret)
    monkeypatch.setenv("STACK_PREFIX", "dapflow-branch-")
    monkeypatch.setenv("DAYS", "14")
    monkeypatch.setattr(boto3, "client", lambda _service: cloud)
    others, hours = cloud.others(), 0
    while cloud.left():
        hours += 1
        assert hours < 60, f"these stay: {cloud.left()}"
        failed = {name for name in cloud.left() if cloud.stacks[name]["StackStatus"] == "DELETE_FAILED"}
        told = ""
        try:
            reaper.handler({}, None)
        except RuntimeError as error:
            told = str(error)
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert not [line for line in said if "refused" in line]
        # What is being deployed or removed waits, and nobody is told; what could not be removed is tried again, and is.
        deleted = {line["delete"] for line in said if "delete" in line}
        assert deleted <= {*cloud.asked} <= cloud.mine
        assert {name for name in cloud.mine if f"{name}: {WHY}" in told} == failed & deleted
        cloud.hour()
    assert cloud.others() == others


@pytest.mark.parametrize("status", STATES)
def test_what_it_does_of_each_state(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    cloud = CloudFormation(random.Random(0))  # noqa: S311 (no secret)
    cloud.stacks = {name: {**stack, "StackStatus": status} for name, stack in cloud.stacks.items()}
    monkeypatch.setenv("STACK_PREFIX", "dapflow-branch-")
    monkeypatch.setenv("DAYS", "14")
    monkeypatch.setattr(boto3, "client", lambda _service: cloud)
    monkeypatch.setattr(cloud.chance, "random", lambda: 1.0)
    waits = status.endswith("_IN_PROGRESS") and status not in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS")
    if status == "DELETE_FAILED":
        with pytest.raises(RuntimeError):
            reaper.handler({}, None)
    else:
        reaper.handler({}, None)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {key for line in said for key in line if key != "status"} == (
        set() if status == "DELETE_IN_PROGRESS" else {"waits"} if waits else {"delete"}
    )
    assert bool(cloud.asked) is not waits
