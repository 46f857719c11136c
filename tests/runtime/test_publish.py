"""What a user relies on when a generation is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Column, SourceColumn
from dapflow.runtime.current_view import view_definition
from dapflow.runtime.publication import Staged
from tests.runtime.lake import DAY, EARLIER, LATER, Lake, generation_columns

PLANES = "tailnum,seats\nN1,100\nN2,200\n"
GENERATION = {"import_year": "2013", "import_month": "12", "import_day": "31", "import_date": "20131231"}


def test_raw_table_becomes_a_product(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=PLANES)
    done = lake.publish(planes)
    assert (done.rows, done.generation, done.current, done.replaced) == (2, DAY, DAY, None)
    assert lake.rows(planes) == [("N1", "100"), ("N2", "200")]

    sql = "SELECT tailnum, seats FROM planes WHERE seats > 150 -- the big ones"
    large = lake.product("large", sql, [("planes", planes.id)])
    done = lake.publish(large)
    assert (done.rows, [column.type for column in done.columns]) == (1, ["string", "int"])
    assert lake.query("SELECT * FROM air_traffic_refined_zone.large") == [
        {"tailnum": "N2", "seats": "200", **GENERATION}
    ]
    assert lake.tables("raw") == {"planes", "planes_history"}
    assert lake.tables("refined") == {"large", "large_history"}


def test_generation_published_again_is_replaced_not_doubled(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=PLANES)
    first = lake.publish(planes)
    lake.land(planes, planes_csv="tailnum,seats\nN3,300\n")
    second = lake.publish(planes)
    assert second.replaced == first.location
    assert lake.rows(planes, history=True) == [("N3", "300")]
    assert {f"s3://{lake.bucket('raw')}/{key}".rpartition("/")[0] + "/" for key in lake.objects("raw")} == {
        second.location
    }


def test_what_was_replaced_is_kept_for_the_time_of_grace(lake: Lake) -> None:
    lake.overrides["retention_seconds"] = 3600
    product = lake.product("one", "SELECT 1 AS one")
    lake.publish(product)
    before = lake.objects("refined")
    lake.publish(product)
    assert before < lake.objects("refined")
    lake.overrides["retention_seconds"] = 0
    lake.publisher.sweep(product.id)
    assert not before & lake.objects("refined")
    assert lake.rows(product) == [("1",)]


def test_current_view_shows_the_newest_generation_only(lake: Lake) -> None:
    planes = lake.raw("planes")
    for day, tail in ((DAY, "N1"), (LATER, "N2"), (EARLIER, "N0")):
        lake.land(planes, day, planes_csv=f"tailnum,seats\n{tail},1\n")
        lake.publish(planes, day)
    assert lake.rows(planes) == [("N2", "1")]
    assert lake.rows(planes, history=True) == [("N0", "1"), ("N1", "1"), ("N2", "1")]
    assert lake.publications.generations(planes.id) == [EARLIER, DAY, LATER]


def test_current_view_names_its_columns_and_literal_generation(lake: Lake) -> None:
    """So that Athena reads one partition, whatever is added later."""
    product = lake.product("one", "SELECT 1 AS one, 'x' AS two")
    lake.publish(product)
    view: Any = lake.clients.glue.get_table(DatabaseName="air_traffic_refined_zone", Name="one")["Table"]
    assert (view["TableType"], view["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
    assert view["ViewExpandedText"] == "/* Presto View */"
    definition = view_definition(view)
    assert definition is not None
    assert definition["originalSql"] == (
        'SELECT "one", "two", "import_year", "import_month", "import_day", "import_date" '
        'FROM "air_traffic_refined_zone"."one_history" WHERE "import_year" = \'2013\' AND "import_month" = \'12\' '
        "AND \"import_day\" = '31' AND \"import_date\" = '20131231'"
    )
    assert (definition["catalog"], definition["schema"]) == ("awsdatacatalog", "air_traffic_refined_zone")
    assert definition["columns"][0] == {"name": "one", "type": "integer"}
    assert [column["Type"] for column in view["StorageDescriptor"]["Columns"]] == ["int", *["string"] * 5]


def test_services_may_keep_the_bare_name_for_the_history(lake: Lake) -> None:
    planes = lake.raw("planes", history="planes", current="planes_latest")
    for day, tail in ((EARLIER, "N1"), (DAY, "N2")):
        lake.land(planes, day, planes_csv=f"tailnum,seats\n{tail},1\n")
        lake.publish(planes, day)
    assert lake.tables() == {"planes", "planes_latest"}
    assert lake.rows(planes) == [("N2", "1")]
    assert len(lake.rows(planes, history=True)) == 2


def test_databases_with_hyphens_and_other_generation_columns(lake: Lake) -> None:
    lake.clients.glue.create_database(DatabaseInput={"Name": "housing-raw-zone"})
    planes = lake.raw("planes", database="housing-raw-zone", generation=generation_columns(prefix="transform"))
    lake.land(planes, planes_csv=PLANES)
    lake.publish(planes)
    assert lake.query('SELECT max(transform_date) AS newest, count(*) AS n FROM "housing-raw-zone".planes') == [
        {"newest": "20131231", "n": "2"}
    ]
    copy = lake.product(
        "copy", 'SELECT tailnum FROM "housing-raw-zone".planes', [('"housing-raw-zone".planes', planes.id)]
    )
    assert lake.publish(copy).rows == 2


def test_columns_added_at_the_end_leave_old_generations_readable(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    lake.publish(product, EARLIER)
    product = lake.product("product", "SELECT 2 AS a, 'new' AS b, DATE '2013-01-02' AS c")
    done = lake.publish(product)
    assert done.added_columns == ("b", "c")
    assert lake.rows(product) == [("2", "new", "2013-01-02")]
    assert lake.rows(product, history=True) == [("1", None, None), ("2", "new", "2013-01-02")]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1 AS a", "column b is gone"),
        ("SELECT 1 AS a, 2 AS b", "column b was string and is now int"),
        ("SELECT 'x' AS b, 1 AS a", "the order of the columns changed from a, b to b, a"),
        ("SELECT 1 AS a, 9 AS c, 'x' AS b", "column c is new but does not come last"),
    ],
)
def test_breaking_change_publishes_nothing(lake: Lake, sql: str, message: str) -> None:
    product = lake.product("product", "SELECT 1 AS a, 'x' AS b")
    lake.publish(product, EARLIER)
    before = lake.objects("refined")
    product = lake.product("product", sql)
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    assert (caught.value.code, caught.value.file) == ("breaking-change", "transforms/air_traffic/refined/x.sql")
    assert message in caught.value.message
    assert lake.rows(product, history=True) == [("1", "x")]
    assert lake.objects("refined") == before
    assert lake.tables("refined") == {"product", "product_history"}


@pytest.mark.parametrize(
    ("sql", "code", "message"),
    [
        ("SELECT json_parse('{}') AS j", "unsupported-type", "column j has type json"),
        ("SELECT NULL AS n", "unsupported-type", "column n has type unknown"),
        ("SELECT now() AS t", "unsupported-type", "column t has type timestamp(3) with time zone"),
        ("SELECT TIME '10:00:00' AS t", "unsupported-type", "column t has type time"),
        ("SELECT ARRAY[json_parse('1')] AS a", "unsupported-type", "column a holds type json"),
        ("SELECT 1", "unnamed-column", "column 1 of the output has no name"),
        ("SELECT 1 AS a, 2 AS A", "duplicate-column", "names a more than once"),
        ("SELECT 1 AS a, '2013' AS import_year", "generation-columns", "names import_year"),
        (
            "SELECT '2013' AS import_year, '12' AS import_month, '31' AS import_day, '20131231' AS import_date, 1 AS a",
            "generation-columns",
            "names import_year, import_month, import_day, import_date",
        ),
        (
            "SELECT '2013' AS import_year, '12' AS import_month, '31' AS import_day, '20131231' AS import_date",
            "no-columns",
            "no columns besides",
        ),
    ],
)
def test_output_that_no_table_can_hold(lake: Lake, sql: str, code: str, message: str) -> None:
    product = lake.product("product", sql)
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    assert caught.value.code == code, caught.value
    assert message in caught.value.message
    assert caught.value.hint
    assert caught.value.file == "transforms/air_traffic/refined/x.sql"
    assert lake.tables("refined") == set()
    assert lake.objects("refined") == set()


def test_types_of_every_kind_reach_the_history(lake: Lake) -> None:
    sql = """SELECT true AS a, CAST(1 AS tinyint) AS b, CAST(1 AS smallint) AS c, 1 AS d, BIGINT '1' AS e,
      CAST(1.5 AS real) AS f, 1e0 AS g, CAST(1 AS decimal(10,2)) AS h, 'x' AS i, CAST('x' AS varchar) AS j,
      DATE '2013-12-31' AS k, TIMESTAMP '2013-12-31 01:02:03' AS l, ARRAY[1, 2] AS m, MAP(ARRAY['k'], ARRAY[1]) AS n,
      CAST(ROW(1, 'y') AS ROW(p integer, q varchar)) AS o, CAST('x' AS varbinary) AS r"""
    product = lake.product("product", sql.replace("CAST('x' AS varbinary)", "to_utf8('x')"))
    done = lake.publish(product)
    assert [column.type for column in done.columns] == [
        "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(10,2)", "string", "string",
        "date", "timestamp", "array<int>", "map<string,int>", "struct<p:int,q:string>", "binary",
    ]  # fmt: skip
    assert lake.rows(product)[0][:15] == (
        "true", "1", "1", "1", "1", "1.5", "1.0", "1.00", "x", "x",
        "2013-12-31", "2013-12-31 01:02:03.000", "[1, 2]", "{k=1}", "{p=1, q=y}",
    )  # fmt: skip
    assert lake.publish(product, LATER).added_columns == ()


def described(lake: Lake, root: Path, yml: str) -> set[tuple[Any, ...]]:
    """What Glue says of a product and its history when it was published with this ``.yml``."""
    product = {"air_traffic/refined/product.sql": "SELECT 1 AS a, 2 AS b", "air_traffic/refined/product.yml": yml}
    lake.compile(root, {"air_traffic/service.yml": "title: Air traffic\n", **product})
    lake.publish(lake.datasets["air_traffic.refined.product"])
    descriptions = set()
    for name in ("product", "product_history"):
        table = lake.clients.glue.get_table(DatabaseName="air_traffic_refined_zone", Name=name)["Table"]
        comments = tuple(column.get("Comment") for column in table["StorageDescriptor"]["Columns"][:2])
        descriptions.add((table["Description"], comments, table["Parameters"].get("dapflow.tags")))
    return descriptions


def test_descriptions_and_tags_reach_glue_and_follow_their_file(lake: Lake, tmp_path: Path) -> None:
    yml = "description: What it is\ntags: [letters, daily]\ncolumns: {a: the first letter}\n"
    assert described(lake, tmp_path, yml) == {("What it is", ("the first letter", None), "letters, daily")}
    yml = "description: What it is\ncolumns: {b: the second}\n"
    assert described(lake, tmp_path, yml) == {("What it is", (None, "the second"), None)}


MIGRATED = """SELECT 7 AS a, date_format(d, '%Y') AS import_year, date_format(d, '%m') AS import_month,
  date_format(d, '%d') AS import_day, date_format(d, '%Y%m%d') AS import_date FROM (SELECT DATE '{}' AS d)"""


def test_migrated_transform_brings_its_own_generation_columns(lake: Lake) -> None:
    product = lake.product("product", MIGRATED.format(DAY))
    lake.publish(product)
    assert lake.query("SELECT * FROM air_traffic_refined_zone.product") == [{"a": "7", **GENERATION}]
    assert lake.tables("refined") == {"product", "product_history"}


def test_generation_columns_computed_as_numbers_are_the_same_generation(lake: Lake) -> None:
    sql = "SELECT 7 AS a, 2013 AS import_year, 12 AS import_month, 31 AS import_day, 20131231 AS import_date"
    product = lake.product("product", sql)
    lake.publish(product)
    assert lake.query("SELECT * FROM air_traffic_refined_zone.product") == [{"a": "7", **GENERATION}]


def test_migrated_transform_of_another_day_publishes_nothing(lake: Lake) -> None:
    product = lake.product("product", MIGRATED.format(EARLIER))
    with pytest.raises(
        DapflowError, match="generation 2013-12-31, but the output has rows with import_year=2013"
    ) as caught:
        lake.publish(product)
    assert caught.value.code == "wrong-generation"
    assert lake.tables("refined") == set()
    assert lake.objects("refined") == set()


def test_select_star_from_a_current_view_passes_the_generation_through(lake: Lake) -> None:
    product = lake.product("one", "SELECT 1 AS a")
    lake.publish(product)
    copy = lake.product(
        "copy", "SELECT * FROM air_traffic_refined_zone.one", [("air_traffic_refined_zone.one", product.id)]
    )
    assert [column.name for column in lake.publish(copy).columns] == ["a"]


def test_error_in_the_sql_is_shown_in_the_file(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a,\n  nonsense(2) AS b")
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    error = caught.value
    assert (error.code, error.file, error.line) == ("query-failed", "transforms/air_traffic/refined/x.sql", 2)
    assert (error.source, error.column) == ("  nonsense(2) AS b", 3)


def test_error_while_the_query_runs_leaves_nothing(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 / (a - a) AS b FROM (VALUES 1, 2) AS t (a)")
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    assert caught.value.code == "query-failed"
    assert lake.tables("refined") == set()
    assert lake.objects("refined") == set()


def test_product_without_rows_is_refused(lake: Lake) -> None:
    """Also as the first generation, and nothing that is there is hidden or replaced."""
    product = lake.product("product", "SELECT 1 AS a WHERE false")
    with pytest.raises(DapflowError, match="no rows for generation 2013-12-31") as caught:
        lake.publish(product)
    assert (caught.value.code, caught.value.file) == ("no-rows", "transforms/air_traffic/refined/x.sql")
    assert "`allow_empty: true` into product.yml" in str(caught.value.hint)
    assert lake.tables("refined") == set()
    lake.publish(lake.product("product", "SELECT 1 AS a"))
    product = lake.product("product", "SELECT 1 AS a WHERE false")
    for day in (DAY, LATER):
        with pytest.raises(DapflowError, match="no rows"):
            lake.publish(product, day)
    assert lake.rows(product) == lake.rows(product, history=True) == [("1",)]


def test_product_without_rows_is_published_where_that_is_meant(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a WHERE false", allow_empty=True)
    assert lake.publish(product).rows == 0
    assert lake.rows(product) == []


def test_what_is_read_must_be_published_first(lake: Lake) -> None:
    planes = lake.raw("planes")
    large = lake.product("large", "SELECT tailnum FROM planes", [("planes", planes.id)])
    with pytest.raises(DapflowError, match=r"reads air_traffic\.raw\.planes, which has no generation 2013-12-31"):
        lake.publish(large)


def test_a_name_that_is_taken_is_not_overwritten(lake: Lake) -> None:
    table: Any = {"Name": "product", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {"Columns": []}}
    lake.clients.glue.create_table(DatabaseName="air_traffic_refined_zone", TableInput=table)
    product = lake.product("product", "SELECT 1 AS a")
    with pytest.raises(DapflowError) as caught:
        lake.publish(product)
    assert caught.value.code == "name-taken"
    assert lake.tables("refined") == {"product"}
    assert lake.objects("refined") == set()


def test_a_name_that_is_taken_while_the_query_runs_is_not_overwritten_either(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    lake.publish(product, EARLIER)
    publisher = lake.publisher
    staged = publisher.stage(product.id, DAY, lake.run)
    publisher.wait(staged)
    lake.clients.glue.delete_table(DatabaseName="air_traffic_refined_zone", Name="product")
    table: Any = {"Name": "product", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {"Columns": []}}
    lake.clients.glue.create_table(DatabaseName="air_traffic_refined_zone", TableInput=table)
    with pytest.raises(DapflowError) as caught:
        publisher.finish(staged)
    assert caught.value.code == "name-taken"
    assert lake.publications.generations(product.id) == [EARLIER]


def test_history_with_other_partition_columns_is_left_alone(lake: Lake) -> None:
    lake.publish(lake.product("product", "SELECT 1 AS a"))
    product = lake.product("product", "SELECT 1 AS a", generation=generation_columns(prefix="transform"))
    with pytest.raises(DapflowError, match="is partitioned by import_year") as caught:
        lake.publish(product)
    assert caught.value.code == "generation-columns"


def test_a_database_that_is_missing_is_named(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a", database="nowhere")
    with pytest.raises(DapflowError, match="nowhere"):
        lake.publish(product)


def test_staged_survives_json(lake: Lake) -> None:
    product = lake.product("product", MIGRATED.format(DAY))
    staged = lake.publisher.stage(product.id, DAY, lake.run)
    again = Staged.of_dict(json.loads(json.dumps(staged.as_dict())))
    assert again == staged
    lake.publisher.wait(again)
    assert lake.publisher.finish(again).rows == 1


def test_sources_keep_their_order_and_comments(lake: Lake) -> None:
    planes = lake.raw("planes", [SourceColumn("tailnum", "string", "painted on it"), SourceColumn("seats", "bigint")])
    lake.land(planes, planes_csv=PLANES)
    assert lake.publish(planes).columns == (Column("tailnum", "string", "painted on it"), Column("seats", "bigint"))
