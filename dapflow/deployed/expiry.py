"""When the environment of a branch goes, how that is put off, and how it goes at once.

The host's reaper (``stacks/functions/reaper.py``) counts the days of its own setting from when CloudFormation last
updated a stack. Tags say nothing to it: whoever may push a branch writes them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from dapflow.branch import branch_slug
from dapflow.deployed.assumed_role import assumed
from dapflow.environment import Branches, Environment
from dapflow.errors import DapflowError
from dapflow.runtime.aws import RETRIES, aws_errors

_TAG = "dapflow:expires"
# Between two looks at a stack that is at something, and for how long: a custom resource may take an hour.
_SECONDS, _LONGEST = 5.0, 3900.0
# Of a stack's name, behind the branch: what was deployed last goes first, as in the reaper.
_ORDER = ("bundle", "service-", "airflow", "network")


def expires(stack: dict[str, Any], days: int) -> str:
    """When the reaper of a host with this setting deletes a stack, as ISO time."""
    deployed: datetime = stack.get("LastUpdatedTime", stack["CreationTime"])
    return (deployed + timedelta(days=days)).isoformat(timespec="seconds")


def cloudformation(session: boto3.Session, region: str) -> Any:
    """boto3's client of CloudFormation, patient as the others."""
    config = Config(retries=RETRIES)  # type: ignore[arg-type]
    return session.client("cloudformation", region_name=region, config=config)


def all_stacks(client: Any) -> list[dict[str, Any]]:
    """Every stack of the account and region. Raises DapflowError ``aws``."""
    with aws_errors():
        return [stack for page in client.get_paginator("describe_stacks").paginate() for stack in page["Stacks"]]


def stacks_of_branch(client: Any, common: Branches, branch: str) -> list[dict[str, Any]]:
    """The stacks of a branch, by their names; the bundle's goes first."""
    prefix = f"{common.stem}-{branch_slug(branch)}-"
    return [stack for stack in all_stacks(client) if str(stack["StackName"]).startswith(prefix)]


def extend(session: boto3.Session, host: Environment, common: Branches, branch: str, *, by: str) -> Iterator[str]:
    """Let every stack of a branch count its days anew, with nothing else changed; their names, one by one.

    It assumes the role that deploys branches. Raises DapflowError ``branch-not-up``, ``role-refused`` or ``aws``.
    """
    role = f"arn:aws:iam::{host.account}:role/{common.stem}-deploy"
    client = cloudformation(assumed(session, role, by), host.region)
    stacks = stacks_of_branch(cloudformation(session, host.region), common, branch)
    if not stacks:
        raise DapflowError("branch-not-up", f"there is no environment of a branch {branch} in {host.name}")
    until = (datetime.now(UTC) + timedelta(days=common.expires_days)).isoformat(timespec="seconds")
    for stack in stacks:
        tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())} | {_TAG: until}
        with aws_errors():
            client.update_stack(
                StackName=stack["StackName"],
                UsePreviousTemplate=True,
                Parameters=[
                    {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
                    for parameter in stack.get("Parameters", ())
                ],
                Capabilities=stack.get("Capabilities", []),
                # Without its role, the policy of the role that deploys does not let it be updated.
                **({"RoleARN": stack["RoleARN"]} if "RoleARN" in stack else {}),
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
            ended = _ended(client, stack["StackId"])
        if ended["StackStatus"] not in ("UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
            raise DapflowError("aws", f"{_said(ended)}: it was not extended", hint="its events say why")
        yield stack["StackName"]


def remove(session: boto3.Session, host: Environment, common: Branches, branch: str, *, by: str) -> Iterator[str]:
    """Delete every stack of a branch, whatever the working tree holds; their names, one by one, when they are gone.

    It assumes the role that deploys branches. Raises DapflowError ``branch-not-up``, ``branch-left`` where one stays,
    ``role-refused`` or ``aws``.
    """
    stacks = stacks_of_branch(cloudformation(session, host.region), common, branch)
    if not stacks:
        raise DapflowError("branch-not-up", f"there is no environment of a branch {branch} in {host.name}")
    role = f"arn:aws:iam::{host.account}:role/{common.stem}-deploy"
    client = cloudformation(assumed(session, role, by), host.region)
    prefix = f"{common.stem}-{branch_slug(branch)}-"
    # What has another name than a branch's stacks have holds nobody up.
    steps = [_step(str(stack["StackName"]).removeprefix(prefix)) for stack in stacks]
    for step in sorted({*steps}):
        going = [stack for stack, its in zip(stacks, steps, strict=True) if its == step]
        with aws_errors():
            for stack in going:
                client.delete_stack(StackName=stack["StackName"])
            ended = [_ended(client, stack["StackId"]) for stack in going]
        if left := [_said(stack) for stack in ended if stack["StackStatus"] != "DELETE_COMPLETE"]:
            raise DapflowError(
                "branch-left",
                f"of {branch} there is still {'; '.join(left)}",
                hint="the same command goes on from there; so does the host, when the branch expires",
            )
        yield from (str(stack["StackName"]) for stack in going)


def _step(part: str) -> int:
    return next((number for number, name in enumerate(_ORDER) if part.startswith(name)), 0)


def _ended(client: Any, stack_id: str) -> dict[str, Any]:
    """A stack once it is no longer at what it was told, or after an hour as it is then."""
    deadline = time.monotonic() + _LONGEST
    while True:
        stack: dict[str, Any] = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        status = str(stack["StackStatus"])
        if not status.endswith("_IN_PROGRESS") or "CLEANUP" in status or time.monotonic() > deadline:
            return stack
        time.sleep(_SECONDS)


def _said(stack: dict[str, Any]) -> str:
    reason = stack.get("StackStatusReason")
    return f"{stack['StackName']} ({stack['StackStatus']}{f': {reason}' if reason else ''})"
