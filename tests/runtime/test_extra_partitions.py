"""Datasets with further partition columns: each value is a partition, and still a generation appears all at once."""

from __future__ import annotations

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, SourceColumn
from dapflow.runtime.catalog import Catalog
from tests.runtime.lake import DAY, EARLIER, Lake, generation_columns

COLUMNS = [SourceColumn("region", "string"), SourceColumn("tailnum", "string")]


def product(lake: Lake, rows: str) -> Dataset:
    sql = f"SELECT tailnum, region FROM (VALUES {rows}) AS t (tailnum, region)"
    return lake.product("product", sql, generation=generation_columns("region"))


def values(lake: Lake, dataset: Dataset) -> dict[str, int]:
    found = lake.query(f"SELECT region, count(*) AS n FROM {dataset.database}.{dataset.history} GROUP BY 1")
    return {str(row["region"]): int(row["n"] or 0) for row in found}


def test_each_value_is_a_partition(lake: Lake) -> None:
    dataset = product(lake, "('N1', 'north'), ('N2', 'south sea/x=1'), ('N3', 'north')")
    done = lake.publish(dataset)
    assert (done.rows, [column.name for column in done.columns]) == (3, ["tailnum"])
    partitions = Catalog(lake.clients.glue).partitions(dataset.database, dataset.history)
    assert {each.values[3:] for each in partitions} == {("20131231", "north"), ("20131231", "south sea/x=1")}
    assert values(lake, dataset) == {"north": 2, "south sea/x=1": 1}
    noted = lake.publisher.published(dataset.id, DAY)
    assert noted is not None
    assert (noted.rows, noted.location) == (3, done.location)
    assert lake.query("SELECT tailnum, region FROM air_traffic_refined_zone.product WHERE region = 'north'")[0] in (
        {"tailnum": "N1", "region": "north"},
        {"tailnum": "N3", "region": "north"},
    )


def test_published_again_with_other_values(lake: Lake) -> None:
    dataset = product(lake, "('N1', 'a'), ('N2', 'b')")
    lake.publish(dataset, EARLIER)
    lake.publish(dataset)
    dataset = product(lake, "('N3', 'b'), ('N4', 'c'), ('N5', 'c')")
    lake.publish(dataset)
    rows = lake.query("SELECT region, tailnum FROM air_traffic_refined_zone.product ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [("b", "N3"), ("c", "N4"), ("c", "N5")]
    assert values(lake, dataset) == {"a": 1, "b": 2, "c": 2}
    partitions = Catalog(lake.clients.glue).partitions(dataset.database, dataset.history)
    assert len(partitions) == 4
    staged = {f"s3://{lake.bucket('refined')}/{key}".rpartition("/")[0] + "/" for key in lake.objects("refined")}
    assert staged == {each.location for each in partitions}


def test_sources_may_be_partitioned_further(lake: Lake) -> None:
    table = lake.raw("planes", COLUMNS, generation=generation_columns("region"))
    lake.land(table, planes_csv="region,tailnum\nnorth,N1\nsouth,N2\n")
    done = lake.publish(table)
    assert [column.name for column in done.columns] == ["tailnum"]
    assert values(lake, table) == {"north": 1, "south": 1}


def test_an_empty_result_replaces_what_was_there(lake: Lake) -> None:
    dataset = product(lake, "('N1', 'a')")
    lake.publish(dataset)
    empty = dataset.transform.sql + " WHERE region = 'z'" if dataset.transform else ""
    dataset = lake.product("product", empty, generation=generation_columns("region"))
    assert lake.publish(dataset).rows == 0
    assert values(lake, dataset) == {}


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        (
            "SELECT 'x' AS region, 'N1' AS tailnum",
            "extra-columns",
            "must end with the further partition columns region",
        ),
        ("SELECT 'N1' AS tailnum", "extra-columns", "must end with the further partition columns region"),
        ("SELECT 'N1' AS tailnum, CAST(NULL AS varchar) AS region", "partition-value", "region is NULL or empty"),
        ("SELECT 'N1' AS tailnum, '' AS region", "partition-value", "region is NULL or empty"),
    ],
)
def test_what_cannot_be_partitioned_publishes_nothing(lake: Lake, sql: str, code: str, message: str) -> None:
    dataset = lake.product("product", sql, generation=generation_columns("region"))
    with pytest.raises(DapflowError) as caught:
        lake.publish(dataset)
    assert caught.value.code == code, caught.value
    assert message in caught.value.message
    assert caught.value.hint
    assert lake.objects("refined") == set()


def test_more_values_than_one_catalog_call_takes(lake: Lake) -> None:
    dataset = product(lake, ", ".join(f"('N', '{number}')" for number in range(60)))
    lake.publish(dataset)
    dataset = product(lake, ", ".join(f"('N', '{number}')" for number in range(60, 120)))
    with pytest.raises(DapflowError, match="has or had 120 values of region") as caught:
        lake.publish(dataset)
    assert caught.value.code == "too-many-partitions"
    assert len(values(lake, dataset)) == 60
