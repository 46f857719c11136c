"""When the environment of a branch goes, and how that is put off.

The host's reaper (``stacks/functions/reaper.py``) counts the days of its own setting from when CloudFormation last
updated a stack. Tags say nothing to it: whoever may push a branch writes them.
"""

from __future__ import annotations

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
# Between two looks at a stack that is updated, and how many there are.
_SECONDS, _LOOKS = 5, 120


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
            waiter = client.get_waiter("stack_update_complete")
            waiter.wait(StackName=stack["StackName"], WaiterConfig={"Delay": _SECONDS, "MaxAttempts": _LOOKS})
        yield stack["StackName"]
