"""One query over the landing files that finds the values that do not fit, by file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import LandingSource
from dapflow.runtime.column_types import in_words
from dapflow.runtime.conversion import Conversion
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.formats.registry import format_of
from dapflow.runtime.landing.landed import Landed
from dapflow.runtime.landing.landing_text import text_of
from dapflow.runtime.objects import Object
from dapflow.runtime.target import Target

_MOST_ERRORS = 10
_LONGEST_SAMPLE = 80


@dataclass(frozen=True)
class LandingTable:
    """How a landing table is read: its name, what stands in it, and what becomes of the columns."""

    table: str
    source: LandingSource
    landed: Landed
    conversions: Sequence[Conversion]

    @property
    def checked(self) -> list[tuple[int, Conversion]]:
        """The conversions that can fail."""
        return [(number, conversion) for number, conversion in enumerate(self.conversions) if conversion.can_fail]

    def select(self, database: str, order: Sequence[str]) -> str:
        """The SELECT whose result is the generation, with the columns in this order."""
        typed = {conversion.name: conversion.typed for conversion in self.conversions}
        columns = ",\n  ".join(f"{typed[name]} AS {quoted(name)}" for name in order)
        return f"SELECT\n  {columns}\nFROM {quoted(database, self.table)}"


def validation_query(reading: LandingTable, database: str, checked: Sequence[tuple[int, Conversion]]) -> str:
    """Counts by file: rows, and of each of these columns the values that do not fit, with one of them."""
    measures = ["count(*) AS row_count"]
    for number, conversion in checked:
        measures.append(f"count(CASE WHEN {conversion.bad} THEN 1 END) AS bad_{number}")
        measures.append(f"min(CASE WHEN {conversion.bad} THEN {conversion.shown} END) AS sample_{number}")
    listed = ",\n  ".join(['"$path" AS file', *measures])
    return f"SELECT\n  {listed}\nFROM {quoted(database, reading.table)}\nGROUP BY 1 ORDER BY 1"


def misfits(reading: LandingTable, rows: Iterable[Mapping[str, str | None]]) -> set[int]:
    """The conversions that some value does not fit, by their numbers."""
    rows = list(rows)
    return {number for number, _ in reading.checked if any(int(row[f"bad_{number}"] or 0) for row in rows)}


def judge(
    target: Target, reading: LandingTable, rows: Iterable[dict[str, str | None]], dispensable: Collection[int] = ()
) -> None:
    """Raise DapflowError for whatever the queries found, and where they counted other rows than there are.

    What does not fit a ``dispensable`` conversion is no mistake.
    """
    counted: dict[str, int] = {}
    bad: dict[str, dict[int, list[str]]] = {}
    counts: dict[tuple[str, int], int] = {}
    for row in rows:
        item = reading.landed.origin(row["file"] or "")
        if item is None:
            raise DapflowError("landing-changed", "the file landed while the others were read", file=row["file"])
        counted[item.uri] = counted.get(item.uri, 0) + int(row["row_count"] or 0)
        for number, _ in reading.checked:
            if number not in dispensable and (count := int(row[f"bad_{number}"] or 0)):
                bad.setdefault(item.uri, {}).setdefault(number, []).append(row[f"sample_{number}"] or "")
                counts[item.uri, number] = counts.get((item.uri, number), 0) + count
    errors: list[DapflowError] = []
    for item in reading.landed.files:
        samples = {number: min(values) for number, values in bad.get(item.uri, {}).items()}
        lines = _lines(target, reading, item, samples) if samples else {}
        for number, sample in samples.items():
            conversion = reading.conversions[number]
            first = format_of(reading.source).misfit(
                target.s3, reading.landed, item, conversion.heading, conversion.type
            )
            shown = first or repr(sample[:_LONGEST_SAMPLE])
            errors.append(_error(conversion, item, shown, counts[item.uri, number], lines.get(number)))
    if errors:
        raise errors[0] if len(errors) == 1 else DapflowErrors(errors[:_MOST_ERRORS])
    for item in reading.landed.files:
        if counted.get(item.uri, 0) != reading.landed.rows[item.uri]:
            raise DapflowError(
                "landing-count",
                f"the file has {reading.landed.rows[item.uri]} rows, and Athena reads {counted.get(item.uri, 0)}",
                file=item.uri,
                hint="run it again when the landing is complete",
            )


def _error(conversion: Conversion, item: Object, shown: str, count: int, line: int | None) -> DapflowError:
    hint = conversion.remedy or f"mend the export, or give {conversion.name} another type or `format` in service.yml"
    message = f"column {conversion.name}: {shown} is no {in_words(conversion.written)}"
    if conversion.inferred:
        message += " that is printed back the same"
        hint = (
            "its type was found at the first load; name it under `columns` in service.yml "
            f"({conversion.name}: {conversion.type})"
        )
        hint += " if such values are of that type"
    return DapflowError(
        "landing-value",
        message + (f", nor are {count - 1} other values" if count > 1 else ""),
        file=item.uri,
        line=line,
        hint=hint,
    )


def _lines(target: Target, reading: LandingTable, item: Object, samples: dict[int, str]) -> dict[int, int]:
    """The first line that holds each sample, found by reading the file once more; none of a file without lines."""
    wanted = {number: (reading.conversions[number].heading, sample) for number, sample in samples.items()}
    lines: dict[int, int] = {}
    file_format = format_of(reading.source)
    if file_format.is_typed:
        return lines
    for line, values in file_format.rows([text_of(target.s3, item, reading.source)], reading.source):
        for number in [number for number, (name, sample) in wanted.items() if values.get(name) == sample]:
            lines[number] = line
            del wanted[number]
        if not wanted:
            break
    return lines
