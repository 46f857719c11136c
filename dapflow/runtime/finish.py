"""The last steps of a publication: look at what is staged, make it visible, show it in the current view."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dapflow.errors import DapflowError
from dapflow.manifest import Column
from dapflow.runtime.athena import QueryError, succeeded
from dapflow.runtime.attempts import RUNS, published_runs
from dapflow.runtime.aws import PassingError
from dapflow.runtime.current_view import refresh_current_view
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import ensure_history, history_columns
from dapflow.runtime.partitions import Change, Pieces, pieces_of
from dapflow.runtime.publication import Publication, Staged
from dapflow.runtime.staged_files import check_generation_columns, staged_files
from dapflow.runtime.target import Target
from dapflow.runtime.transform import in_file


@dataclass(frozen=True)
class Accepted:
    """A staged generation that may be published."""

    columns: list[Column]
    added: list[Column]
    pieces: Pieces
    bytes_scanned: int


def accept(target: Target, staged: Staged) -> Accepted:
    """Look whether what was staged may be published, and let the history table have its columns."""
    execution = target.athena.look(staged.query_id)
    if not execution.done:
        raise PassingError("query-running", f"query {staged.query_id} is not done yet")
    target.drop(staged.temporary)
    try:
        execution = succeeded(execution)
    except QueryError as error:
        raise in_file(error, target.dataset.transform, exact=staged.exact) from error
    generation = Generation.parse(staged.generation)
    files = staged_files(target, execution, staged.location)
    pieces = pieces_of(target, generation, staged.location, files)
    rows = sum(each.rows for each in pieces.values())
    if staged.expected_rows not in (None, rows):
        raise DapflowError(
            "landing-changed",
            f"{staged.expected_rows} rows were checked, but {rows} were loaded: the landing files changed meanwhile",
            file=target.place.landed(generation),
            hint="run it again when the landing is complete",
        )
    scanned = staged.bytes_scanned + execution.bytes_scanned
    if staged.computes_generation and files.objects:
        scanned += check_generation_columns(target, generation, staged.location, staged.generation_types, staged.run_id)
    columns, added = ensure_history(target.catalog, target.dataset, target.place, staged.described)
    return Accepted(columns, added, pieces, scanned)


def make_visible(target: Target, staged: Staged, accepted: Accepted) -> Publication:
    """Publish: partition, current view, and what was replaced goes into the journal."""
    generation = Generation.parse(staged.generation)
    before = target.partitions(generation)
    replaced = sorted({each.location for each in before} - {staged.location})
    seconds = round(max(0.0, time.time() - staged.started), 3)  # clocks step back
    parameters = {
        "dapflow.run_id": staged.run_id,
        "dapflow.query_id": staged.query_id,
        "dapflow.bytes_scanned": str(accepted.bytes_scanned),
        "dapflow.seconds": str(seconds),
        "dapflow.published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "dapflow.sql_sha": target.dataset.transform.sha if target.dataset.transform else "",
        "dapflow.replaces": " ".join(replaced),
        RUNS: ",".join(sorted(published_runs(before) | {staged.run_id})),
    }
    if replaced:
        # Written before the change: whatever happens after it, the old objects are known.
        target.journal.replaced(staged.run_id, replaced)
    Change(generation, staged.location, accepted.columns, accepted.pieces, parameters).apply(target, before)
    current = show_newest(target)
    return Publication(
        dataset=target.dataset.id,
        generation=generation,
        location=staged.location,
        rows=sum(each.rows for each in accepted.pieces.values()),
        bytes=sum(each.bytes for each in accepted.pieces.values()),
        bytes_scanned=accepted.bytes_scanned,
        seconds=seconds,
        columns=tuple(accepted.columns),
        added_columns=tuple(column.name for column in accepted.added),
        replaced=replaced[0] if replaced else None,
        current=current,
        query_id=staged.query_id,
    )


def show_newest(target: Target) -> Generation | None:
    """Let the current view show the newest generation; which one that is."""

    def columns() -> Sequence[Column]:
        table = target.catalog.table(target.place.database, target.place.history)
        return history_columns(table) if table else ()

    return refresh_current_view(target.catalog, target.dataset, target.place, columns)
