"""Tells a service's channel that a dataset fails, once, and once that it is well again.

Whether it fails is seen in the lake: from the records of the run and from what is published, not from the one attempt
that ended. A dataset fails where a run has failed for a generation as new as the newest published one, or newer.

Whoever is to send a message first writes that it will (``told`` is false), by a write that one alone can do, and then
that it has. So two runs do not send the same twice, and what was not sent because a process died is sent by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.environment import Environment
from dapflow.manifest import Manifest
from dapflow.runtime import glue_parameters
from dapflow.runtime.alerts.incident import Incident, IncidentFile, now
from dapflow.runtime.alerts.wording import wording
from dapflow.runtime.generation import Generation, newest
from dapflow.runtime.record import RunRecord
from dapflow.runtime.records import read_records, records_prefix
from dapflow.runtime.target import Target

_LONGEST_SUBJECT = 100


@dataclass
class Alerts:
    """The alerts of one dataset.

    Attributes:
        sns: boto3's client of SNS. progress: told in one line what is sent, and what could not be.
        clock: the moment; replaced in tests.
    """

    target: Target
    manifest: Manifest
    environment: Environment
    sns: Any
    progress: Callable[[str], None]
    clock: Callable[[], datetime] = now

    def __post_init__(self) -> None:
        self.dataset = self.target.dataset
        self.topic = self.environment.services[self.dataset.service].alerts
        self.file = IncidentFile(self.target.s3, self.environment, self.dataset)

    def failed(self, generation: Generation, run: str, page: str = "") -> None:
        """Look at a run that has failed for good: tell of it where the dataset fails, and nobody was told before.

        ``page`` is the address of the run's own page.
        """
        records = self._records(generation, run)
        failed = records[0] if records else None
        if self._expected(failed) or self._well(generation, records):
            return
        claimed = self._claim_failing(generation)
        if claimed is None:
            return
        incident, etag = claimed
        if self._well(generation, records):
            # Published since, by a run that saw no incident yet.
            self.file.write(self._now(incident, state="well", told=True), etag)
        elif not self._send(*self._failing(generation, failed, page)):
            self.file.write(self._now(incident, state="well", told=True), etag)
        elif self.file.write(self._now(incident, told=True), etag) is None:
            self._noted_late(generation)

    def published(self, generation: Generation) -> None:
        """Look whether a generation that is published ends an incident, and tell of it once."""
        while True:
            incident, etag = self.file.read()
            if incident is None or not self._ends(incident, generation):
                return
            unheard = incident.state == "failing" and incident.being_told(self.clock())
            # What is being told this moment says by itself how it goes on.
            closed = self._now(incident, state="well", told=unheard)
            if (written := self.file.write(closed, etag)) is None:
                continue
            if not unheard:
                self._tell_well(closed, generation, written)
            return

    def _ends(self, incident: Incident, generation: Generation) -> bool:
        """Whether a published generation ends an incident, or the end of it has yet to be told."""
        if incident.state == "well" and (incident.told or incident.being_told(self.clock())):
            return False
        return str(generation) >= incident.generation

    def _tell_well(self, closed: Incident, generation: Generation, etag: str) -> None:
        sent = self._send(
            f"{self.dataset.id} is well again",
            f"{self.dataset.id} {generation} is published in {self.environment.name}.\n"
            f"It had failed since {_minute(closed.since)}, last for {closed.generation}.",
        )
        after = self._now(closed, told=True) if sent else self._now(closed, state="failing", told=True)
        self.file.write(after, etag)

    def _claim_failing(self, generation: Generation) -> tuple[Incident, str] | None:
        """Write that the failure is about to be told; None where it was, or is being, by another."""
        while True:
            moment = self.clock()
            incident, etag = self.file.read()
            failing = incident if incident is not None and incident.state == "failing" else None
            last = max(str(generation), failing.generation if failing else "")
            if failing and (failing.told or failing.being_told(moment)):
                if last == failing.generation or self.file.write(replace(failing, generation=last), etag):
                    return None
                continue
            began = failing.since if failing else moment.isoformat(timespec="seconds")
            opened = Incident("failing", last, began, told=False, at=moment.isoformat())
            if (written := self.file.write(opened, etag)) is not None:
                return opened, written

    def _noted_late(self, generation: Generation) -> None:
        """Note that a failure is told, where others wrote meanwhile: a newer failure, or that all is well by now."""
        while True:
            incident, etag = self.file.read()
            if incident is None or (incident.state == "failing" and incident.told):
                return
            if incident.state == "well":
                self._tell_well(incident, self._newest() or generation, etag)
                return
            if self.file.write(self._now(incident, told=True), etag) is not None:
                return

    def _now(self, incident: Incident, **changed: Any) -> Incident:
        return replace(incident, at=self.clock().isoformat(), **changed)

    def _records(self, generation: Generation, run: str) -> list[RunRecord]:
        """The records of a run's attempts, the newest first."""
        prefix = records_prefix(self.environment, self.dataset.zone, self.dataset.service)
        attempts: list[RunRecord] = []
        for record in read_records(self.target.s3, prefix, self.dataset.name, generation):
            if record.run == run:
                attempts.append(record)
                if record.attempt == 1:
                    break
        return attempts

    def _expected(self, record: RunRecord | None) -> bool:
        """Whether a failure says nothing new: files have not come of what comes less often than it is looked for."""
        if record is None or record.error is None or record.error.code != "landing-missing":
            return False
        transforms = (dataset.transform for dataset in self.manifest.datasets.values())
        return any(transform and self.dataset.id in transform.slower_inputs for transform in transforms)

    def _well(self, generation: Generation, records: list[RunRecord]) -> bool:
        """Whether readers have what the run was for, or newer: published before, or since it began."""
        last = self._newest()
        if last is None or last < generation:
            return False
        if last > generation or not records:
            return True
        partition = self.target.partition(generation)
        published = partition.parameters.get(glue_parameters.PUBLISHED_AT, "") if partition else ""
        return bool(published) and datetime.fromisoformat(published) >= records[-1].start

    def _newest(self) -> Generation | None:
        """The newest published generation."""
        place = self.target.place
        partitions = self.target.catalog.partitions(place.database, place.history)
        return newest(day for partition in partitions if (day := partition.generation))

    def _failing(self, generation: Generation, record: RunRecord | None, page: str) -> tuple[str, str]:
        """Subject and text of the message."""
        said, shown = wording(record), self._newest()
        why = f"dapflow why {self.dataset.id} --generation {generation} --environment {self.environment.name}"
        lines = [
            f"{self.dataset.id} {generation} could not be published in {self.environment.name}.",
            f"What: {said.what}",
            f"Where: {said.place}" if said.place else "",
            f"To do: {said.remedy}" if said.remedy else "",
            f"More: {why}",
            f"Run: {page}" if page else "",
            f"Readers see {shown} until then." if shown else "Nothing of it was published so far.",
        ]
        return f"{self.dataset.id} {generation} failed", "\n".join(line for line in lines if line)

    def _send(self, subject: str, text: str) -> bool:
        """Whether the message was sent."""
        try:
            self.sns.publish(TopicArn=self.topic, Subject=subject[:_LONGEST_SUBJECT], Message=text)
        except (ClientError, BotoCoreError) as error:
            self.progress(f"{subject}: nobody could be told: {error}")
            return False
        self.progress(f"told {self.topic}: {subject}")
        return True


def _minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"
