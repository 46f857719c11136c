"""Consumers read all the time while publications die: each read finds a generation whole, and one publication of it.

A publication's rows carry its number, so a missing, partial, doubled or mixed read shows. One reader looks after every
call with which a publication changes something, in step with it; another one polls beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dapflow.manifest import Dataset
from dapflow.runtime.generation import Generation
from tests.reliability.reading import ROWS, Reader, Truth, reading_beside, texts_of
from tests.runtime.crashing import CallCounter, CrashError, crashing_publisher
from tests.runtime.lake import DAY, Lake

# The calls with which a publication changes something; the quick form ends once before and once after each.
STEPS = 6
NEW_GENERATION_EVERY = 60


class Watched(CallCounter):
    """Has a reader look after every changing call, also after the one that the process did not survive."""

    def __init__(self, crash_at: int, late: bool, reader: Reader) -> None:
        super().__init__(crash_at, late)
        self._reader = reader

    def made(self, name: str, call: Callable[[], Any]) -> Any:
        alive = not self.dead
        try:
            return super().made(name, call)
        finally:
            if alive:
                self._reader.read()


@pytest.mark.parametrize(
    ("publications", "polls"), [(STEPS, 0), pytest.param(663, 12_653 // 663, marks=pytest.mark.slow)]
)
def test_no_reader_sees_a_publication_that_died(lake: Lake, publications: int, polls: int) -> None:
    """``polls``: the fewest reads beside each publication."""
    # A reader that has planned its query has a minute to read what is replaced.
    lake.overrides["retention_seconds"] = 60
    product = of_number(lake, 1)
    lake.publish(product)
    truth = Truth()
    truth.is_now(DAY.key, 1)
    in_step, beside = (Reader(truth, lake.query, **texts_of(product)) for _ in "12")
    died = 0
    with reading_beside(beside, threading.Lock()):
        for number in range(2, publications + 2):
            while beside.reads < polls * number:
                time.sleep(0.01)
            generation = Generation(DAY.day + timedelta(days=number // NEW_GENERATION_EVERY))
            product = of_number(lake, number)
            truth.may_become(generation.key, number)
            watched = Watched(1 + number // 2 % STEPS, bool(number % 2), in_step)
            run = f"{lake.run}{number}"
            try:
                crashing_publisher(lake, watched).publish(product.id, generation, run, 1)
            except CrashError:
                died += 1
            # Of three runs that died one is not tried again: the next one follows.
            if number % 3:
                lake.publisher.publish(product.id, generation, run, 2)
                truth.is_now(generation.key, number)
            in_step.read()
    assert in_step.wrong + beside.wrong == {}, in_step.examples + beside.examples
    assert died == publications
    print(f"{died} of {publications} publications died, {in_step.reads} reads in step, {beside.reads} beside")


def of_number(lake: Lake, number: int) -> Dataset:
    """The product, as the text of its publication of this number has it."""
    return lake.product("product", f"SELECT {number} AS number, n FROM UNNEST(sequence(1, {ROWS})) AS t(n)")
