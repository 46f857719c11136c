"""Attempts of one run: a retried attempt takes up the query of the one before instead of paying for a second.

Tokens and prefixes derive from (dataset, generation, run, inputs, index), so that an attempt that asks Athena to start
the query of index 0 again gets the execution that is already there. An index is passed over when its query failed or
was cancelled, when its result was published before (someone cleared a finished task, and wants it anew) or withdrawn,
and when its objects are gone. What is passed over is left to the sweep: the attempt before may still be at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from dapflow.runtime import glue_parameters
from dapflow.runtime.athena import QueryExecution
from dapflow.runtime.catalog import Partition
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import list_objects
from dapflow.runtime.publication import Plan
from dapflow.runtime.staged_files import missing_objects
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import temporary_name


@dataclass(frozen=True)
class Run:
    """Who publishes.

    Attributes:
        key: names the run.
        attempt: 1 for its first attempt, 2 for the next …
        alone: whether nobody else can make an attempt of this run, as another may begin while this one still goes on
            (Airflow takes a task whose heartbeat it misses for dead). Only such a run removes what it made.
    """

    key: str
    attempt: int = 1
    alone: bool = False


@dataclass(frozen=True)
class Started:
    """A query that runs, or is done, for this attempt; of a copy there is none, and its id is empty.

    ``own``: no earlier attempt can have started it, so that its failure is this attempt's own.
    """

    run_id: str
    query_id: str
    location: str
    own: bool


def digest(*parts: str) -> str:
    """64 hexadecimal digits that depend on every part."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def published_runs(partition: Partition | None) -> set[str]:
    """Run ids that were ever published for the generation of a partition."""
    return {run for run in partition.parameters.get(glue_parameters.RUNS, "").split(",") if run} if partition else set()


def withdrawn_runs(history: Mapping[str, Any] | None) -> set[str]:
    """Run ids whose generations were published and withdrawn; their objects are or will be swept."""
    noted = (history or {}).get("Parameters", {}).get(glue_parameters.WITHDRAWN, "")
    return {run for run in noted.split(",") if run}


def unload_statement(sql: str, location: str) -> str:
    """``UNLOAD (…) TO …``. The SELECT stands between line breaks, so that it may end with a ``-- comment``."""
    return f"UNLOAD (\n{sql}\n) TO '{location}' WITH (format = 'PARQUET', compression = 'SNAPPY')"


def taken_up(target: Target, statement: str, database: str, attempt: int, *names: str) -> QueryExecution:
    """Run a statement beside the UNLOAD, or take up the one of an earlier attempt; done, well or badly.

    ``names`` say what the statement belongs to. Interrupted, it stops the statement.
    """
    athena = target.athena
    for index in range(attempt):
        query_id = athena.start(statement, database, digest(*names, statement, str(index)))
        try:
            execution = athena.wait(query_id)
        except KeyboardInterrupt:
            athena.stop(query_id)
            raise
        if execution.state == "SUCCEEDED" or index == attempt - 1:
            return execution
    raise AssertionError


class Attempt:
    """One attempt of a run to stage a generation.

    Args:
        history: the history table, None while there is none.

    Attributes:
        view: name of the view that describes the output; each attempt has its own, and removes it.
        published: the runs that had published the generation when the attempt began.
    """

    def __init__(
        self, target: Target, generation: Generation, plan: Plan, run: Run, history: Mapping[str, Any] | None
    ) -> None:
        self.target = target
        self.plan = plan
        self.number = run.attempt
        place = target.place
        self._base = digest(
            target.dataset.id, generation.key, run.key, plan.sql, plan.database, place.prefix, *plan.identity
        )
        self.view = temporary_name(target.dataset, "columns")
        self.published = published_runs(target.partition(generation))
        spent = self.published | withdrawn_runs(history)
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
            query_id = target.athena.start(unload_statement(plan.sql, location), plan.database, token)
            own = index >= self.number - 1
            if _usable(target, target.athena.look(query_id), location, own=own):
                return Started(token[:16], query_id, location, own)
            self._next()

    def _next(self) -> None:
        """Turn to the next candidate, and write into the journal what the attempt may leave behind."""
        index, token = next(self._candidates)
        location = self.target.place.location(self.target.dataset, self._generation, token[:16])
        self._candidate = index, token, location
        self._locations.append(location)
        tables = [self.view, *self.plan.temporary]
        self.target.journal.write(self._base[:16], locations=self._locations, tables=tables)


def _usable(target: Target, execution: QueryExecution, location: str, *, own: bool) -> bool:
    if execution.failed:
        return own
    if execution.state != "SUCCEEDED":
        return True
    missing = missing_objects(target.s3, execution, location, list_objects(target.s3, location))
    return not missing if missing is not None else own
