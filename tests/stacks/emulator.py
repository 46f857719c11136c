"""ministack, with what it lacks. Run by ministack's own Python: ``uv tool run --from ministack==… python emulator.py``.

Its CloudFormation refuses types that it does not know. Those of ours are recorded here: they get an id and the
attributes that our templates ask for, and nothing behind them. What they say is tested on the templates.

Creations fail where a test asks for it: the file that the environment variable FAILURES names has a line
``<stack> <type>`` for each.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.app import main  # type: ignore[import-not-found]
from ministack.core.responses import error_response_json  # type: ignore[import-not-found]
from ministack.services import glue  # type: ignore[import-not-found]
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS  # type: ignore[import-not-found]

Made = tuple[str, dict[str, Any]]


def recorded(physical_id: Callable[[dict[str, Any]], str], **attributes: str) -> dict[str, Any]:
    """Handlers that keep nothing: the id, and attributes in which ``{id}`` stands for it."""

    def made(properties: dict[str, Any]) -> Made:
        name = physical_id(properties)
        return name, {attribute: text.format(id=name) for attribute, text in attributes.items()}

    return {
        "create": lambda _logical_id, properties, _stack: made(properties),
        "update": lambda _physical_id, _old, new, _stack: made(new),
        "delete": lambda _physical_id, _properties: None,
    }


def numbered(prefix: str) -> Callable[[dict[str, Any]], str]:
    """Ids as EC2 gives them."""
    return lambda _properties: f"{prefix}-{uuid.uuid4().hex[:17]}"


GAPS = {
    "AWS::Budgets::Budget": recorded(lambda properties: properties["Budget"]["BudgetName"]),
    "AWS::EC2::EIP": recorded(numbered("eipalloc"), AllocationId="{id}"),
    "AWS::EC2::FlowLog": recorded(numbered("fl")),
    "AWS::EC2::NatGateway": recorded(numbered("nat"), NatGatewayId="{id}"),
    "AWS::EC2::SecurityGroupEgress": recorded(numbered("sgr")),
    "AWS::EC2::SecurityGroupIngress": recorded(numbered("sgr")),
    "AWS::IAM::OIDCProvider": recorded(lambda properties: properties["Url"], Arn="arn:aws:iam::111122223333:oidc/{id}"),
    "AWS::MWAA::Environment": recorded(lambda properties: properties["Name"], Arn="arn:aws:airflow:::{id}"),
    # There is no Airflow whose pools it could make.
    "Custom::DapflowPools": recorded(lambda properties: properties["Environment"]),
}

Answer = tuple[int, dict[str, str], bytes]


def update_partition(answer: Callable[..., Answer]) -> Callable[..., Answer]:
    """Glue's answers, with UpdatePartition, which it does not know: BatchUpdatePartition of one."""

    def answered(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Answer:
        if not headers.get("x-amz-target", "").endswith(".UpdatePartition"):
            return answer(method, path, headers, body, query)
        asked = json.loads(body)
        entry = {key: asked.pop(key) for key in ("PartitionValueList", "PartitionInput")}
        batch = json.dumps({**asked, "Entries": [entry]}).encode()
        headers = {**headers, "x-amz-target": "AWSGlue.BatchUpdatePartition"}
        status, more, content = answer(method, path, headers, batch, query)
        for error in json.loads(content).get("Errors", []):
            detail = error["ErrorDetail"]
            return error_response_json(detail["ErrorCode"], detail["ErrorMessage"], 400)  # type: ignore[no-any-return]
        return status, more, content

    return answered


FAILURES = Path(os.environ.get("FAILURES", os.devnull))


def fallible(
    kind: str, create: Callable[[str, dict[str, Any], str], Made]
) -> Callable[[str, dict[str, Any], str], Made]:
    """A creation that fails as AWS's would, once its stack and type stand in FAILURES."""

    def made(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
        if FAILURES.exists() and f"{stack} {kind}" in FAILURES.read_text().splitlines():
            raise ValueError(f"Resource handler returned message: {logical_id} was not made (a test asked for it)")
        return create(logical_id, properties, stack)

    return made


if __name__ == "__main__":
    for kind, handlers in GAPS.items():
        _RESOURCE_HANDLERS.setdefault(kind, handlers)
    for kind, handlers in _RESOURCE_HANDLERS.items():
        if "create" in handlers:
            handlers["create"] = fallible(kind, handlers["create"])
    glue._handle_request_sync = update_partition(glue._handle_request_sync)
    main()
