"""By which columns a product's rows are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.project import compile_project
from dapflow.review.product_key import ProductKeys
from tests.project.writing import write_project

FILES: dict[str, str | bytes] = {
    "air/service.yml": "sources:\n"
    "  flights: {columns: {day: date, carrier: string, delay: integer}}\n"
    "  carriers: {columns: {code: string, name: string}, checks: {codes: {unique: code}}}\n",
    "air/refined/totals.sql": "SELECT carrier, max(delay) AS delay FROM flights GROUP BY carrier",
    # The check says of both what is unique.
    "air/refined/copy.sql": "SELECT code AS c, upper(name) AS name FROM carriers",
    "air/trusted/named.sql": "SELECT t.delay, t.carrier, c.name FROM air_refined_zone.totals t "
    "LEFT JOIN air_raw_zone.carriers c ON c.code = t.carrier",
    "air/trusted/past.sql": "SELECT carrier, delay FROM air_refined_zone.totals_history",
    "air/trusted/flown.sql": "SELECT carrier, delay FROM air_raw_zone.flights",
}


@pytest.mark.parametrize(
    ("product", "key"),
    [
        ("refined.totals", ("carrier",)),
        ("refined.copy", ("c",)),
        ("trusted.named", ("carrier",)),
        # There are the same keys in each generation.
        ("trusted.past", ()),
        ("trusted.flown", ()),
    ],
)
def test_a_key_is_what_the_texts_and_the_checks_of_what_they_read_say(
    tmp_path: Path, product: str, key: tuple[str, ...]
) -> None:
    manifest = compile_project(write_project(tmp_path, FILES))
    keys = ProductKeys(manifest, [f"air.{product}"], {})
    assert keys.of_text(manifest.dataset(f"air.{product}")) == key
