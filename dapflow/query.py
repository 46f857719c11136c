"""Ask Athena something, and read the answer as far as it is wanted."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dapflow.athena.engine.result_csv import records
from dapflow.runtime.athena import Athena, AthenaQueryError
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.dataset_location import DatasetLocation, quoted
from dapflow.runtime.objects import split_uri

if TYPE_CHECKING:
    from botocore.response import StreamingBody

    from dapflow.environment import Environment
    from dapflow.errors import DapflowError
    from dapflow.manifest import Dataset
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.publication import Publication

# Where names are looked up when nobody says where.
DEFAULT = "default"
PRIMARY = "primary"
_POLL_SECONDS = 0.5
_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "float", "real", "double", "decimal")
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_CHUNK = 1 << 16


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result; ``type`` in Athena's words."""

    name: str
    type: str


Row = list[str | None]


@dataclass(frozen=True)
class QueryAnswer:
    """The result of a statement, at Athena; its rows are fetched as they are asked for."""

    clients: Clients
    execution_id: str
    columns: tuple[ResultColumn, ...]
    location: str
    bytes_scanned: int
    milliseconds: int
    row_count: int | None

    def rows(self) -> Iterator[Row]:
        """Athena's text of every value, row by row; None for NULL."""
        if self.location.endswith(".csv"):
            # The file comes at once; pages of a thousand rows take several times as long.
            lines = self._body().iter_lines(_CHUNK, keepends=True)
            yield from itertools.islice(records(lines), 1, None)
            return
        pages = self.clients.athena.get_paginator("get_query_results").paginate(QueryExecutionId=self.execution_id)
        for page in pages:
            for row in page["ResultSet"]["Rows"]:
                yield self._parted([cell.get("VarCharValue") for cell in row["Data"]])

    def _parted(self, row: Row) -> Row:
        """DESCRIBE and its like name several columns, and give each row as one text with tabs between them."""
        if len(row) == len(self.columns):
            return row
        parts = (row[0] or "").split("\t", len(self.columns) - 1)
        return [*(part.strip() for part in parts), *[""] * (len(self.columns) - len(parts))]

    def csv(self) -> Iterator[bytes]:
        """Athena's own result file, piece by piece."""
        if not self.columns:
            return
        yield from self._body().iter_chunks(_CHUNK)

    def _body(self) -> StreamingBody:
        bucket, key = split_uri(self.location)
        return self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"]

    def json(self) -> Iterator[str]:
        """A JSON array of objects, line by line; numbers and booleans as such, all else as Athena's text."""
        line = "["
        for row in self.rows():
            pairs = zip(self.columns, row, strict=True)
            members = (f"{json.dumps(column.name)}: {_json_value(column, value)}" for column, value in pairs)
            yield line
            line = f"{',' if line != '[' else ''}{{{', '.join(members)}}}"
        if line == "[":
            yield "[]"
            return
        yield line
        yield "]"


def ask(
    clients: Clients,
    sql: str,
    database: str | None = None,
    file: str | None = None,
    checked: Sequence[DapflowError] = (),
    workgroup: str = PRIMARY,
) -> QueryAnswer:
    """Run a statement and wait for it. Raises DapflowError with the line of ``sql`` at fault; ``file`` holds it.

    ``checked`` are the findings of ``dapflow check``, where it is a transform of the project.
    """
    athena = Athena(clients.athena, workgroup, _POLL_SECONDS)
    with aws_errors():
        try:
            execution = athena.run(sql, database or DEFAULT, uuid.uuid4().hex)
        except AthenaQueryError as error:
            if error.code != "query-failed":
                raise
            from dapflow.review.statement_findings import failure  # noqa: PLC0415 (brings DuckDB)

            raise failure(clients.glue, error.message, sql, database or DEFAULT, file, checked) from None
        details: Any = clients.athena.get_query_execution(QueryExecutionId=execution.id)["QueryExecution"]
        columns: list[ResultColumn] = []
        with suppress(ClientError):  # a statement without a result
            first: Any = clients.athena.get_query_results(QueryExecutionId=execution.id, MaxResults=1)
            metadata = first["ResultSet"].get("ResultSetMetadata", {}).get("ColumnInfo", [])
            columns = [ResultColumn(column["Name"], column["Type"]) for column in metadata]
        return QueryAnswer(
            clients=clients,
            execution_id=execution.id,
            columns=tuple(columns),
            location=details.get("ResultConfiguration", {}).get("OutputLocation", ""),
            bytes_scanned=execution.bytes_scanned,
            milliseconds=execution.milliseconds,
            row_count=_row_count(clients, execution.id),
        )


def generation_sql(dataset: Dataset, environment: Environment, publication: Publication, rows: int) -> str:
    """The statement that shows the first rows of what was published."""
    place = DatasetLocation.of(dataset, environment)
    columns = ", ".join(quoted(column.name) for column in publication.columns)
    where = publication.generation.predicate(dataset.generation)
    return f"SELECT {columns} FROM {quoted(place.database, place.history)} WHERE {where} LIMIT {rows}"  # noqa: S608


def _row_count(clients: Clients, execution_id: str) -> int | None:
    with suppress(ClientError):
        answer: Any = clients.athena.get_query_runtime_statistics(QueryExecutionId=execution_id)
        rows = answer["QueryRuntimeStatistics"].get("Rows", {}).get("OutputRows")
        return int(rows) if rows is not None else None
    return None


def _json_value(column: ResultColumn, value: str | None) -> str:
    if value is None:
        return "null"
    if column.type == "boolean":
        return value
    if column.type.partition("(")[0] in _NUMBERS and _JSON_NUMBER.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
