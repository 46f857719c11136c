"""Whatever happens in whatever order: a generation is made of what it says, and of nothing newer than itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runs.history import chosen
from dapflow.runtime.aws import Clients
from dapflow.runtime.bounds import is_up_to
from dapflow.runtime.catalog import Partition
from dapflow.runtime.generation import Generation
from dapflow.runtime.input_look import partitions_digest
from dapflow.runtime.publish import Publisher
from tests.reliability.jobs import nothing_is_young
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError
from tests.runtime.lake import Lake

FILES = {
    "north/service.yml": "sources: {a: {columns: {v: integer, text: string}}}\ngrants: {south: [raw, refined]}\n",
    "north/refined/p.sql": "SELECT v FROM a",
    "north/refined/p.yml": "checks: {known: {not_null: v}}\n",
    "south/service.yml": "sources: {b: {columns: {v: integer}}}\nreads: [north.raw, north.refined]\n",
    "south/refined/q.sql": "SELECT p.v AS v, b.v AS w FROM north_refined_zone.p CROSS JOIN b",
    "south/refined/q.yml": "inputs: {b: {on_missing: previous}}\n",
    "south/refined/h.sql": (
        "SELECT v, import_date AS d FROM north_raw_zone.a_history "
        "WHERE import_date = (SELECT max(import_date) FROM north_raw_zone.a_history) "
        "UNION ALL SELECT CAST(count(*) AS integer), 'parts' FROM north_raw_zone.\"a_history$partitions\" "
        "UNION ALL SELECT CAST(sum(v) AS integer), 'all' FROM north_refined_zone.p_history"
    ),
}
RAW = ("north.raw.a", "south.raw.b")
PRODUCTS = ("north.refined.p", "south.refined.q", "south.refined.h")
DAYS = [Generation.parse(day) for day in ("2013-12-30", "2013-12-31", "2014-01-01")]

Row = tuple[str | None, ...]


class Generations(RuleBasedStateMachine):
    """Two services: landings, corrections, late days, runs, runs again, retries, kills, changes while a query runs.

    And values that a check refuses, roll-backs, sweeps.
    """

    lake: Lake

    def __init__(self) -> None:
        super().__init__()
        self.value = 0
        self.run_keys: dict[tuple[str, Generation], tuple[str, int]] = {}
        # What was published, by the prefix that holds it; a prefix is never written to again.
        self.rows: dict[str, list[Row]] = {}
        # By dataset, every state that its history ever had: the generations and their prefixes.
        self.states: dict[str, list[dict[Generation, str]]] = {}

    @initialize(first=st.integers(0, 2), kept=st.booleans())
    def begin(self, first: int, kept: bool) -> None:
        """``kept``: whether what is replaced stays for a while, so that it can be rolled back to."""
        self.lake.overrides["retention_seconds"] = 3600 if kept else 0
        self.land_and_publish(RAW[0], DAYS[first])
        self.land_and_publish(RAW[1], DAYS[0])

    @rule(dataset=st.sampled_from(RAW), day=st.sampled_from(DAYS))
    def land_and_publish(self, dataset: str, day: Generation) -> None:
        self.land(dataset, day)
        self.run(self.lake.publisher, dataset, day)

    @rule(day=st.sampled_from(DAYS))
    def land_what_a_check_refuses(self, day: Generation) -> None:
        self.land(RAW[0], day, known=False)
        self.run(self.lake.publisher, RAW[0], day)

    @rule(dataset=st.sampled_from(PRODUCTS), day=st.sampled_from(DAYS))
    def run_product(self, dataset: str, day: Generation) -> None:
        self.run(self.lake.publisher, dataset, day)

    @rule(day=st.sampled_from(DAYS), newest_first=st.booleans())
    def run_all(self, day: Generation, newest_first: bool) -> None:
        for dataset in reversed(PRODUCTS) if newest_first else PRODUCTS:
            self.run(self.lake.publisher, dataset, day)

    @rule(
        dataset=st.sampled_from((*RAW, *PRODUCTS)), day=st.sampled_from(DAYS), at=st.integers(1, 12), late=st.booleans()
    )
    def kill(self, dataset: str, day: Generation, at: int, late: bool) -> None:
        """A process that ends at one of its calls; the next attempt of the same run may follow."""
        clients = CallCounter(at, late).clients(self.lake.clients)
        with suppress(CrashError):
            self.run(Publisher(clients, self.lake.manifest, self.lake.environment), dataset, day)
        self.look()

    @rule(dataset=st.sampled_from((*RAW, *PRODUCTS)), day=st.sampled_from(DAYS))
    def retry(self, dataset: str, day: Generation) -> None:
        """Another attempt of the last run of this generation, which takes up its query where that is right."""
        run_key, attempt = self.run_keys.get((dataset, day), (uuid.uuid4().hex, 0))
        self.run(self.lake.publisher, dataset, day, run_key, attempt + 1)

    @rule(
        dataset=st.sampled_from(PRODUCTS), day=st.sampled_from(DAYS),
        changed=st.sampled_from((*RAW, PRODUCTS[0])), other=st.sampled_from(DAYS), done=st.booleans(),
    )  # fmt: skip
    def change_meanwhile(self, dataset: str, day: Generation, changed: str, other: Generation, done: bool) -> None:
        """An input is published after a run has looked at its inputs, before or after the run's query."""
        publisher = self.lake.publisher
        with suppress(DapflowError):
            staged = publisher.stage(dataset, day, uuid.uuid4().hex)
            if done:
                publisher.wait(staged)
            if changed in RAW:
                self.land(changed, other)
            self.run(self.lake.publisher, changed, other)
            publisher.wait(staged)
            publisher.finish(staged)
        self.look()

    @rule(dataset=st.sampled_from((*RAW, PRODUCTS[0])), day=st.sampled_from(DAYS))
    def withdraw(self, dataset: str, day: Generation) -> None:
        with suppress(DapflowError):
            self.lake.publisher.withdraw(dataset, day)
        self.look()

    @rule(
        dataset=st.sampled_from((*RAW, *PRODUCTS)), day=st.sampled_from(DAYS),
        at=st.one_of(st.none(), st.integers(1, 8)), late=st.booleans(),
    )  # fmt: skip
    def roll_back(self, dataset: str, day: Generation, at: int | None, late: bool) -> None:
        """To the publication before; by a process that may end at one of its calls."""
        clients = CallCounter(at, late).clients(self.lake.clients)
        publisher = Publisher(clients, self.lake.manifest, self.lake.environment)
        try:
            wanted, instead_of = chosen(self.lake.publications, self.lake.datasets[dataset], day, None)
            made = publisher.rollback(dataset, wanted, instead_of)
        except CrashError:
            self.look()
        except DapflowError as error:
            assert error.code in {"nothing-to-roll-back", "swept"}, error
        else:
            self.look()
            assert self.rows[made.location] == self.rows.get(wanted.location, self.rows[made.location])

    @rule(dataset=st.sampled_from((*RAW, *PRODUCTS)))
    def sweep(self, dataset: str) -> None:
        """Long after all that was begun."""
        with nothing_is_young():
            self.lake.publisher.sweep(dataset)

    @invariant()
    def no_check_was_passed_over(self) -> None:
        """What is published of a product with a check holds to it."""
        for location in self.partitions(PRODUCTS[0]).values():
            assert all(value is not None for (value,) in self.rows[location])

    @invariant()
    def every_generation_is_what_it_says(self) -> None:
        for product in PRODUCTS:
            for day, location in self.partitions(product).items():
                read = {noted["dataset"]: noted for noted in self.noted(product, day)}
                assert all(noted["generation"] <= day.key for noted in read.values()), (product, day, read)
                assert self.rows[location] == sorted(self.by_hand(product, day, read), key=str), (product, day, read)

    # -- what the rules are made of

    def land(self, dataset: str, day: Generation, *, known: bool = True) -> None:
        self.value += 1
        text = f"v,text\n{self.value if known else ''},x\n" if dataset == RAW[0] else f"v\n{self.value}\n"
        self.lake.land(self.lake.datasets[dataset], day, x_csv=text)

    def run(
        self, publisher: Publisher, dataset: str, day: Generation, run_key: str | None = None, attempt: int = 1
    ) -> None:
        key = run_key or uuid.uuid4().hex
        self.run_keys[dataset, day] = key, attempt
        try:
            publisher.publish(dataset, day, key, attempt)
        except DapflowError as error:
            assert error.code in {"not-published", "landing-missing", "check-failed"}, error
        self.look()

    def look(self) -> None:
        """Take down what is there now: what a prefix holds, and the state of every history."""
        for dataset in (*RAW, *PRODUCTS):
            state = self.partitions(dataset)
            states = self.states.setdefault(dataset, [{}])
            if states[-1] != state:
                states.append(state)
            for day, location in state.items():
                if location not in self.rows:
                    self.rows[location] = self.ask(self.lake.datasets[dataset], day)

    def ask(self, dataset: Dataset, day: Generation) -> list[Row]:
        table = f'"{dataset.database}"."{dataset.history}"'
        rows = self.lake.query(f"SELECT * FROM {table} WHERE import_date = '{day.key}'")
        return sorted((tuple(list(row.values())[:-4]) for row in rows), key=str)

    def partitions(self, dataset: str) -> dict[Generation, str]:
        return {partition.generation: partition.location for partition in self.listed(dataset) if partition.generation}

    def listed(self, dataset: str) -> list[Any]:
        target = self.lake.publisher.target(dataset)
        return target.catalog.partitions(target.place.database, target.place.history)

    def noted(self, product: str, day: Generation) -> list[dict[str, Any]]:
        (partition,) = (partition for partition in self.listed(product) if partition.generation == day)
        return list(json.loads(partition.parameters["dapflow.inputs"]))

    def by_hand(self, product: str, day: Generation, read: dict[str, dict[str, Any]]) -> Iterator[Row]:
        """What the product's SQL gives over what the generation says it read."""
        if product == "north.refined.p":
            yield from ((value,) for value, _ in self.rows[read["north.raw.a"]["version"]])
        elif product == "south.refined.q":
            left, right = (self.rows[read[name]["version"]] for name in ("north.refined.p", "south.raw.b"))
            yield from ((*row, *other) for row in left for other in right)
        else:
            raw, refined = (self.history(name, day, read[name]) for name in ("north.raw.a", "north.refined.p"))
            newest = max(raw)
            yield from ((value, newest.key) for value, _ in self.rows[raw[newest]])
            yield str(len(raw)), "parts"
            yield str(sum(int(row[0] or 0) for location in refined.values() for row in self.rows[location])), "all"

    def history(self, dataset: str, day: Generation, read: dict[str, Any]) -> dict[Generation, str]:
        """The state of a history that a generation says it read, up to the run's day."""
        for state in self.states[dataset]:
            parts = [Partition(generation.values, {"Location": location}, {}) for generation, location in state.items()]
            known = [part for part in parts if is_up_to(part, day)]
            if partitions_digest(known) == read["history"]:
                return {partition.generation: partition.location for partition in known if partition.generation}
        raise AssertionError(f"{dataset} was never what {read} says")


@pytest.fixture
def machine(clients: Clients, tmp_path: Any) -> type[Generations]:
    """The machine, each run of which begins with an empty lake."""

    class Machine(Generations):
        def __init__(self) -> None:
            super().__init__()
            self.lake = empty_lake(clients)
            self.lake.compile(tmp_path, FILES)

    return Machine


MANY = settings(
    max_examples=25, stateful_step_count=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.slow
def test_any_order_of_many_steps(machine: type[Generations]) -> None:
    run_state_machine_as_test(machine, settings=MANY)
