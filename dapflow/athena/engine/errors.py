"""How a statement fails: the name of the error, and Athena's category and type of it."""

from __future__ import annotations

from dataclasses import dataclass

SYSTEM = 1
USER = 2
OTHER = 3

# AthenaError.ErrorType by error name; what is not listed is 1006 (user) or 233 (system), as Athena's reference has it.
_ERROR_TYPES: dict[str, tuple[int, int]] = {
    "PERMISSION_DENIED": (USER, 1100),
    "EXCEEDED_TIME_LIMIT": (SYSTEM, 9),
    "GENERIC_INTERNAL_ERROR": (SYSTEM, 233),
    "INTERNAL_ERROR": (SYSTEM, 233),
    "INSUFFICIENT_RESOURCES": (SYSTEM, 233),
    "HIVE_METASTORE_ERROR": (OTHER, 1400),
    "HIVE_CANNOT_OPEN_SPLIT": (USER, 1003),
    "HIVE_BAD_DATA": (USER, 1001),
    "HIVE_CURSOR_ERROR": (USER, 1001),
    "HIVE_UNKNOWN_ERROR": (SYSTEM, 233),
    "HIVE_FILESYSTEM_ERROR": (USER, 1003),
    "HIVE_INVALID_METADATA": (USER, 1200),
    "HIVE_INVALID_PARTITION_VALUE": (USER, 1200),
    "HIVE_PARTITION_SCHEMA_MISMATCH": (USER, 1200),
    "HIVE_PATH_ALREADY_EXISTS": (USER, 1300),
    "HIVE_TOO_MANY_OPEN_PARTITIONS": (USER, 1300),
    "EXCEEDED_MEMORY_LIMIT": (USER, 1002),
    "NUMERIC_VALUE_OUT_OF_RANGE": (USER, 1006),
}


@dataclass(frozen=True)
class AthenaError:
    """The machine's form of a failure, as GetQueryExecution shows it."""

    category: int
    type: int
    retryable: bool
    message: str


class QueryFailed(Exception):
    """The statement cannot be run or finished. ``str`` of it is the StateChangeReason.

    ``error_name`` is empty for the errors of Athena's Hive side, whose reason is ``FAILED: …`` without a name.
    """

    def __init__(self, error_name: str, message: str) -> None:
        super().__init__(f"{error_name}: {message}" if error_name else message)
        self.error_name = error_name

    def athena_error(self) -> AthenaError:
        """Category and type for GetQueryExecution."""
        category, kind = _ERROR_TYPES.get(self.error_name, (USER, 1006))
        return AthenaError(category, kind, retryable=category == SYSTEM, message=str(self))


class Cancelled(Exception):
    """The statement was stopped: by the user, by the bytes cutoff, or by the server's end. ``str`` is the reason."""
