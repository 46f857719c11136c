"""Whatever is edited, loaded or rolled back before a merge: what is taken over is what main computes."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.runs.history import chosen
from dapflow.runtime.aws import Clients
from dapflow.runtime.limit import WHOLE
from dapflow.runtime.transform import plan_transform
from tests.aws_servers import HeldAws
from tests.runtime.conftest import empty_lake
from tests.runtime.lake import DAY, EARLIER, LATER
from tests.runtime.merging import Merging

PLANES, CARRIERS = "air_traffic.raw.planes", "air_traffic.raw.carriers"
LARGE, NAMED, COUNTED, GROWN, ROUTES = (
    f"air_traffic.{n}" for n in ("refined.large", "refined.named", "trusted.counted", "trusted.grown", "refined.routes")
)
PRODUCTS = (LARGE, NAMED, ROUTES, COUNTED, GROWN)
FILES = {
    "air_traffic/service.yml": """
sources:
  planes: {columns: {tailnum: string, seats: integer}}
  carriers: {columns: {tailnum: string, carrier: string}}
""",
    "air_traffic/refined/large.sql": "SELECT p.tailnum, p.seats FROM planes p WHERE p.seats > 100\n",
    "air_traffic/refined/named.sql": """
SELECT l.tailnum, upper(c.carrier) AS carrier, l.seats
FROM air_traffic_refined_zone.large l JOIN carriers c ON c.tailnum = l.tailnum
""",
    "air_traffic/refined/named.yml": "inputs: {carriers: {on_missing: previous}}\n",
    "air_traffic/refined/routes.sql": "SELECT carrier, max(tailnum) AS tailnum FROM carriers GROUP BY carrier\n",
    "air_traffic/trusted/counted.sql": """
SELECT carrier, count(*) AS planes, sum(seats) AS seats FROM air_traffic_refined_zone.named GROUP BY carrier
""",
    "air_traffic/trusted/grown.sql": """
SELECT import_date AS day, count(*) AS planes FROM air_traffic_refined_zone.large_history GROUP BY import_date
""",
}
EDITS = [
    ("refined/large.sql", "> 100", "> 120"),
    ("refined/large.sql", "> 100", "> 100 -- as before"),
    ("refined/large.sql", "p.seats FROM", "p.seats + 0 AS seats FROM"),
    ("refined/large.sql", "p.seats FROM", "p.seats + CAST(random() * 1000 AS integer) AS seats FROM"),
    ("refined/large.sql", "FROM planes p", "FROM planes p TABLESAMPLE BERNOULLI (100)"),
    ("refined/large.sql", "WHERE", "CROSS JOIN (SELECT max(seats) AS most FROM planes) m WHERE p.seats < m.most AND"),
    ("refined/named.sql", "upper(c.carrier)", "lower(c.carrier)"),
    ("refined/named.sql", "JOIN carriers", "LEFT JOIN carriers"),
    ("refined/named.sql", "l.seats\n", "l.seats, c.tailnum AS tail\n"),
    ("refined/named.yml", "inputs: {carriers: {on_missing: previous}}", "description: Planes with their carriers"),
    ("refined/named.yml", "inputs:", "allow_empty: true\ninputs:"),
    ("refined/named.yml", "inputs:", "checks: {some: {row_count: {min: 1}}}\ninputs:"),
    ("refined/routes.sql", "max(tailnum)", "min(tailnum)"),
    ("refined/routes.sql", "GROUP BY carrier", "GROUP BY 1"),
    ("trusted/counted.sql", "sum(seats)", "max(seats)"),
    ("trusted/counted.sql", "GROUP BY carrier", "WHERE current_date > DATE '2013-01-01' GROUP BY carrier"),
    ("trusted/counted.sql", "air_traffic_refined_zone.named", "air_traffic_refined_zone.named_history"),
    ("trusted/grown.sql", "count(*)", "max(seats)"),
]  # fmt: skip


class World:
    """A base with two days, a branch that edits and builds, and main, on which things happen before the merge."""

    def __init__(self, merging: Merging, chance: random.Random) -> None:
        self.merging, self.lake, self.chance = merging, merging.lake, chance
        self.files = dict(FILES)
        self.happened: list[str] = []

    def edit(self) -> None:
        """Edit a file, in which no edit is made twice."""
        file, old, new = self.chance.choice(EDITS)
        before = self.files[f"air_traffic/{file}"]
        if new not in before:
            self.files[f"air_traffic/{file}"] = before.replace(old, new, 1)
            self.happened.append(f"{file}: {new}")

    def build(self) -> None:
        """Let the branch publish what it changes, or all of it; some of it twice, some not."""
        publisher = self.merging.branch(self.files, everything=self.chance.random() < 0.3)
        for name in PRODUCTS:
            if publisher.environment.publishes(name):
                for day in (EARLIER, DAY) if self.chance.random() < 0.2 else (DAY,):
                    with suppress(DapflowError):
                        publisher.publish(name, day)

    def happen(self) -> None:
        """Something happens to the data that main has."""
        what = self.chance.choice([self.load, self.load, self.publish, self.roll_back, self.withdraw])
        with suppress(DapflowError):
            what()

    def load(self) -> None:
        name, day = self.chance.choice([PLANES, CARRIERS]), self.chance.choice([EARLIER, DAY, LATER])
        self.happened.append(f"load {name} {day}")
        self.merging.load(name, self.chance.choice([rows_of(name), rows_of(name), more_rows_of(name)]), day)

    def publish(self) -> None:
        name, day = self.chance.choice(PRODUCTS), self.chance.choice([EARLIER, DAY, LATER])
        self.happened.append(f"publish {name} {day}")
        self.lake.publish(self.lake.datasets[name], day)

    def roll_back(self) -> None:
        name = self.chance.choice([PLANES, CARRIERS, *PRODUCTS])
        self.happened.append(f"roll back {name}")
        self.lake.publisher.rollback(name, *chosen(self.lake.publications, self.lake.datasets[name], DAY, None))

    def withdraw(self) -> None:
        name, day = self.chance.choice([PLANES, CARRIERS, LARGE]), self.chance.choice([EARLIER, LATER])
        self.happened.append(f"withdraw {name} {day}")
        self.lake.publisher.withdraw(name, day)

    def merged(self) -> dict[str, bool]:
        """Let main run all products as they are now, which must give what it computes; whether each was taken over."""
        taken = {}
        for name in self.chance.sample(PRODUCTS, len(PRODUCTS)) if self.chance.random() < 0.3 else PRODUCTS:
            product = self.lake.datasets[name]
            try:
                computed = self.computed(name)
                made = self.lake.publish(product, DAY)
            except DapflowError as error:
                assert error.code in {"not-published", "breaking-change", "no-rows"}, (error, self.happened)
                continue
            taken[name] = bool(made.taken_from)
            assert product.transform is not None
            if product.transform.unsteady:
                assert not made.taken_from, self.happened
                continue
            there = self.lake.query(
                f"SELECT {', '.join(next(iter(computed)))} FROM {product.database}.{product.history} "
                f"WHERE import_date = '{DAY.key}'"
            ) if computed else []  # fmt: skip
            assert Counter(map(str, there)) == Counter(map(str, computed)), (name, taken[name], self.happened)
        return taken

    def computed(self, name: str) -> list[dict[str, str | None]]:
        """The rows that main's text gives over what main has now."""
        target = self.lake.publisher.target(name)
        plan = plan_transform(target, self.lake.manifest, self.lake.environment, DAY, 1, WHOLE, print)
        return list(target.athena.rows(target.athena.run(plan.sql, plan.database, uuid.uuid4().hex).id))


