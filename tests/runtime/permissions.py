"""Every AWS call that the run time makes in these tests, held against the policy of a service's runner role.

The embedded AWS enforces nothing, so a call for which the policy has no action would be seen on AWS alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import dapflow.runtime
from dapflow.branch import OWN_ZONES
from dapflow.manifest import Manifest
from dapflow.platform import ZONES_WITH_BUCKETS, Platform
from dapflow.runtime.aws import Clients
from stacks.access import BASE, BASE_RESULTS, BRANCHES, service_access
from stacks.policies import runner
from tests.stacks.iam.evaluate import Request, evaluate

RUNTIME = str(Path(dapflow.runtime.__file__).parent)
LANDING = "/dapflow/runtime/land.py"
EVENT = "provide-client-params.*.*"


@dataclass(frozen=True)
class Call:
    """A call to AWS: which, and with what."""

    service: str
    operation: str
    parameters: dict[str, Any]


@contextmanager
def recorded(clients: Clients, *others: Any) -> Iterator[list[Call]]:
    """The calls that ``dapflow.runtime`` makes through these clients; those of the tests themselves are left out."""
    calls: list[Call] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if _from_the_run_time():
            calls.append(Call(model.service_model.service_name, model.name, dict(params)))

    each_client: tuple[Any, ...] = (clients.athena, clients.glue, clients.s3, *others)
    for client in each_client:
        client.meta.events.register_first(EVENT, note)
    try:
        yield calls
    finally:
        for client in each_client:
            client.meta.events.unregister(EVENT, note)


def refused(calls: list[Call], manifest: Manifest, platform: Platform) -> list[str]:
    """What no service of the project is allowed by its runner role."""
    zones = (*ZONES_WITH_BUCKETS, *(f"{BASE}{zone}" for zone in OWN_ZONES), BASE_RESULTS, BRANCHES)
    keys = dict.fromkeys((*zones, "platform"), "arn:aws:kms:eu-west-2:123456789012:key/x")
    policies = [
        runner(service_access(manifest, service, platform, secrets="dapflow/test/services/x/"), keys)
        for service in manifest.services.values()
    ]
    # A test may put a dataset where no service has a database; there is no policy for that.
    described = {database.name for database in platform.databases}
    asked: dict[str, Request] = {}
    for call in calls:
        if call.service == "glue" and call.parameters.get("DatabaseName", call.parameters.get("Name")) not in described:
            continue
        asked |= {repr(request): request for request in requests(call, platform)}
    refused_requests = [
        f"{request.action} on {', '.join(request.resources)}"
        for request in asked.values()
        if not any(evaluate(request, [policy]).allowed for policy in policies)
    ]
    return list(dict.fromkeys(refused_requests))


def requests(call: Call, platform: Platform) -> Iterator[Request]:
    """What IAM is asked for a call. Raises KeyError for an operation that nobody has looked up yet.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    match call.service:
        case "athena":
            yield from _athena(call, platform)
        case "glue":
            yield _glue(call, platform)
        case "s3":
            yield from _s3(call)
        case "sns":
            yield Request(f"sns:{call.operation}", (call.parameters["TopicArn"],))
        case other:
            raise KeyError(f"the run time calls {other}")


def _athena(call: Call, platform: Platform) -> Iterator[Request]:
    # By a query's id, AWS asks for the workgroup that it ran in.
    named = call.parameters.get("WorkGroup")
    groups = [named] if named else [workgroup.name for workgroup in platform.workgroups]
    stem = f"arn:aws:athena:{platform.environment.region}:{platform.environment.account}:workgroup"
    yield Request(f"athena:{call.operation}", (f"{stem}/{groups[0]}",))


def _glue(call: Call, platform: Platform) -> Request:
    given = call.parameters
    stem = f"arn:aws:glue:{platform.environment.region}:{platform.environment.account}"
    database = given.get("DatabaseName") or given["Name"]
    table = given.get("TableName") or given.get("TableInput", {}).get("Name")
    if table is None and "DatabaseName" in given:
        table = given.get("Name", "*")
    below = (f"{stem}:table/{database}/{table}",) if table else ()
    return Request(f"glue:{call.operation}", (f"{stem}:catalog", f"{stem}:database/{database}", *below))


def _s3(call: Call) -> Iterator[Request]:
    given = call.parameters
    bucket = f"arn:aws:s3:::{given['Bucket']}"
    objects = {
        "GetObject": "GetObject",
        "HeadObject": "GetObject",
        "PutObject": "PutObject",
        "CopyObject": "PutObject",
        "DeleteObject": "DeleteObject",
        "CreateMultipartUpload": "PutObject",
        "UploadPart": "PutObject",
        "UploadPartCopy": "PutObject",
        "CompleteMultipartUpload": "PutObject",
        "AbortMultipartUpload": "AbortMultipartUpload",
    }
    if call.operation in {"ListObjectsV2", "ListObjects"}:
        context = {"s3:prefix": given.get("Prefix", "")}
        yield Request(
            "s3:ListBucket", (bucket,), context | ({"s3:delimiter": given["Delimiter"]} if "Delimiter" in given else {})
        )
        return
    if call.operation == "DeleteObjects":
        for item in given["Delete"]["Objects"]:
            yield Request("s3:DeleteObject", (f"{bucket}/{item['Key']}",))
        return
    yield Request(f"s3:{objects[call.operation]}", (f"{bucket}/{given['Key']}",))
    if source := given.get("CopySource"):
        place = f"{source['Bucket']}/{source['Key']}" if isinstance(source, dict) else unquote(source).lstrip("/")
        yield Request("s3:GetObject", (f"arn:aws:s3:::{place}",))


def _from_the_run_time() -> bool:
    """Whether the run time itself is calling, rather than what a test does in the middle of a publication.

    Files are landed by people and by what makes them, with rights of their own, which no runner role has.
    """
    frame, from_run_time = sys._getframe(1), False
    while frame is not None:
        file = frame.f_code.co_filename
        from_run_time = from_run_time or file.startswith(RUNTIME)
        if file.endswith(LANDING):
            return False
        if file.rpartition(os.sep)[2].startswith("test_"):
            return from_run_time
        frame = frame.f_back  # type: ignore[assignment]
    return from_run_time
