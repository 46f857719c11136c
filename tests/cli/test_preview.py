"""``dapflow preview``: a transform on today's data, nothing published."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.in_process import PlatformProject

TWO = """\
WITH dear AS (SELECT id, cost FROM repairs WHERE cost > 6),
     counted AS (SELECT count(*) AS n FROM dear)
SELECT n, bad_name FROM counted
"""


@pytest.fixture(scope="module")
def two(platform: PlatformProject) -> Iterator[PlatformProject]:
    """Repairs of the newest night are published."""
    platform.run("run", "housing.raw.repairs", "-g", "2024-06-05")
    yield platform
    (platform.root / "transforms/housing/refined/two.sql").unlink(missing_ok=True)


def test_the_first_rows_are_those_of_the_current_views_and_nothing_is_published(two: PlatformProject) -> None:
    before = two.run("ls", "housing", "--json").stdout
    rows = json.loads(two.run("preview", "repair_costs", "--json").stdout)
    assert sorted(rows, key=lambda row: row["done"]) == [
        {"done": False, "repairs": 2, "cost": 5.0},
        {"done": True, "repairs": 1, "cost": 10.5},
    ]
    first = two.run("preview", "repair_costs", "--limit", "1")
    assert first.stderr.startswith("1 row, ")
    assert len(first.stdout.splitlines()) == 3  # names, types, the row
    assert two.run("ls", "housing", "--json").stdout == before


def test_a_query_of_its_with_is_shown_though_the_rest_fails(two: PlatformProject) -> None:
    two.write("transforms/housing/refined/two.sql", TWO)
    assert json.loads(two.run("preview", "two", "--cte", "dear", "--json").stdout) == [{"id": 1, "cost": 10.5}]
    assert json.loads(two.run("preview", "two", "--cte", "COUNTED", "--json").stdout) == [{"n": 1}]
    whole = two.run("preview", "two", check=False)
    assert (whole.returncode, whole.stdout) == (1, "")
    assert "two.sql:3:11:" in whole.stderr
    assert "bad_name" in whole.stderr
    assert "warning" not in whole.stderr  # of the LIMIT, which is not the file's
    typo = two.run("preview", "two", "--cte", "deer", check=False)
    assert "did you mean 'dear'?" in typo.stderr


def test_a_file_that_cannot_be_read_is_said_with_its_place(two: PlatformProject) -> None:
    two.write("transforms/housing/refined/two.sql", "SELECT id, FROM repairs\n")
    asked = two.run("preview", "two", check=False)
    assert asked.returncode == 1
    assert "two.sql:1:12: after the comma" in asked.stderr


def test_what_is_not_published_yet_is_named(two: PlatformProject) -> None:
    two.write("transforms/housing/refined/two.sql", "SELECT done\nFROM housing_refined_zone.later\n")
    later = two.root / "transforms/housing/refined/later.sql"
    later.write_text("SELECT done FROM repairs\n")
    asked = two.run("preview", "two", check=False)
    later.unlink()
    assert asked.returncode == 1
    assert "two.sql:2:6: nothing of housing.refined.later is published" in asked.stderr
    assert "hint: publish it first: dapflow run housing.refined.later" in asked.stderr
