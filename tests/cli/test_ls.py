"""ls and deps: what there is, and what is made of what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.in_process import PlatformProject, dapflow
from tests.project.writing import SERVICE, write_project

FILES: dict[str, str | bytes] = {
    "air/service.yml": f"title: Air\nowner: ann@example.org\nschedule: 0 6 * * *\n{SERVICE}",
    "air/refined/names.sql": "SELECT carrier, name FROM airlines",
    "air/refined/named.sql": "SELECT f.year, n.name FROM flights f JOIN air_refined_zone.names n USING (carrier)",
    "air/trusted/years.sql": "SELECT year, count(*) AS n FROM air_refined_zone.named GROUP BY year",
    "air/trusted/both.sql": "SELECT name FROM air_refined_zone.names JOIN air_refined_zone.named USING (name)",
    "air/refined/grown.sql": "SELECT year FROM flights UNION ALL SELECT year FROM air_refined_zone.grown_history",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("a project"), FILES)


def test_ls_lists_tables_and_products_with_their_owner_and_schedule(root: Path) -> None:
    run = dapflow("ls", cwd=root)
    lines = [line.split(maxsplit=1) for line in run.stdout.splitlines()[1:]]
    assert run.returncode == 0
    assert {name for name, _ in lines} == {
        "air.raw.flights", "air.raw.airlines", "air.raw.airports", "air.refined.names", "air.refined.named",
        "air.refined.grown", "air.trusted.years", "air.trusted.both",
    }  # fmt: skip
    assert dict(lines)["air.trusted.years"] == "product    ann@example.org  0 6 * * *"
    assert run.stderr == "The embedded platform is not running: what is published is not known.\n"
    # Each after what it is made of, and nothing said of what is not known.
    listed = json.loads(dapflow("ls", "air", "--json", cwd=root).stdout)
    ids = [dataset["id"] for dataset in listed["datasets"]]
    assert ids.index("air.refined.names") < ids.index("air.refined.named") < ids.index("air.trusted.years")
    assert "generation" not in listed["datasets"][0]
    assert listed["services"][0]["owner"] == "ann@example.org"


def test_ls_names_the_services_that_there_are(root: Path) -> None:
    run = dapflow("ls", "sea", cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert "there is no service 'sea'" in run.stderr
    assert "there are air" in run.stderr


def test_ls_says_what_readers_see_and_what_became_of_the_last_run(platform: PlatformProject) -> None:
    platform.run("run", "housing.raw.repairs", "-g", "2024-06-04")
    assert platform.run("run", "libraries.raw.loans", "-g", "2024-06-04", check=False).returncode
    listed = json.loads(platform.run("ls", "--json").stdout)["datasets"]
    stands = {dataset["id"]: (dataset["generation"], dataset["last_run"]) for dataset in listed}
    generation, last_run = stands["housing.raw.repairs"]
    assert generation in ("2024-06-04", "2024-06-05")  # another test may have published the later one
    assert last_run == "published"
    assert stands["libraries.raw.loans"][1] == "failed"
    assert stands["libraries.refined.days"] == (None, None)
    [shown] = [line for line in platform.run("ls", "housing").stdout.splitlines() if "raw.repairs" in line]
    assert shown.endswith(f"{generation}  published")


def test_deps_shows_both_trees(root: Path) -> None:
    assert (
        dapflow("deps", "named", cwd=root).stdout
        == """\
air.refined.named reads
├─ air.raw.flights
└─ air.refined.names
   └─ air.raw.airlines
air.refined.named is read by
├─ air.trusted.both
└─ air.trusted.years
"""
    )


def test_deps_unfolds_what_stands_above_once(root: Path) -> None:
    assert (
        dapflow("deps", "both", cwd=root).stdout
        == """\
