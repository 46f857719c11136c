"""The table over the records: cost and failures by SQL."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.record_table import COLUMNS, record_table
from dapflow.runtime.record import RunRecord
from tests.docs.markdown import ROOT, blocks
from tests.runtime.lake import DAY, Lake

PLANES, SEATS, WRONG = "air_traffic.raw.planes", "air_traffic.refined.seats", "air_traffic.refined.wrong"
DATABASE = "air_traffic_raw_zone"


@pytest.fixture
def there(lake: Lake, tmp_path: Path) -> Lake:
    """Two publications and a failure, and the table."""
    files = {
        "air_traffic/service.yml": "sources: {planes: {columns: {tailnum: string, seats: integer}}}\n",
        "air_traffic/refined/seats.sql": "SELECT tailnum, seats FROM planes",
        "air_traffic/refined/wrong.sql": "SELECT 1 / 0 AS a FROM planes",
    }
    lake.compile(tmp_path, files)
    lake.land(lake.datasets[PLANES], DAY, planes_csv="tailnum,seats\nN1,1\nN2,2\n")
    for dataset in (PLANES, SEATS, WRONG):
        with suppress(DapflowError):
            lake.publisher.publish(dataset, DAY)
    table: Any = record_table([lake.bucket(zone) for zone in ("raw", "refined", "trusted")], list(lake.services))
    lake.clients.glue.create_table(DatabaseName=DATABASE, TableInput=table)
    return lake


def test_every_field_of_a_record_is_a_column() -> None:
    partitions = {"service"}
    assert set(COLUMNS) == {field.name for field in dataclasses.fields(RunRecord)} - partitions


def test_runs_are_rows_and_lists_can_be_taken_apart(there: Lake) -> None:
    rows = there.query(
        "SELECT dataset, outcome, rows, error.code AS code, cardinality(inputs) AS inputs "
        f"FROM {DATABASE}.dapflow_runs WHERE service = 'air_traffic' ORDER BY dataset"
    )
    assert [tuple(row.values()) for row in rows] == [
        (PLANES, "published", "2", None, "0"),
        (SEATS, "published", "2", None, "1"),
        (WRONG, "failed", None, "query-failed", "1"),
    ]


def test_the_queries_of_the_page_run(there: Lake) -> None:
    page = ROOT / "docs" / "decisions" / "records.md"
    cost, failures = (block.text for block in blocks(page) if block.language == "sql")
    dear = there.query(cost.replace("dapflow_prod.dapflow_runs", f"{DATABASE}.dapflow_runs"))
    assert {row["dataset"] for row in dear} == {PLANES, SEATS, WRONG}
    assert {row["dataset"] for row in dear if float(row["usd"] or 0) > 0} == {PLANES, SEATS}
    failed = there.query(failures.replace("dapflow_prod.dapflow_runs", f"{DATABASE}.dapflow_runs"))
    assert [(row["dataset"], row["code"]) for row in failed] == [(WRONG, "query-failed")]
