"""``dapflow run``: publish without Airflow, see what came of it."""

from __future__ import annotations

import json
import resource
import time

import psutil
import pytest

from tests.cli.in_process import PlatformProject
from tests.local.projects import LocalProject


def ask(platform: LocalProject, sql: str) -> list[dict[str, object]]:
    return list(json.loads(platform.run("query", sql, "--json").stdout))


def test_a_service_publishes_the_newest_night_that_landed(platform: PlatformProject) -> None:
    done = platform.process("run", "housing")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith("housing.")}
    assert rows["housing.raw.repairs"][:2] == ["2024-06-05", "3"]
    assert rows["housing.refined.repair_costs"][:2] == ["2024-06-05", "2"]
    assert "repairs" in done.stdout.splitlines()[-4]
    assert ask(platform, "SELECT done, repairs, cost FROM housing_refined_zone.repair_costs ORDER BY done") == [
        {"done": False, "repairs": 2, "cost": 5.0},
        {"done": True, "repairs": 1, "cost": 10.5},
    ]


@pytest.mark.slow
def test_an_older_generation_is_added_to_the_history_only(platform: LocalProject) -> None:
    platform.run("run", "housing")
    platform.run("run", "housing", "--generation", "20240604")
    assert ask(platform, "SELECT count(*) AS n FROM housing_raw_zone.repairs") == [{"n": 3}]
    generations = "SELECT import_date, count(*) AS n FROM housing_raw_zone.repairs_history GROUP BY 1 ORDER BY 1"
    assert ask(platform, generations) == [{"import_date": "20240604", "n": 1}, {"import_date": "20240605", "n": 3}]


@pytest.mark.slow
def test_a_transform_by_its_name_its_id_and_its_file(platform: LocalProject) -> None:
    platform.run("run", "housing")
    file = str(platform.root / "transforms/housing/refined/repair_costs.sql")
    for name in ("repair_costs", "housing.refined.repair_costs", file):
        done = platform.run("run", name)
        assert "housing.refined.repair_costs" in done.stdout
        assert "housing.raw.repairs" not in done.stdout


@pytest.mark.slow
def test_a_new_service_needs_no_new_start(platform: LocalProject) -> None:
    platform.run("run", "housing")
    platform.write("transforms/parking/service.yml", "reads: [housing.raw.repairs]\n")
    terms = platform.root / "transforms/housing/service.yml"
    platform.write("transforms/housing/service.yml", f"grants: {{parking: [raw.repairs]}}\n{terms.read_text()}")
    platform.write("transforms/parking/refined/costs.sql", "SELECT sum(cost) AS cost FROM housing_raw_zone.repairs")
    platform.run("run", "parking")
    assert ask(platform, "SELECT cost FROM parking_refined_zone.costs") == [{"cost": 15.5}]


@pytest.mark.slow
def test_what_was_read_is_said_where_it_is_not_the_same_generation(platform: LocalProject) -> None:
    s3 = platform.client("s3")
    for table, nights in {"loans": ("2024-06-04", "2024-06-05"), "branches": ("2024-06-04",)}.items():
        for night in nights:
            key = f"libraries/{table}/{night}/{table}.csv"
            s3.put_object(Bucket="dapflow-local-landing-123456789012", Key=key, Body=b"branch\n7\n")
    done = platform.run("run", "libraries", "-g", "2024-06-04")
    said = [line for line in done.stdout.splitlines() if " read " in line]
    assert said == ["libraries.refined.days read the history of libraries.raw.loans up to 2024-06-04"]

    done = platform.run("run", "libraries")
    said = [line for line in done.stdout.splitlines() if " read " in line]
    assert said == [
        "libraries.refined.busy read libraries.raw.branches as of 2024-06-04: it has none of 2024-06-05",
        "libraries.refined.days read the history of libraries.raw.loans up to 2024-06-05",
    ]
    assert "libraries.raw.branches 2024-06-05: nothing landed" in done.stderr
    assert ask(platform, "SELECT import_date FROM libraries_refined_zone.busy") == [{"import_date": "20240605"}]

    # A night that is loaded again is not what a later night read of it.
    done = platform.run("run", "libraries", "-g", "2024-06-04")
    said = [line for line in done.stdout.splitlines() if " was read before by " in line]
    assert said == [
        "libraries.raw.branches 2024-06-04 was read before by libraries.refined.busy 2024-06-05: run that again",
        "libraries.raw.loans 2024-06-04 was read before by libraries.refined.days 2024-06-05: run that again",
    ]

    # Asked for by its name, a table without files is a mistake; and so is one that something cannot do without.
    done = platform.run("run", "libraries.raw.branches", "-g", "2024-06-05", check=False)
    assert (done.returncode, "[landing-missing]" in done.stderr) == (1, True)


def test_one_document_says_what_was_published(platform: LocalProject) -> None:
    done = platform.run("run", "housing", "--json", "-g", "2024-06-05")
    document = json.loads(done.stdout)
    assert document["errors"] == []
    raw, product = document["publications"]
    assert (raw["dataset"], raw["generation"], raw["rows"], raw["inputs"]) == (
        "housing.raw.repairs",
        "2024-06-05",
        3,
        [],
    )
    assert (product["dataset"], product["rows"]) == ("housing.refined.repair_costs", 2)
    assert product["inputs"] == [
        {"dataset": "housing.raw.repairs", "generation": "20240605", "version": raw["location"]}
    ]


