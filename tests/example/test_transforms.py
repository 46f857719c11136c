"""The products of the example are right: each is compared with a query of its own over the package's CSV files."""

import math
import zipfile
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from dapflow.example.package_data import data_directory
from tests.example.warehouse import Warehouse

# The warehouse is built once, not once per worker.
pytestmark = pytest.mark.xdist_group("example-transforms")

PRODUCTS = [
    "air_traffic.refined.airline_punctuality",
    "air_traffic.refined.daily_departures",
    "air_traffic.refined.disruptions",
    "air_traffic.refined.flight_details",
    "air_traffic.refined.nightly_changes",
    "air_traffic.refined.route_summary",
    "weather.trusted.hourly_conditions",
    "air_traffic.trusted.weather_delays",
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("exports"))
    for product in PRODUCTS:
        built.run(product)
    return built


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The package's own files, with nothing of dapflow between."""
    folder = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(data_directory() / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table in ("flights", "planes", "airlines", "airports", "weather"):
        file = (folder if table == "flights" else data_directory()) / f"{table}.csv"
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{file}', nullstr='NA')")
    connection.execute("ALTER TABLE flights ADD COLUMN flight_date date")
    connection.execute("UPDATE flights SET flight_date = make_date(year, month, day)")
    return connection


def assert_same(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> None:
    """Equal rows in the same order; doubles may differ by the last digit that is shown."""
    assert len(ours) == len(theirs)
    different = ((mine, other) for mine, other in zip(ours, theirs, strict=True) if mine != other)
    for mine, other in different:
        for left, right in zip(mine, other, strict=True):
            if isinstance(left, float) and isinstance(right, float):
                assert math.isclose(left, right, abs_tol=0.11), (mine, other)
            else:
                assert left == right, (mine, other)


def test_the_manifest_holds_these_products_and_no_others(warehouse: Warehouse) -> None:
    products = [name for name, dataset in warehouse.manifest.datasets.items() if dataset.transform]
    assert sorted(products) == sorted(PRODUCTS)


def test_flight_details_names_airline_and_plane(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT flight_number, flight_date, origin, dest, airline, manufacturer, seats, plane_age, status, miles_per_hour
        FROM air_traffic_refined_zone.flight_details ORDER BY ALL""")
    theirs = package.execute("""
        SELECT f.carrier || f.flight, flight_date, origin, dest, a.name, p.manufacturer, p.seats, f.year - p.year,
               CASE WHEN dep_time IS NULL THEN 'cancelled' WHEN arr_time IS NULL THEN 'not arrived'
                    WHEN air_time IS NULL THEN 'diverted' ELSE 'flown' END,
               round(60 * distance / air_time, 1)
        FROM flights f JOIN airlines a USING (carrier) LEFT JOIN planes p USING (tailnum) ORDER BY ALL""").fetchall()
    assert len(ours) == 336776
    assert_same(ours, theirs)


def test_a_departure_at_midnight_is_no_time_of_the_day(warehouse: Warehouse) -> None:
    flights = warehouse.rows("""
        SELECT count(*), count(left_at), min(left_at), min(original_import_date)
        FROM air_traffic_refined_zone.flight_details WHERE status <> 'cancelled'""")
    assert flights == [(328521, 328492, datetime(2013, 1, 1, 5, 17), "20131231")]


def test_daily_departures(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT place, flight_date, weekday, scheduled, departed, cancelled, diverted, on_time_percent, average_delay,
               longest_delay
        FROM air_traffic_refined_zone.daily_departures ORDER BY place, flight_date""")
    theirs = package.execute("""
        SELECT coalesce(origin, 'NYC'), flight_date, dayname(flight_date), count(*), count(dep_time),
               count(*) FILTER (dep_time IS NULL), count(*) FILTER (arr_time IS NOT NULL AND air_time IS NULL),
               round(100 * count(*) FILTER (dep_delay <= 15) / count(*), 1), round(avg(dep_delay), 1), max(dep_delay)
        FROM flights GROUP BY GROUPING SETS ((origin, flight_date), (flight_date)) ORDER BY 1, 2""").fetchall()
    assert len(ours) == 4 * 365
    assert_same(ours, theirs)
    worst = "SELECT worst_airline, worst_airline_delay FROM air_traffic_refined_zone.daily_departures"
    # 8 February 2013: the snow storm Nemo closed the airports for the night.
    assert (
        warehouse.rows(f"{worst} WHERE place = 'NYC' AND flight_date = DATE '2013-02-08'")
        == package.execute("""
        SELECT name, round(avg(dep_delay), 1) FROM flights JOIN airlines USING (carrier)
        WHERE flight_date = DATE '2013-02-08' GROUP BY name ORDER BY 2 DESC LIMIT 1""").fetchall()
    )


def test_airline_punctuality(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT carrier, airline, flight_month, flights, punctual, punctual_percent, place_in_month, change_in_points,
               three_month_percent, flights_this_year
        FROM air_traffic_refined_zone.airline_punctuality ORDER BY carrier, flight_month""")
    theirs = package.execute("""
        WITH m AS (SELECT carrier, month, count(*) n, count(*) FILTER (dep_delay <= 15) p FROM flights GROUP BY ALL)
        SELECT m.carrier, a.name, '2013-' || lpad(m.month::varchar, 2, '0'), m.n, m.p, round(100 * m.p / m.n, 1),
               1 + (SELECT count(*) FROM m o WHERE o.month = m.month AND o.p / o.n > m.p / m.n),
               round(100 * (m.p / m.n - (SELECT p / n FROM m b WHERE b.carrier = m.carrier AND b.month < m.month
                                         ORDER BY b.month DESC LIMIT 1)), 1),
               round((SELECT avg(100 * p / n) FROM (SELECT p, n FROM m b WHERE b.carrier = m.carrier
                      AND b.month <= m.month ORDER BY b.month DESC LIMIT 3)), 1),
               (SELECT sum(n) FROM m b WHERE b.carrier = m.carrier AND b.month <= m.month)
        FROM m JOIN airlines a USING (carrier) ORDER BY 1, 3""").fetchall()
    assert_same(ours, theirs)


def test_disruptions(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT carrier, airline, flight, origin, dest, destination, scheduled_at, disruption, diverted_route, tailnum,
               import_year, import_month, import_day, import_date
        FROM air_traffic_refined_zone.disruptions ORDER BY ALL""")
    theirs = package.execute("""
        SELECT carrier, upper(a.name), flight, origin, dest, coalesce(p.name, dest),
               time_hour::timestamp + to_minutes(minute),
               CASE WHEN dep_time IS NULL THEN 'cancelled' WHEN arr_time IS NULL THEN 'no arrival recorded'
                    ELSE 'diverted' END,
               CASE WHEN arr_time IS NOT NULL THEN origin || '-' || dest END, coalesce(tailnum, 'not assigned'),
               '2013', '12', '31', '20131231'
        FROM flights f JOIN airlines a USING (carrier) LEFT JOIN airports p ON p.faa = dest
        WHERE air_time IS NULL AND flight_date < DATE '2013-12-31' ORDER BY ALL""").fetchall()
    assert_same(ours, theirs)
    columns = warehouse.manifest.dataset("air_traffic.refined.disruptions").transform
    assert columns is not None
    assert columns.contract == "migrated"


def test_route_summary(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT origin, dest, destination, destination_time_zone, flights, airlines, airline_list, miles,
               fastest_minutes, mean_minutes, busiest_weekday, flights_on_busiest_weekday
        FROM air_traffic_refined_zone.route_summary ORDER BY origin, dest""")
    theirs = package.execute("""
        WITH weekdays AS (SELECT origin, dest, dayname(flight_date) d, count(*) n FROM flights GROUP BY ALL)
        SELECT f.origin, f.dest, coalesce(any_value(a.name), 'not in the register'),
               coalesce(replace(regexp_extract(any_value(a.tzone), '/(.*)', 1), '_', ' '), 'unknown'), count(*),
               count(DISTINCT carrier), string_agg(DISTINCT carrier, ', ' ORDER BY carrier), max(distance),
               min(air_time), round(avg(air_time), 1),
               (SELECT d FROM weekdays w WHERE w.origin = f.origin AND w.dest = f.dest ORDER BY n DESC, d LIMIT 1),
               (SELECT max(n) FROM weekdays w WHERE w.origin = f.origin AND w.dest = f.dest)
        FROM flights f LEFT JOIN airports a ON a.faa = dest GROUP BY f.origin, f.dest ORDER BY 1, 2""").fetchall()
    assert len(ours) == 224
    assert_same(ours, theirs)


def test_nightly_changes(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT night, previous_night, flights, added, still_open, closed, closed_as_cancelled, corrected
        FROM air_traffic_refined_zone.nightly_changes ORDER BY night""")
    days = dict(
        package.execute(
            "SELECT flight_date, (count(*), count(*) - count(dep_time)) FROM flights GROUP BY ALL"
        ).fetchall()
    )
    d29, d30, d31 = (date(2013, 12, day) for day in (29, 30, 31))
    total = sum(count for count, _ in days.values())
    before = total - days[d30][0] - days[d31][0]
    assert ours == [
        (d29, None, before, 0, days[d29][0], 0, 0, 0),
        (d30, d29, before + days[d30][0], days[d30][0], days[d30][0], *days[d29], 0),
        (d31, d30, total, days[d31][0], days[d31][0], *days[d30], 0),
    ]


def test_hourly_conditions(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT origin, time_hour, local_time, temperature_celsius, precipitation_mm, precipitation_mm_last_3_hours,
               wind_from, visibility_miles
        FROM weather_trusted_zone.hourly_conditions ORDER BY origin, time_hour""")
    theirs = package.execute("""
        SELECT origin, time_hour::timestamp, timezone('America/New_York', time_hour), round((temp - 32) / 1.8, 1),
               round(precip * 25.4, 1),
               round(25.4 * list_sum(list(precip) OVER (PARTITION BY origin ORDER BY time_hour)[-3:]), 1),
               ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west', 'north']
                   [floor((wind_dir + 22.5) / 45)::integer + 1],
               visib
        FROM weather ORDER BY origin, time_hour""").fetchall()
    assert len(ours) == 26115
    assert_same(ours, theirs)
    kinds = dict(warehouse.rows("SELECT conditions, count(*) FROM weather_trusted_zone.hourly_conditions GROUP BY 1"))
    assert set(kinds) == {"fair", "rain", "heavy rain", "snow", "fog", "haze", "strong wind"}


def test_weather_delays(warehouse: Warehouse, package: duckdb.DuckDBPyConnection) -> None:
    ours = warehouse.rows("""
        SELECT origin, flights, cancelled, cancelled_percent, average_delay, hour_late_percent
        FROM air_traffic_trusted_zone.weather_delays WHERE conditions = 'snow' ORDER BY origin""")
    theirs = package.execute("""
        SELECT f.origin, count(*), count(*) - count(dep_time), round(100 * (count(*) - count(dep_time)) / count(*), 2),
               round(avg(dep_delay), 1), round(100 * count(*) FILTER (dep_delay > 60) / count(*), 2)
        FROM flights f JOIN weather w USING (origin, time_hour)
        WHERE round(precip * 25.4, 1) > 0 AND round((temp - 32) / 1.8, 1) <= 0
        GROUP BY f.origin ORDER BY 1""").fetchall()
    assert_same(ours, theirs)
    total, conditions = warehouse.rows(
        "SELECT sum(flights), count(DISTINCT conditions) FROM air_traffic_trusted_zone.weather_delays"
    )[0]
    assert (total, conditions) == (336776, 8)
    longest = "SELECT longest_delay FROM air_traffic_trusted_zone.weather_delays WHERE origin = 'JFK'"
    assert ("HA51 on 9 January: 1301 minutes",) in warehouse.rows(longest)
