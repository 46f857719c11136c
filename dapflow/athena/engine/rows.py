"""Running a query: its rows become the CSV text that Athena writes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from dapflow.athena.engine.results import CSV, StatementOutcome
from dapflow.athena.engine.session import Work
from dapflow.trino.duckdb import CompiledQuery
from dapflow.trino.duckdb.storage import literal

_FEW = 1_000
_SHORT_BYTES = 1 << 20


def run_query(work: Work, query: CompiledQuery) -> StatementOutcome:
    """Run a compiled query whose scans are ready.

    DuckDB writes the rows to a file, so that they are never in memory all at once. A query without tables has few rows
    as a rule, and to ask for these takes a fraction of the time; where they are many after all, it is run again.
    """
    header = csv_line([column.name for column in query.columns])
    if not query.scans:
        with work.guarded(query.text_sql):
            rows = work.cursor.execute(query.text_sql).fetchmany(_FEW)
        if len(rows) < _FEW:
            work.execution.figures.output_rows = len(rows)
            return StatementOutcome(CSV, query.columns, body="".join([header, *map(csv_line, rows)]).encode())
    return _written(work, query, header)


def csv_line(row: Sequence[str | None]) -> str:
    """A record: every value is quoted, NULL is nothing at all."""
    return ",".join(["" if value is None else '"' + value.replace('"', '""') + '"' for value in row]) + "\n"


def _written(work: Work, query: CompiledQuery, header: str) -> StatementOutcome:
    """All rows, in the same form, by way of a file."""
    rows, whole = work.directory / "rows", work.directory / "result.csv"
    count = work.run(
        f"COPY ({query.text_sql}) TO {literal(str(rows))} "
        "(FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', FORCE_QUOTE *, NULLSTR '')"
    ).fetchone()
    work.execution.figures.output_rows = int(count[0]) if count else 0
    if rows.stat().st_size <= _SHORT_BYTES:
        return StatementOutcome(CSV, query.columns, body=header.encode() + rows.read_bytes())
    with whole.open("wb") as target, rows.open("rb") as source:
        target.write(header.encode())
        shutil.copyfileobj(source, target, 1 << 20)
    rows.unlink()
    return StatementOutcome(CSV, query.columns, file=whole)
