"""The one way to publish a generation, for raw tables and data products alike.

    stage    compare columns, then UNLOAD the SELECT into a prefix that no one reads
    finish   check what is there, then one catalog call makes it the generation; refresh the current view; sweep

Every step can be repeated, and a crash anywhere leaves the old generation readable.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime import external
from dapflow.runtime.attempts import Run
from dapflow.runtime.aws import Clients, aws_errors
from dapflow.runtime.checks.results import CheckOutcome
from dapflow.runtime.checks.run import run_checks
from dapflow.runtime.finish import Accepted, accept, make_visible
from dapflow.runtime.generation import Generation, check_not_future
from dapflow.runtime.inputs import InputsChangedError
from dapflow.runtime.limit import WHOLE, InputLimit, limited_said
from dapflow.runtime.offers import write_offer
from dapflow.runtime.process import this_process
from dapflow.runtime.publication import Publication, PublishedMeanwhileError, Staged
from dapflow.runtime.reading import Reading
from dapflow.runtime.record import RunRecord
from dapflow.runtime.recording import Recording
from dapflow.runtime.reset import advised, reset
from dapflow.runtime.rollback import restage
from dapflow.runtime.stage import stage
from dapflow.runtime.target import Target
from dapflow.runtime.views_by_hand import stale_views_said
from dapflow.runtime.withdraw import withdraw

# How often a publication begins again because its inputs changed while its query ran, or what it was to replace.
_TRIES = 4

Progress = Callable[[str], None]


def _silent(_line: str) -> None:
    """Say nothing."""


def _now() -> datetime:
    return datetime.now(UTC)


class Publisher:
    """Publishes generations of one project's datasets in one environment.

    Args:
        clients: where AWS is; ``dapflow.runtime.aws.connect`` makes them of a boto3 session.
        manifest: the compiled project.
        environment: physical names.
        progress: told in one line what is being done.
        clock: the moment, with its time zone; replaced in tests.
        allow_future: whether a generation beyond tomorrow may be published.
        by, commit: who runs it and the commit of its text, for the record of each run.
        limit: what it reads of its inputs; in a branch's environment alone.
    """

    def __init__(
        self,
        clients: Clients,
        manifest: Manifest,
        environment: Environment,
        progress: Progress = _silent,
        *,
        clock: Callable[[], datetime] = _now,
        allow_future: bool = False,
        by: str = "",
        commit: str = "",
        limit: InputLimit = WHOLE,
    ) -> None:
        self.clients = clients
        self.manifest = manifest
        self.environment = environment
        self.progress = progress
        self.clock = clock
        self.allow_future = allow_future
        self.by = by
        self.commit = commit
        self.limit = limit
        self._targets: dict[str, Target] = {}
        self._recording: Recording | None = None

    def publish(
        self, dataset_id: str, generation: Generation, run_key: str | None = None, attempt: int = 1
    ) -> Publication:
        """Publish a generation of a dataset: ingest a raw table, run the transform of a data product.

        A generation that is there already is replaced. Where inputs change meanwhile, it begins again. Raises
        DapflowError; PassingError where another attempt may succeed. Either way nothing is published. Interrupted, it
        stops its query.

        Args:
            dataset_id: ``<service>.<zone>.<name>``.
            generation: which one.
            run_key: names the run; attempts of one run take up each other's queries. Absent: a run of its own, which
                removes what it made when it fails.
            attempt: 1 for the first attempt of the run, 2 for the next …
        """
        run = Run(run_key or uuid.uuid4().hex, attempt, alone=run_key is None)
        recording = self._begin(dataset_id, generation, run, this_process())
        with recording.to_its_end():
            return self._publish(dataset_id, generation, run, recording)

    def _publish(self, dataset_id: str, generation: Generation, run: Run, recording: Recording) -> Publication:
        changes = 0
        while True:
            staged = self._stage(dataset_id, generation, run, recording)
            try:
                self._wait(staged)
            except KeyboardInterrupt:
                self._abandon(staged)
                raise
            if self.lost(staged):
                continue
            try:
                return self._finish(staged, recording)
            except (InputsChangedError, PublishedMeanwhileError) as error:
                changes += 1
                if changes == _TRIES:
                    raise
                self.progress(f"{error.message}; once more")

    def stage(
        self,
        dataset_id: str,
        generation: Generation,
        run_key: str,
        attempt: int = 1,
        *,
        lost: Staged | None = None,
        sql_sha: str = "",
    ) -> Staged:
        """Check what can be checked before, and start the UNLOAD.

        Wait for ``query_id``, where there is one; when it was ``lost``, stage again, and say what was lost; then call
        ``finish``. ``sql_sha`` is of the text that is meant, where it matters; DapflowError ``other-text`` for another.
        """
        run = Run(run_key, attempt)
        recording = self._resume(lost) if lost else self._begin(dataset_id, generation, run)
        with recording.to_its_end():
            self._check_text(dataset_id, sql_sha)
            return replace(self._stage(dataset_id, generation, run, recording), record=recording.noted())

    def _check_text(self, dataset_id: str, sql_sha: str) -> None:
        transform = self.target(dataset_id).dataset.transform
        if sql_sha and (transform is None or transform.sha != sql_sha):
            deployed = f", of commit {self.commit}," if self.commit else ""
            raise DapflowError(
                "other-text",
                f"the text that is deployed{deployed} is another than that by which this was planned",
                file=transform.file if transform else None,
                hint="check out the commit that is deployed, or deploy yours; then plan again",
            )

    def wait(self, staged: Staged) -> None:
        """Wait until the UNLOAD of a staged generation is done, well or badly."""
        with self._resume(staged).to_its_end():
            self._wait(staged)

    def _wait(self, staged: Staged) -> None:
        if staged.query_id:
            with aws_errors():
                self.target(staged.dataset).athena.wait(staged.query_id)

    def lost(self, staged: Staged) -> bool:
        """Whether an earlier attempt's query was taken up and came to nothing, so that one has to stage again.

        The earlier attempt may have been alive, and may have stopped the query when it was told to end.
        """
        with aws_errors():
            return not staged.own and self.target(staged.dataset).athena.look(staged.query_id).failed

    def finish(self, staged: Staged) -> Publication:
        """Publish what was staged. Its query must be done."""
        recording = self._resume(staged)
        with recording.to_its_end():
            return self._finish(staged, recording)

    def _finish(self, staged: Staged, recording: Recording) -> Publication:
        target = self.target(staged.dataset)
        with aws_errors(), advised(target.dataset, self.environment):
            try:
                accepted = accept(
                    target,
                    staged,
                    lambda: self._confirm_inputs(staged),
                    lambda rows: self._checked(staged, rows, recording),
                )
                recording.publishing(staged, accepted)
                publication = make_visible(target, staged, accepted)
            except (DapflowError, KeyboardInterrupt):
                if staged.alone:
                    self._abandon(staged)
                raise
            limited = f"; {limited_said(publication.limits)}" if publication.limits else ""
            self.progress(f"{staged.dataset} {publication.generation}: published, {publication.rows} rows{limited}")
            if publication.stale_views:
                self.progress(f"{staged.dataset}: {stale_views_said(publication.stale_views)}")
        if self.environment.offers and staged.proof:
            self._offer(target, staged, accepted)
        recording.published(publication)
        if staged.alone:
            target.drop(staged.temporary, staged.temporary_prefixes)
        # What is published stays published, whether or not old objects can be deleted now.
        with suppress(DapflowError):
            self.sweep(staged.dataset)
        return publication

    def _offer(self, target: Target, staged: Staged, accepted: Accepted) -> None:
        """Let the base take over what the branch has published; without it the base computes it."""
        try:
            write_offer(target.s3, self.environment, target.dataset, staged, accepted.files)
        except (ClientError, BotoCoreError) as error:
            self.progress(f"{staged.dataset}: the base will not know that it is there to be taken over: {error}")

    def _confirm_inputs(self, staged: Staged) -> None:
        target = self.target(staged.dataset)
        Reading(
            catalog=target.catalog,
            manifest=self.manifest,
            environment=self.environment,
            dataset=target.dataset,
            generation=Generation.parse(staged.generation),
            references=target.dataset.transform.references if target.dataset.transform else (),
            limit=self.limit,
        ).confirm(target.s3, staged.inputs)

    def _checked(self, staged: Staged, rows: int, recording: Recording) -> CheckOutcome:
        target = self.target(staged.dataset)
        if target.dataset.checks:
            self.progress(f"{staged.dataset} {Generation.parse(staged.generation)}: checking")
        outcome = run_checks(target, self.manifest, self.environment, staged, rows, recording.checked)
        if outcome.queries and staged.inputs:
            # What checks read must be of the same moment as what the query read.
            self._confirm_inputs(staged)
        for failed in outcome.failed:
            self.progress(f"{staged.dataset}: warning: {failed.title}: {failed.said}")
        return outcome

    def abandon(self, staged: Staged) -> None:
        """Give up what was staged; for a process that is told to end."""
        self._abandon(staged)
        self._resume(staged).stopped("its query was stopped")

    def _abandon(self, staged: Staged) -> None:
        """Stop the query of a staged generation; a run that is alone removes what it made.

        Attempts of one run share objects and tables, and one that was taken for dead may still go on. So theirs are
        left to the sweep. Nothing that a partition points to is touched, whoever let it point there.
        """
        target = self.target(staged.dataset)
        with suppress(ClientError, BotoCoreError, DapflowError):
            if staged.query_id:
                target.athena.stop(staged.query_id)
            if staged.alone:
                if staged.query_id:
                    target.athena.wait(staged.query_id)
                target.drop(staged.temporary, staged.temporary_prefixes)
                target.journal.discard([staged.location], target.live)

    def stop(self) -> None:
        """Stop every query of this publisher that may be running; for a process that is told to end."""
        for target in self._targets.values():
            for query_id in tuple(target.athena.running):
                target.athena.stop(query_id)
        if self._recording is not None:
            self._recording.stopped("its queries were stopped")

    def sweep(self, dataset_id: str) -> list[str]:
        """Delete what publications replaced and failed runs left, once it is old enough; the prefixes deleted."""
        target = self.target(dataset_id)

        with aws_errors():
            return target.journal.sweep(target.live, self.environment.retention_seconds)

    def show(self, dataset_id: str, generation: Generation) -> Generation | None:
        """Let the current view of an external dataset show its newest generation, once it has the one that is named.

        Gives back what is shown, or None where something else makes the view. Raises PassingError ``external-missing``.
        """
        with aws_errors():
            shown = external.show(self.target(dataset_id), generation)
        self.progress(
            f"{dataset_id} {generation}: is there; "
            + (f"the current view shows {shown}" if shown else "something else makes its current view, which is left")
        )
        return shown

    def rollback(self, dataset_id: str, wanted: RunRecord, instead_of: str) -> Publication:
        """Publish once more what a run published, by its record ``wanted``, instead of what another run published.

        Raises DapflowError ``swept`` where its objects are gone, PassingError ``superseded`` where the generation is
        not ``instead_of``'s any more.
        """
        target, generation = self.target(dataset_id), Generation.parse(wanted.generation)
        recording = self._begin(dataset_id, generation, Run(uuid.uuid4().hex, alone=True), this_process(), wanted)
        with recording.to_its_end(), aws_errors():
            staged, accepted = restage(target, wanted, instead_of)
            recording.staged(staged)
            recording.publishing(staged, accepted)
            publication = make_visible(target, staged, accepted)
        recording.published(publication)
        with suppress(DapflowError):
            self.sweep(dataset_id)
        return publication

    def withdraw(self, dataset_id: str, generation: Generation) -> Generation | None:
        """Take a generation out; which one the current view shows now, None when none remains.

        What was made of it stays. Raises DapflowError ``nothing-to-withdraw``.
        """
        with aws_errors():
            return withdraw(self.target(dataset_id), self.environment, generation, self.by)

    def reset(self, dataset_id: str) -> Generation | None:
        """Take every generation out, so that the next one may have other columns; as of when it began.

        Gives back the generation that a run published meanwhile, if one did. Raises DapflowError ``live-environment``
        and ``nothing-to-reset``.
        """
        with aws_errors():
            return reset(self.target(dataset_id), self.environment, self.by)

    def target(self, dataset_id: str) -> Target:
        """Where a dataset lives, with the clients to work on it."""
        if dataset_id not in self._targets:
            dataset = self.manifest.dataset(dataset_id)
            self._targets[dataset_id] = Target.of(dataset, self.manifest, self.environment, self.clients)
        return self._targets[dataset_id]

    def _begin(
        self, dataset_id: str, generation: Generation, run: Run, process: str = "", restored: RunRecord | None = None
    ) -> Recording:
        dataset = self.manifest.dataset(dataset_id)
        if not self.environment.publishes(dataset_id, external=dataset.external):
            raise DapflowError(
                "not-published-here",
                f"{dataset_id} is not published in {self.environment.name}, only read there",
                hint="it belongs to the environment that the branch reads: publish it there",
            )
        if self.limit != WHOLE and not self.environment.branch:
            raise DapflowError(
                "limit-refused",
                f"{self.environment.name} is no environment of a branch: what is published there is made of all inputs",
                hint="leave out the limit, or build a branch: dapflow branch run",
            )
        self._recording = Recording.begin(
            self.target(dataset_id),
            self.environment,
            generation,
            run,
            self.progress,
            by=self.by,
            commit=self.commit,
            process=process,
            restored=restored,
        )
        return self._recording

    def _resume(self, staged: Staged) -> Recording:
        """The record of what was staged, here or by another process; begun late where a release before staged it."""
        if not staged.record:
            return self._begin(staged.dataset, Generation.parse(staged.generation), Run(staged.run_id))
        if self._recording is None or self._recording.uri != staged.record["uri"]:
            self._recording = Recording.resume(self.target(staged.dataset), staged.record, self.progress)
        return self._recording

    def _stage(self, dataset_id: str, generation: Generation, run: Run, recording: Recording) -> Staged:
        target = self.target(dataset_id)
        if not self.allow_future:
            check_not_future(generation, self.clock(), self.manifest.services[target.dataset.service].timezone)
        staged = stage(target, self.manifest, self.environment, generation, run, self.limit, self.progress)
        recording.staged(staged)
        return staged
