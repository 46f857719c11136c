"""Hourly: delete the stacks of branch environments that have expired."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError


def handler(_event: Any, _context: Any) -> None:
    """Delete what is due. What fails is tried again in an hour, and raised in the end, so that someone is told."""
    cloudformation = boto3.client("cloudformation")
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    stacks = [each for page in cloudformation.get_paginator("describe_stacks").paginate() for each in page["Stacks"]]
    failed = []
    for stack in due(stacks, os.environ["STACK_PREFIX"], now):
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


def due(stacks: Iterable[dict[str, Any]], prefix: str, now: str) -> Iterator[dict[str, Any]]:
    """Expired stacks on which no other of their branch stands any more.

    A bundle needs functions of the Airflow below it to be deleted, and that Airflow its network. Hence one step of
    ``dapflow:teardown`` at a time.
    """
    standing = [each for each in stacks if is_of_a_branch(each, prefix)]
    first: dict[str | None, str] = {}
    for stack in standing:
        first[_branch(stack)] = min(_step(stack), first.get(_branch(stack), _step(stack)))
    for stack in standing:
        if is_expired(stack, prefix, now) and _step(stack) == first[_branch(stack)]:
            yield stack


def is_of_a_branch(stack: dict[str, Any], prefix: str) -> bool:
    """Whether a stack is a branch environment's, by its name and by its tags."""
    return stack["StackName"].startswith(prefix) and _tags(stack).get("dapflow:kind") == "branch"


def is_expired(stack: dict[str, Any], prefix: str, now: str) -> bool:
    """Whether a stack is a branch environment's, past its time, and not yet being deleted."""
    return (
        is_of_a_branch(stack, prefix)
        and _tags(stack).get("dapflow:expires", now) < now
        and stack["StackStatus"] != "DELETE_IN_PROGRESS"
    )


def _tags(stack: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def _branch(stack: dict[str, Any]) -> str | None:
    return _tags(stack).get("dapflow:branch")


def _step(stack: dict[str, Any]) -> str:
    return _tags(stack).get("dapflow:teardown", "1")
