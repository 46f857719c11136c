"""Running a query: its rows become the CSV text that Athena writes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, BinaryIO

import duckdb
import pyarrow.csv

from dapflow.local.athena.engine.results import CSV, Outcome
from dapflow.local.athena.engine.session import Work
from dapflow.local.athena.trino import Query

# Results up to this many rows stay in memory; the rows of larger ones pass through it in batches.
_SMALL = 1_000
_BATCH = 50_000
# DuckDB advises another way to Arrow, which would plan every query twice.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")


def run_query(work: Work, query: Query) -> Outcome:
    """Run a compiled query whose scans are ready."""
    with work.guarded(query.text_sql):
        cursor = work.cursor.execute(query.text_sql)
        rows = cursor.fetchmany(_SMALL)
        body = "".join([_line([column.name for column in query.columns]), *map(_line, rows)]).encode()
        work.execution.figures.output_rows = len(rows)
        if len(rows) < _SMALL:
            return Outcome(CSV, query.columns, body=body)
        file = work.directory / "result.csv"
        with file.open("wb") as target:
            target.write(body)
            work.execution.figures.output_rows += _write_rest(cursor, target)
    return Outcome(CSV, query.columns, file=file)


def _line(row: Sequence[str | None]) -> str:
    """A record: every value is quoted, NULL is nothing at all."""
    return ",".join(["" if value is None else '"' + value.replace('"', '""') + '"' for value in row]) + "\n"


def _write_rest(cursor: duckdb.DuckDBPyConnection, target: BinaryIO) -> int:
    """Write the rows that the cursor still holds, in the same form; answers how many there were."""
    reader: Any = cursor.to_arrow_reader(_BATCH)
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    count = 0
    with pyarrow.csv.CSVWriter(target, reader.schema, write_options=options) as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count
