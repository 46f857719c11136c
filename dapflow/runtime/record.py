"""The record of a run: what it was to do, what it read and asked, what became of it.

Plain values, so that it is one JSON object (``dapflow.runtime.records``) and a row of the table ``dapflow_runs``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Column
from dapflow.runtime.athena import QueryExecution
from dapflow.runtime.aws import PassingError
from dapflow.runtime.checks.results import CheckResult
from dapflow.runtime.dataset_location import run_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.inputs import Input
from dapflow.runtime.price import usd
from dapflow.runtime.process import has_ended

SCHEMA = 1
# `publishing` is written before the partition is switched, so that a publication is known whatever comes after it.
Outcome = Literal["running", "publishing", "published", "failed", "stopped", "withdrawn"]
# `withdraw` and `reset` took a generation out.
RunKind = Literal["publish", "rollback", "withdraw", "reset"]
# What ``ran_by`` says of a run of Airflow's.
AIRFLOW = "airflow"
_LONGEST_MESSAGE = 4000


@dataclass(frozen=True)
class RecordedQuery:
    """A statement on Athena. ``bytes_scanned`` and ``usd`` are None while it may still run."""

    id: str
    state: str
    bytes_scanned: int | None = None
    usd: float | None = None

    @classmethod
    def of(cls, execution: QueryExecution) -> RecordedQuery:
        """The statement as it ended."""
        return cls(execution.id, execution.state, execution.bytes_scanned, usd(execution))


@dataclass(frozen=True)
class RecordedInput:
    """What was read of a dataset: ``run_id`` names the publication, where it was one generation of dapflow's.

    ``version`` is what the run compared (``dapflow.runtime.inputs``); ``history`` is set where a history was read.
    """

    dataset: str
    generation: str
    run_id: str
    version: str
    history: str = ""

    @classmethod
    def of(cls, read: Input) -> RecordedInput:
        """The input as it is recorded."""
        generation = str(Generation.parse(read.generation)) if read.generation else ""
        return cls(read.dataset, generation, run_of(read.version), read.version, read.history)


@dataclass(frozen=True)
class RecordedCheck:
    """What a check of the staged data found: ``outcome`` is ``passed``, ``failed``, ``warned`` or ``not asked``.

    ``rows`` fail it. What its query read stands with the other queries: many checks may have one.
    """

    name: str
    outcome: str
    rows: int = 0

    @classmethod
    def of(cls, result: CheckResult) -> RecordedCheck:
        """The result as it is recorded."""
        if not result.asked:
            return cls(result.title, "not asked")
        outcome = "passed" if not result.failures else "failed" if result.stops else "warned"
        return cls(result.title, outcome, result.failures)


@dataclass(frozen=True)
class RecordedError:
    """Why a run failed. ``passing``: another attempt may succeed."""

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    passing: bool = False

    @classmethod
    def of(cls, error: BaseException) -> RecordedError:
        """The error as it is recorded; what is no DapflowError is a fault of dapflow's own."""
        first = error.errors[0] if isinstance(error, DapflowErrors) else error
        if not isinstance(first, DapflowError):
            return cls("internal", f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE])
        errors = error.errors if isinstance(error, DapflowErrors) else [first]
        message = "; ".join(mistake.message for mistake in errors)
        passing = isinstance(error, PassingError)
        return cls(first.code, message[:_LONGEST_MESSAGE], first.file, first.line, first.column, first.hint, passing)


@dataclass(frozen=True)
class RunRecord:
    """One attempt of a run, as far as it is known.

    Attributes:
        dataset: its id. generation: the date, ``2013-12-31``.
        run: names the run, of which there may be several attempts; Airflow's run id where Airflow ran it.
        ran_by: who ran it: ``airflow``, or the name of a person.
        process: machine and number of the process that does all of it; empty where several may share it.
        commit: git commit of ``transforms/``, with ``+changes`` where files differed from it; empty where unknown.
        sql_sha256: of the transform's text, 64 hexadecimal digits; empty for a raw table.
        terms_sha256: of how service.yml says to read the landing files; empty for a transform.
        checks_sha256: of what had to hold before it was published (both: ``dapflow.runtime.declared``).
        started, ended: ISO times in UTC. until: when an attempt that has not ended by then must be dead.
        limits: of which part of its inputs the rows were made (``dapflow.runtime.limit``); empty for all of them.
        landed: names the content of the landing files that were loaded; empty for a transform.
        run_id: names the publication; last part of ``location``. Empty until it is staged.
        restores: of a roll-back, the run id of the publication whose objects were published again.
        proof: what the rows follow from (``dapflow.runtime.equality``); empty where nobody asked, or it is not known.
        computed_by: run id of the publication whose query made the rows, where that is another one.
        taken_from: the branch whose publication was copied, and taken_run that publication's run id; else empty.
        not_taken: why a run that looked for such a publication computed the rows; of a branch, why none will be taken.
        replaced: the location that the generation had before; of one that was taken out, its location.
        usd: list price of the queries that this attempt saw the end of.
    """

    dataset: str
    service: str
    zone: str
    generation: str
    run: str
    attempt: int
    environment: str
    started: str
    until: str
    kind: RunKind = "publish"
    ran_by: str = ""
    process: str = ""
    commit: str = ""
    sql_sha256: str = ""
    terms_sha256: str = ""
    checks_sha256: str = ""
    outcome: Outcome = "running"
    ended: str | None = None
    seconds: float | None = None
    landed: str = ""
    limits: tuple[str, ...] = ()
    run_id: str = ""
    restores: str = ""
    proof: str = ""
    computed_by: str = ""
    taken_from: str = ""
    taken_run: str = ""
    not_taken: str = ""
    location: str = ""
    replaced: str | None = None
    rows: int | None = None
    bytes: int | None = None
    bytes_scanned: int | None = None
    usd: float | None = None
    queries: tuple[RecordedQuery, ...] = ()
    inputs: tuple[RecordedInput, ...] = ()
    checks: tuple[RecordedCheck, ...] = ()
    columns: tuple[Column, ...] = ()
    error: RecordedError | None = None
    schema: int = SCHEMA

    def as_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def of_dict(cls, data: dict[str, Any]) -> RunRecord:
        """The inverse of ``as_dict``; what another release wrote more is left out."""
        known = _known(cls, data)
        for name, kind in _LISTS.items():
            known[name] = tuple(kind(**_known(kind, item)) for item in known.get(name) or ())
        known["limits"] = tuple(known.get("limits") or ())
        if known.get("error"):
            known["error"] = RecordedError(**_known(RecordedError, known["error"]))
        return cls(**known)

    @property
    def start(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.started)

    @property
    def origin(self) -> str:
        """The run id of the publication whose rows these are: of a roll-back, of what it restored."""
        return self.restores or self.run_id

    def dead(self, now: datetime) -> bool:
        """Whether it was killed: it has not ended, and its process is gone, or no attempt lives as long."""
        return self.ended is None and (has_ended(self.process) or now > datetime.fromisoformat(self.until))


_LISTS: dict[str, Any] = {"queries": RecordedQuery, "inputs": RecordedInput, "checks": RecordedCheck, "columns": Column}


def moment(seconds: float) -> str:
    """Seconds since the epoch as an ISO time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def later(started: float, seconds: float) -> str:
    """So many seconds after a moment."""
    return (datetime.fromtimestamp(started, UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def _known(kind: Any, data: dict[str, Any]) -> dict[str, Any]:
    return {attribute.name: data[attribute.name] for attribute in fields(kind) if attribute.name in data}
