"""A branch that is built of a part of its inputs: what is read, what is marked, and who never takes it for a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from dapflow.backfill.earlier import EarlierBackfills
from dapflow.differences.branch import BranchProducts
from dapflow.errors import DapflowError
from dapflow.publications.published import Publications
from dapflow.runs.history import chosen
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.limit import WHOLE, InputLimit
from dapflow.runtime.order import BACKFILL
from dapflow.runtime.publication import Publication
from dapflow.runtime.publish import Publisher
from dapflow.runtime.record import RunRecord
from dapflow.runtime.records import read_records, records_prefix
from tests.aws_servers import HeldAws
from tests.runtime.conftest import empty_lake
from tests.runtime.lake import DAY, EARLIER, LATER, Lake
from tests.runtime.merging import Merging

PLANES, FLIGHTS, DAYS, BOTH, COUNTED = (
    f"air_traffic.{name}" for name in ("raw.planes", "raw.flights", "refined.days", "refined.both", "trusted.counted")
)
FILES = {
    "air_traffic/service.yml": (
        "sources:\n"
        "  planes:\n    columns: {tailnum: string, seats: int}\n"
        "  flights:\n    columns: {flight: int, tailnum: string}\n"
    ),
    "air_traffic/refined/days.sql": "SELECT import_date AS day, tailnum, seats FROM planes_history",
    "air_traffic/refined/days.yml": (
        "checks: {as_before: {row_count: {min: 150, change_percent: 10}}, known: {not_null: seats}}\n"
    ),
    "air_traffic/refined/both.sql": (
        "SELECT f.flight, p.tailnum, p.seats FROM flights AS f LEFT JOIN planes AS p ON p.tailnum = f.tailnum"
    ),
    "air_traffic/trusted/counted.sql": "SELECT count(*) AS flights FROM air_traffic_refined_zone.both",
}
# Comments build them in the branch, and change nothing.
CHANGED = {name: f"{text}\n-- As before." if name.endswith(".sql") else text for name, text in FILES.items()}
SEATS = "tailnum,seats\n" + "".join(f"N{number},{100 + number}\n" for number in range(200))
# Two flights of each aeroplane.
FLOWN = "flight,tailnum\n" + "".join(f"{number},N{number % 200}\n" for number in range(400))
SINCE = InputLimit(since=DAY)
QUARTER = InputLimit(percent=Decimal(25), by="tailnum")
QUARTER_SAID, SINCE_SAID = ("25 % by tailnum",), ("since 2013-12-31",)


@pytest.fixture(scope="module")
def two_days(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """The base, published once for all tests: its raw tables of two days, its products of one."""
    lake = empty_lake(clients)
    lake.takes_over = True
    lake.compile(tmp_path_factory.mktemp("base"), FILES)
    for day in (EARLIER, DAY):
        for name, rows in ((PLANES, SEATS), (FLIGHTS, FLOWN)):
            lake.put_landing(lake.datasets[name], day, "rows.csv", rows)
            lake.publish(lake.datasets[name], day)
    for name in (DAYS, BOTH, COUNTED):
        lake.publish(lake.datasets[name], DAY)
    return HeldAws.now()


class Limited(Merging):
    """A branch that builds all products, by a limit."""

    def publisher_by(self, limit: InputLimit) -> Publisher:
        whole = self.branch(CHANGED, everything=True)
        return Publisher(whole.clients, whole.manifest, whole.environment, limit=limit)

    def build(self, limit: InputLimit, name: str, day: Generation = DAY) -> Publication:
        return self.publisher_by(limit).publish(name, day)

    def of_branch(self, publisher: Publisher) -> Publications:
        return Publications(publisher.clients, publisher.manifest, publisher.environment)

    def records(self, publisher: Publisher, name: str) -> list[RunRecord]:
        dataset = publisher.manifest.dataset(name)
        prefix = records_prefix(publisher.environment, dataset.zone, dataset.service)
        return list(read_records(publisher.clients.s3, prefix, dataset.name))


@pytest.fixture
def limited(two_days: HeldAws, lake: Lake, clients_of_branch: Clients, tmp_path: Path) -> Iterator[Limited]:
    made = Limited(lake, clients_of_branch, tmp_path)
    made.merge(FILES)
    lake.have_again(two_days)
    yield made


def test_a_history_is_read_since_a_day_and_what_comes_of_it_says_so(limited: Limited) -> None:
    publisher = limited.publisher_by(SINCE)
    publication = publisher.publish(DAYS, DAY)
    assert (publication.rows, publication.limits) == (200, SINCE_SAID)
    assert {row[0] for row in limited.rows(publisher, DAYS)} == {DAY.key}
    there = limited.of_branch(publisher)
    assert there.of(DAYS)[DAY].limits == SINCE_SAID
    assert limited.records(publisher, DAYS)[0].limits == SINCE_SAID
    # What there is of the history is no older: nothing is left out, and so it is whole.
    assert limited.build(InputLimit(since=EARLIER), DAYS).limits == ()


def test_the_same_values_are_read_of_every_table_so_that_joins_lose_nothing(limited: Limited) -> None:
    publisher = limited.publisher_by(QUARTER)
    publication = publisher.publish(BOTH, DAY)
    rows = limited.rows(publisher, BOTH)
    whole = limited.rows(limited.publisher_by(WHOLE), BOTH) if limited.build(WHOLE, BOTH) else []
    planes = {row[1] for row in rows}
    assert publication.limits == QUARTER_SAID
    assert 30 < len(planes) < 70
    assert None not in planes, "every flight has found its aeroplane"
    # Just the rows that the whole has of these aeroplanes.
    assert sorted(row for row in whole if row[1] in planes) == rows
    assert len(whole) == 400
    # Chance has no part in it, and more of it holds what less of it does.
    assert limited.rows(publisher, BOTH) == whole
    limited.build(QUARTER, BOTH)
    assert limited.rows(publisher, BOTH) == rows
    limited.build(replace(QUARTER, percent=Decimal("50.5")), BOTH)
    assert planes < {row[1] for row in limited.rows(publisher, BOTH)}


def test_what_is_made_of_a_part_is_a_part_whoever_makes_it(limited: Limited) -> None:
    """Also where the branch's Airflow builds it, which knows of no limit."""
    limited.build(QUARTER, BOTH)
    assert limited.build(WHOLE, COUNTED).limits == QUARTER_SAID
    limited.build(WHOLE, BOTH)
    assert limited.build(WHOLE, COUNTED).limits == ()


