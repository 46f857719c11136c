"""The last steps of a publication: look at what is staged, make it visible, show it in the current view."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dapflow.errors import DapflowError
from dapflow.runtime import glue_parameters
from dapflow.runtime.athena import AthenaQueryError, QueryExecution, succeeded
from dapflow.runtime.attempts import published_runs
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import Partition
from dapflow.runtime.checks.results import CheckOutcome, CheckSummary
from dapflow.runtime.cleanup_journal import UNFINISHED_SECONDS
from dapflow.runtime.current_view import Seen, check_current, refresh_current_view
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import add_columns, history_columns, parquet_storage, prepare_history
from dapflow.runtime.inputs import inputs_record
from dapflow.runtime.landing.landing_files import check_unchanged
from dapflow.runtime.publication import Publication, PublishedMeanwhileError, Staged
from dapflow.runtime.staged_files import StagedFiles, check_generation_columns, staged_files
from dapflow.runtime.target import Target
from dapflow.runtime.transform import in_file
from dapflow.runtime.views_by_hand import views_by_hand

# An attempt that comes later than this stands back: the sweep may take what it staged for left behind.
LATE_SECONDS = UNFINISHED_SECONDS / 2


@dataclass(frozen=True)
class Accepted:
    """A staged generation that may be published."""

    files: StagedFiles
    bytes_scanned: int
    checks: CheckSummary | None = None


def accept(
    target: Target, staged: Staged, confirm_inputs: Callable[[], None], run_checks: Callable[[int], CheckOutcome]
) -> Accepted:
    """Look whether what was staged may be published; nothing is changed.

    ``confirm_inputs`` raises InputsChangedError when the query may have read something else than ``staged.inputs``.
    ``run_checks`` raises DapflowError when one of the dataset's checks, over so many rows, does not hold.
    """
    execution = _done(target, staged) if staged.query_id else None
    # Before a failure is judged: a query may have failed because what it read was replaced.
    confirm_inputs()
    generation = Generation.parse(staged.generation)
    if execution is not None:
        try:
            succeeded(execution)
        except AthenaQueryError as error:
            raise in_file(error, target.dataset.transform, staged.edits, sha=staged.sql_sha) from error
    if staged.landing:
        check_unchanged(target, generation, staged.landing)
    files = staged_files(target, execution, staged.location)
    if staged.expected_rows not in (None, files.count):
        raise DapflowError(
            "landing-changed",
            f"{staged.expected_rows} rows were checked, but {files.count} were loaded: the landing files changed "
            "meanwhile",
            file=target.place.landed(generation),
            hint="run it again when the landing is complete",
        )
    transform = target.dataset.transform
    if transform is not None and not files.count and not transform.allow_empty:
        raise DapflowError(
            "no-rows",
            f"the transform gives no rows for generation {generation}",
            file=transform.file,
            hint="an empty generation would hide all of yesterday's rows; where it is meant, write "
            f"`allow_empty: true` into {target.dataset.name}.yml",
        )
    scanned = staged.bytes_scanned + (execution.bytes_scanned if execution is not None else 0)
    if staged.generation_types and files.objects:
        scanned += check_generation_columns(target, generation, staged.location, staged.generation_types)
    outcome = run_checks(files.count)
    return Accepted(files, scanned + outcome.bytes_scanned, outcome.summary)


def _done(target: Target, staged: Staged) -> QueryExecution:
    execution = target.athena.look(staged.query_id)
    if not execution.done:
        raise PassingError("query-running", f"query {staged.query_id} is not done yet")
    return execution


def make_visible(target: Target, staged: Staged, accepted: Accepted) -> Publication:
    """Publish: the partition is switched, which is the moment; then table and current view follow.

    Before the switch nothing changes that a reader or another run depends on. Raises PassingError ``late`` or
    ``superseded``, of a copy PublishedMeanwhileError, and DapflowError ``breaking-change`` or ``name-taken``.
    """
    generation = Generation.parse(staged.generation)
    catalog, place = target.catalog, target.place
    view = catalog.table(place.database, place.current)
    check_current(target.dataset, place, view)
    columns = prepare_history(catalog, target.dataset, place, staged.described, generation)
    before = target.partition(generation)
    _check_turn(staged, before)
    replaced = before.location if before and before.location != staged.location else None
    seconds = round(max(0.0, time.time() - staged.started), 3)  # clocks step back
    parameters = {
        glue_parameters.RUN_ID: staged.run_id,
        glue_parameters.ORIGIN: staged.takeover.origin or staged.run_id,
        glue_parameters.PROOF: staged.proof,
        glue_parameters.QUERY_ID: staged.query_id,
        glue_parameters.ROWS: str(accepted.files.count),
        glue_parameters.BYTES: str(accepted.files.bytes),
        glue_parameters.BYTES_SCANNED: str(accepted.bytes_scanned),
        glue_parameters.SECONDS: str(seconds),
        glue_parameters.PUBLISHED_AT: datetime.now(UTC).isoformat(timespec="milliseconds"),
        glue_parameters.SQL_SHA: staged.sql_sha or (target.dataset.transform.sha if target.dataset.transform else ""),
        glue_parameters.REPLACES: replaced or "",
        glue_parameters.INPUTS: json.dumps(inputs_record(staged.inputs)),
        glue_parameters.RUNS: ",".join(sorted(published_runs(before) | {staged.run_id})),
    }
    if staged.limits:
        parameters[glue_parameters.LIMITS] = json.dumps(staged.limits)
    if accepted.checks is not None:
        parameters[glue_parameters.CHECKS] = json.dumps(accepted.checks.as_dict())
    if replaced:
        # Written before the switch: whatever happens after it, the old objects are known.
        target.journal.replaced(staged.run_id, [replaced])
    storage = parquet_storage(columns, staged.location)
    published = Partition(generation.values, storage, {"classification": "parquet", **parameters})
    catalog.put_partition(place.database, place.history, published, there=before is not None)
    try:
        all_columns, added = add_columns(catalog, target.dataset, place, columns)
    except DapflowError as error:
        if error.code != "breaking-change":
            raise
        _take_back(target, published, before)
        raise PassingError(
            "busy",
            f"another run published other columns of {target.dataset.id} in the same moment; this one stood back",
        ) from error
    current = show_newest(target, Seen(view, all_columns))
    changed = view is not None and _types(target, view) != {column.name: column.type for column in all_columns}
    return Publication(
        dataset=target.dataset.id,
        generation=generation,
        location=staged.location,
        rows=accepted.files.count,
        bytes=accepted.files.bytes,
        bytes_scanned=accepted.bytes_scanned,
        seconds=seconds,
        columns=tuple(all_columns),
        added_columns=tuple(column.name for column in added),
        replaced=replaced,
        current=current,
        query_id=staged.query_id,
        inputs=staged.inputs,
        limits=staged.limits,
        checks=accepted.checks,
        taken_from=staged.takeover.branch,
        stale_views=tuple(views_by_hand(catalog, place)) if changed else (),
    )


def _types(target: Target, view: dict[str, Any]) -> dict[str, str]:
    """The columns of a current view, as the history had them when it was written."""
    keys = target.dataset.generation.partition_names
    return {column.name: column.type for column in history_columns(view) if column.name not in keys}


def _check_turn(staged: Staged, before: Partition | None) -> None:
    """Raise PassingError when an attempt comes too late to publish what it has; another attempt may begin anew."""
    if time.time() - staged.started > LATE_SECONDS:
        raise PassingError(
            "late", f"{staged.dataset} {staged.generation} was staged hours ago and may have been swept meanwhile"
        )
    if staged.takeover.branch and published_runs(before) != set(staged.seen_runs):
        # A copy has a name of its own in each attempt, by which one of before would not be known.
        raise PublishedMeanwhileError(
            "superseded", f"{staged.dataset} {staged.generation} was published by another run meanwhile"
        )
    if before and staged.run_id in published_runs(before) and before.location != staged.location:
        raise PassingError(
            "superseded",
            f"{staged.dataset} {staged.generation}: another attempt published this result, and a later run replaced it",
        )


def _take_back(target: Target, published: Partition, before: Partition | None) -> None:
    """Let the generation be what it was before a partition whose columns do not go with the table's."""
    catalog, database, table = target.catalog, target.place.database, target.place.history
    now = catalog.partition(database, table, published.values)
    if now is None or now.location != published.location:
        return  # another run has published the generation since
    if before is None:
        catalog.delete_partition(database, table, published.values)
    else:
        catalog.put_partition(database, table, before, there=True)


def show_newest(target: Target, seen: Seen | None = None, *, without: Generation | None = None) -> Generation | None:
    """Let the current view show the newest generation, ``without`` one that will be gone; which one that is."""
    catalog, place = target.catalog, target.place

    def look() -> Seen:
        view = catalog.table(place.database, place.current)
        table = catalog.table(place.database, place.history)
        return Seen(view, history_columns(table) if table else ())

    return refresh_current_view(catalog, target.dataset, place, look, seen=seen, without=without)
