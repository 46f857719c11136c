"""The keys of ``transforms/<service>/tests/*.yml``: what a transform gives for rows that are written down.

Names are those of dbt's unit tests (given, expect) where the meaning is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar

from dapflow.project.file_position import PlacedText, PlacedValue
from dapflow.project.schema import Section, key
from dapflow.project.sql_test_forms import COLUMN_TYPE, CSV_FILE, DAY, ERROR_NAME, MOMENT, TOLERANCE
from dapflow.project.text_forms import GLUE_COLUMN

#: Rows as they are written: values by column.
Rows = tuple[dict[PlacedText, PlacedValue], ...]
CsvFile = Annotated[PlacedText, CSV_FILE]
_ROWS = "write the rows as a list, [{ward: E05, cost: 12.5}], or name a CSV file: wards.csv"
_IN_EXPECT = "write it under expect: {rows: […], ordered: true}"


@dataclass(frozen=True)
class GivenTerms(Section):
    """The rows of a table that a test gives, where there is more to say than the rows."""

    elsewhere: ClassVar = {
        **dict.fromkeys(("format", "fixture", "input"), _ROWS),
        "types": "write columns",
        "sql": _ROWS,
        "query": _ROWS,
    }
    empty: ClassVar = "write the rows, for example [{code: E05}], or [] where the table has none"

    rows: Rows | None = key("the rows; a column that a row leaves out is NULL", "[{code: E05, name: Bow}]")
    csv: CsvFile | None = key("a CSV file beside the test that has the rows", "wards.csv")
    columns: dict[Annotated[str, GLUE_COLUMN], Annotated[str, COLUMN_TYPE]] | None = key(
        "the columns and their types, where service.yml does not say them",
        "{code: string, name: string}",
        of="<column>",
    )


@dataclass(frozen=True)
class ExpectTerms(Section):
    """The rows that are expected, where there is more to say than the rows."""

    elsewhere: ClassVar = {**dict.fromkeys(("format", "fixture", "query", "sql"), _ROWS), "ctes": "write cte beside it"}
    empty: ClassVar = "write the rows, for example [{cost: 12.5}], or [] where none are expected"

    rows: Rows | None = key("the rows; all of them name the same columns, and no other is compared", "[{cost: 12.5}]")
    csv: CsvFile | None = key("a CSV file beside the test that has the rows", "expected.csv")
    ordered: bool = key("`true` where the rows must come in this order", "true", default=False)
    tolerance: Annotated[float, TOLERANCE] | None = key(
        "by how much a `double` or `real` may differ", "0.01", otherwise="not at all"
    )


@dataclass(frozen=True)
class SqlTestTerms(Section):
    """A test: rows that are given, and what comes of them."""

    elsewhere: ClassVar = {
        "model": "the transform is named once, at the top of the file: transform: costs",
        "inputs": "write given",
        "outputs": "write expect",
        "rows": "write the rows under expect, those of a table under given",
        "overrides": "tables are given, and the clock is now",
        "vars": "the clock is now, and the generation of the run generation",
        "description": "write it as a comment: # what the test is for",
        "name": "the name stands before the colon, above given",
        "ordered": _IN_EXPECT,
        "tolerance": _IN_EXPECT,
        "ctes": "a test is of one WITH query: cte: totals",
    }
    empty: ClassVar = "write what is given and expected, for example {given: {wards: [{code: E05}]}, expect: []}"

    generation: Annotated[date, DAY] | None = key(
        "the generation of the run: a current view shows the newest rows not after it, a history all that are not",
        "2013-12-31",
        otherwise="the newest that the rows name, else 2000-01-01",
    )
    now: Annotated[datetime, MOMENT] | None = key(
        "what `now()` and `current_date` say, in UTC", "2013-12-31 06:00", otherwise="the generation, at midnight"
    )
    cte: PlacedText | None = key(
        "the query of WITH whose rows are expected, by its name", "totals", otherwise="the whole transform"
    )
    given: dict[PlacedText, GivenTerms | Rows | CsvFile] | None = key(
        "the rows of each table that is read, by its name as in the SQL: a list, or the name of a CSV file",
        "{wards: [{code: E05, name: Bow}], repairs: repairs.csv}",
        of="<table>",
        entry_called="given table {name!r}",
    )
    expect: ExpectTerms | Rows | CsvFile | None = key(
        "the rows that come, in any order: a list, or the name of a CSV file", "[{ward: Bow, cost: 12.5}]"
    )
    error: Annotated[PlacedText, ERROR_NAME] | None = key(
        "the error that comes instead of rows, by Athena's name of it", "DIVISION_BY_ZERO"
    )


@dataclass(frozen=True)
class SqlTestFileTerms(Section):
    """Tests of a transform."""

    elsewhere: ClassVar = {
        "unit_tests": "write tests, each under a name of its own",
        "model": "write transform",
        "version": "delete it",
    }

    transform: PlacedText | None = key(
        "the transform of the service that is tested, by its name", "repair_costs", otherwise="the name of the file"
    )
    tests: dict[PlacedText, SqlTestTerms] | None = key(
        "the tests, under names of your own",
        "{a ward without repairs: {given: {wards: [{code: E05}], repairs: []}, expect: [{code: E05, cost: 0}]}}",
        of="<test>",
        entry_called="test {name!r}",
    )
