"""Named queries and prepared statements."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from dapflow.athena.api.protocol import given, invalid_request, not_found, page
from dapflow.athena.api.workgroup_store import PRIMARY
from dapflow.athena.engine.prepared import KIND as PREPARED
from dapflow.athena.engine.prepared import find_prepared, keep_prepared, prepared_key

if TYPE_CHECKING:
    from dapflow.athena.api.api_context import ApiContext, Operation

_NAMED = "named_query"


def create_named_query(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """CreateNamedQuery; the same token gives the same query."""
    state = service.engine.state
    group = service.workgroups.get(request.get("WorkGroup", PRIMARY))["Name"]
    token = request.get("ClientRequestToken")
    if token is not None:
        earlier = state.get("named_query_token", token)
        if earlier is not None:
            return earlier
    identity = str(uuid.uuid4())
    kept = given(request, "Name", "Description", "Database", "QueryString")
    state.put(_NAMED, identity, {**kept, "NamedQueryId": identity, "WorkGroup": group})
    answer = {"NamedQueryId": identity}
    if token is not None:
        state.put("named_query_token", token, answer)
    return answer


def _named(service: ApiContext, identity: str) -> dict[str, Any]:
    query = service.engine.state.get(_NAMED, identity)
    if query is None:
        raise invalid_request(f"NamedQuery {identity} was not found")
    return query


def get_named_query(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetNamedQuery."""
    return {"NamedQuery": _named(service, request["NamedQueryId"])}


def batch_get_named_query(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """BatchGetNamedQuery."""
    queries, missing = [], []
    for identity in request["NamedQueryIds"]:
        query = service.engine.state.get(_NAMED, identity)
        if query is not None:
            queries.append(query)
        else:
            message = f"NamedQuery {identity} was not found"
            missing.append({"NamedQueryId": identity, "ErrorCode": "INVALID_INPUT", "ErrorMessage": message})
    return {"NamedQueries": queries, "UnprocessedNamedQueryIds": missing}


def list_named_queries(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListNamedQueries: of one work group."""
    group = service.workgroups.get(request.get("WorkGroup", PRIMARY))["Name"]
    ids = [item["NamedQueryId"] for item in service.engine.state.documents(_NAMED) if item["WorkGroup"] == group]
    shown, token = page(ids, request.get("NextToken"), request.get("MaxResults", 50))
    return {"NamedQueryIds": shown, **({"NextToken": token} if token else {})}


def update_named_query(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """UpdateNamedQuery."""
    query = _named(service, request["NamedQueryId"])
    changes = given(request, "Name", "Description", "QueryString")
    service.engine.state.put(_NAMED, query["NamedQueryId"], {**query, **changes})
    return {}


def delete_named_query(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteNamedQuery."""
    _named(service, request["NamedQueryId"])
    service.engine.state.remove(_NAMED, request["NamedQueryId"])
    return {}


def create_prepared_statement(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """CreatePreparedStatement."""
    group, name = service.workgroups.get(request["WorkGroup"])["Name"], request["StatementName"].lower()
    if find_prepared(service.engine.state, group, name) is not None:
        raise invalid_request(f"PreparedStatement {name} already exists in workGroup {group}")
    keep_prepared(service.engine.state, group, name, request["QueryStatement"], request.get("Description"))
    return {}


def _prepared(service: ApiContext, group: str, name: str) -> dict[str, Any]:
    service.workgroups.get(group)
    statement = find_prepared(service.engine.state, group, name.lower())
    if statement is None:
        raise not_found(f"PreparedStatement {name} was not found in workGroup {group}", name)
    return statement


def get_prepared_statement(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetPreparedStatement."""
    return {"PreparedStatement": _prepared(service, request["WorkGroup"], request["StatementName"])}


def batch_get_prepared_statement(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """BatchGetPreparedStatement."""
    group = service.workgroups.get(request["WorkGroup"])["Name"]
    statements, missing = [], []
    for name in request["PreparedStatementNames"]:
        statement = find_prepared(service.engine.state, group, name.lower())
        if statement is not None:
            statements.append(statement)
        else:
            message = f"PreparedStatement {name} was not found in workGroup {group}"
            missing.append({"StatementName": name, "ErrorCode": "RESOURCE_NOT_FOUND", "ErrorMessage": message})
    return {"PreparedStatements": statements, "UnprocessedPreparedStatementNames": missing}


def list_prepared_statements(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListPreparedStatements: of one work group."""
    group = service.workgroups.get(request["WorkGroup"])["Name"]
    statements = [
        {"StatementName": item["StatementName"], "LastModifiedTime": item["LastModifiedTime"]}
        for item in service.engine.state.documents(PREPARED)
        if item["WorkGroupName"] == group
    ]
    shown, token = page(statements, request.get("NextToken"), request.get("MaxResults", 50))
    return {"PreparedStatements": shown, **({"NextToken": token} if token else {})}


def update_prepared_statement(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """UpdatePreparedStatement."""
    statement = _prepared(service, request["WorkGroup"], request["StatementName"])
    keep_prepared(
        service.engine.state,
        statement["WorkGroupName"],
        statement["StatementName"],
        request["QueryStatement"],
        request.get("Description", statement.get("Description")),
    )
    return {}


def delete_prepared_statement(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """DeletePreparedStatement."""
    statement = _prepared(service, request["WorkGroup"], request["StatementName"])
    service.engine.state.remove(PREPARED, prepared_key(statement["WorkGroupName"], statement["StatementName"]))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateNamedQuery": create_named_query,
    "GetNamedQuery": get_named_query,
    "BatchGetNamedQuery": batch_get_named_query,
    "ListNamedQueries": list_named_queries,
    "UpdateNamedQuery": update_named_query,
    "DeleteNamedQuery": delete_named_query,
    "CreatePreparedStatement": create_prepared_statement,
    "GetPreparedStatement": get_prepared_statement,
    "BatchGetPreparedStatement": batch_get_prepared_statement,
    "ListPreparedStatements": list_prepared_statements,
    "UpdatePreparedStatement": update_prepared_statement,
    "DeletePreparedStatement": delete_prepared_statement,
}
