"""A record while its run goes on: written when the run begins, before the switch, and when it ends.

Without the first two nothing is published: both come before anything that would be lost, and another attempt takes up
the query. The last may fail, and the generation stays published: a run that failed then would publish it a second time,
while what was published is in the record already. docs/decisions/records.md weighs this.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.environment import Environment
from dapflow.runtime.attempts import Run
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.catalog import Partition
from dapflow.runtime.checks.results import CheckResult
from dapflow.runtime.declared import checks_sha256, terms_sha256
from dapflow.runtime.finish import LATE_SECONDS, Accepted
from dapflow.runtime.generation import Generation
from dapflow.runtime.publication import Publication, Staged
from dapflow.runtime.record import (
    Outcome,
    RecordedCheck,
    RecordedError,
    RecordedInput,
    RecordedQuery,
    RunKind,
    RunRecord,
    later,
    moment,
)
from dapflow.runtime.records import record_uri, write_record
from dapflow.runtime.target import Target

Progress = Callable[[str], None]


class Recording:
    """The record of one attempt.

    Attributes:
        uri: where it is kept. record: what it says by now.
    """

    def __init__(self, target: Target, uri: str, record: RunRecord, progress: Progress) -> None:
        self.target = target
        self.uri = uri
        self.record = record
        self.progress = progress
        self._asked_before = frozenset(target.athena.done)
        self._noted = record.queries

    @classmethod
    def begin(
        cls,
        target: Target,
        environment: Environment,
        generation: Generation,
        run: Run,
        progress: Progress,
        *,
        by: str = "",
        commit: str = "",
        process: str = "",
        restored: RunRecord | None = None,
    ) -> Recording:
        """Write that a run begins. Raises DapflowError where it cannot be written.

        ``process``: where one does all of it. ``restored``: of a roll-back, the record of what it publishes once more.
        """
        dataset, started = target.dataset, time.time()
        text = dataset.transform.sql.encode() if dataset.transform else None
        record = RunRecord(
            dataset=dataset.id,
            service=dataset.service,
            zone=dataset.zone,
            generation=str(generation),
            run=run.key,
            attempt=run.attempt,
            environment=environment.name,
            started=moment(started),
            # What comes later than this stands back, whatever it has.
            until=later(started, LATE_SECONDS),
            ran_by=by,
            process=process,
            commit=commit,
            sql_sha256=hashlib.sha256(text).hexdigest() if text is not None else "",
            terms_sha256=terms_sha256(dataset),
            checks_sha256=checks_sha256(dataset),
        )
        if restored is not None:
            record = replace(
                record,
                kind="rollback",
                restores=restored.origin,
                commit=restored.commit,
                sql_sha256=restored.sql_sha256,
                terms_sha256=restored.terms_sha256,
                checks_sha256=restored.checks_sha256,
            )
        recording = cls(target, record_uri(environment, dataset, record), record, progress)
        with aws_errors():
            write_record(target.s3, recording.uri, record)
        return recording

    @classmethod
    def resume(cls, target: Target, noted: dict[str, Any], progress: Progress) -> Recording:
        """Go on with what another process noted with what it staged."""
        return cls(target, noted["uri"], RunRecord.of_dict(noted["record"]), progress)

    def noted(self) -> dict[str, Any]:
        """Plain values that JSON can hold, for ``resume``."""
        self._note()
        return {"uri": self.uri, "record": self.record.as_dict()}

    @contextmanager
    def to_its_end(self) -> Iterator[None]:
        """Write how it ends, where it ends by an exception."""
        try:
            yield
        except Exception as error:
            self._end("failed", RecordedError.of(error))
            raise
        except BaseException as error:
            self.stopped(f"{type(error).__name__} {error}".strip())
            raise

    def staged(self, staged: Staged) -> None:
        """Note what is read, and where the rows come from; it is written with what becomes of the run."""
        self._note(
            landed=staged.landed,
            limits=staged.limits,
            inputs=tuple(RecordedInput.of(read) for read in staged.inputs),
            proof=staged.proof,
            computed_by=staged.takeover.origin,
            taken_from=staged.takeover.branch,
            taken_run=staged.takeover.run_id,
            not_taken=staged.takeover.refused,
        )

    def checked(self, results: Sequence[CheckResult]) -> None:
        """Note what the checks found; it is written with what becomes of the run."""
        self._note(checks=tuple(RecordedCheck.of(result) for result in results))

    def publishing(self, staged: Staged, accepted: Accepted) -> None:
        """Write what is about to be published. Raises what S3 raises."""
        self._note(
            outcome="publishing",
            run_id=staged.run_id,
            location=staged.location,
            rows=accepted.files.count,
            bytes=accepted.files.bytes,
            columns=staged.described,
        )
        write_record(self.target.s3, self.uri, self.record)

    def published(self, publication: Publication) -> None:
        """Write that it is published."""
        self._note(replaced=publication.replaced)
        self._end("published")

    def stopped(self, why: str) -> None:
        """Write that it was told to end. What has ended already stays as it is."""
        self._end("stopped", RecordedError("stopped", f"the run was told to end: {why}", passing=True))

    def _note(self, **known: Any) -> None:
        """Bring the record up to date: the queries that were asked since, and what is ``known``."""
        athena = self.target.athena
        new = [RecordedQuery.of(execution) for key, execution in athena.done.items() if key not in self._asked_before]
        open_ = [RecordedQuery(key, "RUNNING") for key in sorted(athena.running)]
        known_now = {query.id for query in (*new, *open_)}
        queries = (*(query for query in self._noted if query.id not in known_now), *new, *open_)
        self.record = replace(
            self.record,
            queries=queries,
            bytes_scanned=sum(query.bytes_scanned or 0 for query in queries),
            usd=round(sum(query.usd or 0.0 for query in queries), 12),
            **known,
        )

    def _end(self, outcome: Outcome, error: RecordedError | None = None) -> None:
        if self.record.ended is not None:
            return
        now = time.time()
        seconds = round(max(0.0, now - self.record.start.timestamp()), 3)  # clocks step back
        self._note(outcome=outcome, ended=moment(now), seconds=seconds, error=error)
        try:
            write_record(self.target.s3, self.uri, self.record)
        except (ClientError, BotoCoreError) as failure:
            self.progress(f"{self.record.dataset} {self.record.generation}: its record could not be written: {failure}")


def record_taken_out(
    target: Target, environment: Environment, kind: RunKind, partitions: Sequence[Partition], by: str
) -> None:
    """Write who takes these generations out, before it is done. Raises what S3 raises."""
    now, run = moment(time.time()), uuid.uuid4().hex
    for generation, location in {part.generation: part.location for part in partitions}.items():
        if generation is None:
            continue
        record = RunRecord(
            dataset=target.dataset.id,
            service=target.dataset.service,
            zone=target.dataset.zone,
            generation=str(generation),
            run=run,
            attempt=1,
            environment=environment.name,
            started=now,
            until=now,
            kind=kind,
            ran_by=by,
            outcome="withdrawn",
            ended=now,
            seconds=0.0,
            replaced=location,
        )
        write_record(target.s3, record_uri(environment, target.dataset, record), record)
