"""Operations on work groups, with Athena's defaults."""

from __future__ import annotations

from typing import Any

from dapflow.athena.api.api_context import ApiContext, Operation
from dapflow.athena.api.protocol import invalid_request, page
from dapflow.athena.api.workgroup_store import ACCOUNT, ENGINE_VERSION, PRIMARY, new_work_group
from dapflow.limits import LEAST_CUTOFF


def _check(configuration: dict[str, Any]) -> None:
    version = configuration.get("EngineVersion", {}).get("SelectedEngineVersion", "AUTO")
    if version not in {"AUTO", ENGINE_VERSION}:
        kind = "Apache Spark work groups are" if "spark" in version.lower() else f"The engine version '{version}' is"
        raise invalid_request(f"{kind} not supported: only '{ENGINE_VERSION}' is served")
    for key in ("ManagedQueryResultsConfiguration", "ManagedQueryResultsConfigurationUpdates"):
        if configuration.get(key, {}).get("Enabled"):
            raise invalid_request(
                "Managed query results are not supported: give the work group a ResultConfiguration with an "
                "OutputLocation"
            )
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < LEAST_CUTOFF:
        raise invalid_request(f"BytesScannedCutoffPerQuery must be at least {LEAST_CUTOFF} bytes")
    for key in ("ResultConfiguration", "ResultConfigurationUpdates"):
        location = configuration.get(key, {}).get("OutputLocation")
        if location and not location.startswith("s3://"):
            raise invalid_request(f"outputLocation is not a valid S3 path: {location}")


def create_work_group(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """CreateWorkGroup."""
    name = request["Name"]
    if service.workgroups.find(name) is not None:
        raise invalid_request(f"WorkGroup {name} is already created")
    configuration = dict(request.get("Configuration", {}))
    _check(configuration)
    service.workgroups.put(new_work_group(name, configuration, request.get("Description", "")))
    if request.get("Tags"):
        service.engine.state.put("tags", _arn(service, name), {"tags": request["Tags"]})
    return {}


def _arn(service: ApiContext, name: str) -> str:
    return f"arn:aws:athena:{service.engine.settings.region}:{ACCOUNT}:workgroup/{name}"


def get_work_group(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetWorkGroup."""
    return {"WorkGroup": service.workgroups.get(request["WorkGroup"])}


def list_work_groups(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListWorkGroups."""
    summaries = [
        {
            "Name": group["Name"],
            "State": group["State"],
            "Description": group["Description"],
            "CreationTime": group["CreationTime"],
            "EngineVersion": group["Configuration"]["EngineVersion"],
        }
        for group in service.workgroups.all()
    ]
    shown, token = page(summaries, request.get("NextToken"), request.get("MaxResults", 50))
    return {"WorkGroups": shown, **({"NextToken": token} if token else {})}


# Update key, and the configuration key that it removes.
_REMOVALS = {
    "RemoveBytesScannedCutoffPerQuery": "BytesScannedCutoffPerQuery",
    "RemoveCustomerContentEncryptionConfiguration": "CustomerContentEncryptionConfiguration",
}
_RESULT_REMOVALS = {
    "RemoveOutputLocation": "OutputLocation",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveAclConfiguration": "AclConfiguration",
}


def update_work_group(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """UpdateWorkGroup."""
    group = service.workgroups.get(request["WorkGroup"])
    updates = request.get("ConfigurationUpdates", {})
    _check(updates)
    configuration = group["Configuration"]
    for key, value in updates.items():
        if key == "ResultConfigurationUpdates":
            results = configuration.setdefault("ResultConfiguration", {})
            _apply(results, value, _RESULT_REMOVALS)
        elif key == "EngineVersion":
            selected = value.get("SelectedEngineVersion", "AUTO")
            configuration[key] = {"SelectedEngineVersion": selected, "EffectiveEngineVersion": ENGINE_VERSION}
    _apply(
        configuration,
        {k: v for k, v in updates.items() if k not in {"ResultConfigurationUpdates", "EngineVersion"}},
        _REMOVALS,
    )
    if "Description" in request:
        group["Description"] = request["Description"]
    if "State" in request:
        if group["Name"] == PRIMARY and request["State"] == "DISABLED":
            raise invalid_request("The primary workgroup cannot be disabled")
        group["State"] = request["State"]
    service.workgroups.put(group)
    return {}


def _apply(target: dict[str, Any], updates: dict[str, Any], removals: dict[str, str]) -> None:
    for key, value in updates.items():
        if key in removals:
            if value:
                target.pop(removals[key], None)
        else:
            target[key] = value


def delete_work_group(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteWorkGroup."""
    name = request["WorkGroup"]
    if name == PRIMARY:
        raise invalid_request("The primary workgroup cannot be deleted")
    service.workgroups.get(name)
    state = service.engine.state
    saved = [query for query in state.documents("named_query") if query.get("WorkGroup") == name]
    prepared = [item for item in state.documents("prepared_statement") if item.get("WorkGroupName") == name]
    if not request.get("RecursiveDeleteOption", False) and (saved or prepared or state.execution_ids(name, 1, 0)):
        raise invalid_request(f"WorkGroup {name} is not empty")
    for query in saved:
        state.remove("named_query", query["NamedQueryId"])
    for item in prepared:
        state.remove("prepared_statement", f"{name}\n{item['StatementName']}")
    service.workgroups.remove(name)
    state.remove_executions(name)
    state.remove("tags", _arn(service, name))
    return {}


def list_engine_versions(_service: ApiContext, _request: dict[str, Any]) -> dict[str, Any]:
    """ListEngineVersions."""
    versions = ["AUTO", ENGINE_VERSION]
    return {
        "EngineVersions": [
            {"SelectedEngineVersion": version, "EffectiveEngineVersion": ENGINE_VERSION} for version in versions
        ]
    }


OPERATIONS: dict[str, Operation] = {
    "CreateWorkGroup": create_work_group,
    "GetWorkGroup": get_work_group,
    "ListWorkGroups": list_work_groups,
    "UpdateWorkGroup": update_work_group,
    "DeleteWorkGroup": delete_work_group,
    "ListEngineVersions": list_engine_versions,
}
