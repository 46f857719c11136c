"""What differs between two generations of a product, in its columns and in its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dapflow.differences.columns import common_type
from dapflow.differences.comparison import VersionComparison
from dapflow.differences.difference import ColumnFigures, SampleRow
from dapflow.differences.versions import PublishedVersions
from dapflow.errors import DapflowError
from dapflow.runtime.athena import Athena, QueryExecution
from tests.differences.versions import PRODUCT, comparison, difference, publish, versions, wards
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

UNIQUE = "checks: {keys: {unique: ward}}"


def two(lake: Lake, root: Path, there: str, here: str, terms: str = "{}") -> None:
    publish(lake, root, there, EARLIER, terms)
    publish(lake, root, here, DAY, terms)


def test_without_a_check_rows_are_told_apart_by_what_the_text_groups_by(lake: Lake, tmp_path: Path) -> None:
    two(lake, tmp_path, wards("('a', 1, true)", "('b', 2, true)"), wards("('a', 3, true)", "('b', 2, true)"))
    compared = comparison(lake)
    compared.made_key = ("gone",)
    assert compared.difference(0).key == ()
    compared.made_key = ("ward",)
    assert (compared.difference(0).key, compared.difference(0).changed) == (("ward",), 1)


def test_rows_are_told_apart_by_the_columns_that_a_check_promises_to_be_unique(lake: Lake, tmp_path: Path) -> None:
    there = wards("('a', 1, true)", "('b', 2, true)", "('c', 3, NULL)", "('d', 4, false)")
    here = wards("('a', 1, true)", "('b', 5, true)", "('c', NULL, false)", "('e', 6, false)")
    two(lake, tmp_path, there, here, UNIQUE)
    found = difference(lake)
    assert (found.key, found.here, found.there, found.same) == (("ward",), str(DAY), str(EARLIER), False)
    assert (found.rows_here, found.rows_there, found.only_here, found.only_there) == (4, 4, 1, 1)
    assert (found.changed, found.equal_rows, found.queries) == (2, 1, 2)
    cost, done = found.columns
    assert (cost.name, cost.changed, done.name, done.changed) == ("cost", 2, "done", 1)
    assert (cost.here, cost.there) == (ColumnFigures(1, "1", "6", "4"), ColumnFigures(0, "1", "4", "2.5"))
    assert done.there == ColumnFigures(1, "false", "true")
    assert found.sample == (
        SampleRow("here", 1, {"ward": "e"}, {"cost": "6", "done": "false"}, None),
        SampleRow("there", 1, {"ward": "d"}, None, {"cost": "4", "done": "false"}),
        SampleRow("changed", 1, {"ward": "b"}, {"cost": "5", "done": "true"}, {"cost": "2", "done": "true"}),
        SampleRow("changed", 1, {"ward": "c"}, {"cost": None, "done": "false"}, {"cost": "3", "done": None}),
    )


def test_without_a_key_rows_are_counted(lake: Lake, tmp_path: Path) -> None:
    there = wards("('a', 1, true)", "('a', 1, true)", "('b', NULL, NULL)")
    two(lake, tmp_path, there, wards("('a', 1, true)", "('b', NULL, NULL)", "('b', NULL, NULL)", "('c', 1, true)"))
    found = difference(lake)
    assert (found.key, found.changed, found.only_here, found.only_there, found.equal_rows) == ((), None, 2, 1, 2)
    assert [column.name for column in found.columns if column.differs] == ["ward", "cost", "done"]
    assert (found.columns[1].here, found.columns[1].there) == (
        ColumnFigures(2, "1", "1", "1"),
        ColumnFigures(1, "1", "1", "1"),
    )
    assert found.sample == (
        SampleRow("here", 1, {}, {"ward": "b", "cost": None, "done": None}, None),
        SampleRow("here", 1, {}, {"ward": "c", "cost": "1", "done": "true"}, None),
        SampleRow("there", 1, {}, None, {"ward": "a", "cost": "1", "done": "true"}),
    )


@pytest.mark.parametrize("key", [(), ("ward",)])
def test_an_average_is_of_its_own_version_alone(lake: Lake, tmp_path: Path, key: tuple[str, ...]) -> None:
    """NaN and infinity are as Athena writes them, and those of the other version count for nothing."""
    two(lake, tmp_path, wards("('a', nan(), true)", "('b', 1e0, true)"), wards("('b', 1e0, true)", "('c', 3e0, true)"))
    (cost,) = (column for column in difference(lake, key).columns if column.name == "cost")
    assert (cost.here.average, cost.there.average) == ("2", "NaN")
    two(lake, tmp_path, wards("('a', infinity(), true)"), wards("('c', -infinity(), true)"))
    (cost,) = (column for column in difference(lake, key).columns if column.name == "cost")
    assert (cost.here.average, cost.there.average) == ("-Infinity", "Infinity")


def test_equal_generations_take_one_query(lake: Lake, tmp_path: Path) -> None:
    rows = ["('a', nan(), MAP(ARRAY['x', 'y'], ARRAY[1, 2]))", "(NULL, NULL, NULL)", "(NULL, NULL, NULL)"]
    other = ["(NULL, NULL, NULL)", "('a', nan(), MAP(ARRAY['y', 'x'], ARRAY[2, 1]))", "(NULL, NULL, NULL)"]
    two(lake, tmp_path, wards(*rows), wards(*other))
    found = difference(lake)
    assert (found.same, found.queries, found.equal_rows) == (True, 1, 3)
    assert found.bytes_scanned > 0


def test_a_null_is_a_value_of_the_key(lake: Lake, tmp_path: Path) -> None:
    two(lake, tmp_path, wards("(NULL, 1, true)", "('a', 1, true)"), wards("('a', 1, true)", "(NULL, 2, true)"))
    found = difference(lake, ["ward"])
    assert (found.changed, found.only_here, found.only_there, found.equal_rows) == (1, 0, 0, 1)
    assert found.sample == (SampleRow("changed", 1, {"ward": None}, {"cost": "2"}, {"cost": "1"}),)


def test_what_several_rows_share_is_no_key(lake: Lake, tmp_path: Path) -> None:
    there = wards("('a', 1, true)", "('a', 2, true)", "('b', 1, true)")
    two(lake, tmp_path, there, wards("('b', 1, true)"), UNIQUE.replace("unique: ward", "unique: ward, severity: warn"))
    with pytest.raises(
        DapflowError, match=f"ward tells no rows apart: of its values several rows share 1 in {EARLIER} "
    ) as refused:
        difference(lake, ["ward"])
    assert refused.value.code == "not-a-key"
    found = difference(lake)
    assert (found.key, found.only_there, found.equal_rows) == ((), 2, 1)
    assert "ward tells no rows apart" in found.doubled


def test_a_key_is_made_of_columns_that_both_have(lake: Lake, tmp_path: Path) -> None:
    two(lake, tmp_path, wards("('a', 1, true)"), wards("('a', 1, true, 1)", columns="ward, cost, done, late"))
    with pytest.raises(DapflowError, match="'late' is no column that both versions have") as refused:
        difference(lake, ["ward", "late"])
    assert refused.value.hint == "columns: ward, cost, done"


def test_columns_that_are_new_or_of_another_type_are_named(lake: Lake, tmp_path: Path) -> None:
    there = "SELECT 'a' AS ward, 1 AS cost, CAST(1.5 AS decimal(3,1)) AS rate"
    here = "SELECT 'a' AS ward, BIGINT '1' AS cost, CAST(1.5 AS decimal(5,2)) AS rate, 7 AS late"
    two(lake, tmp_path, there, here)
    found = difference(lake)
    assert [(change.name, change.was, change.now) for change in found.changes] == [
        ("cost", "int", "bigint"),
        ("rate", "decimal(3,1)", "decimal(5,2)"),
        ("late", None, "int"),
    ]
    assert (found.same, found.rows_differ, found.unlike, found.equal_rows) == (False, False, (), 1)


def test_personal_values_are_shown_nowhere(lake: Lake, tmp_path: Path) -> None:
    terms = "checks: {keys: {unique: name}}\ncolumns: {name: {personal: true}, phone: {personal: true}}\n"
    there, here = (
        wards(*rows, columns="name, phone, cost")
        for rows in (["('zoe7', 111, 1)", "('bob', NULL, 1)"], ["('zoe7', 222, 1)", "('eve', NULL, 1)"])
    )
    two(lake, tmp_path, there, here, terms)
    found = difference(lake)
    assert (found.changed, found.only_here, found.only_there) == (1, 1, 1)
    assert found.columns[0].here == ColumnFigures(1)
    assert found.sample[2] == SampleRow(
        "changed", 1, {"name": "(hidden)"}, {"phone": "(hidden)"}, {"phone": "(hidden)"}
    )
    assert not [value for value in ("zoe7", "bob", "eve", "111", "222") if value in str(found.as_dict())]


def test_a_sample_holds_so_many_rows_of_each_kind_in_the_order_of_the_key(lake: Lake, tmp_path: Path) -> None:
    rows = [f"({number}, {number}, true)" for number in range(30)]
    two(lake, tmp_path, wards(*rows[:20]), wards(*rows[5:]))
    found = difference(lake, ["ward"], rows=2)
    assert [(row.kind, row.key["ward"]) for row in found.sample] == [
        ("here", "20"), ("here", "21"), ("there", "0"), ("there", "1"),
    ]  # fmt: skip
    assert difference(lake, ["ward"], rows=0).sample == ()


def test_a_sample_is_put_in_order_by_nothing_that_may_hold_a_null_within(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Athena fails where it has to put such values in order; the embedded one has an order for them.
    columns = "listed, mapped, made, n"
    mapped, made = "MAP(ARRAY['a'], ARRAY[CAST(NULL AS integer)])", "CAST(ROW(1, NULL) AS ROW(a integer, b integer))"
    rows = [f"(ARRAY[{n}, NULL], {mapped}, {made}, {n})" for n in "123"]
    two(lake, tmp_path, wards(*rows[:2], columns=columns), wards(*rows[1:], columns=columns))
    sent: list[str] = []
    run = Athena.run

    def noted(athena: Athena, statement: str, database: str, token: str) -> QueryExecution:
        sent.append(statement)
        return run(athena, statement, database, token)

    monkeypatch.setattr(Athena, "run", noted)
    found = difference(lake)
    assert [(row.kind, (row.here or row.there or {})["listed"]) for row in found.sample] == [
        ("here", "[3, null]"), ("there", "[1, null]"),
    ]  # fmt: skip
    assert re.findall(r"ORDER BY ([^)\n]*)", sent[1]) == ['"c3"', '"kind", "nth"']


def test_names_of_columns_are_never_taken_for_something_else(lake: Lake, tmp_path: Path) -> None:
    columns = '"side", "c1", "here", "a b"'
    two(lake, tmp_path, wards("(1, 2, 3, 4)", columns=columns), wards("(1, 3, 3, 4)", columns=columns))
    found = difference(lake, ["side", "a b"])
    assert found.sample == (SampleRow("changed", 1, {"side": "1", "a b": "4"}, {"c1": "3"}, {"c1": "2"}),)


def test_a_generation_without_rows_compares(lake: Lake, tmp_path: Path) -> None:
    empty = wards("('a', 1, true)") + " WHERE ward = 'b'"
    two(lake, tmp_path, wards("('a', 1, true)"), empty, "allow_empty: true")
    for key in ([], ["ward"]):
        found = difference(lake, key)
        assert (found.rows_here, found.rows_there, found.only_there, found.equal_rows) == (0, 1, 1, 0)


def test_what_is_not_published_is_named_with_what_to_do(lake: Lake, tmp_path: Path) -> None:
    publish(lake, tmp_path, "SELECT 1 AS n", DAY)
    with pytest.raises(DapflowError, match=f"generation {LATER} of {PRODUCT} is not published") as missing:
        versions(lake).version(LATER)
    assert (missing.value.code, missing.value.hint) == ("not-published", "see dapflow history")
    assert versions(lake).version(None) == versions(lake).version(DAY), "the newest is what the current view shows"


def test_a_version_that_was_published_again_meanwhile_is_told(lake: Lake, tmp_path: Path) -> None:
    two(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    asked = comparison(lake)
    publish(lake, tmp_path, "SELECT 3 AS n", DAY)
    with pytest.raises(DapflowError, match="was changed while it was compared") as changed:
        asked.difference(rows=10)
    assert changed.value.code == "inputs-changed"


def test_bytes_and_dollars_are_known_before(lake: Lake, tmp_path: Path) -> None:
    two(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    size = sum(publication.bytes for publication in lake.publications.of(PRODUCT).values())
    least = 10 * 5 / 1024**2
    assert comparison(lake).estimate(rows=0) == (size, least)
    assert comparison(lake).estimate(rows=10) == (2 * size, 2 * least)
    assert difference(lake).bytes_scanned <= 2 * size


def test_versions_of_two_tables_are_compared_as_the_wider_type_of_both(lake: Lake, tmp_path: Path) -> None:
    """As those of a branch and of its base are, whose tables are two."""
    columns = "ward, cost, rate, day, name"
    publish(lake, tmp_path, wards("('a', 1, DECIMAL '1.50', DATE '2013-12-31', 'x')", columns=columns), DAY)
    main = versions(lake)
    text = wards("('a', BIGINT '1', DECIMAL '1.5', TIMESTAMP '2013-12-31 00:00:00.000', 7)", columns=columns)
    lake.compile(tmp_path, {"air_traffic/service.yml": "title: Air\n", "air_traffic/trusted/x.sql": text})
    other = lake.datasets["air_traffic.trusted.x"]
    lake.publish(other, DAY)
    branch = PublishedVersions(lake.clients, other, lake.environment, "x", "").other_than(main)
    compared = VersionComparison(branch, branch.version(None), main.version(None), ["ward"])
    found = compared.difference(rows=10)
    assert (found.here, found.there) == (f"x {DAY}", str(DAY))
    assert [(column.name, column.type) for column in found.columns] == [
        ("cost", "bigint"),
        ("rate", "decimal(3,2)"),
        ("day", "timestamp"),
    ]
    assert (found.unlike, found.changed, found.equal_rows, found.same) == (("name",), 0, 1, False)
    with pytest.raises(DapflowError, match="what is read there is that of") as same:
        branch.other_than(branch)
    assert same.value.code == "same-versions"


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ("int", "int", "int"),
        ("tinyint", "bigint", "bigint"),
        ("int", "double", "double"),
        ("float", "int", "double"),
        ("bigint", "double", None),
        ("int", "decimal(5,2)", "decimal(12,2)"),
        ("decimal(38,0)", "decimal(38,10)", None),
        ("date", "timestamp", "timestamp"),
        ("string", "int", None),
        ("array<int>", "array<bigint>", None),
    ],
)
def test_the_common_type_holds_every_value_of_both(first: str, second: str, common: str | None) -> None:
    assert common_type(first, second) == common_type(second, first) == common