def rows_of(name: str) -> str:
    if name == PLANES:
        return "tailnum,seats\na,99\nb,110\nc,150\nd,300\n"
    return "tailnum,carrier\na,ua\nb,ua\nc,aa\nd,Aa\n"


def more_rows_of(name: str) -> str:
    return rows_of(name) + ("e,500\nf,119\n" if name == PLANES else "e,b6\nc,zz\n")


@pytest.fixture(scope="module")
def two_days(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """The base, published once for all worlds."""
    lake = empty_lake(clients)
    lake.takes_over = True
    lake.compile(tmp_path_factory.mktemp("base"), FILES)
    for day in (EARLIER, DAY):
        for name in (PLANES, CARRIERS):
            lake.put_landing(lake.datasets[name], day, "rows.csv", rows_of(name))
        for name in (PLANES, CARRIERS, *PRODUCTS):
            lake.publish(lake.datasets[name], day)
    return HeldAws.now()


@pytest.mark.parametrize("worlds", [3, pytest.param(150, marks=pytest.mark.slow)])
def test_what_is_taken_over_is_what_main_computes(
    clients: Clients, two_days: HeldAws, tmp_path: Path, worlds: int
) -> None:
    chance = random.Random(worlds)  # noqa: S311 - the same worlds each time
    tried: Counter[str] = Counter()
    for _ in range(worlds):
        lake = empty_lake(clients)
        lake.overrides["retention_seconds"] = 3600
        merging = Merging(lake, clients, tmp_path)
        merging.merge(FILES)
        lake.have_again(two_days)
        world = World(merging, chance)
        try:
            for _ in range(chance.randint(1, 2)):
                world.edit()
            world.build()
            for _ in range(chance.choice([0, 0, 1, 2, 3])):
                world.happen()
            if chance.random() < 0.3:
                world.edit()
            merging.merge(world.files)
        except DapflowErrors:
            tried["no project"] += 1  # two edits that do not go together
            continue
        taken = world.merged()
        tried["taken" if any(taken.values()) else "computed"] += 1
        tried["products taken"] += sum(taken.values())
        tried["products"] += len(taken)
    assert tried["taken"] >= worlds / 4, tried
    assert tried["computed"] + tried["products"] - tried["products taken"] > worlds / 2, tried


@pytest.mark.parametrize("edits", [2, pytest.param(len(EDITS), marks=pytest.mark.slow)])
def test_in_a_world_that_stays_as_it_is_all_is_taken_over(
    clients: Clients, two_days: HeldAws, tmp_path: Path, edits: int
) -> None:
    """But for what draws, and what reads the history of what the branch has built, which is shorter there."""
    for file, old, new in EDITS[:: len(EDITS) // edits]:
        lake = empty_lake(clients)
        merging = Merging(lake, clients, tmp_path)
        merging.merge(FILES)
        lake.have_again(two_days)
        files = {**FILES, f"air_traffic/{file}": FILES[f"air_traffic/{file}"].replace(old, new, 1)}
        branch = merging.branch(files)
        built = [name for name in PRODUCTS if branch.environment.publishes(name)]
        for name in built:
            branch.publish(name, DAY)
        merging.merge(files)
        drawn: set[str] = set()
        for name in built:
            product = lake.datasets[name]
            assert product.transform is not None
            history = any(named.kind == "history" and named.dataset in built for named in product.transform.references)
            if product.transform.unsteady or history or not drawn.isdisjoint(product.depends_on):
                drawn.add(name)
            assert bool(lake.publish(product, DAY).taken_from) == (name not in drawn), (name, new)