@pytest.mark.parametrize("limit", [SINCE, QUARTER])
def test_main_never_takes_over_a_part(limited: Limited, limit: InputLimit) -> None:
    """Text, inputs, settings and files are the same as main's, and the rows are not."""
    publisher = limited.publisher_by(limit)
    for name in (DAYS, BOTH, COUNTED):
        publisher.publish(name, DAY)
    part = {name for name in (DAYS, BOTH, COUNTED) if limited.of_branch(publisher).of(name)[DAY].limits}
    assert part == ({DAYS} if limit == SINCE else {DAYS, BOTH, COUNTED})
    for name in part:
        assert "it was built of a part of its inputs" in limited.records(publisher, name)[0].not_taken
    limited.merge(CHANGED)
    for name in (DAYS, BOTH, COUNTED):
        limited.published(name)
        assert bool(limited.record(name).taken_from) == (name not in part), name
    assert len(limited.lake.rows(limited.lake.datasets[DAYS])) == 400
    assert limited.lake.rows(limited.lake.datasets[COUNTED]) == [("400",)]


def test_main_takes_over_what_was_built_as_a_whole_after_it(limited: Limited) -> None:
    limited.build(QUARTER, BOTH)
    limited.build(WHOLE, BOTH)
    limited.merge(CHANGED)
    limited.published(BOTH)
    assert limited.record(BOTH).taken_from
    assert len(limited.lake.rows(limited.lake.datasets[BOTH])) == 400


def test_no_environment_but_a_branch_takes_a_limit(limited: Limited) -> None:
    lake = limited.lake
    before = lake.publications.publication(BOTH, DAY)
    with pytest.raises(DapflowError, match="what is published there is made of all inputs") as refused:
        Publisher(lake.clients, lake.manifest, lake.environment, limit=QUARTER).publish(BOTH, DAY)
    assert refused.value.code == "limit-refused"
    assert lake.publications.publication(BOTH, DAY) == before


def test_another_limit_is_another_result(limited: Limited) -> None:
    """A run without one computes anew what was built by one, and the other way round; the same one goes on."""
    for limit in (QUARTER, WHOLE, SINCE, QUARTER):
        publisher = limited.publisher_by(limit)
        publisher.publish(DAYS, DAY, BACKFILL, len(limited.records(publisher, DAYS)) + 1)
        there = limited.of_branch(publisher)
        done = [
            other
            for other in (WHOLE, SINCE, QUARTER, replace(QUARTER, since=DAY))
            if EarlierBackfills(there, other).published(publisher.manifest, DAYS, DAY)
        ]
        assert done == [limit]


