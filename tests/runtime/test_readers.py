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

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.generation import Generation
from tests.runtime.crashing import CallCounter, CrashError, crashing_publisher
from tests.runtime.lake import DAY, Lake

ROWS = 40
# The calls with which a publication changes something; the quick form ends once before and once after each.
STEPS = 6
NEW_GENERATION_EVERY = 60


class Reader:
    """Reads history and current view by turns, and notes what a consumer must never see."""

    def __init__(self, lake: Lake, product: Dataset) -> None:
        self.lake, self.reads = lake, 0
        self.wrong: list[str] = []
        self._view = (
            f'SELECT import_date, number, count(*) AS c, count(DISTINCT n) AS d FROM "{product.database}".product'
        )
        self._newest: dict[str, int] = {}

    def read(self) -> None:
        """One more read."""
        self.reads += 1
        table = ("", "_history")[self.reads % 2]
        try:
            rows = self.lake.query(f"{self._view}{table} GROUP BY 1, 2")
        except DapflowError as error:
            self.wrong.append(f"read {self.reads}: {error}")
            return
        generations = [str(row["import_date"]) for row in rows]
        counts = {(row["c"], row["d"]) for row in rows}
        # The view shows one generation; none that was there goes away, and each is of one publication.
        whole = counts == {(str(ROWS), str(ROWS))} and len(set(generations)) == len(rows)
        there = len(rows) == 1 if not table else set(generations) >= self._newest.keys()
        numbers = {generation: int(row["number"] or 0) for generation, row in zip(generations, rows, strict=True)}
        back = [generation for generation, number in numbers.items() if number < self._newest.get(generation, 0)]
        if not whole or not there or back:
            self.wrong.append(f"read {self.reads} of product{table}: {rows}")
        if table:
            self._newest |= numbers


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
    product = of_number(lake, 0)
    lake.publish(product)
    in_step, beside = Reader(lake, product), Reader(lake, product)
    stop = threading.Event()
    thread = threading.Thread(target=lambda: poll(beside, stop))
    thread.start()
    died = 0
    try:
        for number in range(1, publications + 1):
            while beside.reads < polls * number:
                time.sleep(0.01)
            generation = Generation(DAY.day + timedelta(days=number // NEW_GENERATION_EVERY))
            product = of_number(lake, number)
            watched = Watched(1 + number // 2 % STEPS, bool(number % 2), in_step)
            run = f"{lake.run}{number}"
            try:
                crashing_publisher(lake, watched).publish(product.id, generation, run, 1)
            except CrashError:
                died += 1
            # Of three runs that died one is not tried again: the next one follows.
            if number % 3:
                lake.publisher.publish(product.id, generation, run, 2)
            in_step.read()
    finally:
        stop.set()
        thread.join()
    assert in_step.wrong + beside.wrong == []
    assert died == publications
    print(f"{died} of {publications} publications died, {in_step.reads} reads in step, {beside.reads} beside")


def poll(reader: Reader, stop: threading.Event) -> None:
    while not stop.is_set():
        reader.read()


def of_number(lake: Lake, number: int) -> Dataset:
    """The product, as the text of its publication of this number has it."""
    return lake.product("product", f"SELECT {number} AS number, n FROM UNNEST(sequence(1, {ROWS})) AS t(n)")
