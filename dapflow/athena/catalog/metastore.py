"""Glue for the engine: databases, tables and partitions through its public API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.storage.aws_clients import AwsError, error_code, error_message

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

_AT_ONCE = 100
DEFAULT = "default"
# What may stand in a TableInput; the rest of what GetTable answers is Glue's own.
_TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
    "TargetTable",
)
_PARTITION_INPUT = ("Values", "LastAccessTime", "StorageDescriptor", "Parameters", "LastAnalyzedTime")


def table_input(table: dict[str, Any]) -> dict[str, Any]:
    """What UpdateTable takes, from what GetTable answered."""
    return {key: table[key] for key in _TABLE_INPUT if table.get(key) is not None}


def partition_input(partition: dict[str, Any]) -> dict[str, Any]:
    """What UpdatePartition takes, from what GetPartitions answered."""
    return {key: partition[key] for key in _PARTITION_INPUT if partition.get(key) is not None}


class Metastore:
    """The Glue catalog."""

    def __init__(self, client: GlueClient) -> None:
        self._client: Any = client

    def database(self, name: str) -> dict[str, Any] | None:
        """A database, or None. There is always a ``default``: the first table in it makes it where it is missing."""
        database: dict[str, Any] | None = self._find(lambda: self._client.get_database(Name=name)["Database"])
        return {"Name": DEFAULT, "Parameters": {}} if database is None and name == DEFAULT else database

    def databases(self) -> list[dict[str, Any]]:
        """All databases, by name."""
        databases = list(self._pages("get_databases", "DatabaseList"))
        if all(database["Name"] != DEFAULT for database in databases):
            databases.append({"Name": DEFAULT, "Parameters": {}})
        return sorted(databases, key=lambda database: str(database["Name"]))

    def create_database(self, database: dict[str, Any]) -> None:
        """Create a database."""
        self._call(lambda: self._client.create_database(DatabaseInput=database))

    def drop_database(self, name: str) -> None:
        """Drop a database with all that it holds."""
        self._call(lambda: self._client.delete_database(Name=name))

    def update_database(self, name: str, database: dict[str, Any]) -> None:
        """Change a database."""
        self._call(lambda: self._client.update_database(Name=name, DatabaseInput=database))

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """A table or view, or None."""
        table: dict[str, Any] | None = self._find(
            lambda: self._client.get_table(DatabaseName=database, Name=name)["Table"]
        )
        return table

    def some_tables(self, database: str, names: list[str]) -> dict[str, dict[str, Any]]:
        """Those of some tables and views that one call gives, by name; none where that has to be a call for each."""
        if len(names) < 2:
            return {}
        expression = "|".join(re.escape(name) for name in names)
        try:
            tables = self._client.get_tables(DatabaseName=database, Expression=expression)["TableList"]
        except AwsError:
            return {}
        # Not every Glue looks at the expression.
        return {table["Name"]: table for table in tables if table["Name"] in names}

    def tables(self, database: str) -> list[dict[str, Any]]:
        """All tables and views of a database, by name; none if there is no such database."""
        tables = self._find(lambda: list(self._pages("get_tables", "TableList", DatabaseName=database)))
        return sorted(tables or [], key=lambda table: str(table["Name"]))

    def create_table(self, database: str, table: dict[str, Any]) -> None:
        """Create a table or view."""
        create = partial(self._client.create_table, DatabaseName=database, TableInput=table)
        try:
            self._call(create)
        except _Missing:
            if database != DEFAULT:
                raise
            with suppress(QueryFailed):  # another client was quicker
                self.create_database({"Name": DEFAULT})
            self._call(create)

    def update_table(self, database: str, table: dict[str, Any]) -> None:
        """Replace a table's definition."""
        self._call(lambda: self._client.update_table(DatabaseName=database, TableInput=table))

    def drop_table(self, database: str, name: str) -> None:
        """Drop a table or view."""
        self._call(lambda: self._client.delete_table(DatabaseName=database, Name=name))

    def partitions(self, database: str, table: str, expression: str | None = None) -> list[dict[str, Any]]:
        """The registered partitions; those that an expression leaves out need not be among them.

        Not every Glue looks at the expression, or can read it.
        """
        names = {"DatabaseName": database, "TableName": table}
        try:
            given = {"Expression": expression} if expression else {}
            return list(self._pages("get_partitions", "Partitions", **names, **given))
        except QueryFailed:
            if not expression:
                raise
            return self.partitions(database, table)

    def partition(self, database: str, table: str, values: list[str]) -> dict[str, Any] | None:
        """A partition, or None."""
        key = {"DatabaseName": database, "TableName": table, "PartitionValues": values}
        partition: dict[str, Any] | None = self._find(lambda: self._client.get_partition(**key)["Partition"])
        return partition

    def create_partitions(self, database: str, table: str, partitions: list[dict[str, Any]]) -> list[list[str]]:
        """Register partitions; answers the values of those that were there already."""
        there: list[list[str]] = []
        for start in range(0, len(partitions), _AT_ONCE):
            batch = partitions[start : start + _AT_ONCE]
            answer = self._call(
                lambda batch=batch: self._client.batch_create_partition(
                    DatabaseName=database, TableName=table, PartitionInputList=batch
                )
            )
            for problem in answer.get("Errors", []):
                detail = problem.get("ErrorDetail", {})
                if detail.get("ErrorCode") != "AlreadyExistsException":
                    raise QueryFailed("HIVE_METASTORE_ERROR", str(detail.get("ErrorMessage", "Partition was refused")))
                there.append(problem["PartitionValues"])
        return there

    def update_partition(self, database: str, table: str, values: list[str], partition: dict[str, Any]) -> None:
        """Replace a partition's definition; its values may change."""
        try:
            self._client.update_partition(
                DatabaseName=database, TableName=table, PartitionValueList=values, PartitionInput=partition
            )
        except AwsError as error:
            if error_code(error) == "EntityNotFoundException":
                raise QueryFailed("HIVE_METASTORE_ERROR", error_message(error)) from error
            if error_code(error) in {"UnknownOperationException", "InvalidAction", "NotImplemented"}:
                # Some emulators lack UpdatePartition.
                self.drop_partitions(database, table, [values])
                self.create_partitions(database, table, [partition])
                return
            raise _failed(error) from error

    def drop_partitions(self, database: str, table: str, values: list[list[str]]) -> None:
        """Forget partitions; their objects stay."""
        for item in values:
            self._call(
                lambda item=item: self._client.delete_partition(
                    DatabaseName=database, TableName=table, PartitionValues=item
                )
            )

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._call(lambda token=token: getattr(self._client, operation)(**arguments, **token))
            yield from page.get(key, [])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _find(self, call: Any) -> Any:
        try:
            return self._call(call)
        except _Missing:
            return None

    def _call(self, call: Any) -> Any:
        try:
            return call()
        except AwsError as error:
            if error_code(error) == "EntityNotFoundException":
                raise _Missing(error_message(error)) from error
            raise _failed(error) from error


class _Missing(QueryFailed):
    """Glue knows no such thing."""

    def __init__(self, message: str) -> None:
        super().__init__("HIVE_METASTORE_ERROR", message)


def _failed(error: BaseException) -> QueryFailed:
    code, message = error_code(error), error_message(error)
    if code == "AccessDeniedException":
        return QueryFailed("PERMISSION_DENIED", message)
    if code == "AlreadyExistsException":
        return QueryFailed("ALREADY_EXISTS", message)
    return QueryFailed("HIVE_METASTORE_ERROR", f"{message} (Service: AWSGlue; Error Code: {code})")
