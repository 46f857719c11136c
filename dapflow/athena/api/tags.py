"""Tags of work groups and data catalogs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dapflow.athena.api.protocol import not_found, page

if TYPE_CHECKING:
    from dapflow.athena.api.api_context import ApiContext, Operation

_KIND = "tags"


def _known(service: ApiContext, arn: str) -> str:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    there: dict[str, Callable[[], object]] = {
        "workgroup": lambda: service.workgroups.find(name),
        "datacatalog": lambda: name == "AwsDataCatalog" or service.engine.state.get("data_catalog", name),
    }
    if kind not in there or not there[kind]():
        raise not_found(f"Resource {arn} was not found", arn)
    return arn


def _tags(service: ApiContext, arn: str) -> dict[str, str]:
    kept = (service.engine.state.get(_KIND, arn) or {}).get("tags", [])
    return {tag["Key"]: tag.get("Value", "") for tag in kept}


def _keep(service: ApiContext, arn: str, tags: dict[str, str]) -> None:
    service.engine.state.put(_KIND, arn, {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def tag_resource(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """TagResource."""
    arn = _known(service, request["ResourceARN"])
    added = {tag["Key"]: tag.get("Value", "") for tag in request["Tags"]}
    _keep(service, arn, {**_tags(service, arn), **added})
    return {}


def untag_resource(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """UntagResource."""
    arn = _known(service, request["ResourceARN"])
    removed = set(request["TagKeys"])
    _keep(service, arn, {key: value for key, value in _tags(service, arn).items() if key not in removed})
    return {}


def list_tags_for_resource(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListTagsForResource."""
    arn = _known(service, request["ResourceARN"])
    tags = [{"Key": key, "Value": value} for key, value in _tags(service, arn).items()]
    shown, token = page(tags, request.get("NextToken"), request.get("MaxResults", 75))
    return {"Tags": shown, **({"NextToken": token} if token else {})}


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
