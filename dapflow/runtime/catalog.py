"""The Glue catalog: tables, partitions, and their guarded changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import error_code, error_message
from dapflow.runtime.generation import Generation

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

MOST_PARTITIONS_AT_ONCE = 100
_MOST_DELETED_AT_ONCE = 25
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
_STALE_VERSION = ("VersionMismatchException", "ConcurrentModificationException")


class StaleTableError(Exception):
    """The table was changed by someone else between the look at it and the change."""


@dataclass(frozen=True)
class Partition:
    """A partition of a history table."""

    values: tuple[str, ...]
    location: str
    parameters: dict[str, str]

    @property
    def generation(self) -> Generation | None:
        """Which generation it is of; None for a partition that names none."""
        return Generation.of_values(self.values)


class Catalog:
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

    def partitions(self, database: str, name: str, expression: str | None = None) -> list[Partition]:
        """The partitions of a table that match an expression; none when there is no such table."""
        options: Any = {"Expression": expression} if expression else {}
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=name, ExcludeColumnSchema=True, **options
        )
        try:
            return [_partition(each) for page in pages for each in page["Partitions"]]
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

    def put_partition(self, database: str, name: str, partition: dict[str, Any]) -> None:
        """Point a partition somewhere, in one catalog call: the moment of a publication."""
        payload: Any = partition
        values = list(partition["Values"])
        try:
            self.glue.update_partition(
                DatabaseName=database, TableName=name, PartitionValueList=values, PartitionInput=payload
            )
        except ClientError as error:
            if error_code(error) != "EntityNotFoundException":
                raise
            try:
                self.glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=payload)
            except ClientError as second:
                if error_code(second) != "AlreadyExistsException":
                    raise
                # Another run of the generation created it in between: the last one wins.
                self.glue.update_partition(
                    DatabaseName=database, TableName=name, PartitionValueList=values, PartitionInput=payload
                )

    def create_partitions(self, database: str, name: str, partitions: Sequence[dict[str, Any]]) -> None:
        """Create partitions in one catalog call; those that exist stay as they are."""
        payload: Any = list(partitions)
        answer = self.glue.batch_create_partition(DatabaseName=database, TableName=name, PartitionInputList=payload)
        _refused("create", [each for each in answer.get("Errors", ()) if _code(each) != "AlreadyExistsException"])

    def update_partitions(self, database: str, name: str, partitions: Sequence[dict[str, Any]]) -> None:
        """Point partitions somewhere in one catalog call."""
        entries: Any = [{"PartitionValueList": list(each["Values"]), "PartitionInput": each} for each in partitions]
        answer = self.glue.batch_update_partition(DatabaseName=database, TableName=name, Entries=entries)
        _refused("update", answer.get("Errors", ()))

    def delete_partitions(self, database: str, name: str, values: Iterable[Sequence[str]]) -> None:
        """Delete partitions; they may be gone already."""
        entries: Any = [{"Values": list(each)} for each in values]
        for start in range(0, len(entries), _MOST_DELETED_AT_ONCE):
            answer = self.glue.batch_delete_partition(
                DatabaseName=database,
                TableName=name,
                PartitionsToDelete=entries[start : start + _MOST_DELETED_AT_ONCE],
            )
            errors = [each for each in answer.get("Errors", ()) if _code(each) != "EntityNotFoundException"]
            _refused("delete", errors)


def _partition(data: Any) -> Partition:
    location = data.get("StorageDescriptor", {}).get("Location", "")
    return Partition(tuple(data["Values"]), location, dict(data.get("Parameters", {})))


def _code(error: Any) -> str:
    return str(error.get("ErrorDetail", {}).get("ErrorCode", ""))


def _refused(verb: str, errors: Sequence[Any]) -> None:
    if errors:
        detail = errors[0].get("ErrorDetail", {})
        first = "/".join(errors[0].get("PartitionValues", ()))
        raise DapflowError(
            "aws",
            f"Glue refused to {verb} {len(errors)} partitions, the first being {first}: "
            f"{detail.get('ErrorMessage') or detail.get('ErrorCode')}",
        )
