"""Operations on executions: look at, stop; a module of its own starts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapflow.athena.api.protocol import invalid_request, page_start
from dapflow.athena.api.start_execution import start_query_execution
from dapflow.athena.api.workgroup_store import ENGINE_VERSION, PRIMARY
from dapflow.athena.engine.execution import Execution

if TYPE_CHECKING:
    from dapflow.athena.api.api_context import ApiContext, Operation


def find(service: ApiContext, identity: str) -> Execution:
    """An execution. Raises InvalidRequestException."""
    execution = service.engine.execution(identity)
    if execution is None:
        raise invalid_request(f"QueryExecution {identity} was not found")
    return execution


def get_query_execution(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetQueryExecution."""
    return {"QueryExecution": describe(find(service, request["QueryExecutionId"]))}


def describe(execution: Execution) -> dict[str, Any]:
    """An execution as the API shows it."""
    state = execution.state
    status: dict[str, Any] = {"State": state, "SubmissionDateTime": execution.submitted}
    if execution.is_terminal:
        status["CompletionDateTime"] = execution.completed
        if execution.reason is not None:
            status["StateChangeReason"] = execution.reason
        if execution.error is not None:
            status["AthenaError"] = {
                "ErrorCategory": execution.error.category,
                "ErrorType": execution.error.type,
                "Retryable": execution.error.retryable,
                "ErrorMessage": execution.error.message,
            }
    context = {"Database": execution.database, "Catalog": execution.catalog}
    shown = {
        "QueryExecutionId": execution.id,
        "Query": execution.text,
        "StatementType": execution.statement_type,
        "SubstatementType": execution.substatement_type,
        "ResultConfiguration": execution.result_configuration,
        "ResultReuseConfiguration": execution.result_reuse or {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": {key: value for key, value in context.items() if value is not None},
        "Status": status,
        "Statistics": _statistics(execution),
        "WorkGroup": execution.workgroup,
        "EngineVersion": {
            "SelectedEngineVersion": execution.engine_version,
            "EffectiveEngineVersion": ENGINE_VERSION,
        },
    }
    if execution.parameters:
        shown["ExecutionParameters"] = list(execution.parameters)
    return shown


def _statistics(execution: Execution) -> dict[str, Any]:
    figures = execution.figures
    shown: dict[str, Any] = {
        "EngineExecutionTimeInMillis": figures.engine,
        "DataScannedInBytes": figures.scanned,
        "TotalExecutionTimeInMillis": figures.total,
        "QueryQueueTimeInMillis": figures.queued,
        "ServicePreProcessingTimeInMillis": 0,
        "QueryPlanningTimeInMillis": figures.planning,
        "ServiceProcessingTimeInMillis": figures.publishing,
        "ResultReuseInformation": {"ReusedPreviousResult": False},
    }
    if figures.manifest is not None:
        shown["DataManifestLocation"] = figures.manifest
    return shown


def batch_get_query_execution(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """BatchGetQueryExecution."""
    executions, missing = [], []
    for identity in request["QueryExecutionIds"]:
        execution = service.engine.execution(identity)
        if execution is not None:
            executions.append(describe(execution))
        else:
            message = f"QueryExecution {identity} was not found"
            missing.append({"QueryExecutionId": identity, "ErrorCode": "INVALID_INPUT", "ErrorMessage": message})
    return {"QueryExecutions": executions, "UnprocessedQueryExecutionIds": missing}


def list_query_executions(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListQueryExecutions: of one work group, newest first."""
    group = service.workgroups.get(request.get("WorkGroup", PRIMARY))
    limit, start = request.get("MaxResults", 50), page_start(request.get("NextToken"))
    identities = service.engine.state.execution_ids(group["Name"], limit + 1, start)
    more = {"NextToken": str(start + limit)} if len(identities) > limit else {}
    return {"QueryExecutionIds": identities[:limit], **more}


def stop_query_execution(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """StopQueryExecution. One that has ended stays as it ended."""
    find(service, request["QueryExecutionId"]).stop("Query cancelled by user")
    return {}


def get_query_runtime_statistics(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetQueryRuntimeStatistics."""
    execution = find(service, request["QueryExecutionId"])
    if not execution.is_terminal:
        raise invalid_request(f"Query has not yet finished. Current state: {execution.state}")
    figures = execution.figures
    return {
        "QueryRuntimeStatistics": {
            "Timeline": {
                "QueryQueueTimeInMillis": figures.queued,
                "QueryPlanningTimeInMillis": figures.planning,
                "EngineExecutionTimeInMillis": figures.engine,
                "ServiceProcessingTimeInMillis": figures.publishing,
                "ServicePreProcessingTimeInMillis": 0,
                "TotalExecutionTimeInMillis": figures.total,
            },
            "Rows": {
                "InputRows": figures.input_rows,
                "InputBytes": figures.scanned,
                "OutputRows": figures.output_rows,
                "OutputBytes": figures.output_bytes,
            },
        }
    }


OPERATIONS: dict[str, Operation] = {
    "StartQueryExecution": start_query_execution,
    "GetQueryExecution": get_query_execution,
    "BatchGetQueryExecution": batch_get_query_execution,
    "ListQueryExecutions": list_query_executions,
    "StopQueryExecution": stop_query_execution,
    "GetQueryRuntimeStatistics": get_query_runtime_statistics,
}
