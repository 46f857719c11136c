"""Consumers that read all the time, and what they must never see.

The rows of a publication carry its number, and are numbered themselves. So a read that finds something missing, a part,
something twice, two publications in one, or one that is over shows what it is.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset

ROWS = 40
WRONG = ("missing", "partial", "doubled", "mixed", "stale")
ABSENT = 0

# By generation, the numbers of which a reader may find one: first that from before, then that which may be there now.
State = Mapping[str, tuple[int, ...]]
Row = Mapping[str, str | None]


class Truth:
    """What there is to read, as the one who publishes knows it."""

    def __init__(self) -> None:
        self._log: list[State] = [{}]

    def may_become(self, generation: str, number: int) -> None:
        """A publication begins."""
        state = self._log[-1]
        self._log.append({**state, generation: (*state.get(generation, (ABSENT,)), number)})

    def is_now(self, generation: str, number: int) -> None:
        """A publication is done, and no other one is to be seen any more."""
        self._log.append({**self._log[-1], generation: (number,)})

    @property
    def moment(self) -> int:
        """Names a moment."""
        return len(self._log) - 1

    @property
    def generations(self) -> list[str]:
        """Those that are there or may be."""
        return sorted(self._log[-1])

    def since(self, moment: int) -> Sequence[State]:
        """How it was from a moment until now."""
        return self._log[moment:]


def counted(table: str, where: str = "") -> str:
    """A SELECT of what there is in a table, by generation and publication."""
    return f"SELECT import_date, number, count(*) AS c, count(DISTINCT n) AS d FROM {table}{where} GROUP BY 1, 2"


def texts_of(dataset: Dataset) -> dict[str, str]:
    """What a reader of a dataset asks."""
    tables = {"history": dataset.history, "current": dataset.current}
    return {name: counted(f'"{dataset.database}"."{table}"') for name, table in tables.items()}


class Reader:
    """Reads history and current view by turns.

    Args:
        history, current: what ``counted`` gives of each.
        query: gives its rows. Raises DapflowError.

    Attributes:
        texts: the two SELECTs. reads: how many there were.
        wrong: how many of each kind of wrong ones. examples: some of them.
    """

    def __init__(self, truth: Truth, query: Callable[[str], list[dict[str, str | None]]], **texts: str) -> None:
        self.truth = truth
        self.reads = 0
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []
        self._query = query
        self.texts = {"current": texts["current"], "history": texts["history"]}
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], int] = {}

    def read(self) -> None:
        """One more read."""
        with self._lock:
            self.reads += 1
            table = ("current", "history")[self.reads % 2]
            began = self.truth.moment
            try:
                rows: Sequence[Row] = self._query(self.texts[table])
                wrong = set(self._judged(table, rows, began))
            except DapflowError as error:
                rows, wrong = [{"error": error.message}], {"missing"}
            self.wrong.update(wrong)
            if wrong and len(self.examples) < 5:
                self.examples.append(f"{', '.join(sorted(wrong))}: {table} gave {list(rows)}")

    def read_both(self) -> None:
        """One read of each."""
        self.read()
        self.read()

    def _judged(self, table: str, rows: Sequence[Row], began: int) -> Iterator[str]:
        """What is wrong with a read."""
        states = self.truth.since(began)
        for row in rows:
            counted, distinct = int(row["c"] or 0), int(row["d"] or 0)
            if distinct < ROWS:
                yield "partial"
            if counted > distinct:
                yield "doubled"
        by_generation: dict[str, set[int]] = {}
        for row in rows:
            by_generation.setdefault(str(row["import_date"]), set()).add(int(row["number"] or 0))
        if any(len(numbers) > 1 for numbers in by_generation.values()) or (
            table == "current" and len(by_generation) > 1
        ):
            yield "mixed"
            return
        read = {generation: next(iter(numbers)) for generation, numbers in by_generation.items()}
        if table == "current":
            yield from self._judged_view(read, states)
            return
        for generation in {generation for state in states for generation in state} | read.keys():
            yield from self._judged_one(table, generation, read.get(generation, ABSENT), states)

    def _judged_view(self, read: dict[str, int], states: Sequence[State]) -> Iterator[str]:
        if not read:
            yield "missing"
            return
        ((generation, number),) = read.items()
        may_be_newest = any(
            all(ABSENT in numbers for newer, numbers in state.items() if newer > generation) for state in states
        )
        if not may_be_newest:
            yield "stale"
        yield from self._judged_one("current", generation, number, states)

    def _judged_one(self, table: str, generation: str, number: int, states: Sequence[State]) -> Iterator[str]:
        allowed = [state.get(generation, (ABSENT,)) for state in states]
        if not any(number in numbers for numbers in allowed):
            yield "missing" if number == ABSENT else "stale"
            return
        if len(states) == 1:
            # While one publication goes on, what was new once is not old again.
            before = self._last.get((table, generation), number)
            if before in allowed[0] and allowed[0].index(number) < allowed[0].index(before):
                yield "missing" if number == ABSENT else "stale"
            self._last[table, generation] = number


@contextmanager
def reading_beside(reader: Reader, gate: threading.Lock, pause: float = 0.0) -> Iterator[None]:
    """Let a reader read beside all that happens, except while someone has the gate."""
    stop = threading.Event()

    def poll() -> None:
        while not stop.is_set():
            with gate:
                reader.read()
            time.sleep(pause)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
