"""What somebody deletes in S3 or changes in Glue between two publications: it is named, and nothing is built on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.publications.as_of import query_as_of
from dapflow.runs.history import history_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import delete_prefix, split_uri
from tests.runs.test_why import PLANES, PROJECT, SEATS, TOTAL, land, one_day, only, run, there, why
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

__all__ = ["one_day", "there"]


def partition(lake: Lake, dataset: str, generation: Generation = DAY) -> dict[str, Any]:
    read = lake.datasets[dataset]
    names: Any = {"DatabaseName": read.database, "TableName": read.history}
    stored: Any = lake.clients.glue.get_partition(**names, PartitionValues=list(generation.values))["Partition"]
    return {key: stored[key] for key in ("Values", "StorageDescriptor", "Parameters")}


def point_at(lake: Lake, dataset: str, location: str, generation: Generation = DAY) -> None:
    read = lake.datasets[dataset]
    changed: Any = partition(lake, dataset, generation)
    changed["StorageDescriptor"]["Location"] = location
    names: Any = {"DatabaseName": read.database, "TableName": read.history}
    lake.clients.glue.update_partition(**names, PartitionValueList=changed["Values"], PartitionInput=changed)


def delete_objects(lake: Lake, dataset: str, generation: Generation = DAY) -> None:
    delete_prefix(lake.clients.s3, partition(lake, dataset, generation)["StorageDescriptor"]["Location"])


def add_object(lake: Lake, dataset: str) -> None:
    """The objects once more, under other names: Athena would read each row twice."""
    location = partition(lake, dataset)["StorageDescriptor"]["Location"]
    bucket, prefix = split_uri(location)
    for item in lake.clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        source: Any = {"Bucket": bucket, "Key": item["Key"]}
        lake.clients.s3.copy_object(Bucket=bucket, Key=f"{item['Key']}-copy", CopySource=source)


def point_at_another_day(lake: Lake, dataset: str) -> None:
    land(lake, EARLIER, "9")
    run(lake, PLANES, SEATS, generation=EARLIER)
    point_at(lake, dataset, partition(lake, dataset, EARLIER)["StorageDescriptor"]["Location"])


def copy_another_day(lake: Lake, dataset: str) -> None:
    """The partition of another day under this day's values, with all that is noted of that day."""
    land(lake, EARLIER, "9")
    run(lake, PLANES, SEATS, generation=EARLIER)
    read, other = lake.datasets[dataset], partition(lake, dataset, EARLIER)
    copied: Any = {key: other[key] for key in ("StorageDescriptor", "Parameters")}
    copied["Values"] = list(DAY.values)
    lake.clients.glue.update_partition(
        DatabaseName=read.database, TableName=read.history, PartitionValueList=list(DAY.values), PartitionInput=copied
    )


def change_table(lake: Lake, dataset: str, change: Callable[[dict[str, Any]], None], *, view: bool = False) -> None:
    read, glue = lake.datasets[dataset], lake.clients.glue
    stored: Any = glue.get_table(DatabaseName=read.database, Name=read.current if view else read.history)["Table"]
    kept = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters", "ViewOriginalText")
    table: Any = {key: stored[key] for key in kept if key in stored}
    change(table)
    glue.update_table(DatabaseName=read.database, TableInput=table)


@pytest.mark.parametrize(
    ("dataset", "damage"), [(PLANES, delete_objects), (SEATS, add_object), (PLANES, point_at_another_day)]
)
def test_what_is_not_what_was_published_is_named_and_not_read(
    there: Lake, dataset: str, damage: Callable[[Lake, str], None]
) -> None:
    damage(there, dataset)
    reader = SEATS if dataset == PLANES else TOTAL
    before = partition(there, reader)
    with pytest.raises(DapflowError, match=f"{dataset} 2013-12-31 was changed by hand") as caught:
        there.publisher.publish(reader, DAY)
    assert caught.value.code == "damaged-generation"
    assert f"dapflow run {dataset} --generation 2013-12-31" in str(caught.value.hint)
    assert partition(there, reader) == before

    reasons = {(reason.dataset, reason.code) for reason in why(there).reasons}
    assert (dataset, "damaged-generation") in reasons
    [listed] = history_of(there.publisher, there.publications, there.datasets[dataset], DAY).past
    assert (listed.state, listed.damage != "") == ("damaged", True)

    run(there)
    assert why(there).current, "published again, with what reads it"


def test_a_partition_that_was_copied_from_another_day_is_not_read(there: Lake) -> None:
    copy_another_day(there, PLANES)
    with pytest.raises(DapflowError, match=f"{PLANES} 2013-12-31 .* which is of another generation") as caught:
        there.publisher.publish(SEATS, DAY)
    assert caught.value.code == "damaged-generation"
    assert (PLANES, "damaged-generation") in {(reason.dataset, reason.code) for reason in why(there).reasons}
    run(there)
    assert why(there).current


def test_what_is_deleted_while_the_query_runs_is_not_published(there: Lake) -> None:
    staged = there.publisher.stage(SEATS, DAY, "run")
    there.publisher.wait(staged)
    delete_objects(there, PLANES)
    with pytest.raises(DapflowError, match="0 are there"):
        there.publisher.finish(staged)


