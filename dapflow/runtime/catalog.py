"""The Glue catalog: tables, partitions, and their guarded changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import error_code, error_message
from dapflow.runtime.generation import Generation

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

# What UpdateTable takes of what GetTable gives.
_TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
)
# The most that Glue takes; what it gives without being asked is not documented, and Trino asks for as many
# (https://github.com/trinodb/trino/pull/3024).
_PAGE = 1000
_STALE_VERSION = ("VersionMismatchException", "ConcurrentModificationException")


class StaleTableError(Exception):
    """The table was changed by someone else between the look at it and the change."""


@dataclass(frozen=True)
class Partition:
    """A partition of a history table.

    Attributes:
        storage: what Glue calls its storage descriptor; without columns where they were not asked for.
    """

    values: tuple[str, ...]
    storage: dict[str, Any]
    parameters: dict[str, str]

    @property
    def location(self) -> str:
        """The prefix that it points at."""
        return str(self.storage.get("Location", ""))

    @property
    def columns(self) -> dict[str, str]:
        """Names and types of its own columns."""
        return {column["Name"]: column["Type"] for column in self.storage.get("Columns", ())}

    @property
    def generation(self) -> Generation | None:
        """Which generation it is of; None for a partition that names none."""
        return Generation.of_values(self.values)


class GlueCatalog:
    """One account's Glue catalog."""

    def __init__(self, glue: GlueClient) -> None:
        self.glue = glue

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """The table or view as Glue describes it, or None."""
        try:
            return dict(self.glue.get_table(DatabaseName=database, Name=name)["Table"])
        except ClientError as error:
            if error_code(error) == "EntityNotFoundException":
                return None
            raise

    def create_table(self, database: str, table: dict[str, Any]) -> None:
        """Create a table. Raises StaleTableError when there is one already, DapflowError without the database."""
        payload: Any = table
        try:
            self.glue.create_table(DatabaseName=database, TableInput=payload)
        except ClientError as error:
            if error_code(error) == "AlreadyExistsException":
                raise StaleTableError from error
            if error_code(error) == "EntityNotFoundException":
                raise DapflowError(
                    "unknown-database",
                    f"there is no database {database}: {error_message(error)}",
                    hint="deploy the platform, or start it, so that it holds the service's databases",
                ) from error
            raise

    def update_table(self, database: str, before: dict[str, Any], changes: dict[str, Any]) -> None:
        """Change a table that was read as ``before``. Raises StaleTableError when it was changed since."""
        payload: Any = {key: before[key] for key in _TABLE_INPUT if key in before} | changes
        guard: Any = {"VersionId": before["VersionId"]} if before.get("VersionId") else {}
        try:
            # SkipArchive: Glue keeps a limited number of versions of a table, and a view is changed every day.
            self.glue.update_table(DatabaseName=database, TableInput=payload, SkipArchive=True, **guard)
        except ClientError as error:
            if error_code(error) in (*_STALE_VERSION, "EntityNotFoundException"):
                raise StaleTableError from error
            raise

    def delete_table(self, database: str, name: str) -> None:
        """Delete a table or view; it may be gone already."""
        try:
            self.glue.delete_table(DatabaseName=database, Name=name)
        except ClientError as error:
            if error_code(error) != "EntityNotFoundException":
                raise

    def tables(self, database: str, expression: str) -> list[dict[str, Any]]:
        """The tables and views of a database whose names match a pattern, as Glue describes them."""
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database, Expression=expression)
        try:
            return [dict(table) for page in pages for table in page["TableList"]]
        except ClientError as error:
            if error_code(error) == "EntityNotFoundException":
                return []
            raise

    def has_partitions(self, database: str, name: str) -> bool:
        """Whether a table has any partition."""
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=name, ExcludeColumnSchema=True, PaginationConfig={"PageSize": 1}
        )
        return any(page["Partitions"] for page in pages)

    def partitions(
        self, database: str, name: str, expression: str | None = None, *, columns: bool = False
    ) -> list[Partition]:
        """The partitions of a table that match an expression; none when there is no such table."""
        options: Any = {"Expression": expression} if expression else {}
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=database,
            TableName=name,
            ExcludeColumnSchema=not columns,
            PaginationConfig={"PageSize": _PAGE},
            **options,
        )
        try:
            return [_partition(partition) for page in pages for partition in page["Partitions"]]
        except ClientError as error:
            if error_code(error) == "EntityNotFoundException":
                return []
            raise

    def partition(self, database: str, name: str, values: Sequence[str]) -> Partition | None:
        """One partition by its values, or None."""
        try:
            answer = self.glue.get_partition(DatabaseName=database, TableName=name, PartitionValues=list(values))
        except ClientError as error:
            if error_code(error) == "EntityNotFoundException":
                return None
            raise
        return _partition(answer["Partition"])

    def put_partition(self, database: str, name: str, partition: Partition, *, there: bool) -> None:
        """Point a partition somewhere, in one catalog call: the moment of a publication.

        ``there``: whether the last look found it. It may be otherwise by now; of several runs the last one wins.
        """
        values = list(partition.values)
        payload: Any = {
            "Values": values,
            "StorageDescriptor": partition.storage,
            "Parameters": partition.parameters,
        }
        while True:
            try:
                if there:
                    self.glue.update_partition(
                        DatabaseName=database, TableName=name, PartitionValueList=values, PartitionInput=payload
                    )
                else:
                    self.glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=payload)
            except ClientError as error:
                if error_code(error) != ("EntityNotFoundException" if there else "AlreadyExistsException"):
                    raise
                there = not there
            else:
                return

    def delete_partition(self, database: str, name: str, values: Sequence[str]) -> None:
        """Delete a partition; it may be gone already. Its objects stay."""
        try:
            self.glue.delete_partition(DatabaseName=database, TableName=name, PartitionValues=list(values))
        except ClientError as error:
            if error_code(error) != "EntityNotFoundException":
                raise


def _partition(data: Any) -> Partition:
    return Partition(tuple(data["Values"]), dict(data.get("StorageDescriptor", {})), dict(data.get("Parameters", {})))
