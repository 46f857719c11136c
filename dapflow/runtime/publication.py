"""What a publication is made of, on its way (Staged) and when it is done (Publication)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from dapflow.manifest import Column
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import Partition
from dapflow.runtime.checks.results import CheckSummary
from dapflow.runtime.generation import Generation
from dapflow.runtime.inputs import Input, inputs_record, recorded_inputs
from dapflow.runtime.limit import limits_of
from dapflow.runtime.reading import Inputs
from dapflow.runtime.text_edits import Edit


@dataclass(frozen=True)
class Publication:
    """A generation of a dataset that can be read.

    Attributes:
        dataset: id of the dataset.
        location: the S3 prefix that holds it, which ends in ``/``.
        bytes: size of the Parquet objects.
        bytes_scanned: what Athena read to make it.
        seconds: from the start of the attempt that published it to its publication.
        replaced: the location that this one replaced, or None for a generation that was not there before.
        added_columns: columns that the history table did not have before.
        current: the generation that the current view shows now; it may be a newer one.
        query_id: the UNLOAD's execution in Athena.
        inputs: what a transform read.
        limits: of which part of them, where it was not all (``dapflow.runtime.limit``).
        checks: what came of the checks; None where there were none.
        taken_from: the branch that computed it, where nothing was computed here.
        stale_views: where columns were added or got wider, views that somebody else made over the dataset.
    """

    dataset: str
    generation: Generation
    location: str
    rows: int
    bytes: int
    bytes_scanned: int
    seconds: float
    columns: tuple[Column, ...]
    added_columns: tuple[str, ...] = ()
    replaced: str | None = None
    current: Generation | None = None
    query_id: str | None = None
    inputs: tuple[Input, ...] = ()
    limits: tuple[str, ...] = ()
    checks: CheckSummary | None = None
    stale_views: tuple[str, ...] = ()
    taken_from: str = ""

    def summary(self) -> dict[str, Any]:
        """Plain values: a task's result, an asset event's extra, what ``dapflow run --json`` prints."""
        return {
            "dataset": self.dataset,
            "generation": str(self.generation),
            "rows": self.rows,
            "bytes": self.bytes,
            "bytes_scanned": self.bytes_scanned,
            "seconds": self.seconds,
            "location": self.location,
            "replaced": self.replaced,
            "query_id": self.query_id,
            "inputs": inputs_record(self.inputs),
            "limits": list(self.limits),
            "checks": self.checks.as_dict() if self.checks else None,
            "stale_views": list(self.stale_views),
            "taken_from": self.taken_from,
        }


class PublishedMeanwhileError(PassingError):
    """The generation was published by another run while this one copied it. Nothing is published; it may run again."""


@dataclass(frozen=True)
class Takeover:
    """Where the rows of a publication come from.

    Attributes:
        origin: the run whose query made the rows, where it is not the run that publishes them.
        branch: slug of the branch whose publication was copied; empty for none. run_id: names that publication.
        refused: why a run that looked for such a publication took none; of a branch, why none will be taken.
    """

    origin: str = ""
    branch: str = ""
    run_id: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Staged:
    """A generation whose UNLOAD was started, or that was copied, and that nobody reads yet.

    It survives a trip through JSON (``as_dict``, ``of_dict``), so that Airflow can defer between start and finish.

    Attributes:
        run_id: names the query; last part of ``location``. query_id: empty where none was asked.
        alone: no other attempt can have to do with what is staged: the run has a key of its own.
        own: no earlier attempt can have started the query.
        attempt: which attempt of the run it is, from 1 on.
        edits: what was replaced in the text of the file, so that a place in what was sent is known in the file.
        generation_types: types of the generation columns that the SELECT itself ends with; they have to be checked.
        temporary: tables to drop when the query is done.
        temporary_prefixes: prefixes whose objects are deleted then.
        landing: names the landing files that are loaded; empty for a transform. landed: names their content.
        expected_rows: how many rows were counted before, where they were.
        started: seconds since the epoch.
        inputs: what the query reads, if nothing changes before it is done. limits: of which part of it, if not all.
        sql_sha: of the text that was run; empty for a raw table. The project may have another one by now.
        proof: what the rows follow from (``dapflow.runtime.equality``); empty where nobody asked, or it is not known.
        takeover: where the rows come from, or why no branch's were taken.
        seen_runs: of what was copied, the runs that had published the generation before.
        record: the record of the run (``dapflow.runtime.recording``).
    """

    dataset: str
    generation: str
    run_id: str
    query_id: str
    location: str
    columns: tuple[tuple[str, str, str | None], ...]
    started: float
    edits: tuple[Edit, ...] = ()
    alone: bool = False
    own: bool = True
    attempt: int = 1
    generation_types: tuple[str, ...] = ()
    temporary: tuple[str, ...] = ()
    temporary_prefixes: tuple[str, ...] = ()
    bytes_scanned: int = 0
    expected_rows: int | None = None
    inputs: tuple[Input, ...] = ()
    limits: tuple[str, ...] = ()
    landing: str = ""
    landed: str = ""
    sql_sha: str = ""
    proof: str = ""
    takeover: Takeover = Takeover()
    seen_runs: tuple[str, ...] = ()
    record: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        data = asdict(self)
        return {
            **data,
            "columns": [list(column) for column in self.columns],
            "edits": [list(edit) for edit in self.edits],
        }

    @classmethod
    def of_dict(cls, data: dict[str, Any]) -> Staged:
        """The inverse of ``as_dict``."""
        # A task that was deferred before a deployment wakes up after it: what is new since is not in its data.
        known = {attribute.name: data[attribute.name] for attribute in fields(cls) if attribute.name in data}
        known["columns"] = tuple((column[0], column[1], column[2]) for column in known["columns"])
        listed = ("generation_types", "temporary", "temporary_prefixes", "limits", "seen_runs")
        known |= {name: tuple(known.get(name, ())) for name in listed}
        known["takeover"] = Takeover(**known.get("takeover", {}))
        known["edits"] = tuple((edit[0], edit[1], edit[2]) for edit in known.get("edits", ()))
        known["inputs"] = tuple(Input(**read) for read in known.get("inputs", ()))
        return cls(**known)

    @property
    def described(self) -> tuple[Column, ...]:
        """The columns of the history table that this one needs."""
        return tuple(Column(*column) for column in self.columns)


@dataclass(frozen=True)
class Plan:
    """What shall be staged: a SELECT and what is known about it.

    Attributes:
        identity: what the run id is made of besides dataset, generation and run: equal inputs, equal identity.
        database: physical database in which unqualified names are looked up.
        columns: columns of the history table; None to ask Athena.
        edits: what was replaced in the text of a transform's file.
        inputs: what a transform reads; None for a raw table.
    """

    sql: str
    database: str
    identity: Sequence[str]
    edits: tuple[Edit, ...] = ()
    columns: tuple[Column, ...] | None = None
    inputs: Inputs | None = None
    temporary: tuple[str, ...] = ()
    temporary_prefixes: tuple[str, ...] = ()
    bytes_scanned: int = 0
    expected_rows: int | None = None
    landing: str = ""
    landed: str = ""


def read_publication(dataset: str, partition: Partition, columns: Sequence[Column]) -> Publication | None:
    """The publication that a generation's partition records; None when something else made it."""
    noted = partition.parameters
    if glue_parameters.RUN_ID not in noted:
        return None
    checks = noted.get(glue_parameters.CHECKS)
    return Publication(
        dataset=dataset,
        generation=Generation.parse(partition.values[3]),
        location=partition.location,
        rows=int(noted.get(glue_parameters.ROWS, 0)),
        bytes=int(noted.get(glue_parameters.BYTES, 0)),
        bytes_scanned=int(noted.get(glue_parameters.BYTES_SCANNED, 0)),
        seconds=float(noted.get(glue_parameters.SECONDS, 0)),
        columns=tuple(columns),
        replaced=noted.get(glue_parameters.REPLACES) or None,
        query_id=noted.get(glue_parameters.QUERY_ID),
        inputs=recorded_inputs(json.loads(noted.get(glue_parameters.INPUTS, "[]"))),
        limits=limits_of(noted),
        checks=CheckSummary.of_dict(json.loads(checks)) if checks else None,
    )
