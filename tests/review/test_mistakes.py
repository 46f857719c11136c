"""Mistakes of people who know other dialects: ``check`` finds them, and ``query`` says the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.query import ask
from dapflow.review.statement_findings import findings, warnings
from dapflow.runtime.aws import Clients
from dapflow.sql import other_dialects
from dapflow.trino.functions import NAMES
from tests.aws_servers import BUCKET, RESULTS, LocalAws
from tests.mistakes import (
    DATABASE,
    FILES,
    GENERATION,
    TABLES,
    checked,
    expected_of,
    project_of,
    shown,
    single_errors,
    text_of,
)

PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


@pytest.fixture(scope="module")
def in_check(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[DapflowError]]:
    return checked(project_of(tmp_path_factory.mktemp("mistakes")))


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Clients:
    """The embedded Athena, with the tables of the mistakes: empty ones, which no query needs to read for its errors."""
    aws.glue.create_database(DatabaseInput={"Name": DATABASE})
    aws.athena.update_work_group(
        WorkGroup="primary",
        ConfigurationUpdates={"ResultConfigurationUpdates": {"OutputLocation": RESULTS}},
    )
    for name, columns in TABLES.items():
        for table, keys in ((name, ()), (f"{name}_history", GENERATION)):
            data = columns if keys else {**columns, **dict.fromkeys(GENERATION, "string")}
            aws.glue.create_table(
                DatabaseName=DATABASE,
                TableInput={
                    "Name": table,
                    "TableType": "EXTERNAL_TABLE",
                    "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
                    "StorageDescriptor": {
                        "Columns": [
                            {"Name": column, "Type": {"integer": "int"}.get(kind, kind)}
                            for column, kind in data.items()
                        ],
                        "Location": f"s3://{BUCKET}/{table}/",
                        "InputFormat": f"{PARQUET}.MapredParquetInputFormat",
                        "OutputFormat": f"{PARQUET}.MapredParquetOutputFormat",
                        "SerdeInfo": {"SerializationLibrary": f"{PARQUET}.serde.ParquetHiveSerDe"},
                    },
                },
            )
    return Clients(athena=aws.athena, glue=aws.glue, s3=aws.s3)


def _asked(clients: Clients, file: Path) -> list[DapflowError]:
    text, name = text_of(file), f"transforms/housing/refined/{file.name}"
    try:
        ask(clients, text, DATABASE, name)
    except DapflowError as error:
        return single_errors(error)
    return warnings(clients.glue, text, DATABASE, name)


@pytest.fixture(scope="module")
def in_query(clients: Clients) -> Iterator[dict[str, list[DapflowError]]]:
    with ThreadPoolExecutor(8) as pool:
        yield dict(zip([file.stem for file in FILES], pool.map(lambda file: _asked(clients, file), FILES), strict=True))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_check_finds_it_and_says_what_to_write(file: Path, in_check: dict[str, list[DapflowError]]) -> None:
    expected, findings = expected_of(file), in_check[file.stem]
    assert [(finding.severity, finding.code, f"{finding.line}:{finding.column}") for finding in findings] == [
        (mistake.severity, mistake.code, mistake.place) for mistake in expected
    ]
    for mistake, finding in zip(expected, findings, strict=True):
        assert mistake.hint in (finding.hint or "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_query_says_the_same(
    file: Path, in_check: dict[str, list[DapflowError]], in_query: dict[str, list[DapflowError]]
) -> None:
    if "-- query: nothing" in text_of(file):
        assert not in_query[file.stem]
        return
    assert list(map(shown, in_query[file.stem])) == list(map(shown, in_check[file.stem]))


def test_there_are_enough(in_check: dict[str, list[DapflowError]], in_query: dict[str, list[DapflowError]]) -> None:
    assert len(FILES) >= 90
    assert all(in_check.values())
    assert sum(any(finding.hint for finding in findings) for findings in in_check.values()) >= 0.9 * len(FILES)
    assert sum(bool(findings) for findings in in_query.values()) >= 0.95 * len(FILES)


RIGHT = [
    "SELECT id FROM properties WHERE id NOT IN (SELECT property FROM repairs WHERE property IS NOT NULL)",
    "SELECT id FROM repairs_history WHERE import_date = (SELECT max(import_date) FROM repairs_history)",
    "SELECT id FROM (SELECT * FROM repairs_history) h WHERE h.import_date = '20240605'",
    "SELECT id, row_number() OVER (PARTITION BY id ORDER BY import_date DESC) AS n FROM repairs_history",
    "SELECT r.id FROM repairs r LEFT JOIN tenants t ON r.property = t.property WHERE t.name IS NULL",
    "SELECT r.id FROM repairs r LEFT JOIN tenants t ON r.property = t.property WHERE coalesce(t.rent, 0) > 100",
    "SELECT r.id FROM repairs r LEFT JOIN tenants t ON r.property = t.property WHERE t.rent > 100 OR t.rent IS NULL",
    "SELECT r.id FROM repairs r LEFT JOIN tenants t ON r.property = t.property AND t.rent > 100 WHERE r.cost > 1",
    "SELECT r.id, t.name FROM repairs r, tenants t WHERE r.property = t.property",
    "SELECT r.id, m.dearest FROM repairs r CROSS JOIN (SELECT max(cost) AS dearest FROM repairs) m",
    "SELECT r.id, t.tag FROM repairs r CROSS JOIN UNNEST(r.tags) AS t (tag)",
    "WITH days AS (SELECT day FROM UNNEST(sequence(DATE '2024-01-01', DATE '2024-01-31')) AS d (day)) "
    "SELECT r.id, days.day FROM repairs r CROSS JOIN days",
    "SELECT CAST(hours / 60 AS integer) AS whole, hours / 60.0 AS h, hours % 60 AS minutes FROM repairs",
    "WITH open_repairs AS (SELECT id, trade FROM repairs WHERE status = 'open') SELECT * FROM open_repairs",
    "SELECT id, date_parse(moved_in, '%d/%m/%Y %H:%i:%s') AS moved_in FROM tenants",
    "SELECT id, format_datetime(completed, 'yyyy-MM-dd HH:mm:ss') AS at FROM repairs",
    "SELECT id, raised AS date, trade category FROM repairs",
    "SELECT id, CASE WHEN hours = 0 THEN 0 ELSE cost / hours END AS rate, try(1 / 0) AS nothing FROM repairs",
    "SELECT id, (SELECT t.name FROM tenants t WHERE t.id = r.id) AS name FROM repairs r",
    "SELECT id FROM repairs r WHERE EXISTS (SELECT 1 FROM tenants t WHERE t.property = r.property LIMIT 1)",
    "WITH n AS (SELECT count(*) AS n FROM repairs) SELECT id, (SELECT n FROM n) AS n FROM repairs",
    "SELECT id FROM (SELECT id FROM repairs ORDER BY id LIMIT 5) f UNION ALL (SELECT max(id) FROM tenants LIMIT 1)",
    "SELECT r.id FROM repairs r LEFT JOIN tenants t ON r.property = t.property JOIN properties p ON p.id = r.property",
    "SELECT r.id FROM repairs r LEFT JOIN tenants t ON r.property = t.property LEFT JOIN properties p "
    "ON p.id = t.property",
    # What may never be reached, or is guarded.
    "SELECT id, if(id = 0, 1 / 0, 2) AS a, coalesce(hours, CAST('x' AS integer)) AS b FROM repairs",
    "SELECT try(date_parse('x', '%Y')) AS a, try_cast('x' AS date) AS b, coalesce(try(1 / 0), 0) AS c FROM repairs",
    "SELECT transform(tags, x -> CAST('x' AS integer)) AS a FROM repairs",
    "SELECT id FROM repairs r WHERE EXISTS (SELECT 1 / 0 FROM tenants t WHERE t.property = r.property)",
    # What is too large to be evaluated, or takes too long.
    "SELECT rpad('a', 1000000000, 'b') AS a, sequence(1, 1000000000) AS b FROM repairs",
    "SELECT replace(rpad('a', 9999, 'a'), 'a', rpad('a', 9999, 'a')) AS a FROM repairs",
    "SELECT regexp_like(rpad('a', 99, 'a') || '!', '(?=a)(a+)+$') AS a FROM repairs",
    "SELECT (SELECT id FROM repairs ORDER BY cost LIMIT 1) AS cheapest",
    "SELECT count(*) FILTER (WHERE done) AS n, max(tags[1]) AS tag FROM repairs",
]


@pytest.mark.parametrize("sql", RIGHT)
def test_what_is_right_gives_no_finding(sql: str, clients: Clients) -> None:
    listed = findings(clients.glue, sql, DATABASE, "x.sql")
    assert not listed, "\n".join(map(str, listed))


def test_what_athena_has_is_of_no_other_dialect() -> None:
    assert not set(other_dialects.FUNCTIONS) & NAMES
