"""A run of generation D reads generation D of all that it names, and nothing newer; or it publishes nothing."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.athena import QueryExecution
from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation
from dapflow.runtime.publication import Publication, Staged
from dapflow.runtime.publish import Publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

SERVICE = "sources: {planes: {columns: {tailnum: string, seats: integer}}}\n"
NEWEST = (
    "tailnum, import_year, import_month, import_day, import_date FROM {0} "
    "WHERE import_date = (SELECT max(import_date) FROM {0})"
)
# Every name that a table may be read by, and what a run of DAY reads by it when DAY and EARLIER are there.
READINGS = {
    "the current view": ("SELECT tailnum FROM planes", ["DAY"]),
    "an alias": ("SELECT p.tailnum FROM planes AS p", ["DAY"]),
    "another service": ("SELECT tailnum FROM air_traffic_raw_zone.planes", ["DAY"]),
    "the newest of the history": (f"SELECT {NEWEST.format('planes_history')}", ["DAY"]),
    "the newest of the current view": (f"SELECT {NEWEST.format('planes')}", ["DAY"]),
    "the whole history": ("SELECT tailnum FROM planes_history", ["DAY", "EARLIER"]),
    "a name with its table": ("SELECT planes_history.tailnum FROM planes_history", ["DAY", "EARLIER"]),
    "both": (
        "SELECT h.tailnum FROM planes_history h JOIN planes p ON p.import_date = h.import_date",
        ["DAY"],
    ),
    "the list of partitions": (
        "SELECT IF(import_date = '20131231', 'DAY', 'EARLIER') AS tailnum FROM \"planes_history$partitions\"",
        ["DAY", "EARLIER"],
    ),
    "a table as a query": ("SELECT max(tailnum) AS tailnum FROM (TABLE planes_history)", ["EARLIER"]),
    "a subquery": ("SELECT max(tailnum) AS tailnum FROM (SELECT tailnum FROM planes_history)", ["EARLIER"]),
}
# Each of the others is read in further quick tests, or as one of these.
QUICK_READINGS = (
    "the current view", "the newest of the history", "a name with its table", "both", "the list of partitions",
    "a table as a query",
)  # fmt: skip
NAMES = {EARLIER: "EARLIER", DAY: "DAY", LATER: "ZLATER"}


def prepared(lake: Lake, tmp_path: Path, sql: str, *, notes: str = "", service: str = SERVICE) -> Dataset:
    """A raw table and one product, ``x``, of these files."""
    files = {"air_traffic/service.yml": service, "air_traffic/refined/x.sql": sql, "air_traffic/refined/x.yml": notes}
    lake.compile(tmp_path, files)
    return lake.datasets["air_traffic.refined.x"]


def publish_planes(lake: Lake, *days: Generation, tail: str | None = None) -> None:
    planes = lake.datasets["air_traffic.raw.planes"]
    for day in days:
        lake.land(planes, day, planes_csv=f"tailnum,seats\n{tail or NAMES[day]},1\n")
        lake.publish(planes, day)


def published(lake: Lake, product: Dataset, generation: Generation = DAY) -> list[str | None]:
    """The first column of one generation."""
    table = f'"{product.database}"."{product.history}"'
    rows = lake.query(f"SELECT tailnum FROM {table} WHERE import_date = '{generation.key}' ORDER BY 1")
    return [row["tailnum"] for row in rows]


@pytest.mark.parametrize("names", [QUICK_READINGS, pytest.param(tuple(READINGS), marks=pytest.mark.slow)])
def test_a_run_reads_nothing_newer_by_whatever_name(lake: Lake, tmp_path: Path, names: tuple[str, ...]) -> None:
    """A run for yesterday, after today was published, gives what it gave before."""
    files = {"air_traffic/service.yml": SERVICE}
    files |= {f"air_traffic/refined/{name.replace(' ', '_')}.sql": READINGS[name][0] for name in names}
    lake.compile(tmp_path, files)
    products = [dataset for dataset in lake.datasets.values() if dataset.transform]
    expected = {product.id: READINGS[product.name.replace("_", " ")][1] for product in products}
    publish_planes(lake, EARLIER, DAY)
    for product in products:
        assert not lake.publisher.stage(product.id, DAY, "look").edits, product.id
        lake.publish(product)
    assert {product.id: published(lake, product) for product in products} == expected
    publish_planes(lake, LATER)
    for product in products:
        lake.publish(product)
    assert {product.id: published(lake, product) for product in products} == expected


def test_an_ordinary_run_asks_athena_for_the_very_text_of_the_file(lake: Lake, tmp_path: Path) -> None:
    """What Athena was sent, as it tells itself; a run for a past date reads it otherwise."""
    first = "\n-- é: the fleet\n\tSELECT  tailnum\n"
    text = first + "FROM planes AS p\nCROSS JOIN (SELECT count(*) AS n FROM planes_history)  -- all\n"
    product = prepared(lake, tmp_path, text)
    publish_planes(lake, EARLIER, DAY)
    assert asked(lake, lake.publish(product)) == text
    publish_planes(lake, LATER)
    later = asked(lake, lake.publish(product))
    assert later != text
    assert later.startswith(first)
    assert later.count('"planes_history" WHERE') == 2
    assert asked(lake, lake.publish(product, LATER)) == text


def asked(lake: Lake, done: Publication) -> str:
    """The SELECT of the query that Athena ran for a publication."""
    assert done.query_id is not None
    sent = lake.clients.athena.get_query_execution(QueryExecutionId=done.query_id)["QueryExecution"]["Query"]
    select = re.fullmatch(r"UNLOAD \(\n(.*)\n\) TO '[^']+' WITH \([^()]+\)", sent, re.DOTALL)
    assert select is not None, sent
    return select[1]


def test_the_bare_name_of_an_older_platform_is_a_history_too(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, f"SELECT {NEWEST.format('planes')}", service=f"naming: latest\n{SERVICE}")
    publish_planes(lake, EARLIER, DAY, LATER)
    lake.publish(product)
    assert published(lake, product) == ["DAY"]


def test_generation_columns_of_another_prefix(lake: Lake, tmp_path: Path) -> None:
    service = "generation_columns: {prefix: transform}\n" + SERVICE
    product = prepared(lake, tmp_path, "SELECT tailnum, seats FROM planes_history", service=service)
    publish_planes(lake, EARLIER, DAY, LATER)
    lake.publish(product)
    rows = lake.query("SELECT tailnum FROM air_traffic_refined_zone.x WHERE transform_date = '20131231' ORDER BY 1")
    assert [row["tailnum"] for row in rows] == ["DAY", "EARLIER"]


def test_a_product_reads_its_own_history_before_the_run(lake: Lake, tmp_path: Path) -> None:
    """A run again must find what the first one found, not its own result."""
    first = prepared(lake, tmp_path, "SELECT tailnum, 0 AS days FROM planes")
    publish_planes(lake, EARLIER, DAY)
    lake.publish(first, EARLIER)
    product = prepared(
        lake, tmp_path,
        "SELECT max(tailnum) AS tailnum, CAST((SELECT count(*) FROM air_traffic_refined_zone.x_history) AS integer) "
        "AS days FROM planes",
    )  # fmt: skip
    for _ in range(3):
        lake.publish(product)
    days = lake.query("SELECT days FROM air_traffic_refined_zone.x")
    assert days == [{"days": "1"}]


@pytest.mark.parametrize(
    ("sql", "days", "hint"),
    [
        ('SELECT tailnum, "$path" AS path FROM planes_history', [DAY, LATER], '"$path"'),
        ("SELECT tailnum FROM air_traffic_refined_zone.x_history", [DAY], "before its first generation"),
    ],
)
def test_what_a_run_cannot_find_comes_with_a_hint(
    lake: Lake, tmp_path: Path, sql: str, days: list[Generation], hint: str
) -> None:
    product = prepared(lake, tmp_path, sql)
    publish_planes(lake, *days)
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    assert caught.value.code == "query-failed"
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("days", [[DAY], [EARLIER, DAY, LATER]], ids=["as it is", "as of the run"])
@pytest.mark.parametrize(
    ("sql", "place", "remedy"),
    [
        (
            "SELECT p.tailnum\nFROM planes AS p JOIN planes_history h ON h.tailnum = p.tailnum AND nonsense(h.seats)",
            (2, 69),
            "dapflow check",
        ),
        ("SELECT 1 / (seats - seats) AS a FROM planes", (None, None), "NULLIF"),
        ("SELECT CAST(tailnum AS integer) AS a FROM planes", (None, None), "TRY_CAST"),
    ],
)
def test_what_athena_finds_wrong_is_said_at_its_place_in_the_file(
    lake: Lake, tmp_path: Path, sql: str, place: tuple[int | None, int | None], remedy: str, days: list[Generation]
) -> None:
    product = prepared(lake, tmp_path, sql)
    publish_planes(lake, *days)
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    error = caught.value
    assert (error.file, error.line, error.column) == ("transforms/air_traffic/refined/x.sql", *place)
    assert remedy in (error.hint or "")
    assert not re.search(r"line \d+:\d+", error.message)
    if error.line is not None and error.column is not None and error.source is not None:
        assert error.source[error.column - 1 :].startswith("nonsense(h.seats)")


def test_no_place_is_said_of_a_text_that_was_changed_while_it_ran(lake: Lake, tmp_path: Path) -> None:
    """A deployment comes between the query and its end, as where Airflow has deferred a task."""
    product = prepared(lake, tmp_path, "SELECT 1 / (seats - seats) AS a FROM planes")
    publish_planes(lake, DAY)
    staged = lake.publisher.stage(product.id, DAY, "run")
    again = Staged.of_dict(json.loads(json.dumps(staged.as_dict())))
    assert again == replace(staged, record=again.record)
    lake.publisher.wait(staged)
    prepared(lake, tmp_path, "SELECT seats FROM planes")
    with pytest.raises(DapflowError) as caught:
        lake.publisher.finish(again)
    assert (caught.value.file, caught.value.line) == ("transforms/air_traffic/refined/x.sql", None)


# -- a generation that is missing


@pytest.mark.parametrize("table", ["planes", "planes_history"])
def test_a_missing_generation_is_waited_for(lake: Lake, tmp_path: Path, table: str) -> None:
    product = prepared(lake, tmp_path, f"SELECT tailnum FROM {table}")
    publish_planes(lake, EARLIER, LATER)
    with pytest.raises(PassingError, match=r"air_traffic.raw.planes, which has no generation 2013-12-31") as caught:
        lake.publish(product)
    assert caught.value.code == "not-published"
    assert caught.value.place == "transforms/air_traffic/refined/x.sql:1:21"
    assert "inputs: {air_traffic_raw_zone.planes: {on_missing: previous}}" in str(caught.value.hint)
    assert lake.tables("refined") == set()


@pytest.mark.parametrize(
    ("table", "key"), [("planes", "air_traffic_raw_zone.planes"), ("planes_history", "planes_history")]
)
def test_a_slower_input_is_read_as_it_was(lake: Lake, tmp_path: Path, table: str, key: str) -> None:
    sql = f"SELECT tailnum FROM {table}"
    product = prepared(lake, tmp_path, sql, notes=f"inputs: {{{key}: {{on_missing: previous}}}}\n")
    publish_planes(lake, EARLIER)
    for _ in range(2):
        done = lake.publish(product)
        assert published(lake, product) == ["EARLIER"]
        assert [(read.generation, read.missing) for read in done.inputs] == [("20131230", True)]
        publish_planes(lake, LATER)  # and it stays so when a newer one is there
    publish_planes(lake, DAY)
    assert [read.missing for read in lake.publish(product).inputs] == [False]


def test_a_slower_input_that_has_nothing_yet(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes", notes="inputs: {planes: {on_missing: previous}}\n")
    publish_planes(lake, LATER)
    with pytest.raises(PassingError, match="no generation at 2013-12-31 or before"):
        lake.publish(product)


# -- a current view that is not what it should be


def break_view(lake: Lake, change: Callable[[dict[str, Any]], None]) -> None:
    glue, database = lake.clients.glue, "air_traffic_raw_zone"
    view: Any = glue.get_table(DatabaseName=database, Name="planes")["Table"]
    kept: Any = {key: view[key] for key in ("Name", "TableType", "StorageDescriptor", "ViewOriginalText", "Parameters")}
    change(kept)
    glue.update_table(DatabaseName=database, TableInput=kept)


def test_a_view_that_lags_behind_is_not_read(lake: Lake, tmp_path: Path) -> None:
    """A run may die between the partition and the view."""
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, EARLIER)
    view: Any = lake.clients.glue.get_table(DatabaseName="air_traffic_raw_zone", Name="planes")["Table"]
    publish_planes(lake, DAY)
    break_view(lake, lambda kept: kept.update({key: view[key] for key in ("ViewOriginalText", "Parameters")}))
    lake.publish(product)
    assert published(lake, product) == ["DAY"]


@pytest.mark.parametrize("parameters", [True, False], ids=["with our note", "without it"])
def test_a_view_that_someone_else_wrote_is_not_read(lake: Lake, tmp_path: Path, parameters: bool) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, EARLIER, DAY)
    noted = lake.clients.glue.get_table(DatabaseName="air_traffic_raw_zone", Name="planes")["Table"]["Parameters"]
    lake.query("SELECT 1 AS a")
    athena = lake.publisher.target(product.id).athena
    sql = "CREATE OR REPLACE VIEW air_traffic_raw_zone.planes AS SELECT 'WRONG' AS tailnum"
    athena.run(sql, "air_traffic_raw_zone", "w" * 32)
    if parameters:
        break_view(lake, lambda kept: kept.update(Parameters=noted))
    lake.publish(product)
    assert published(lake, product) == ["DAY"]


def test_a_view_that_is_gone_is_not_needed(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, DAY)
    lake.clients.glue.delete_table(DatabaseName="air_traffic_raw_zone", Name="planes")
    lake.publish(product)
    assert published(lake, product) == ["DAY"]


# -- partitions of older platforms


ODD = {
    "dashes": ("2014", "01", "01", "2014-01-01"),
    "no leading zeros": ("2014", "1", "1", "201411"),
    "no date": ("2014", "1", "1", "__HIVE_DEFAULT_PARTITION__"),
    "day first": ("2014", "01", "01", "01/01/2014"),
}


BOTH = {
    "air_traffic/service.yml": SERVICE,
    "air_traffic/refined/x.sql": "SELECT tailnum FROM planes",
    "air_traffic/refined/y.sql": "SELECT tailnum FROM planes_history",
}


def test_a_newer_generation_is_known_whatever_its_partition_is_called(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, BOTH)
    publish_planes(lake, DAY, LATER)
    before = LATER.values
    for name, values in ODD.items():
        rename_partition(lake, before, values)
        before = values
        for product in (lake.datasets["air_traffic.refined.x"], lake.datasets["air_traffic.refined.y"]):
            lake.publish(product)
            assert published(lake, product) == ["DAY"], (name, product.id)


@pytest.mark.slow
def test_an_older_generation_is_read_whatever_its_partition_is_called(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, BOTH)
    publish_planes(lake, LATER)
    publish_planes(lake, Generation.parse("2014-01-02"), tail="AFTER")
    before = LATER.values
    for name, values in ODD.items():
        rename_partition(lake, before, values)
        before = values
        for product in (lake.datasets["air_traffic.refined.x"], lake.datasets["air_traffic.refined.y"]):
            lake.publish(product, LATER)
            assert published(lake, product, LATER) == ["ZLATER"], (name, product.id)


def test_the_current_view_shows_the_newest_whatever_its_partition_is_called(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, BOTH)
    publish_planes(lake, EARLIER, DAY, LATER)
    before = LATER.values
    for name, values in ODD.items():
        rename_partition(lake, before, values)
        before = values
        publish_planes(lake, EARLIER)  # whatever is published next writes the view anew
        shown = {row["tailnum"] for row in lake.query("SELECT tailnum FROM air_traffic_raw_zone.planes")}
        assert shown == {"ZLATER"}, name


def rename_partition(lake: Lake, before: tuple[str, ...], values: tuple[str, ...]) -> None:
    names: Any = {"DatabaseName": "air_traffic_raw_zone", "TableName": "planes_history"}
    partition: Any = lake.clients.glue.get_partition(**names, PartitionValues=list(before))["Partition"]
    lake.clients.glue.delete_partition(**names, PartitionValues=list(before))
    storage = partition["StorageDescriptor"]
    lake.clients.glue.create_partition(**names, PartitionInput={"Values": list(values), "StorageDescriptor": storage})


# -- what changes between the look, the query and the publication


def during(publisher: Publisher, product: Dataset, moment: str, action: Callable[[], None], times: int = 1) -> None:
    """Let something happen just before the query starts, or when it is done."""
    athena = publisher.target(product.id).athena
    start, wait = athena.start, athena.wait
    left, unloads = [times], set()

    def happen() -> None:
        if left[0]:
            left[0] -= 1
            action()

    def starts(statement: str, database: str, token: str) -> str:
        if statement.startswith("UNLOAD") and moment == "start":
            happen()
        query_id = start(statement, database, token)
        if statement.startswith("UNLOAD"):
            unloads.add(query_id)
        return query_id

    def waits(query_id: str) -> QueryExecution:
        execution: QueryExecution = wait(query_id)
        if query_id in unloads and moment == "end":
            happen()
        return execution

    athena.start, athena.wait = starts, waits  # type: ignore[method-assign, assignment]


CHANGES = {
    "the next day comes": lambda lake: publish_planes(lake, LATER),
    "the day is corrected": lambda lake: publish_planes(lake, DAY, tail="DAY"),
    "a day before is corrected": lambda lake: publish_planes(lake, EARLIER, tail="EARLIER"),
}


QUICK = {
    ("planes", "the next day comes", "start"),
    ("planes", "the day is corrected", "end"),
    ("planes_history", "the next day comes", "end"),
    ("planes_history", "a day before is corrected", "start"),
}


@pytest.mark.parametrize(
    ("table", "change", "moment"),
    [
        pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow)
        for case in itertools.product(("planes", "planes_history"), CHANGES, ("start", "end"))
    ],
)
def test_what_changes_meanwhile_is_noticed(lake: Lake, tmp_path: Path, table: str, change: str, moment: str) -> None:
    """The run begins again by itself, and what it publishes is of what it says."""
    product = prepared(lake, tmp_path, f"SELECT tailnum FROM {table}")
    publish_planes(lake, EARLIER, DAY)
    said: list[str] = []
    publisher = Publisher(lake.clients, lake.manifest, lake.environment, said.append)
    during(publisher, product, moment, lambda: CHANGES[change](lake))
    publisher.publish(product.id, DAY)
    assert published(lake, product) == (["DAY"] if table == "planes" else ["DAY", "EARLIER"])
    noticed = not (table == "planes" and change == "a day before is corrected")
    assert any("once more" in line for line in said) == noticed
    assert len({key.rpartition("/")[0] for key in lake.objects("refined")}) == 1


def test_an_attempt_says_that_its_inputs_changed_and_publishes_nothing(lake: Lake, tmp_path: Path) -> None:
    """So that Airflow tries again: its attempts do not repeat by themselves."""
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes_history")
    publish_planes(lake, DAY)
    staged = lake.publisher.stage(product.id, DAY, lake.run)
    lake.publisher.wait(staged)
    publish_planes(lake, EARLIER)
    with pytest.raises(
        PassingError, match=r"an earlier generation of air_traffic\.raw\.planes was published"
    ) as caught:
        lake.publisher.finish(staged)
    assert caught.value.code == "inputs-changed"
    assert lake.tables("refined") == set()
    again = lake.publisher.stage(product.id, DAY, lake.run, 2)
    lake.publisher.wait(again)
    assert lake.publisher.finish(again).rows == 2


@pytest.mark.slow
def test_inputs_that_never_rest_end_the_run(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, DAY)
    publisher = lake.publisher
    during(publisher, product, "end", lambda: publish_planes(lake, DAY), times=99)
    with pytest.raises(PassingError, match="was published again"):
        publisher.publish(product.id, DAY)
    assert lake.tables("refined") == set()


def test_a_query_that_failed_because_its_input_was_replaced_is_tried_again(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, DAY)
    publisher = lake.publisher

    def replaced_and_swept() -> None:
        (location,) = {key.rpartition("/")[0] for key in lake.objects("raw")}
        publish_planes(lake, DAY)
        assert not any(key.startswith(location) for key in lake.objects("raw"))

    during(publisher, product, "start", replaced_and_swept)
    assert publisher.publish(product.id, DAY).rows == 1
    assert published(lake, product) == ["DAY"]


@pytest.mark.parametrize("table", ["planes", "planes_history"])
def test_a_retry_after_a_correction_asks_anew(lake: Lake, tmp_path: Path, table: str) -> None:
    product = prepared(lake, tmp_path, f"SELECT tailnum FROM {table}")
    publish_planes(lake, EARLIER, DAY)
    first = lake.publisher.stage(product.id, DAY, lake.run)
    lake.publisher.wait(first)
    publish_planes(lake, DAY, tail="CORRECTED")
    second = lake.publisher.publish(product.id, DAY, lake.run, 2)
    assert second.query_id != first.query_id
    assert "CORRECTED" in published(lake, product)


# -- what is recorded


def test_what_was_read_is_recorded_with_the_generation(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT p.tailnum FROM planes p JOIN planes_history h ON p.seats = h.seats")
    publish_planes(lake, EARLIER, DAY, LATER)
    done = lake.publish(product)
    location = lake.publications.publication("air_traffic.raw.planes", DAY)
    assert location is not None
    assert [(read.dataset, read.generation, read.version) for read in done.inputs] == [
        ("air_traffic.raw.planes", "20131231", location.location)
    ]
    noted = lake.publications.publication(product.id, DAY)
    assert noted is not None
    assert [(read.version, read.history) for read in noted.inputs] == [
        (read.version, read.history) for read in done.inputs
    ]


# -- rows that carry generation columns


@pytest.mark.parametrize("sql", ["SELECT * FROM planes_history", f"SELECT {NEWEST}".replace("max(", "min(")])
def test_rows_of_other_generations_are_not_relabelled(lake: Lake, tmp_path: Path, sql: str) -> None:
    product = prepared(lake, tmp_path, sql.format("planes_history"))
    publish_planes(lake, EARLIER, DAY)
    with pytest.raises(DapflowError, match="for generation 2013-12-31, but the output has rows with") as caught:
        lake.publish(product)
    assert caught.value.code == "wrong-generation"
    assert "import_day=30, import_date=20131230 (1 rows)" in caught.value.message
    assert "import_date=20131231" not in caught.value.message
    assert lake.tables("refined") == set()
