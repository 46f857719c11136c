"""Daily: delete the stacks of branch environments that have expired."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

import boto3


def handler(_event: Any, _context: Any) -> None:
    """Delete what is expired; whatever fails today is tried again tomorrow."""
    cloudformation = boto3.client("cloudformation")
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if is_expired(stack, os.environ["STACK_PREFIX"], now):
                print(json.dumps({"delete": stack["StackName"]}))
                cloudformation.delete_stack(StackName=stack["StackName"])


def is_expired(stack: dict[str, Any], prefix: str, now: str) -> bool:
    """Whether a stack is a branch environment's (by name and by tag), past its time, and not yet being deleted."""
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    return (
        stack["StackName"].startswith(prefix)
        and tags.get("dapflow:kind") == "branch"
        and tags.get("dapflow:expires", now) < now
        and not stack["StackStatus"].startswith("DELETE_IN_PROGRESS")
    )
