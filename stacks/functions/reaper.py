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
# Of these CloudFormation takes a deletion though the stack is at something; of all others it says that it cannot.
_DELETABLE = frozenset({"CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
_BUSY = re.compile(r"cannot be deleted while in status \w+_IN_PROGRESS")


def handler(_event: Any, _context: Any) -> None:
    """Delete what is due, and say of each stack what was done.

    What is at something, as somebody deploys it, or cannot be deleted is tried again in an hour. The latter is raised
    in the end, so that someone is told.
    """
    cloudformation = boto3.client("cloudformation")
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=int(os.environ["DAYS"]))
    stacks = [stack for page in cloudformation.get_paginator("describe_stacks").paginate() for stack in page["Stacks"]]
    failed = []
    for stack in due(stacks, os.environ["STACK_PREFIX"], before):
        name, status = stack["StackName"], stack["StackStatus"]
        refused = None if is_busy(status) else _refused(cloudformation, name)
        busy = is_busy(status) or (refused is not None and _BUSY.search(refused) is not None)
        what = "waits" if busy else "delete" if refused is None else "refused"
        print(json.dumps({what: name, "status": status, **({"reason": refused} if refused else {})}))
        if what == "refused":
            failed.append(f"{name}: {refused}")
        elif status == "DELETE_FAILED":
            failed.append(f"{name}: {stack.get('StackStatusReason')}")
    if failed:
        raise RuntimeError("; ".join(failed))


def _refused(cloudformation: Any, name: str) -> str | None:
    """Delete a stack; why that was refused, or None. One that is gone by now is no mistake to CloudFormation."""
    try:
        cloudformation.delete_stack(StackName=name)
    except ClientError as error:
        return str(error)
    return None


def is_busy(status: str) -> bool:
    """Whether CloudFormation refuses to delete a stack until it has ended what it is at."""
    return status.endswith("_IN_PROGRESS") and status not in _DELETABLE


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
