"""The keys of ``checks``: what must hold of a generation before it is published.

Names and meaning are those of dbt's generic tests (not_null, unique, accepted_values, relationships), of dbt_utils
(accepted_range, expression_is_true, unique_combination_of_columns) and of dbt-expectations (regular expressions, row
counts), where these have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, get_args

from dapflow.manifest import CheckSeverity
from dapflow.project.file_position import PlacedText
from dapflow.project.schema import Needed, Section, key
from dapflow.project.text_forms import CHECK_FILE, VALUE, choice

SEVERITY = choice(
    get_args(CheckSeverity),
    "'error' or 'warn'",
    "error, the default: nothing is published; warn: it is published, and said",
)
Value = Annotated[PlacedText, VALUE]
CheckFile = Annotated[PlacedText, CHECK_FILE]


# What people write who know dbt, and what to write here.
_TABLE_CHECK = "write checks, each under a name of your own: checks: {costs are known: {not_null: cost}}"
COLUMN_CHECK = "checks stand beside columns, under names of your own: checks: {costs are known: {not_null: cost}}"
CHECKS_OF_A_TABLE = {"tests": _TABLE_CHECK, "data_tests": _TABLE_CHECK}
CHECKS_OF_A_COLUMN = dict.fromkeys(("tests", "data_tests", "checks"), COLUMN_CHECK)
_BESIDE = "write severity and where beside the check: {not_null: cost, severity: warn}"
_KINDS = {
    "accepted_range": "write range: {cost: {min: 0, max: 5000}}",
    "expression_is_true": "write expression: completed >= raised",
    "unique_combination_of_columns": "write unique: [ward, day]",
    "not_empty_string": "write pattern: {name: .}",
    "expect_column_values_to_match_regex": 'write pattern: {postcode: "^E[0-9]+"}',
    "expect_table_row_count_to_be_between": "write row_count: {min: 1000, max: 1000000}",
}
_PACKAGES = ("", "dbt_utils.", "dbt_expectations.")


@dataclass(frozen=True)
class RangeTerms(Section):
    """Between which values a column lies, both included."""

    elsewhere: ClassVar = {"min_value": "write min", "max_value": "write max"}

    min: Value | None = key("the least value", "0", otherwise="no least value")
    max: Value | None = key("the greatest value", "1440.5", otherwise="no greatest value")


@dataclass(frozen=True)
class RelationshipTerms(Section):
    """The table that must have a column's values."""

    needed: ClassVar = Needed("to", "bad-value", "airlines")

    to: PlacedText | None = key(
        "the table, named as in the SQL of the service; it alone may stand in place of the mapping",
        "airlines",
        otherwise="needed",
    )
    field: PlacedText | None = key("its column", "carrier", otherwise="the one of the same name")


@dataclass(frozen=True)
class RowCountTerms(Section):
    """How many rows a generation has."""

    min: int | None = key("the least number of rows", "1000", otherwise="one row, unless `allow_empty` is `true`")
    max: int | None = key("the greatest number of rows", "1000000", otherwise="no greatest number")
    change_percent: int | None = key(
        "by how many percent the number may differ from that of the generation before", "20", otherwise="by any"
    )


@dataclass(frozen=True)
class CheckTerms(Section):
    """Something that must hold before a generation is published. All that one name holds has one severity."""

    elsewhere: ClassVar = {
        **{package + kind: hint for kind, hint in _KINDS.items() for package in _PACKAGES},
        **dict.fromkeys(("config", "warn_if", "error_if"), _BESIDE),
        "column_name": "name the column under the kind: {not_null: cost}",
        "values": "name the column: {accepted_values: {status: [open, closed]}}",
    }

    empty: ClassVar = "write what must hold, for example {not_null: cost}, or leave the name out"

    not_null: PlacedText | tuple[PlacedText, ...] | None = key(
        "columns, each of which has a value in every row", "[ward, cost]"
    )
    unique: PlacedText | tuple[PlacedText, ...] | None = key(
        "a column whose values are there once, NULL left aside; of several columns, the rows of them together",
        "[ward, day]",
    )
    accepted_values: dict[PlacedText, tuple[Value, ...]] | None = key(
        "the only values that a column has, or NULL", "{status: [open, closed]}", of="<column>"
    )
    range: dict[PlacedText, RangeTerms] | None = key(
        "between which values a column lies, both included, or is NULL", "{cost: {min: 0, max: 5000}}", of="<column>"
    )
    pattern: dict[PlacedText, PlacedText] | None = key(
        "a regular expression (Trino's `regexp_like`) that fits a part of each text of a column; `^…$` fits all of it",
        '{postcode: "^E[0-9]+"}',
        of="<column>",
    )
    relationships: dict[PlacedText, RelationshipTerms] | None = key(
        "the table that has the values of a column, NULL left aside", "{ward: {to: wards, field: code}}", of="<column>"
    )
    row_count: RowCountTerms | None = key("how many rows there are", "{min: 1000, change_percent: 20}")
    expression: PlacedText | tuple[PlacedText, ...] | None = key(
        "a condition in SQL over the columns of a row, which is true or NULL in every row", "completed >= raised"
    )
    sql: CheckFile | tuple[CheckFile, ...] | None = key(
        "a file in `transforms/<service>/checks/`: a SELECT that reads the dataset by its name and gives no rows",
        "no_repair_twice.sql",
    )
    where: PlacedText | None = key(
        "a condition in SQL: the rows that are looked at; not for `row_count`, `sql` and `freshness`",
        "status = 'closed'",
        otherwise="all rows",
    )
    severity: Annotated[CheckSeverity, SEVERITY] = key(
        "`error`: nothing is published; `warn`: it is published, and said", "warn", default="error"
    )


@dataclass(frozen=True)
class ProductCheckTerms(CheckTerms):
    """Something that must hold before a generation is published. All that one name holds has one severity."""

    freshness: dict[PlacedText, int] | None = key(
        "how many days an input may be older than the run's generation, by the table's name as under `inputs`",
        "{wards: 31}",
        of="<table>",
    )