def test_counts_of_a_part_are_compared_with_no_whole(limited: Limited) -> None:
    part = limited.publisher_by(QUARTER)
    assert part.publish(DAYS, EARLIER).rows < 70, "which is less than the check wants"
    outcomes = [check.outcome for check in limited.records(part, DAYS)[0].checks]
    assert sorted(outcomes) == ["not asked", "passed"]
    # The generation before is a part: there is none to compare a whole one with.
    assert limited.build(WHOLE, DAYS).rows == 400
    assert sorted(check.outcome for check in limited.records(part, DAYS)[0].checks) == ["passed", "passed"]


def test_a_check_of_the_own_history_is_asked_where_all_of_it_is_whole(limited: Limited) -> None:
    grown = {
        "air_traffic/refined/both.yml": "checks: {never_less: {sql: never_less.sql}}\n",
        "air_traffic/checks/never_less.sql": (
            "SELECT h.n FROM (SELECT count(*) AS n FROM air_traffic_refined_zone.both) AS b "
            "JOIN (SELECT import_date, count(*) AS n FROM air_traffic_refined_zone.both_history GROUP BY 1) AS h "
            "ON h.n <> b.n"
        ),
    }
    CHANGED.update(grown)
    try:
        limited.build(QUARTER, BOTH, EARLIER)
        assert limited.build(WHOLE, BOTH).rows == 400
        (check,) = limited.records(limited.publisher_by(WHOLE), BOTH)[0].checks
        assert check.outcome == "not asked"
        limited.build(WHOLE, BOTH, EARLIER)
        limited.build(WHOLE, BOTH)
        (check,) = limited.records(limited.publisher_by(WHOLE), BOTH)[0].checks
        assert check.outcome == "passed"
    finally:
        for name in grown:
            del CHANGED[name]


def test_rolled_back_to_a_part_it_is_a_part(limited: Limited) -> None:
    limited.build(QUARTER, BOTH)
    limited.build(WHOLE, BOTH)
    publisher = Publisher(
        limited.clients,
        (made := limited.publisher_by(WHOLE)).manifest,
        replace(made.environment, retention_seconds=3600),
    )
    limited.build(QUARTER, BOTH)
    publisher.publish(BOTH, DAY)
    there = limited.of_branch(publisher)
    wanted, instead_of = chosen(there, publisher.manifest.dataset(BOTH), DAY, None)
    assert publisher.rollback(BOTH, wanted, instead_of).limits == QUARTER_SAID
    assert there.of(BOTH)[DAY].limits == limited.records(publisher, BOTH)[0].limits == QUARTER_SAID


def test_a_difference_says_that_it_is_of_a_part(limited: Limited) -> None:
    publisher = limited.publisher_by(QUARTER)
    publisher.publish(BOTH, DAY)
    products = BranchProducts(limited.of_branch(publisher), limited.lake.publications, "try", lambda _: ())
    (product,) = (product for product in products.look(DAY) if product.dataset == BOTH)
    assert (product.limits, product.outdated) == (QUARTER_SAID, False)
    assert product.comparison is not None
    assert product.comparison.here.name == "try 2013-12-31 (limited: 25 % by tailnum)"


def test_later_generations_stay_unread_by_any_limit(limited: Limited) -> None:
    """A late run of a past day reads that day, and of its history what lies between."""
    limited.load(PLANES, SEATS, LATER)
    limited.load(FLIGHTS, FLOWN, LATER)
    publisher = limited.publisher_by(replace(QUARTER, since=DAY))
    assert publisher.publish(DAYS, DAY).limits == (*QUARTER_SAID, *SINCE_SAID)
    rows = limited.rows(publisher, DAYS)
    assert {row[0] for row in rows} == {DAY.key}
    assert 30 < len(rows) < 70
    assert limited.build(QUARTER, BOTH).limits == QUARTER_SAID


@pytest.mark.parametrize(
    ("since", "sample", "by", "code"),
    [
        ("soon", None, None, "generation"),
        (None, "10%", None, "option"),
        (None, None, "tailnum", "option"),
        (None, "0%", "tailnum", "option"),
        (None, "100%", "tailnum", "option"),
        (None, "some", "tailnum", "option"),
    ],
)
def test_limits_that_are_none(since: str | None, sample: str | None, by: str | None, code: str) -> None:
    with pytest.raises(DapflowError) as refused:
        InputLimit.asked(since, sample, by)
    assert refused.value.code == code


def test_a_column_of_floating_point_numbers_is_no_column_to_sample_by() -> None:
    limit = InputLimit.asked(None, "0.5%", "Speed")
    with pytest.raises(DapflowError, match=r"--by speed: in s\.raw\.t it is double"):
        limit.rows({"speed": "double"}, "s.raw.t")
    assert limit.rows({"other": "int"}, "s.raw.t") == ""
