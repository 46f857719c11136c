"""What a text has that may give other rows over the same tables, as the manifest names it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapflow.manifest import read_manifest
from tests.project.writing import compile_files, transform_of


@pytest.mark.parametrize(
    ("sql", "unsteady"),
    [
        ("SELECT year, count(*) AS n FROM air_raw_zone.flights GROUP BY year", ()),
        ("SELECT year FROM air_raw_zone.flights ORDER BY year LIMIT 3", ()),
        ('SELECT import_date AS d FROM "air_raw_zone"."flights_history$partitions"', ()),
        ("SELECT DATE '2024-06-05' AS d, CAST(carrier AS timestamp) AS t FROM air_raw_zone.flights", ()),
        ("SELECT RANDOM() AS r, uuid() AS u FROM air_raw_zone.flights", ("random", "uuid")),
        ("SELECT parse_datetime('24', 'yy') AS t FROM air_raw_zone.flights", ("parse_datetime",)),
        ('SELECT "rand"() AS r FROM air_raw_zone.flights', ("rand",)),
        ("SELECT year FROM air_raw_zone.flights ORDER BY rand()", ("rand",)),
        ("WITH a AS (SELECT shuffle(ARRAY[1, 2]) AS s) SELECT s FROM a", ("shuffle",)),
        ("SELECT transform(ARRAY[1], v -> v + random(3)) AS r FROM air_raw_zone.flights", ("random",)),
        (
            "SELECT year FROM air_raw_zone.flights WHERE EXISTS (SELECT 1 WHERE now() > TIMESTAMP '2024-01-01')",
            ("now",),
        ),
        ("SELECT count(*) OVER (ORDER BY current_timestamp(3)) AS n FROM air_raw_zone.flights", ("current_timestamp",)),
        ("SELECT current_date AS d, localtime AS t, current_user AS u", ("current_date", "localtime", "current_user")),
        ("SELECT f.year FROM air_raw_zone.flights f TABLESAMPLE BERNOULLI (10)", ("TABLESAMPLE",)),
        ('SELECT f."$path" AS p FROM air_raw_zone.flights_history f', ("$path",)),
        ("SELECT table_name FROM information_schema.tables", ("information_schema",)),
        ("SELECT CAST(TIME '10:00' AS timestamp) AS t FROM air_raw_zone.flights", ("time",)),
        ("SELECT CAST(carrier AS time(3) with time zone) AS t FROM air_raw_zone.flights", ("time",)),
        ("SELECT n FROM TABLE(sequence(1, 3)) t (n)", ("TABLE",)),
    ],
)
def test_what_may_give_other_rows_is_named(tmp_path: Path, sql: str, unsteady: tuple[str, ...]) -> None:
    assert transform_of(tmp_path, sql).unsteady == unsteady


def test_a_manifest_that_does_not_say_is_not_taken_for_one_that_says_nothing(tmp_path: Path) -> None:
    manifest = compile_files(tmp_path, {"air/refined/x.sql": "SELECT year FROM air_raw_zone.flights"})
    data, file = json.loads(manifest.to_json()), tmp_path / "manifest.json"
    for says, read in (({}, None), ({"unsteady": []}, ()), ({"unsteady": ["now"]}, ("now",))):
        transform = data["datasets"]["air.refined.x"]["transform"]
        transform.pop("unsteady", None)
        transform |= says
        file.write_text(json.dumps(data))
        known = read_manifest(file).datasets["air.refined.x"].transform
        assert known is not None and known.unsteady == read
