"""Which contract a transform keeps, and whether it computes its generation columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.writing import SERVICE, codes_of, compile_files, transform_of

FOUR = "import_year, import_month, import_day, import_date"
COMPUTED = (
    "date_format(current_date, '%Y') as import_year, date_format(current_date, '%m') as import_month, "
    "date_format(current_date, '%d') as import_day, date_format(current_date, '%Y%m%d') as import_date"
)


@pytest.mark.parametrize(
    ("sql", "contract", "computes"),
    [
        ("select year from flights", "new", False),
        ("select p.import_date as original_import_date, p.year from flights p", "new", False),
        (f"select year, {FOUR} from flights", "migrated", False),
        ("select * from flights", "migrated", False),
        ("select * from airports", "migrated", False),
        ("table flights", "migrated", False),
        ("select name, a.* from (select * from airlines_history) f cross join airports a", "migrated", False),
        (f"select year, {COMPUTED} from flights", "migrated", True),
        (
            "select year, import_year, import_month, import_day, max(import_date) as import_date from flights",
            "migrated",
            True,
        ),
        (
            "select year, '2013' as import_year, import_month, import_day, import_date from flights",
            "migrated",
            True,
        ),
        # Another column under the name is no generation that is passed through.
        (
            "select year, carrier as import_year, import_month, import_day, import_date from flights",
            "migrated",
            True,
        ),
        (
            f"with a as (select *, 1 y from flights), b as (select y, {FOUR} from a) select * from (select * from b)",
            "migrated",
            False,
        ),
        (
            f"select year, {FOUR} from flights union all select 1, {FOUR} from airlines",
            "migrated",
            False,
        ),
        (
            f"select year, {FOUR} from flights union all select 1, '2013', '12', '31', '20131231'",
            "migrated",
            True,
        ),
        (
            f"select f.year, {FOUR} from (select year, carrier from flights) f join airlines using (carrier)",
            "migrated",
            False,
        ),
        (f"SELECT carrier, {FOUR.upper()} FROM flights", "migrated", False),
    ],
)
def test_contract(tmp_path: Path, sql: str, contract: str, computes: bool) -> None:
    transform = transform_of(tmp_path, sql)
    assert (transform.contract, transform.computes_generation) == (contract, computes)


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        (f"select {FOUR}, year from flights", ["generation-columns"]),
        ("select year, import_date from flights", ["generation-columns"]),
        ("select import_date, * from flights", ["duplicate-column"]),
        (f"select import_date as d, {FOUR}, 1 as n from flights", ["generation-columns"]),
        (f"select year, {FOUR}, {FOUR} from flights", ["duplicate-column"] * 4),
        ("select count(*) from flights", ["unnamed-column"]),
        ("select year as a, carrier as A from flights", ["duplicate-column"]),
        ("select * from flights cross join airlines a", ["duplicate-column"]),
        (f"select {FOUR} from flights", ["no-columns"]),
    ],
)
def test_mixtures_are_mistakes(tmp_path: Path, sql: str, codes: list[str]) -> None:
    assert codes_of(tmp_path, {"air/refined/x.sql": sql}) == codes


def test_another_prefix_makes_the_names_plain(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": f"grants: {{b: [raw]}}\n{SERVICE}",
        "air/refined/x.sql": f"select year, {FOUR} from flights",
        "b/service.yml": "{reads: [air.raw], generation_columns: {prefix: generation}}",
        # The source's generation columns have another prefix here, and so they are data.
        "b/refined/y.sql": "select year, import_date from air_raw_zone.flights",
        # Passed through under the name that this service gives them.
        "b/refined/z.sql": "select year, import_year as generation_year, import_month as generation_month,"
        " import_day as generation_day, import_date as generation_date from air_raw_zone.flights",
    }
    datasets = compile_files(tmp_path, files).datasets
    contracts = {
        d.id: (d.transform.contract, d.transform.computes_generation) for d in datasets.values() if d.transform
    }
    assert contracts == {
        "air.refined.x": ("migrated", False),
        "b.refined.y": ("new", False),
        "b.refined.z": ("migrated", False),
    }


def test_a_product_offers_its_columns_and_the_generation_to_its_readers(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "database: air_refined_zone\nsources: {sites: {columns: {site: string, region: string}}}\n",
        "air/refined/first.sql": "select upper(site) as site, region from air_raw_zone.sites",
        "air/refined/all.sql": "select * from first",
    }
    datasets = compile_files(tmp_path, files).datasets
    transform = datasets["air.refined.all"].transform
    assert transform is not None
    assert transform.columns == ("site", "region", "import_year", "import_month", "import_day", "import_date")
    assert (transform.contract, transform.computes_generation) == ("migrated", False)
    files["air/refined/wrong.sql"] = "select sites, region from first"
    assert codes_of(tmp_path, files) == ["unknown-column"]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select * from airports", None),
        ("select a.name, a.* from airports a", None),
        ("select name from airports", ("name",)),
        ("select * from airlines_history", ("carrier", "name", *FOUR.split(", "))),
        ("select u.* from unnest(array[1]) as u (n)", ("n",)),
        ("select w.* from unnest(array[row(1, 2)]) as w", None),
        ('select "Year", f.CARRIER from flights f', ("year", "carrier")),
    ],
)
def test_columns_where_they_can_be_known(tmp_path: Path, sql: str, columns: tuple[str, ...] | None) -> None:
    assert transform_of(tmp_path, sql, **{"air/service.yml": SERVICE}).columns == columns
