"""Faults at every call, while consumers read, for one operation after the other.

Each case begins with a clean state, lets one run meet its faults, runs once more without any, and compares.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Protocol

import boto3

from dapflow.errors import DapflowError
from dapflow.runtime.aws import Clients, connect
from tests.reliability.faults import KINDS, Fault, Faults, KilledError, Place, at_every_call, in_pairs
from tests.reliability.reading import WRONG, Reader, reading_beside
from tests.runtime.lake import REGION

# Of so many runs that are killed in this process by an exception, one is killed in a process of its own, by SIGKILL.
_KILLED_REALLY = 12
_SEED = 14


class Operation(Protocol):
    """Something that is tried.

    Attributes:
        name: in the tables.
        in_step, beside: who reads after each call that changes something, and who reads all the time.
        publications: how many were begun so far.
        without_grace: whether it deletes at once what a reader may still read, so that nobody may read beside it.
        in_a_process: whether it can be run in a process that is killed.
    """

    name: str
    without_grace: bool
    in_a_process: bool
    in_step: Reader
    beside: Reader
    publications: int

    def prepare(self) -> None:
        """Make the state from which it begins, and what it needs."""

    def run(self, clients: Clients, attempt: int) -> None:
        """Do it. Raises DapflowError."""

    def run_killed(self, faults: Sequence[Fault]) -> bool:
        """Do it in a process that the faults may kill; whether they did."""

    def done(self) -> None:
        """It is done: tell the readers."""

    def state(self) -> object:
        """What is there: catalog, rows, objects; equal where nothing differs that matters."""

    def orphans(self) -> set[str]:
        """Sweep, and give what is there that nothing refers to."""


@dataclass
class Tally:
    """What came of the cases of one operation."""

    operation: str
    cases: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    healed: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    killed_really: int = 0
    publications: int = 0
    reads: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    states: int = 0
    orphans: int = 0
    tracebacks: int = 0
    examples: list[str] = field(default_factory=list)

    def row(self) -> tuple[str | int, ...]:
        """For the table."""
        wrong = (self.wrong[kind] for kind in WRONG)
        return self.operation, self.cases, self.failed, self.publications, self.reads, *wrong, self.states, self.orphans

    @property
    def broken(self) -> bool:
        """Whether anything was seen that must not be."""
        return bool(self.wrong.total() or self.states or self.orphans or self.tracebacks)

    def note(self, case: str, said: object) -> None:
        """Keep an example."""
        if len(self.examples) < 5:
            self.examples.append(f"{self.operation}: {case}: {said}")


HEADINGS = ("", "runs with faults", "failed", "publications", "reads", *WRONG, "state differs", "orphans left")


def try_operation(
    operation: Operation, session: boto3.Session, *, kinds: int = len(KINDS), pairs: int = 0, one_in: int = 1
) -> Tally:
    """Try an operation with ``kinds`` of faults at each call, and with ``pairs`` of them; one case in ``one_in``."""
    calls, clean = _undisturbed(operation, session)
    cases = [(fault,) for fault in at_every_call(calls, kinds)] + in_pairs(calls, pairs, _SEED)
    tally = Tally(operation.name)
    gate = threading.Lock()
    kills = 0
    with reading_beside(operation.beside, gate, pause=0.1):
        for case in cases[::one_in]:
            with gate:
                operation.prepare()
            kill = case[0].kind.startswith("killed")
            kills += kill
            really = operation.in_a_process and len(case) == 1 and kill and kills % _KILLED_REALLY == 1
            with gate if operation.without_grace else nullcontext():
                _disturbed(operation, session, case, tally, really=really)
            operation.done()
            operation.in_step.read_both()
            with gate:
                _compare(operation, clean, case, tally)
    tally.publications = operation.publications
    for reader in (operation.in_step, operation.beside):
        tally.reads += reader.reads
        tally.wrong += reader.wrong
        tally.examples += [f"{operation.name}: {example}" for example in reader.examples]
    return tally


def _undisturbed(operation: Operation, session: boto3.Session) -> tuple[list[Place], object]:
    """The calls of a run that meets no fault, and the state that it leaves once swept."""
    operation.prepare()
    watched = Faults()
    operation.run(watched.put_into(connect(session, REGION)), 1)
    operation.done()
    left = operation.orphans()
    assert not left, left
    # Later looks at a running query are as the first two.
    return [
        place for place in watched.calls if place.operation != "GetQueryExecution" or place.nth <= 2
    ], operation.state()


def _disturbed(
    operation: Operation, session: boto3.Session, case: Sequence[Fault], tally: Tally, *, really: bool
) -> None:
    """One run that meets faults, and where it fails a clean one."""
    tally.cases += 1
    if really:
        failed = operation.run_killed(case)
        tally.killed_really += failed
        tally.faults[case[0].kind] += failed
    else:
        faults = Faults(case, operation.in_step.read)
        failed = _ends_badly(operation, faults.put_into(connect(session, REGION)), case, tally)
        tally.faults.update(fault.kind for fault in faults.met)
        if not failed:
            tally.healed.update(fault.kind for fault in faults.met)
    if failed:
        tally.failed += 1
        operation.run(connect(session, REGION), 2)


def _ends_badly(operation: Operation, clients: Clients, case: Sequence[Fault], tally: Tally) -> bool:
    try:
        operation.run(clients, 1)
    except (DapflowError, KilledError):
        return True
    except Exception as error:  # noqa: BLE001 (a traceback that a user would see)
        tally.tracebacks += 1
        tally.note(_named(case), f"{type(error).__name__}: {error}")
        return True
    return False


def _compare(operation: Operation, clean: object, case: Sequence[Fault], tally: Tally) -> None:
    if left := operation.orphans():
        tally.orphans += len(left)
        tally.note(_named(case), f"left {sorted(left)}")
    if (state := operation.state()) != clean:
        tally.states += 1
        tally.note(_named(case), f"the state is {state} and not {clean}")


def _named(case: Sequence[Fault]) -> str:
    return " and ".join(map(str, case))
