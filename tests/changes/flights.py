"""A project of few products that read each other, for tests of what a change reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dapflow.manifest import Manifest
from tests.project.writing import compile_files

SERVICE = """\
database: air_refined_zone
sources:
  flights:
    columns: {id: integer, carrier: string, origin: string, delay: integer, distance: double, day: date}
  airlines:
    columns: {carrier: string, name: string, country: string}
"""
PRODUCTS = {
    "clean": """\
-- Flights that took off.
SELECT f.id, upper(f.carrier) AS carrier, f.origin, f.delay, f.distance * 1.609 AS km, f.day
FROM air_raw_zone.flights f
WHERE f.delay IS NOT NULL
""",
    "named": """\
WITH known AS (
    SELECT carrier, name, coalesce(country, 'unknown') AS country
    FROM air_raw_zone.airlines
)
SELECT c.id, c.carrier, k.name, k.country, c.delay, c.km
FROM clean c
LEFT JOIN known k ON k.carrier = c.carrier
""",
    "by_carrier": """\
SELECT carrier, count(*) AS flights, avg(delay) AS delay, max(km) AS furthest
FROM clean
GROUP BY carrier
""",
    "by_origin": """\
SELECT origin, count(*) AS flights
FROM clean
GROUP BY 1
HAVING count(*) > 1
""",
    "countries": """\
SELECT DISTINCT country FROM named WHERE country <> 'unknown'
""",
    "ranked": """\
SELECT id, carrier, rank() OVER (PARTITION BY carrier ORDER BY delay DESC, id) AS place
FROM named
WHERE delay > 0
""",
    "worst": """\
SELECT carrier, r.id, b.delay AS usual
FROM ranked r JOIN by_carrier b USING (carrier)
WHERE r.place = 1
""",
    "lengths": """\
SELECT id, CASE WHEN km < 1000 THEN 'short' ELSE 'long' END AS length FROM clean
""",
    "everything": """\
SELECT * FROM by_carrier
WHERE carrier NOT IN (SELECT origin FROM by_origin)
""",
    "longest": """\
SELECT id, km FROM clean ORDER BY km DESC, id LIMIT 3
""",
    "airline_names": """\
SELECT transform(array_agg(name ORDER BY name), n -> lower(n)) AS names FROM air_raw_zone.airlines
""",
}


def project(root: Path, products: Mapping[str, str] = PRODUCTS, more: Mapping[str, str] | None = None) -> Manifest:
    """The compiled project of these products; ``more`` are further files below ``transforms/air/``."""
    files: dict[str, str | bytes] = {"air/service.yml": SERVICE}
    files |= {f"air/refined/{name}.sql": text for name, text in products.items()}
    files |= {f"air/{name}": text for name, text in (more or {}).items()}
    return compile_files(root, files)
