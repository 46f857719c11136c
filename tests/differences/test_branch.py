"""What a branch has built beside what its base has, as it is looked at, compared and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.branch import BranchNames, branch_slug
from dapflow.changes import plan_branch
from dapflow.cli.branch_diff_report import markdown_lines
from dapflow.differences.branch import BranchDifference, BranchProduct, BranchProducts
from dapflow.platform import describe_branch, hosting
from dapflow.publications.published import Publications
from dapflow.review.product_key import ProductKeys
from dapflow.runtime.aws import Clients
from dapflow.runtime.publish import Publisher
from tests.differences.versions import wards
from tests.runtime.conftest import empty_lake
from tests.runtime.lake import DAY, EARLIER, Lake

SERVICE = "title: Air\n"
NASTY = "<b>|`@octocat`|#1\n$x$"
BASE = {
    "rooms.sql": wards("('a', 1, 'x')", "('b', 2, 'y')", columns="ward, cost, note"),
    "rooms.yml": "checks: {keys: {unique: ward}}\ncolumns: {cost: {personal: true}}\n",
    "beds.sql": "SELECT 'a' AS ward, 1 AS beds",
    "late.sql": "SELECT sum(cost) AS cost FROM air_traffic_refined_zone.rooms",
    "left.sql": "SELECT 1 AS n",
}
BRANCH = {
    **BASE,
    # What was personal is so to a branch that forgets the word.
    "rooms.sql": wards("('a', 7, 'x')", f"('{NASTY}', 2, 'y')", columns="ward, cost, note"),
    "rooms.yml": "checks: {keys: {unique: ward}}\n",
    "beds.sql": "SELECT lower('A') AS ward, 1 AS beds",
    "fresh.sql": "SELECT 1 AS n",
}
ROOMS = "air_traffic.refined.rooms"


@pytest.fixture
def lake(clients: Clients) -> Lake:
    """An empty lake. That a branch calls nothing else than it may, tests/runtime/test_deferred.py shows."""
    return empty_lake(clients)


class Branch:
    """A branch of the lake's project, which brings it up anew with each change of its files."""

    def __init__(self, lake: Lake, root: Path) -> None:
        self.lake, self.root = lake, root
        self.compile(BASE)
        self.main = lake.publications
        self.host = hosting(lake.platform, lake.environment).environment
        for name in ("rooms", "beds", "late", "left"):
            lake.publish(lake.datasets[f"air_traffic.refined.{name}"], DAY)
        self.up(BRANCH)

    def compile(self, files: dict[str, str]) -> None:
        named = {f"air_traffic/refined/{name}": text for name, text in files.items()}
        self.lake.compile(self.root, {"air_traffic/service.yml": SERVICE, **named})

    def up(self, files: dict[str, str]) -> None:
        self.compile(files)
        manifest = plan_branch(self.main.manifest, self.lake.manifest).applied(self.lake.manifest)
        platform = describe_branch(manifest, BranchNames.of(branch_slug("fix/rooms")), self.host)
        self.lake.provide_branch(platform)
        self.branch = Publications(self.lake.clients, manifest, platform.environment)

    def publish(self, *names: str) -> None:
        publisher = Publisher(self.lake.clients, self.branch.manifest, self.branch.environment)
        for name in names:
            publisher.publish(f"air_traffic.refined.{name}", DAY)

    def look(self) -> dict[str, BranchProduct]:
        keys = ProductKeys(self.branch.manifest, [dataset.id for dataset in self.branch.own], {})
        products = BranchProducts(self.branch, self.main, "fix/rooms", keys.of_text).look(None)
        return {product.dataset.rpartition(".")[2]: product for product in products}


def test_each_product_that_a_branch_builds_is_compared_or_said_not_to_be(lake: Lake, tmp_path: Path) -> None:
    branch = Branch(lake, tmp_path)
    branch.publish("rooms", "beds", "fresh")
    products = branch.look()
    assert set(products) == {"rooms", "beds", "late", "fresh"}, "what is deferred is the base's"
    assert products["rooms"].bytes_scanned > products["late"].bytes_scanned == 0, "what it took to build and check"
    compared = {name: product.compared(rows=10) for name, product in products.items()}
    assert {name: product.state for name, product in compared.items()} == {
        "rooms": "differs", "beds": "same", "late": "not built", "fresh": "new",
    }  # fmt: skip
    assert not any(product.outdated for product in products.values())
    rooms = compared["rooms"].difference
    assert rooms is not None
    assert (rooms.here, rooms.there, rooms.changed) == (f"fix/rooms {DAY}", f"test {DAY}", 1)
    shown = [row.here or row.there for row in rooms.sample]
    assert all(values and values["cost"] == "(hidden)" for values in shown)
    whole = BranchDifference("fix/rooms", "test", tuple(compared.values()), "the Airflow of test")
    assert whole.comparing[1] == sum(difference.usd for difference in whole.differences) > 0
    unbuilt = BranchDifference("fix/rooms", "test", (compared["late"],), "the Airflow of test")
    assert (unbuilt.build, unbuilt.build_before) == ((0, 0.0), (0, 0.0)), "what was not read cost nothing"
    page = "\n".join(markdown_lines(whole))
    assert "(hidden)" in page and "| 7 |" not in page
    assert "| air\\_traffic.refined.late |  | not built yet |" in page
    assert "Not built yet: air\\_traffic.refined.late. The Airflow of test builds what is missing." in page
    assert "\n4 products: 1 differs, 1 is the same, 1 is new, 1 is not built yet.\n" in page
    assert "| \\<b\\>\\|\\`@&#8203;octocat\\`\\|#&#8203;1 &#36;x&#36; | (hidden) | y |" in page, "data is no markup"


def test_what_was_built_of_another_text_or_of_other_inputs_is_outdated(lake: Lake, tmp_path: Path) -> None:
    branch = Branch(lake, tmp_path)
    branch.publish("rooms", "late", "beds")
    assert not any(product.outdated for product in branch.look().values())
    branch.up({**BRANCH, "beds.sql": f"{BRANCH['beds.sql']} WHERE true"})
    branch.publish("rooms")
    outdated = {name for name, product in branch.look().items() if product.outdated}
    assert outdated == {"beds", "late"}, "one has another text, the other read a run of before"


def test_one_that_cannot_be_compared_leaves_the_others(lake: Lake, tmp_path: Path) -> None:
    branch = Branch(lake, tmp_path)
    branch.publish("rooms", "beds")
    publisher = Publisher(lake.clients, branch.main.manifest, branch.main.environment)
    publisher.publish(ROOMS, EARLIER)
    lake.clients.glue.delete_partition(
        DatabaseName="air_traffic_refined_zone", TableName="rooms_history", PartitionValues=list(DAY.values)
    )
    compared = {name: product.compared(rows=0) for name, product in branch.look().items()}
    assert (compared["rooms"].state, compared["beds"].state) == ("failed", "same")
    error = compared["rooms"].error
    assert error is not None
    assert (error.code, error.message) == ("not-published", f"generation {DAY} of {ROOMS} is not published in test")
