"""What is tried while AWS fails: a run of the product, in this process or in one that can be killed."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import boto3

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.publications.published import Publications
from dapflow.runs.history import chosen
from dapflow.runtime import cleanup_journal
from dapflow.runtime.aws import Clients, connect
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from tests.reliability.faults import Fault, Faults, quick_retries
from tests.runtime.lake import REGION


@dataclass(frozen=True)
class Job:
    """One run, of which there may be several attempts. It can be sent to another process.

    ``to`` is the run id to roll back to.
    """

    what: Literal["publish", "roll back", "sweep"]
    dataset: str
    generation: Generation
    run: str
    manifest: Manifest
    environment: Environment
    to: str = ""

    def perform(self, clients: Clients, attempt: int) -> None:
        """Do it as the commands and the Airflow tasks do. Raises DapflowError."""
        publisher = Publisher(clients, self.manifest, self.environment)
        if self.what == "publish":
            publisher.publish(self.dataset, self.generation, self.run, attempt)
        elif self.what == "sweep":
            with nothing_is_young():
                Publisher(clients, self.manifest, replace(self.environment, retention_seconds=0)).sweep(self.dataset)
        else:
            publications = Publications(clients, self.manifest, self.environment)
            wanted = chosen(publications, self.manifest.dataset(self.dataset), self.generation, self.to)
            publisher.rollback(self.dataset, *wanted)


@contextmanager
def nothing_is_young() -> Iterator[None]:
    """Let a sweep find everything old enough."""
    before = cleanup_journal.UNFINISHED_SECONDS
    cleanup_journal.UNFINISHED_SECONDS = 0
    try:
        yield
    finally:
        cleanup_journal.UNFINISHED_SECONDS = before


def killed_in_a_process(job: Job, faults: Sequence[Fault]) -> bool:
    """Perform a job in a process of its own, which the faults may kill; whether they did."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_in_a_process, args=(job, tuple(faults)))
    process.start()
    process.join()
    assert process.exitcode in {0, 1, -signal.SIGKILL}, process.exitcode
    return process.exitcode == -signal.SIGKILL


def _in_a_process(job: Job, faults: Sequence[Fault]) -> None:
    with quick_retries():
        try:
            job.perform(Faults(faults, really=True).put_into(connect(boto3.Session(), REGION)), 1)
        except DapflowError:
            raise SystemExit(1) from None
