"""From the text of a landing file to typed columns, in Athena's SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.manifest import SourceColumn
from dapflow.runtime.place import quoted
from dapflow.runtime.types import UnsupportedTypeError, hive_type, trino_type

_LENGTH = re.compile(r"(?:varchar|char)\(\s*(\d+)\s*\)")
_NESTED = ("array<", "map<", "struct<")


@dataclass(frozen=True)
class Conversion:
    """A column on its way from the file into the table.

    Attributes:
        type: Glue's type of the column in the table.
        written: the type as service.yml has it.
        raw: the value in the file, NULL where the file says so.
        typed: the value in the table, NULL where it does not fit.
    """

    name: str
    type: str
    written: str
    raw: str
    typed: str

    @property
    def bad(self) -> str:
        """Whether a row has a value that does not fit."""
        return f"({self.raw} IS NOT NULL AND {self.typed} IS NULL)"


def conversion(column: SourceColumn, null: str | None, found: str = "string") -> Conversion:
    """How a column is converted.

    Args:
        column: name and type as written in service.yml.
        null: text that stands for NULL; None when the format has a NULL of its own.
        found: Glue's type of the column as the file holds it.
    """
    try:
        wanted = hive_type(column.type)
    except UnsupportedTypeError as error:
        raise DapflowError(
            "unsupported-type",
            f"column {column.name} has type {column.type}, and {error} is no type of Athena's tables",
        ) from None
    name = quoted(column.name)
    if found != "string":
        typed = name if found == wanted else f"TRY_CAST({name} AS {trino_type(wanted)})"
        return Conversion(column.name, wanted, column.type, name, typed)
    raw = name if null is None else f"NULLIF({name}, {literal(null)})"
    return Conversion(column.name, wanted, column.type, raw, _typed(column, wanted, raw))


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def timestamp_of(text: str) -> str:
    """A timestamp written as Athena writes it, or as ISO 8601 does, with or without a zone (then in UTC)."""
    iso = f"TRY(CAST(from_iso8601_timestamp({text}) AT TIME ZONE 'UTC' AS timestamp))"
    return f"COALESCE(TRY_CAST({text} AS timestamp), {iso})"


def _typed(column: SourceColumn, wanted: str, raw: str) -> str:
    if wanted == "string":
        limit = _LENGTH.fullmatch(column.type.strip().lower())
        return f"CASE WHEN length({raw}) <= {limit[1]} THEN {raw} END" if limit else raw
    text = f"trim({raw})"
    if wanted in ("date", "timestamp") and column.format:
        parsed = f"TRY(date_parse({text}, {literal(column.format)}))"
        return f"CAST({parsed} AS date)" if wanted == "date" else parsed
    if wanted == "timestamp":
        return timestamp_of(text)
    if wanted.startswith(_NESTED):
        return f"TRY(CAST(json_parse({raw}) AS {trino_type(wanted)}))"
    if wanted == "binary":
        return f"TRY(from_base64({raw}))"
    return f"TRY_CAST({text} AS {trino_type(wanted)})"
