"""Hourly: delete the stacks of branch environments that nobody deployed again in time.

Whoever may push a branch writes its stacks, their tags too. So nothing of that is believed: which stacks are branches'
follows from their names, which the role that deploys branches cannot choose freely; their age is CloudFormation's; the
days are a setting of the host.
"""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

# A bundle needs functions of the Airflow below it to be deleted, and that Airflow its network.
_PARTS = re.compile(r"(?P<branch>[a-z][a-z0-9-]*?-[0-9a-f]{6})-(?P<part>bundle|service-.+|airflow|network)")
_ORDER = ("bundle", "service", "airflow", "network")


def handler(_event: Any, _context: Any) -> None:
    """Delete what is due. What fails is tried again in an hour, and raised in the end, so that someone is told."""
    cloudformation = boto3.client("cloudformation")
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=int(os.environ["DAYS"]))
    stacks = [stack for page in cloudformation.get_paginator("describe_stacks").paginate() for stack in page["Stacks"]]
    failed = []
    for stack in due(stacks, os.environ["STACK_PREFIX"], before):
        name = stack["StackName"]
        print(json.dumps({"delete": name, "status": stack["StackStatus"]}))
        if stack["StackStatus"] == "DELETE_FAILED":
            failed.append(f"{name}: {stack.get('StackStatusReason')}")
        try:
            cloudformation.delete_stack(StackName=name)
        except ClientError as error:
            failed.append(f"{name}: {error}")
    if failed:
        raise RuntimeError("; ".join(failed))


def due(stacks: Iterable[dict[str, Any]], prefix: str, before: datetime.datetime) -> Iterator[dict[str, Any]]:
    """Stacks last deployed before then, on which no other of their branch stands any more."""
    standing = [
        (stack, *_place(stack["StackName"].removeprefix(prefix))) for stack in stacks if is_of_a_branch(stack, prefix)
    ]
    first: dict[str, int] = {}
    for _, branch, step in standing:
        first[branch] = min(step, first.get(branch, step))
    for stack, branch, step in standing:
        if is_expired(stack, before) and step == first[branch]:
            yield stack


def is_of_a_branch(stack: dict[str, Any], prefix: str) -> bool:
    """Whether a stack is a branch environment's: whatever the role that deploys branches may make."""
    return str(stack["StackName"]).startswith(prefix)


def is_expired(stack: dict[str, Any], before: datetime.datetime) -> bool:
    """Whether a stack was last deployed before then, and is not being deleted yet."""
    deployed = stack.get("LastUpdatedTime", stack["CreationTime"])
    return bool(deployed < before) and stack["StackStatus"] != "DELETE_IN_PROGRESS"


def _place(name: str) -> tuple[str, int]:
    """The branch of a stack, and when it goes; a stack of another name stands for itself, and holds nobody up."""
    match = _PARTS.fullmatch(name)
    return (match["branch"], _ORDER.index(match["part"].split("-")[0])) if match else (name, 0)
