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


class Attempt:
    """One attempt of a run to stage a generation.

    Attributes:
        view: name of the view that describes the output; the same for every attempt, so that each can remove it.
    """

    def __init__(self, target: Target, generation: Generation, plan: Plan, *, run_key: str, number: int) -> None:
        self.target = target
        self.plan = plan
        self.number = number
        place = target.place
        self._base = digest(
            target.dataset.id, generation.key, run_key, plan.sql, plan.database, place.prefix, *plan.identity
        )
        self.view = f"{target.dataset.name}__columns_{self._base[:12]}"
        spent = published_runs(target.partitions(generation))
        numbered = ((index, digest(self._base, str(index))) for index in count())
        self._candidates = ((index, token) for index, token in numbered if token[:16] not in spent)
        self._locations: list[str] = []
        self._generation = generation
        self._next()

    def start(self) -> Started:
        """Start the UNLOAD, or take up the one that an earlier attempt started."""
        target, plan = self.target, self.plan
        while True:
            index, token, location = self._candidate
            statement = unload_statement(plan.sql, location, target.dataset.generation.extra)
            query_id = target.athena.start(statement, plan.database, token)
            if _usable(target, target.athena.look(query_id), location, last=index >= self.number - 1):
                return Started(token[:16], query_id, location)
            delete_prefix(target.s3, location)
            self._next()

    def _next(self) -> None:
        """Turn to the next candidate, and write into the journal what the attempt may leave behind."""
        index, token = next(self._candidates)
        location = self.target.place.location(self.target.dataset, self._generation, token[:16])
        self._candidate = index, token, location
        self._locations.append(location)
        tables = [self.view, *self.plan.temporary]
        self.target.journal.write(self._base[:16], locations=self._locations, tables=tables)


def _usable(target: Target, execution: Execution, location: str, *, last: bool) -> bool:
    """``last``: no earlier attempt can have started this query, so that its failure is this attempt's own."""
    if execution.state in ("FAILED", "CANCELLED"):
        return last
    if execution.state != "SUCCEEDED":
        return True
    missing = missing_objects(target.s3, execution, location)
    return not missing if missing is not None else last