@pytest.mark.slow
def test_what_was_made_of_a_generation_before_is_named(platform: LocalProject) -> None:
    platform.run("run", "housing", "-g", "2024-06-05")
    product, raw = "housing.refined.repair_costs", "housing.raw.repairs"
    outdated = {"dataset": product, "generation": "2024-06-05", "read": raw, "of": "2024-06-05"}
    # Services of other tests may have read the table as well.
    document = json.loads(platform.run("run", "housing", "--json", "-g", "2024-06-05").stdout)
    assert product not in [late["dataset"] for late in document["outdated"]]
    document = json.loads(platform.run("run", raw, "--json", "-g", "2024-06-05").stdout)
    assert outdated in document["outdated"]


@pytest.mark.slow
def test_the_document_of_a_run_that_fails_says_what_was_published_before(platform: LocalProject) -> None:
    platform.write("transforms/housing/refined/zero.sql", "SELECT id FROM repairs WHERE id = 0\n")
    try:
        done = platform.run("run", "housing", "--json", "-g", "2024-06-05", check=False)
    finally:
        (platform.root / "transforms/housing/refined/zero.sql").unlink()
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert "housing.raw.repairs" in [publication["dataset"] for publication in document["publications"]]
    [error] = document["errors"]
    assert (error["code"], error["file"]) == ("no-rows", "transforms/housing/refined/zero.sql")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nothing_like_it",), "unknown-name"),
        (("housing", "--generation", "yesterday"), "generation"),
        (("housing", "--generation", "2024-06-06"), "landing-missing"),
    ],
)
def test_mistakes(platform: LocalProject, arguments: tuple[str, ...], code: str) -> None:
    done = platform.run("run", *arguments, check=False)
    assert done.returncode == 1
    assert f"[{code}]" in done.stderr


def test_nothing_landed_is_said(platform: LocalProject) -> None:
    platform.write("transforms/waste/service.yml", "sources: {bins: {columns: {id: integer}}}\n")
    done = platform.run("run", "waste", check=False)
    assert done.returncode == 1
    assert "[nothing-landed]" in done.stderr
    assert "waste/<table>/<date>/" in done.stderr


@pytest.mark.slow
def test_a_killed_athena_is_named_and_the_old_generation_stays(platform: LocalProject) -> None:
    platform.run("run", "housing")
    before = ask(platform, "SELECT count(*) AS n FROM housing_raw_zone.repairs")
    psutil.Process(platform.status()["athena"]["pid"]).kill()
    time.sleep(0.2)
    done = platform.run("run", "housing", check=False)
    assert done.returncode == 1
    assert "athena" in done.stderr
    assert "dapflow local up" in done.stderr
    platform.run("local", "up", "--no-airflow")
    assert ask(platform, "SELECT count(*) AS n FROM housing_raw_zone.repairs") == before


@pytest.mark.slow
def test_a_full_disk_publishes_nothing_and_the_old_generation_stays(project: LocalProject) -> None:
    product = "transforms/housing/refined/numbers.sql"
    project.write("transforms/housing/service.yml", "{}\n")
    (project.root / "transforms/housing/refined/repair_costs.sql").unlink()
    project.write(product, "SELECT n, rand() AS r FROM UNNEST(sequence(1, 10)) AS t (n)\n")
    project.run("local", "up", "--no-airflow")
    project.run("run", "numbers", "--generation", "2024-06-04")
    before = ask(project, "SELECT n, r FROM housing_refined_zone.numbers ORDER BY n")
    project.run("local", "down")

    # Files that may not grow beyond a size fail as on a full disk: OSError from write.
    limit = 2_000_000
    project.run(
        "local", "up", "--no-airflow", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    many = "UNNEST(sequence(1, 9999)) AS t (n) CROSS JOIN UNNEST(sequence(1, 60)) AS u (m)"
    project.write(product, f"SELECT n, rand() AS r FROM {many}\n")
    done = project.run("run", "numbers", "--generation", "2024-06-04", check=False)
    assert done.returncode == 1
    assert ask(project, "SELECT n, r FROM housing_refined_zone.numbers ORDER BY n") == before

    project.run("local", "down")
    project.run("local", "up", "--no-airflow")
    assert ask(project, "SELECT n, r FROM housing_refined_zone.numbers ORDER BY n") == before
    project.run("run", "numbers", "--generation", "2024-06-04")
    assert ask(project, "SELECT count(*) AS n FROM housing_refined_zone.numbers") == [{"n": 9999 * 60}]


@pytest.mark.slow
def test_a_mistake_elsewhere_stops_nothing(platform: LocalProject) -> None:
    platform.run("run", "housing.raw.repairs")
    file = platform.root / "transforms/roads/refined/broken.sql"
    platform.write("transforms/roads/refined/broken.sql", "SELEC 1\n")
    try:
        done = platform.run("run", "repair_costs")
        assert "leaving out what repair_costs does not need: there are mistakes in it (1, dapflow check)" in done.stderr
        assert "housing.refined.repair_costs" in done.stdout
        assert "roads/refined/broken.sql:1:1" in platform.run("run", "broken", check=False).stderr
        assert "roads/refined/broken.sql:1:1" in platform.run("run", "roads", check=False).stderr
    finally:
        file.unlink()
