"""``dapflow test --new``: a first test, of rows that the platform has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.in_process import PlatformProject

SERVICE = """\
sources:
  tenants:
    columns:
      id: bigint
      name: {type: string, personal: true}
      born: {type: date, personal: true}
      tags: array<string>
      since: timestamp
    format: json
  homes: {columns: {tenant_id: bigint, name: string, rent: "decimal(8,2)"}}
  codes:
"""
FILES = {
    "service.yml": SERVICE,
    "refined/rents.sql": """\
SELECT t.name, t.born, t.tags, t.since, h.rent, c.label,
  CASE WHEN h.rent > 100 THEN 'dear' ELSE 'fair' END AS "of all"
FROM tenants t LEFT JOIN homes h ON h.name = t.name LEFT JOIN codes c ON c.id = t.id
""",
    "refined/nights.sql": "SELECT import_date AS night, count(*) AS homes FROM homes_history GROUP BY import_date",
    "refined/never.sql": "SELECT rent FROM people_refined_zone.rents",
}
TENANTS = """\
{"id": 1, "name": "Ada Lovelace", "born": "1815-12-10", "tags": ["a, b", "null"], "since": "2024-01-01 10:00:00"}
{"id": 2, "name": "Alan Turing", "born": "1912-06-23", "tags": [], "since": null}
"""


@pytest.fixture(scope="module")
def people(platform: PlatformProject) -> Iterator[PlatformProject]:
    """The platform with tenants, whose names and days of birth are personal."""
    for name, text in FILES.items():
        platform.write(f"transforms/people/{name}", text)
    platform.write("tenants.json", TENANTS)
    platform.write("homes.csv", "tenant_id,name,rent\n9,Nobody,1\n1,Ada Lovelace,120.50\n2,Alan Turing,90\n")
    platform.write("codes.csv", "id,label\n1,yes\n2,No: 'never'\n")
    platform.run("local", "up", "--no-airflow")
    for file in ("tenants.json", "homes.csv", "codes.csv"):
        table = file.partition(".")[0]
        platform.run("land", str(platform.root / file), "--to", f"people.{table}", "--date", "2024-06-05")
        platform.run("run", f"people.raw.{table}", "--generation", "2024-06-05")
    yield platform


def test_what_is_drafted_passes_and_holds_no_personal_value(people: PlatformProject) -> None:
    done = people.run("test", "--new", "rents")
    assert done.stdout.splitlines()[0] == "transforms/people/tests/rents.yml: 6 rows given, 2 expected"
    text = (people.root / "transforms/people/tests/rents.yml").read_text()
    assert not [word for word in ("Ada", "Lovelace", "Turing", "1815", "1912") if word in text]
    assert "    generation: 2024-06-05\n" in text
    # The same value is the same in both tables, so that they still join.
    assert 'name: name 1, born: 2001-01-01, tags: ["a, b","null"], ' in text
    assert "columns: {id: bigint, label: string}" in text
    assert """label: "No: 'never'", "of all": fair}""" in text
    run = people.run("test", "rents")
    assert run.stdout.startswith("one test passed")


def test_a_history_is_given_with_its_nights(people: PlatformProject) -> None:
    people.run("test", "--new", "nights", "--rows", "2")
    text = (people.root / "transforms/people/tests/nights.yml").read_text()
    assert text.count("{import_date: 20240605}") == 2
    assert people.run("test", "nights").stdout.startswith("one test passed")


def test_tests_that_are_there_are_left_alone(people: PlatformProject) -> None:
    file = people.root / "transforms/housing/tests/repair_costs.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("# mine\n")
    done = people.run("test", "--new", "repair_costs", check=False)
    assert (done.returncode, "[test-exists]" in done.stderr, file.read_text()) == (1, True, "# mine\n")
    file.unlink()


def test_what_is_not_published_is_said(people: PlatformProject) -> None:
    done = people.run("test", "--new", "never", check=False)
    assert done.returncode == 1
    assert "hint: publish it first: dapflow run people.refined.rents" in done.stderr
    assert not (people.root / "transforms/people/tests/never.yml").exists()
