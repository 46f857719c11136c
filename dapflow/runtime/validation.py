"""One query over the landing files that finds whatever cannot be loaded, by file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Source
from dapflow.runtime.conversion import Conversion
from dapflow.runtime.landing import fields_of, lines, not_utf8
from dapflow.runtime.landing_table import MORE
from dapflow.runtime.objects import Object
from dapflow.runtime.place import quoted
from dapflow.runtime.target import Target

_MOST_ERRORS = 10
_LONGEST_SAMPLE = 80
_RAGGED_HINT = "each row must have one field per column; a line break inside a quoted field is not read by Athena"


@dataclass(frozen=True)
class Reading:
    """How a landing table is read: its name, the columns in file order, and the rows that count as blank lines."""

    table: str
    source: Source
    names: Sequence[str]
    conversions: Sequence[Conversion]

    @property
    def blank(self) -> str | None:
        """Whether a row is a blank line; None where there can be none. The SerDe gives NULL for fields that lack."""
        first, *others = (quoted(name) for name in self.names)
        if self.source.format == "json":
            return "(" + " AND ".join(f"{name} IS NULL" for name in (first, *others)) + ")"
        if self.source.format != "csv":
            return None
        return f"(coalesce({first}, '') = '' AND {others[0]} IS NULL)" if others else f"({first} IS NULL)"

    def select(self, database: str, order: Sequence[str]) -> str:
        """The SELECT whose result is the generation, with the columns in this order."""
        typed = {each.name: each.typed for each in self.conversions}
        columns = ",\n  ".join(f"{typed[name]} AS {quoted(name)}" for name in order)
        where = f"\nWHERE NOT coalesce({self.blank}, false)" if self.blank else ""
        return f"SELECT\n  {columns}\nFROM {quoted(database, self.table)}{where}"


def validation_query(reading: Reading, database: str) -> str:
    """Counts by file: rows, rows too long or too short, text that was not UTF-8, values that do not fit."""
    is_csv = reading.source.format == "csv"
    blank = f"coalesce({reading.blank}, false)" if reading.blank else "false"
    long = f"({quoted(MORE)} IS NOT NULL)" if is_csv else "false"
    short = f"({quoted(reading.names[-1])} IS NULL AND NOT {blank})" if is_csv else "false"
    garbled = " OR ".join(f"strpos({quoted(name)}, chr(65533)) > 0" for name in reading.names)
    if reading.source.format == "parquet":
        garbled = "false"
    measures = [
        f"count(CASE WHEN NOT {blank} THEN 1 END) AS row_count",
        f"count(CASE WHEN {long} THEN 1 END) AS long_count",
        f"count(CASE WHEN {short} THEN 1 END) AS short_count",
        f"count(CASE WHEN {garbled} THEN 1 END) AS garbled_count",
    ]
    whole = f"NOT {long} AND NOT {short}" if is_csv else "true"
    for number, each in _checked(reading):
        bad = f"CASE WHEN {whole} AND {each.bad}"
        measures.append(f"count({bad} THEN 1 END) AS bad_{number}")
        measures.append(f"min({bad} THEN {_shown(each)} END) AS sample_{number}")
    listed = ",\n  ".join(['"$path" AS file', *measures])
    return f"SELECT\n  {listed}\nFROM {quoted(database, reading.table)}\nGROUP BY 1 ORDER BY 1"


def judge(target: Target, reading: Reading, rows: Iterator[dict[str, str | None]], files: Sequence[Object]) -> int:
    """The number of rows that will be loaded. Raises DapflowError for whatever the query found."""
    by_uri = {each.uri: each for each in files}
    total = 0
    errors: list[DapflowError] = []
    for row in rows:
        total += int(row["row_count"] or 0)
        item = by_uri.get(row["file"] or "")
        if item is None:
            raise DapflowError("landing-changed", "the file landed while the others were read", file=row["file"])
        errors += _complaints(target, reading, row, item)
    if errors:
        raise errors[0] if len(errors) == 1 else DapflowErrors(errors[:_MOST_ERRORS])
    if total == 0:
        raise DapflowError(
            "landing-no-rows",
            "the files have no rows",
            file=files[0].uri.rpartition("/")[0] + "/",
            hint="an empty snapshot would hide all of yesterday's rows; land one that has rows",
        )
    return total


def malformed_json(target: Target, files: Sequence[Object]) -> DapflowError | None:
    """The first line that is no JSON object, when Athena could not read the files; None when there is none."""
    for item in files:
        for number, line in enumerate(lines(target.s3, item), 1):
            try:
                if line.strip() and not isinstance(json.loads(line), dict):
                    return _json_error(item, number, "the line is not a JSON object", line)
            except UnicodeDecodeError as error:
                return not_utf8(item, number, line[error.start])
            except ValueError as error:
                return _json_error(item, number, f"the line is not JSON: {error}", line)
    return None


def _complaints(target: Target, reading: Reading, row: dict[str, str | None], item: Object) -> Iterator[DapflowError]:
    def count(name: str) -> int:
        return int(row[name] or 0)

    width, delimiter = len(reading.names), reading.source.delimiter
    for measure, words in (("long_count", "more"), ("short_count", "fewer")):
        if number := count(measure):
            longer = measure == "long_count"
            line = _find(target, item, partial(_ragged, delimiter, width, longer))
            yield DapflowError(
                "landing-ragged",
                f"{number} {'row has' if number == 1 else 'rows have'} {words} fields than the header names ({width})",
                file=item.uri,
                line=line,
                hint=_RAGGED_HINT,
            )
    if count("garbled_count") and (error := _encoding_error(target, item)):
        yield error
    for number, each in _checked(reading):
        if bad := count(f"bad_{number}"):
            sample = row[f"sample_{number}"] or ""
            line = None
            if reading.source.format == "csv":
                at = list(reading.names).index(each.name)
                line = _find(target, item, partial(_has, delimiter, at, sample))
            yield DapflowError(
                "landing-value",
                f"column {each.name}: {sample[:_LONGEST_SAMPLE]!r} is no {each.written}"
                + (f", nor are {bad - 1} other values" if bad > 1 else ""),
                file=item.uri,
                line=line,
                hint=f"mend the export, or give {each.name} another type or `format` in service.yml",
            )


def _checked(reading: Reading) -> list[tuple[int, Conversion]]:
    """The conversions that can fail."""
    return [(number, each) for number, each in enumerate(reading.conversions) if each.raw != each.typed]


def _shown(each: Conversion) -> str:
    return f"CAST({each.raw} AS varchar)"


def _find(target: Target, item: Object, wanted: Callable[[str], bool]) -> int | None:
    """The number of the first line that is meant, counted from 1; line 1 is the header."""
    for number, line in enumerate(lines(target.s3, item), 1):
        if number > 1 and wanted(line.decode(errors="replace")):
            return number
    return None


def _ragged(delimiter: str, width: int, longer: bool, line: str) -> bool:
    try:
        found = len(fields_of(line, delimiter, strict=True))
    except csv.Error:
        return not longer  # a quote is left open
    return found > width if longer else 0 < found < width


def _has(delimiter: str, at: int, sample: str, line: str) -> bool:
    fields = fields_of(line, delimiter)
    return at < len(fields) and fields[at] == sample


def _encoding_error(target: Target, item: Object) -> DapflowError | None:
    """The first line that is not UTF-8; None when the file holds U+FFFD itself."""
    for number, line in enumerate(lines(target.s3, item), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return not_utf8(item, number, line[error.start])
    return None


def _json_error(item: Object, line: int, message: str, text: bytes) -> DapflowError:
    shown = text[:200].decode(errors="replace")
    return DapflowError("landing-json", message, file=item.uri, line=line, source=shown)