air.trusted.both reads
├─ air.refined.named
│  ├─ air.raw.flights
│  └─ air.refined.names
│     └─ air.raw.airlines
└─ air.refined.names (above)
air.trusted.both is read by no product
"""
    )


def test_deps_leaves_a_products_own_history_out(root: Path) -> None:
    read = json.loads(dapflow("deps", "grown", "--json", cwd=root).stdout)
    edges = [{"reads": "air.raw.flights", "dataset": "air.refined.grown"}]
    assert read == {
        "dataset": "air.refined.grown", "upstream": ["air.raw.flights"], "downstream": [], "edges": edges,
    }  # fmt: skip


def test_deps_draws_what_goes_through_a_dataset_and_not_what_goes_past_it(root: Path) -> None:
    assert (
        dapflow("deps", "named", "--mermaid", cwd=root).stdout
        == """\
flowchart LR
  d0["air.raw.airlines"]
  d1["air.raw.flights"]
  d2["air.refined.names"]
  d3["air.refined.named"]
  d4["air.trusted.both"]
  d5["air.trusted.years"]
  d0 --> d2
  d1 --> d3
  d2 --> d3
  d3 --> d4
  d3 --> d5
  style d3 stroke-width:3px
"""
    )
    dot = dapflow("deps", "--dot", cwd=root).stdout
    assert '  "air.refined.names" -> "air.trusted.both";\n' in dot  # of the whole project, all is drawn
    assert (dot.count('"air.raw.airports"'), dot.count("->")) == (1, 7)


def test_deps_is_of_a_dataset_that_there_is_and_in_one_form(root: Path) -> None:
    assert "there is no product or raw table 'nobody'" in dapflow("deps", "nobody", cwd=root).stderr
    assert "did you mean air.raw.flights?" in dapflow("deps", "fligths", cwd=root).stderr
    assert "hint: it is a service, which has air.raw." in dapflow("deps", "air", cwd=root).stderr
    both = dapflow("deps", "--dot", "--mermaid", cwd=root)
    assert (both.returncode, both.stdout) == (1, "")
    assert "exclude each other" in both.stderr


def test_the_terms_of_a_service_are_a_page(root: Path) -> None:
    lines = dapflow("show", "air", "--markdown", cwd=root).stdout.splitlines()
    assert lines[0] == "# Air"
    assert "| title | Air |" not in lines
    assert "| files | transforms/air/ |" in lines
    assert [line for line in lines if line.startswith("## ")] == ["## Products", "## Raw tables"]
    assert any(line.startswith("| air.raw.flights | air\\_raw\\_zone.flights | flights\\_history |") for line in lines)
    assert "[option]" in dapflow("show", "named", "--markdown", cwd=root).stderr


def test_what_is_no_dataset_is_said_before_the_platform_is_asked(root: Path, tmp_path: Path) -> None:
    assert "there is no transform 'nothing'" in dapflow("preview", "nothing", cwd=root).stderr
    assert "the project has no nothing, and the embedded platform" in dapflow("remove", "nothing", cwd=root).stderr
    assert "air.raw.airports is no transform, and has no SQL" in dapflow("show", "airports", cwd=root).stderr
    (tmp_path / "none" / "transforms").mkdir(parents=True)
    empty = dapflow("deps", cwd=tmp_path / "none")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "dapflow new service begins a service" in empty.stderr


def test_show_prints_the_terms_of_a_service(root: Path) -> None:
    terms = json.loads(dapflow("show", "air", "--json", cwd=root).stdout)
    assert terms["title"] == "Air"
    assert terms["runs"] == "0 6 * * *"
    assert terms["refined_zone"].startswith("air_refined_zone, s3://dapflow-local-refined-")
    assert terms["refined_zone"].endswith("/air/")
    assert terms["names_without_a_database"] == "air_raw_zone"
    assert terms["workgroup"] == "dapflow-local-air, at most 100 GB a query"
    lines = dapflow("show", "air", cwd=root).stdout.splitlines()
    assert lines[0].split() == ["term", "in", "local"]
    assert lines[-1].startswith("role")  # it reads nothing of others, and grants nothing
