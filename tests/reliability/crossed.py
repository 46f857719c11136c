"""Runs that cross: of one generation at once, of several in the wrong order, again while objects are read."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations

from dapflow.manifest import Dataset
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import list_objects, read_object
from dapflow.runtime.publish import Publisher
from tests.reliability.part import Figures, Part
from tests.reliability.reading import ROWS, WRONG, Reader, Truth, reading_beside, texts_of
from tests.reliability.servers import MakeLake, lakes
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

FILES = {"air_traffic/service.yml": "title: Air\n"}
GRACE_SECONDS = 600


@dataclass
class Crossing:
    """A product of numbered publications, its readers, and what came of them."""

    lake: Lake
    name: str
    truth: Truth = field(default_factory=Truth)
    rounds: int = 0
    wrong_ends: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lake.overrides["retention_seconds"] = GRACE_SECONDS
        self.reader = Reader(self.truth, self.lake.query, **texts_of(self.product(1)))
        self.publish(1, EARLIER)

    def product(self, number: int) -> Dataset:
        """The product, as the text of its publication of this number has it."""
        return self.lake.product("product", f"SELECT {number} AS number, n FROM UNNEST(sequence(1, {ROWS})) AS t(n)")

    def publish(self, number: int, day: Generation) -> None:
        """Publish without anything else at the same time."""
        self.truth.may_become(day.key, number)
        self.lake.publish(self.product(number), day)
        self.truth.is_now(day.key, number)

    def ends(self, shown: Generation, generations: Iterable[Generation]) -> None:
        """A round is over: look what is there."""
        self.rounds += 1
        product = self.lake.datasets["air_traffic.refined.product"]
        now = self.lake.publications.shown(product.id), self.lake.publications.generations(product.id)
        if now != (shown, sorted(generations)):
            self.wrong_ends.append(f"{self.name}: there are {now}")
        self.reader.read()
        self.reader.read()

    def row(self) -> tuple[str | int, ...]:
        """For the table."""
        wrong = (self.reader.wrong[kind] for kind in WRONG)
        return self.name, self.rounds, self.reader.reads, *wrong, len(self.wrong_ends)

    @property
    def broken(self) -> list[str]:
        """What was seen that must not be."""
        return [*self.wrong_ends, *(f"{self.name}: {example}" for example in self.reader.examples)]


def measure(*, one_in: int) -> Part:
    """25 rounds, or a ``one_in``-th of them."""
    rounds = max(2, 25 // one_in)
    with lakes() as make_lake:
        crossings = [
            _two_runs(make_lake, rounds, same=False),
            _two_runs(make_lake, rounds, same=True),
            _wrong_order(make_lake, rounds),
            _read_while_replaced(make_lake, rounds),
        ]
    return Part(
        title="Runs that cross",
        promise="Two runs of one generation double nothing; the current view ends on the newest generation, whichever "
        "finished last; whoever reads the objects of a publication keeps them for the time of grace.",
        done="Readers looked all the time while two runs, and two attempts of one run, published one generation at "
        "once; while three generations that were staged together finished in every order and at once; and while a "
        "generation was run again between a reader's look into the catalog and its reading of the objects.",
        figures=[
            Figures(
                "Runs that cross",
                ("", "rounds", "reads", *WRONG, "ended wrongly"),
                [crossing.row() for crossing in crossings],
            )
        ],
        broken=[said for crossing in crossings for said in crossing.broken],
    )


def _together(*work: Callable[[], object]) -> list[BaseException]:
    """Do all of it at once; the errors."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(work))

    def run(job: Callable[[], object]) -> None:
        try:
            barrier.wait()
            job()
        except BaseException as error:  # noqa: BLE001 (told to the one who waits)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _two_runs(make_lake: MakeLake, rounds: int, *, same: bool) -> Crossing:
    """Two runs of one generation, or two attempts of the ``same`` run."""
    crossing = Crossing(make_lake(FILES), "two attempts of one run at once" if same else "two runs of one day at once")
    lake = crossing.lake
    with reading_beside(crossing.reader, threading.Lock(), pause=0.05):
        for number in range(2, rounds + 2):
            product = crossing.product(number)
            crossing.truth.may_become(DAY.key, number)
            keys = [uuid.uuid4().hex] * 2 if same else [uuid.uuid4().hex, uuid.uuid4().hex]
            attempts = (1, 2) if same else (1, 1)
            publishers = [Publisher(lake.clients, lake.manifest, lake.environment) for _ in keys]
            work = (
                partial(publisher.publish, product.id, DAY, key, attempt)
                for publisher, key, attempt in zip(publishers, keys, attempts, strict=True)
            )
            errors = _together(*work)
            crossing.truth.is_now(DAY.key, number)
            crossing.wrong_ends += [f"{crossing.name}: {error!r}" for error in errors]
            crossing.ends(DAY, (EARLIER, DAY))
    return crossing


def _wrong_order(make_lake: MakeLake, rounds: int) -> Crossing:
    """Generations that are staged together finish in every order, and at once."""
    crossing = Crossing(make_lake(FILES), "three days in the wrong order")
    lake, days = crossing.lake, (EARLIER, DAY, LATER)
    orders = list(permutations(range(3)))
    with reading_beside(crossing.reader, threading.Lock(), pause=0.05):
        for number in range(2, rounds + 2):
            product = crossing.product(number)
            publishers = [Publisher(lake.clients, lake.manifest, lake.environment) for _ in days]
            pairs = zip(publishers, days, strict=True)
            staged = [publisher.stage(product.id, day, uuid.uuid4().hex) for publisher, day in pairs]
            for publisher, begun in zip(publishers, staged, strict=True):
                publisher.wait(begun)
            for day in days:
                crossing.truth.may_become(day.key, number)
            order = orders[number % len(orders)]
            work = [partial(publishers[at].finish, staged[at]) for at in order]
            if number % 4:
                for finish in work:
                    finish()
            else:
                crossing.wrong_ends += [f"{crossing.name}: {error!r}" for error in _together(*work)]
            for day in days:
                crossing.truth.is_now(day.key, number)
            crossing.ends(LATER, days)
    return crossing


def _read_while_replaced(make_lake: MakeLake, rounds: int) -> Crossing:
    """A reader that has planned its read reads the objects after the generation was published again, and swept."""
    crossing = Crossing(make_lake(FILES), "a day again while its objects are read")
    lake = crossing.lake
    crossing.publish(2, DAY)
    with reading_beside(crossing.reader, threading.Lock(), pause=0.05):
        for number in range(3, rounds + 3):
            target = lake.publisher.target("air_traffic.refined.product")
            planned = target.partition(DAY)
            assert planned is not None
            objects = {item.uri: item.size for item in list_objects(lake.clients.s3, planned.location)}
            crossing.publish(number, DAY)
            lake.publisher.sweep("air_traffic.refined.product")
            read = {uri: len(read_object(lake.clients.s3, uri)) for uri in objects}
            if read != objects:
                crossing.wrong_ends.append(f"{crossing.name}: {objects} had become {read}")
            crossing.ends(DAY, (EARLIER, DAY))
    return crossing
