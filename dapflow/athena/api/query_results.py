"""GetQueryResults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapflow.athena.api.executions import find
from dapflow.athena.api.protocol import invalid_request, page_start
from dapflow.athena.engine.engine import result_columns
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.execution import SUCCEEDED
from dapflow.athena.engine.results import CSV, NOTHING, column_info, csv_page, text_page

if TYPE_CHECKING:
    from dapflow.athena.api.api_context import ApiContext, Operation

_PAGE = 1000


def get_query_results(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetQueryResults. A page's token is where it starts in the result file."""
    execution = find(service, request["QueryExecutionId"])
    if execution.state != SUCCEEDED:
        if execution.is_terminal:
            raise invalid_request(
                f"Query did not finish successfully. Final query state: {execution.state}",
                "INVALID_QUERY_EXECUTION_STATE",
            )
        raise invalid_request(
            f"Query has not yet finished. Current state: {execution.state}", "INVALID_QUERY_EXECUTION_STATE"
        )
    rows: list[list[str | None]] = []
    following: int | None = None
    if execution.result_kind != NOTHING:
        offset, count = page_start(request.get("NextToken")), request.get("MaxResults", _PAGE)
        try:
            stream = service.engine.results.open(execution)
        except QueryFailed as error:
            raise invalid_request(f"Could not find results: {error}", "COULD_NOT_FIND_RESULTS") from error
        reader = csv_page if execution.result_kind == CSV else text_page
        with stream:
            rows, following = reader(stream, offset, count)
    shown = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows]
    response: dict[str, Any] = {
        "UpdateCount": execution.update_count,
        "ResultSet": {
            "Rows": shown,
            "ResultSetMetadata": {"ColumnInfo": column_info(result_columns(execution))},
        },
    }
    if following is not None:
        response["NextToken"] = str(following)
    return response


OPERATIONS: dict[str, Operation] = {"GetQueryResults": get_query_results}
