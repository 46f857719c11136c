"""Statements on Athena: start them once, wait for them patiently, read their results."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.errors import DapflowError
from dapflow.limits import MOST_STATEMENT_BYTES
from dapflow.runtime.aws import PassingError, error_code, error_message, lake_formation_hint

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_FIRST_LOOK_SECONDS = 0.1
_BAD_STATEMENT_CODES = ("InvalidRequestException", "ValidationException")
_SYSTEM_FAULT = 1


@dataclass(frozen=True)
class QueryExecution:
    """A statement that Athena was given, as it stood at the last look."""

    id: str
    state: str
    reason: str
    passing: bool
    bytes_scanned: int
    milliseconds: int
    manifest: str | None
    statement_type: str = ""
    engine: str = ""

    @property
    def done(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.failed or self.state == "SUCCEEDED"

    @property
    def failed(self) -> bool:
        """Whether it came to nothing."""
        return self.state in ("FAILED", "CANCELLED")


class AthenaQueryError(DapflowError):
    """Athena refused a statement or failed at it. ``line`` and ``column`` count in the statement as it was sent."""


class PassingQueryError(AthenaQueryError, PassingError):
    """Athena failed at a statement for a reason of its own."""


class Athena:
    """Athena in one workgroup.

    Args:
        client: boto3's.
        workgroup: where every statement runs.
        poll_seconds: the longest time between two looks at a running statement; the first ones are quicker.
        sleep: replaced in tests.

    Attributes:
        running: statements that were started here and were not seen to be done.
        done: statements that were seen to be done, by their ids, in that order.
        engine: the version of Athena that ran the last of them; empty before.
    """

    def __init__(
        self,
        client: AthenaClient,
        workgroup: str,
        poll_seconds: float = 5.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.workgroup = workgroup
        self.poll_seconds = poll_seconds
        self.sleep = sleep
        self.running: set[str] = set()
        self.done: dict[str, QueryExecution] = {}
        self.engine = ""

    @property
    def last(self) -> str | None:
        """The statement that came to its end last, or runs; None before the first one."""
        return next(reversed(self.done), None) or next(iter(self.running), None)

    def start(self, statement: str, database: str, token: str) -> str:
        """Start a statement; its id. The same token with the same statement is the same execution."""
        if (size := len(statement.encode())) > MOST_STATEMENT_BYTES:
            raise AthenaQueryError(
                "query-too-long", f"the statement has {size} bytes, Athena takes {MOST_STATEMENT_BYTES} at most"
            )
        try:
            answer = self.client.start_query_execution(
                QueryString=statement,
                QueryExecutionContext={"Database": database, "Catalog": "AwsDataCatalog"},
                WorkGroup=self.workgroup,
                ClientRequestToken=token,
            )
        except ClientError as error:
            if error_code(error) in _BAD_STATEMENT_CODES:
                raise query_error(error_message(error)) from error
            raise
        self.running.add(answer["QueryExecutionId"])
        return answer["QueryExecutionId"]

    def look(self, execution_id: str) -> QueryExecution:
        """The statement as it stands."""
        answer = self.client.get_query_execution(QueryExecutionId=execution_id)
        execution = _execution(answer["QueryExecution"])
        if execution.done:
            self.running.discard(execution_id)
            self.done[execution_id] = execution
            self.engine = execution.engine
        return execution

    def wait(self, execution_id: str) -> QueryExecution:
        """The statement when it is done. It looks often at first, then every ``poll_seconds``, never in step."""
        pause = min(_FIRST_LOOK_SECONDS, self.poll_seconds)
        while not (execution := self.look(execution_id)).done:
            self.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, no secret)
            pause = min(pause * 1.5, self.poll_seconds)
        return execution

    def run(self, statement: str, database: str, token: str) -> QueryExecution:
        """Start a statement and wait until it has succeeded. Raises QueryError. Interrupted, it stops the statement."""
        execution_id = self.start(statement, database, token)
        try:
            execution = self.wait(execution_id)
        except KeyboardInterrupt:
            self.stop(execution_id)
            raise
        return succeeded(execution)

    def stop(self, execution_id: str) -> None:
        """Ask Athena to cancel a statement; nothing happens when it is done or unknown, or Athena is gone."""
        with suppress(ClientError, BotoCoreError):
            self.client.stop_query_execution(QueryExecutionId=execution_id)

    def rows(self, execution_id: str) -> Iterator[dict[str, str | None]]:
        """The result of a SELECT, row by row: column name to Athena's text of the value, or None for NULL."""
        pages = self.client.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id)
        first = True
        for page in pages:
            result: Any = page["ResultSet"]
            names = [column["Name"] for column in result["ResultSetMetadata"]["ColumnInfo"]]
            for row in result["Rows"]:
                if first:  # the first row of a SELECT's first page is the header
                    first = False
                    continue
                cells = [cell.get("VarCharValue") for cell in row["Data"]]
                yield dict(zip(names, cells, strict=True))


def succeeded(execution: QueryExecution) -> QueryExecution:
    """The same execution. Raises QueryError when it failed, PassingQueryError when it was cancelled."""
    if execution.state == "SUCCEEDED":
        return execution
    if execution.state == "CANCELLED":
        raise PassingQueryError(
            "query-cancelled",
            f"the query was cancelled: {execution.reason}" if execution.reason else "the query was cancelled",
            hint="a query that reads more bytes than the service's limit is cancelled by Athena",
        )
    raise query_error(execution.reason, passing=execution.passing)


def query_error(reason: str, *, passing: bool = False) -> AthenaQueryError:
    """The error for Athena's words, with the position that they name."""
    if hint := lake_formation_hint(reason):
        return AthenaQueryError("lake-formation", reason, hint=hint)
    match = re.search(r"\bline (\d+):(\d+)", reason)
    kind = PassingQueryError if passing else AthenaQueryError
    return kind(
        "query-failed",
        reason or "Athena gave no reason",
        line=int(match[1]) if match else None,
        column=int(match[2]) if match else None,
    )


def _execution(data: Any) -> QueryExecution:
    status = data["Status"]
    fault = status.get("AthenaError", {})
    statistics = data.get("Statistics", {})
    return QueryExecution(
        id=data["QueryExecutionId"],
        state=status["State"],
        reason=status.get("StateChangeReason") or fault.get("ErrorMessage") or "",
        passing=bool(fault.get("Retryable")) or fault.get("ErrorCategory") == _SYSTEM_FAULT,
        bytes_scanned=statistics.get("DataScannedInBytes", 0),
        milliseconds=statistics.get("TotalExecutionTimeInMillis", 0),
        manifest=statistics.get("DataManifestLocation"),
        statement_type=data.get("StatementType", ""),
        engine=data.get("EngineVersion", {}).get("EffectiveEngineVersion", ""),
    )
