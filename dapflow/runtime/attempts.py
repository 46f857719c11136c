"""Attempts of one run: a retried attempt takes up the query of the one before instead of paying for a second.

Tokens and prefixes derive from (dataset, generation, run, inputs, index), so that an attempt that asks Athena to start
the query of index 0 again gets the execution that is already there. An index is passed over when its query failed or
was cancelled, when its result was published before (someone cleared a finished task, and wants it anew), and when its
objects are gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from dapflow.runtime.athena import Execution
from dapflow.runtime.catalog import Partition
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import delete_prefix
from dapflow.runtime.publication import Plan
from dapflow.runtime.staged_files import missing_objects
from dapflow.runtime.target import Target

RUNS = "dapflow.runs"


@dataclass(frozen=True)
class Started:
    """A query that runs, or is done, for this attempt."""

    run_id: str
    query_id: str
    location: str


def digest(*parts: str) -> str:
    """64 hexadecimal digits that depend on every part."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def published_runs(partitions: Sequence[Partition]) -> set[str]:
    """Run ids that were ever published for a generation."""
    return {run for each in partitions for run in each.parameters.get(RUNS, "").split(",") if run}


def unload_statement(sql: str, location: str, partitioned_by: Sequence[str] = ()) -> str:
    """``UNLOAD (…) TO …``. The SELECT stands between line breaks, so that it may end with a ``-- comment``."""
    options = "format = 'PARQUET', compression = 'SNAPPY'"
    if partitioned_by:
        options += ", partitioned_by = ARRAY[" + ", ".join(f"'{name}'" for name in partitioned_by) + "]"
    return f"UNLOAD (\n{sql}\n) TO '{location}' WITH ({options})"


def start_unload(
    target: Target, generation: Generation, plan: Plan, existing: Sequence[Partition], *, run_key: str, attempt: int
) -> Started:
    """Start the UNLOAD of an attempt, or take up the one that an earlier attempt of the same run started."""
    base = digest(
        target.dataset.id, generation.key, run_key, plan.sql, plan.database, target.place.prefix, *plan.identity
    )
    spent = published_runs(existing)
    for index in count():
        token = digest(base, str(index))
        run_id = token[:16]
        if run_id in spent:
            continue
        location = target.place.location(target.dataset, generation, run_id)
        target.journal.write(run_id, replaced=False, locations=[location], tables=plan.temporary)
        statement = unload_statement(plan.sql, location, target.dataset.generation.extra)
        query_id = target.athena.start(statement, plan.database, token)
        execution = target.athena.look(query_id)
        if _usable(target, execution, location, last=index >= attempt - 1):
            return Started(run_id, query_id, location)
        delete_prefix(target.s3, location)
        target.journal.forget(run_id)
    raise AssertionError


def _usable(target: Target, execution: Execution, location: str, *, last: bool) -> bool:
    """``last``: no earlier attempt can have started this query, so that its failure is this attempt's own."""
    if execution.state in ("FAILED", "CANCELLED"):
        return last
    if execution.state != "SUCCEEDED":
        return True
    missing = missing_objects(target.s3, execution, location)
    return not missing if missing is not None else last
