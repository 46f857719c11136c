"""Faults at every call of AWS while consumers read: dapflow beside the way of publishing that it replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import boto3

from tests.reliability.baseline import DropAndCreate
from tests.reliability.faults import KINDS
from tests.reliability.injection import HEADINGS, Operation, Tally, try_operation
from tests.reliability.operations import FILES, NUMBERS, PRODUCT, Publishing, RollingBack, Sweeping
from tests.reliability.part import Figures, Part
from tests.reliability.servers import lakes
from tests.runtime.lake import Lake

FEWEST_PUBLICATIONS = 500


@dataclass(frozen=True)
class Trial:
    """An operation, so many kinds of faults at each of its calls, and pairs of them."""

    make: Callable[[Lake], Operation]
    kinds: int
    pairs: int


TRIALS = (
    Trial(lambda lake: Publishing(lake, NUMBERS, "ingest a day again"), 2, 10),
    Trial(lambda lake: Publishing(lake, NUMBERS, "ingest a new day", new_day=True), 1, 5),
    Trial(lambda lake: Publishing(lake, PRODUCT, "publish a day again"), 2, 10),
    Trial(lambda lake: Publishing(lake, PRODUCT, "publish a new day", new_day=True), 1, 5),
    Trial(RollingBack, 2, 5),
    Trial(Sweeping, 3, 5),
)
BASELINE = Trial(DropAndCreate, len(KINDS), 20)


def measure(*, one_in: int) -> Part:
    """Every trial, each n-th case of it."""
    with lakes() as make_lake:
        tallies = [_tried(trial, make_lake(FILES), one_in) for trial in TRIALS]
        baseline = _tried(BASELINE, make_lake(FILES), one_in)
    broken = [
        f"{tally.operation}: {example}" for tally in tallies if tally.broken for example in tally.examples or ["?"]
    ]
    publications = sum(tally.publications for tally in tallies)
    if one_in == 1 and publications < FEWEST_PUBLICATIONS:
        broken.append(f"there were {publications} publications, and at least {FEWEST_PUBLICATIONS} are to be tried")
    return Part(
        title="Faults at every call, while consumers read",
        promise="Whatever fails, a reader of history or current view finds each generation whole, once, of one "
        "publication, and never an older one than before. One run more without faults leaves what there would be "
        "without any, and a sweep leaves nothing that is not read.",
        done="At each call to AWS of a run (ingest and transform with checks, for a day that is there and for a new "
        f"one; roll-back; sweep), {len(KINDS)} kinds of faults in turn, put where the request leaves the process, so "
        "that the SDK's retries are in play: " + ", ".join(KINDS) + "; at one try or at all; singly and in pairs. One "
        "reader reads after each call that changes something, one all the time. Some kills are SIGKILL to a process "
        "of its own, the others an exception that nothing catches. Publications are all that were begun: with faults, "
        "once more without, and those that a case needs before. The same was done with what dapflow replaces: drop the "
        "table, empty the day's partition, CTAS, MSCK REPAIR.",
        figures=[
            Figures("dapflow", HEADINGS, [tally.row() for tally in (*tallies, _sum(tallies))]),
            Figures("drop, CTAS, MSCK REPAIR", HEADINGS, [baseline.row()]),
            Figures("Faults that came to pass with dapflow, and after which the run published all the same",
                    ("", "faults", "published"), _by_kind(tallies)),
        ],
        broken=broken,
    )  # fmt: skip


def _tried(trial: Trial, lake: Lake, one_in: int) -> Tally:
    lake.overrides["retention_seconds"] = 3600
    tally = try_operation(trial.make(lake), boto3.Session(), kinds=trial.kinds, pairs=trial.pairs, one_in=one_in)
    said = (f"{cell} {heading}".strip() for heading, cell in zip(HEADINGS, tally.row(), strict=True))
    print("  " + ", ".join(said), flush=True)
    return tally


def _sum(tallies: list[Tally]) -> Tally:
    total = Tally("all")
    for tally in tallies:
        total.cases += tally.cases
        total.failed += tally.failed
        total.publications += tally.publications
        total.reads += tally.reads
        total.wrong += tally.wrong
        total.states += tally.states
        total.orphans += tally.orphans
    return total


def _by_kind(tallies: list[Tally]) -> list[tuple[str, int, int]]:
    killed = sum(tally.killed_really for tally in tallies)
    rows = [
        (kind, sum(tally.faults[kind] for tally in tallies), sum(tally.healed[kind] for tally in tallies))
        for kind in KINDS
    ]
    return [*rows, ("of the kills, by SIGKILL", killed, 0)]
