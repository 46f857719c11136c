"""A query over tables as they were on a day, whatever was published since."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.project.asked import read_asked
from dapflow.publications.as_of import QueryAsOf, query_as_of
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from tests.aws_servers import HeldAws
from tests.runtime.conftest import empty_lake
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

FILES = {
    "housing/service.yml": "sources: {repairs: {columns: {cost: integer}}, wards: {columns: {ward: string}}}\n",
    "housing/refined/total.sql": "SELECT sum(cost) AS total FROM repairs\n",
}


@pytest.fixture(scope="module")
def published(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """Repairs of two nights and their total; wards of the first night alone."""
    lake = empty_lake(clients)
    lake.compile(tmp_path_factory.mktemp("project"), FILES)
    for generation, cost in ((EARLIER, 1), (LATER, 3)):
        lake.land(lake.datasets["housing.raw.repairs"], generation, repairs_csv=f"cost\n{cost}\n")
        lake.publish(lake.datasets["housing.raw.repairs"], generation)
        lake.publish(lake.datasets["housing.refined.total"], generation)
    lake.land(lake.datasets["housing.raw.wards"], EARLIER, wards_csv="ward\nDalston\n")
    lake.publish(lake.datasets["housing.raw.wards"], EARLIER)
    return HeldAws.now()


@pytest.fixture
def housing(published: HeldAws, lake: Lake, tmp_path: Path) -> Lake:
    """A lake that holds what is published."""
    lake.compile(tmp_path, FILES)
    lake.have_again(published)
    return lake


def asked(lake: Lake, root: Path, sql: str, day: Generation, database: str = "housing_raw_zone") -> QueryAsOf:
    query = read_asked(root, sql, database, {})
    return query_as_of(lake.clients, lake.manifest, lake.environment, query.sql, query.references, day)


def answer(lake: Lake, root: Path, sql: str, day: Generation) -> list[list[str | None]]:
    return [list(row.values()) for row in lake.query(asked(lake, root, sql, day).sql)]


def test_current_views_are_read_as_they_were(housing: Lake, tmp_path: Path) -> None:
    text = "SELECT r.cost, t.total, w.ward FROM repairs r, housing_refined_zone.total t, Wards AS w;"
    query = asked(housing, tmp_path, text, DAY)
    assert answer(housing, tmp_path, text, DAY) == [["1", "1", "Dalston"]]
    assert query.notes() == [
        f"housing.raw.repairs is read as of {EARLIER}",
        f"housing.refined.total is read as of {EARLIER}",
        f"housing.raw.wards is read as of {EARLIER}",
    ]
    assert answer(housing, tmp_path, text, LATER) == [["3", "3", "Dalston"]]
    assert asked(housing, tmp_path, text, LATER).sql == text.rstrip(";"), "nothing newer is there: the text as it is"


def test_histories_end_with_the_day(housing: Lake, tmp_path: Path) -> None:
    text = "SELECT max(import_date), count(*) FROM repairs_history"
    assert answer(housing, tmp_path, text, DAY) == [[EARLIER.key, "1"]]
    assert answer(housing, tmp_path, text, LATER) == [[LATER.key, "2"]]
    assert asked(housing, tmp_path, text, DAY).notes() == [f"the history of housing.raw.repairs is read up to {DAY}"]
    dates = 'SELECT import_date FROM "repairs_history$partitions"'
    assert answer(housing, tmp_path, dates, DAY) == [[EARLIER.key]]
    assert answer(housing, tmp_path, "TABLE repairs", DAY)[0][0] == "1"


def test_before_the_first_generation_there_is_nothing_to_read(housing: Lake, tmp_path: Path) -> None:
    with pytest.raises(DapflowError, match=r"housing\.raw\.repairs had no generation on 2013-01-01") as caught:
        asked(housing, tmp_path, "SELECT * FROM repairs", Generation.parse("2013-01-01"))
    assert caught.value.code == "not-published"


def test_what_is_not_the_projects_is_left_and_named(housing: Lake, tmp_path: Path) -> None:
    text = "WITH repairs AS (SELECT 1 AS a) SELECT * FROM repairs, other.t, awsdatacatalog.housing_raw_zone.wards"
    query = read_asked(tmp_path, text, "housing_raw_zone", {})
    assert query.others == ("other.t",)
    assert [reference.dataset for reference in query.references] == ["housing.raw.wards"]
    with pytest.raises(DapflowError) as caught:
        read_asked(tmp_path, "DROP TABLE repairs", "housing_raw_zone", {})
    assert caught.value.code.startswith("sql-")


def test_databases_are_known_by_the_names_that_they_have_there(housing: Lake, tmp_path: Path) -> None:
    query = read_asked(tmp_path, "SELECT * FROM x_raw.repairs", "default", {"x_raw": "housing_raw_zone"})
    (reference,) = query.references
    assert (reference.dataset, reference.database) == ("housing.raw.repairs", "x_raw")
