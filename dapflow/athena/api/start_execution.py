"""StartQueryExecution: a request becomes an execution, or is refused at once as Athena refuses it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dapflow.athena.api.protocol import invalid_request
from dapflow.athena.api.workgroup_store import PRIMARY
from dapflow.athena.ddl.hive_statement import parse as parse_hive
from dapflow.athena.ddl.model import HiveStatement
from dapflow.athena.engine.execution import Execution
from dapflow.athena.engine.prepared import find_prepared
from dapflow.athena.engine.queries import check_syntax
from dapflow.athena.engine.statements import AnyStatement
from dapflow.athena.storage.locations import parse_location
from dapflow.limits import MOST_STATEMENT_BYTES
from dapflow.trino.duckdb import QueryError, Statement, parameter_sql, statement_kind
from dapflow.trino.errors import TooDeep

if TYPE_CHECKING:
    from dapflow.athena.api.api_context import ApiContext

# StatementType and SubstatementType by kind of statement.
_TYPES = {
    "query": ("DML", "SELECT"),
    "insert": ("DML", "INSERT"),
    "unload": ("DML", "UNLOAD"),
    "delete": ("DML", "DELETE"),
    "update": ("DML", "UPDATE"),
    "merge": ("DML", "MERGE"),
    "ctas": ("DDL", "CREATE_TABLE_AS_SELECT"),
    "create_view": ("DDL", "CREATE_VIEW"),
    "drop_view": ("DDL", "DROP_VIEW"),
    "show_create_view": ("UTILITY", "SHOW_CREATE_VIEW"),
    "explain": ("UTILITY", "EXPLAIN"),
    "prepare": ("DDL", "PREPARE"),
    "deallocate": ("DDL", "DEALLOCATE"),
}
_WITH_QUERY = frozenset({"query", "insert", "unload", "ctas", "create_view"})
_WITHOUT_ROWS = frozenset({"insert", "unload", "ctas", "delete", "update", "merge"})


def start_query_execution(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """StartQueryExecution."""
    text = request["QueryString"]
    if len(text.encode()) > MOST_STATEMENT_BYTES:
        raise invalid_request(f"Query string length exceeds the limit of {MOST_STATEMENT_BYTES} bytes")
    group = service.workgroups.get(request.get("WorkGroup", PRIMARY))
    if group["State"] != "ENABLED":
        raise invalid_request(f"WorkGroup {group['Name']} is disabled.")
    token = _token(request, group["Name"])
    if token is None:
        return {"QueryExecutionId": _start(service, request, group, None)}
    # A request that is sent twice at once starts one execution too: between the look and the start comes no other.
    with service.engine.one_by_token(token) as earlier:
        if earlier is None:
            return {"QueryExecutionId": _start(service, request, group, token)}
    if not _same(earlier, request):
        raise invalid_request("Idempotent parameters do not match", "INVALID_INPUT")
    return {"QueryExecutionId": earlier.id}


def _start(service: ApiContext, request: dict[str, Any], group: dict[str, Any], token: str | None) -> str:
    execution, statement, text = _execution(service, request, group, token)
    service.engine.submit(execution, statement, text)
    return execution.id


def _token(request: dict[str, Any], workgroup: str) -> str | None:
    token = request.get("ClientRequestToken")
    return None if token is None else hashlib.sha256(f"{workgroup}\n{token}".encode()).hexdigest()


def _same(earlier: Execution, request: dict[str, Any]) -> bool:
    context = request.get("QueryExecutionContext", {})
    return (
        earlier.text == request["QueryString"]
        and earlier.database == _database(context)
        and earlier.parameters == tuple(request.get("ExecutionParameters", ()))
    )


def _database(context: dict[str, Any]) -> str | None:
    """The session's database. Some clients quote it as the Hive side does, and Athena lets them."""
    name: str | None = context.get("Database")
    return name if name is None else name.strip('`"')


def _execution(
    service: ApiContext, request: dict[str, Any], group: dict[str, Any], token: str | None
) -> tuple[Execution, AnyStatement, str]:
    """The execution, and the statement that it runs with the text that this was read from."""
    text = request["QueryString"]
    parameters = tuple(request.get("ExecutionParameters", ()))
    arguments = tuple(map(parameter_sql, parameters))
    statement = _statement(text)
    if isinstance(statement, Statement) and statement.kind == "execute":
        text, arguments = _prepared(service, group["Name"], statement, arguments)
        statement = _statement(text)
    configuration = group["Configuration"]
    results = _result_configuration(request.get("ResultConfiguration", {}), configuration)
    context = request.get("QueryExecutionContext", {})
    statement_type, substatement = (
        statement.types if isinstance(statement, HiveStatement) else _TYPES.get(statement.kind, ("DML", ""))
    )
    execution = Execution(
        text=request["QueryString"],
        workgroup=group["Name"],
        output="",
        database=_database(context),
        catalog=context.get("Catalog"),
        parameters=parameters,
        arguments=arguments,
        token=token,
        statement_type=statement_type,
        substatement_type=substatement,
        enforced_output=bool(configuration.get("EnforceWorkGroupConfiguration"))
        and bool(configuration.get("ResultConfiguration", {}).get("OutputLocation")),
        cutoff_bytes=configuration.get("BytesScannedCutoffPerQuery"),
        engine_version=configuration["EngineVersion"]["SelectedEngineVersion"],
        result_reuse=request.get("ResultReuseConfiguration", {}),
    )
    folder = results["OutputLocation"].rstrip("/") + "/"
    execution.output = folder + _output_name(execution, statement)
    execution.result_configuration = {**results, "OutputLocation": execution.output}
    return execution, statement, text


def _output_name(execution: Execution, statement: AnyStatement) -> str:
    kind = statement.kind if isinstance(statement, Statement) else ""
    if kind == "ctas":
        return f"tables/{execution.id}"
    if kind in _WITHOUT_ROWS:
        return execution.id
    return f"{execution.id}.{'csv' if kind == 'query' else 'txt'}"


def _statement(text: str) -> AnyStatement:
    try:
        statement = statement_kind(text)
        if statement.kind == "ddl":
            return _hive(text)
        if statement.kind in _WITH_QUERY:
            _check_query(statement, text)
    except QueryError as error:
        message = error.message if error.line is None else f"line {error.line}:{error.column}: {error.message}"
        raise invalid_request(message, "MALFORMED_QUERY") from error
    return statement


def _hive(text: str) -> HiveStatement:
    try:
        return parse_hive(text)
    except RecursionError:
        raise TooDeep from None


def _check_query(statement: Statement, text: str) -> None:
    """Refuse what is no SQL. What only the embedded Athena cannot run is accepted, and fails by name when it is run."""
    try:
        check_syntax(statement, text)
    except QueryError as error:
        if error.error_name != "NOT_SUPPORTED":
            raise


def _prepared(
    service: ApiContext, workgroup: str, statement: Statement, arguments: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    name = statement.target[0]
    prepared = find_prepared(service.engine.state, workgroup, name)
    if prepared is None:
        raise invalid_request(f"PreparedStatement {name} was not found in workGroup {workgroup}")
    return prepared["QueryStatement"], statement.arguments or arguments


def _result_configuration(requested: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
    """The work group's settings where it enforces them, else the request's before the work group's."""
    settings = dict(group.get("ResultConfiguration", {}))
    if not group.get("EnforceWorkGroupConfiguration", False):
        settings.update(requested)
    location = settings.get("OutputLocation")
    if not location:
        raise invalid_request(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if not location.startswith("s3://") or parse_location(location) is None:
        raise invalid_request(f"outputLocation is not a valid S3 path: {location}")
    return settings
