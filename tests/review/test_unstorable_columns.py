"""What `check` advises for output columns that no table can hold: whoever follows it has a product."""

from __future__ import annotations

import re

import pytest

from dapflow.errors import DapflowError
from dapflow.review.examine import examine
from dapflow.sql import SqlText
from dapflow.trino.catalogue import Relation

TIME, JSON, MOMENT = "TIME '10:00:00'", "json_parse('{\"a\": [1]}')", "now()"
EXPRESSIONS = [
    TIME, JSON, MOMENT, "TIME '10:00:00 +01:00'", "NULL", "INTERVAL '2' YEAR", "INTERVAL '2' DAY + INTERVAL '1' HOUR",
    "date '2024-01-02' - date '2024-01-01'", "uuid()", "CAST('10.0.0.1' AS ipaddress)", "ARRAY[]", "MAP()",
    "if(true, current_timestamp)",
    *(f"ARRAY[{part}]" for part in (TIME, JSON, MOMENT, "NULL", "ROW(1)")),
    *(f"MAP(ARRAY['k'], ARRAY[{part}])" for part in (TIME, JSON, MOMENT, "uuid()")),
    f"MAP(ARRAY[{TIME}], ARRAY[{JSON}])", f"MAP(ARRAY[{MOMENT}], ARRAY[X'00'])",
    "ROW(1)", "ROW(1, 'a')", f"ROW(1, {TIME})", f"ROW(ROW({JSON}), 2)", f"ARRAY[ROW({MOMENT}, {JSON})]",
    f"CAST(ROW(1, {TIME}) AS row(\"a b\" integer, \"order\" time))",
]  # fmt: skip


class _NoTables:
    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        del catalog, database, name
        return None

    def has_database(self, database: str) -> bool:
        return database == "db"

    def tables(self) -> set[tuple[str, str]]:
        return set()


def errors(sql: str) -> list[DapflowError]:
    found = examine(SqlText(sql, "a.sql"), _NoTables(), "db", product=True).findings
    return [finding for finding in found if finding.severity == "error"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_check_takes_what_its_hint_says(expression: str) -> None:
    (error,) = errors(f'SELECT {expression} AS "end"')
    assert error.code == "unsupported-type"
    written = re.match(r'write (.+ AS "end")', str(error.hint))
    assert written is not None, error.hint
    assert errors(f"SELECT {written[1]}") == []


def test_an_expression_that_is_long_or_not_there_is_left_out_of_the_hint() -> None:
    long = f"ARRAY[{', '.join(['now()'] * 20)}]"
    (error,) = errors(f"SELECT {long} AS at")
    assert error.hint == "write CAST(… AS array(varchar)) AS at"
    (error,) = errors("SELECT now() AS at UNION SELECT now()")
    assert error.hint == "write CAST(… AT TIME ZONE 'UTC' AS timestamp) AS at"