def test_an_earlier_day_of_a_history_counts_where_the_history_is_read(there: Lake, tmp_path: Path) -> None:
    files = {"air_traffic/refined/days.sql": "SELECT count(*) AS n FROM planes_history"}
    there.compile(tmp_path, {**PROJECT, **files})
    for day in (EARLIER, LATER):
        land(there, day)
        run(there, PLANES, generation=day)
    delete_objects(there, PLANES, EARLIER)
    there.publisher.publish(SEATS, LATER)
    with pytest.raises(DapflowError, match=f"{PLANES} 2013-12-30 was changed by hand"):
        there.publisher.publish("air_traffic.refined.days", DAY)


def test_a_query_as_of_a_day_names_it_too(there: Lake) -> None:
    delete_objects(there, PLANES)
    transform = there.datasets[SEATS].transform
    assert transform is not None
    with pytest.raises(DapflowError, match=f"{PLANES} 2013-12-31 was changed by hand"):
        query_as_of(there.clients, there.manifest, there.environment, transform.sql, transform.references, DAY)


def replace_by_expression(table: dict[str, Any]) -> None:
    """A view with all that is noted of it, and one column turned around."""
    head, tail = "/* Presto View: ", " */"
    text = table["ViewOriginalText"]
    definition = json.loads(base64.b64decode(text.removeprefix(head).removesuffix(tail)))
    definition["originalSql"] = definition["originalSql"].replace('"seats"', '-"seats" AS "seats"', 1)
    table["ViewOriginalText"] = head + base64.b64encode(json.dumps(definition).encode()).decode() + tail


def forget_generation(table: dict[str, Any]) -> None:
    """What CREATE OR REPLACE VIEW leaves of what is noted."""
    replace_by_expression(table)
    table["Parameters"] = {"presto_view": "true"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replace_by_expression, "does not show 2013-12-31 as it was published"),
        (forget_generation, "was replaced by another"),
    ],
)
def test_a_view_that_was_replaced_is_not_read_and_written_anew(
    there: Lake, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    change_table(there, PLANES, change, view=True)
    assert said in only(there, PLANES).message
    run(there, SEATS)
    assert there.rows(there.datasets[SEATS]) == [("N1", "1")]
    run(there)
    assert there.rows(there.datasets[PLANES]) == [("N1", "1")]
    assert why(there).current


def test_a_view_that_was_dropped_is_said_and_written_anew(there: Lake) -> None:
    there.clients.glue.delete_table(DatabaseName="air_traffic_refined_zone", Name="seats")
    assert (only(there, SEATS).code, "was dropped" in only(there, SEATS).message) == ("altered-table", True)
    run(there, SEATS)
    run(there, TOTAL)
    assert why(there).current


def columns_of(table: dict[str, Any]) -> list[dict[str, str]]:
    columns: list[dict[str, str]] = table["StorageDescriptor"]["Columns"]
    return columns


@pytest.mark.parametrize(
    ("change", "said", "mended"),
    [
        (lambda table: columns_of(table).pop(), "column seats (integer) was removed", True),
        (lambda table: columns_of(table).append({"Name": "b", "Type": "int"}), "column b (integer) was added", False),
        (lambda table: columns_of(table)[1].update(Type="smallint"), "column seats was integer and is smallint", True),
        (lambda table: columns_of(table)[1].update(Type="date"), "column seats was integer and is date", False),
    ],
)
def test_a_table_that_was_altered_is_said(
    there: Lake, change: Callable[[dict[str, Any]], None], said: str, mended: bool
) -> None:
    change_table(there, SEATS, change)
    assert said in only(there, SEATS).message
    assert (SEATS, "altered-table") in {(reason.dataset, reason.code) for reason in why(there).reasons}
    try:
        there.publisher.publish(SEATS, DAY)
    except DapflowError as error:
        assert (error.code, mended) == ("breaking-change", False)
    else:
        assert mended
        assert there.rows(there.datasets[SEATS])[0][:2] == ("N1", "1")


def test_a_partition_that_was_removed_is_missing(there: Lake) -> None:
    read = there.datasets[PLANES]
    there.clients.glue.delete_partition(
        DatabaseName=read.database, TableName=read.history, PartitionValues=list(DAY.values)
    )
    with pytest.raises(DapflowError, match="has no generation 2013-12-31"):
        there.publisher.publish(SEATS, DAY)
    assert "taken out since" in only(there, PLANES).message


def test_objects_that_were_written_anew_are_named_and_read_all_the_same(there: Lake) -> None:
    """They may hold the same: whoever restores a bucket, or changes its keys, writes all anew."""
    changed: Any = partition(there, PLANES)
    bucket, prefix = split_uri(changed["StorageDescriptor"]["Location"])
    [item] = there.clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    there.clients.s3.put_object(Bucket=bucket, Key=item["Key"], Body=b"x" * item["Size"])
    assert why(there).current, "clocks may differ by so much"
    published = datetime.fromisoformat(changed["Parameters"]["dapflow.published_at"]) - timedelta(hours=1)
    changed["Parameters"]["dapflow.published_at"] = published.isoformat(timespec="milliseconds")
    read = there.datasets[PLANES]
    names: Any = {"DatabaseName": read.database, "TableName": read.history}
    there.clients.glue.update_partition(**names, PartitionValueList=changed["Values"], PartitionInput=changed)
    [reason] = [reason for reason in why(there).reasons if reason.code == "damaged-generation"]
    assert f"s3://{bucket}/{item['Key']} was written anew on " in reason.message
    with pytest.raises(DapflowError) as caught:
        there.publisher.publish(SEATS, DAY)
    assert caught.value.code != "damaged-generation", "Athena says what is wrong with it"
    run(there)
    assert why(there).current
