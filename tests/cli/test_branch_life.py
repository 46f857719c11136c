"""What happens to a branch while its environment is up: pushed anew, shared by two, left behind, deleted in git."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dapflow.branch import branch_slug
from dapflow.manifest import SCHEMA
from tests.cli.in_process import PlatformProject
from tests.cli.test_branch_run import inventory
from tests.local.projects import TRANSFORM
from tests.local.test_refused_branches import CODES, refusing

BRANCH = "fix/dear"
COSTS = "transforms/housing/refined/repair_costs.sql"
DEAR = "transforms/housing/refined/pricey.sql"
SELECT = "SELECT done, cost FROM housing_refined_zone.repair_costs WHERE cost > {limit}\n"
PARKING = {
    "service.yml": "sources: {permits: {columns: {id: integer}}}\n",
    "refined/places.sql": "SELECT 12 AS places\n",
}


@dataclass
class Repository:
    """A project in git, whose main environment runs its main branch."""

    platform: PlatformProject

    def git(self, *arguments: str) -> str:
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(self.platform.root), *author, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, *amend: str, **texts: str) -> str:
        for name, text in texts.items():
            self.platform.write({"dear": DEAR, "costs": COSTS}[name], text)
        self.git("add", "transforms")
        self.git("commit", "-q", "-m", "x", *amend)
        return self.git("rev-parse", "HEAD")

    def branch(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.platform.run("branch", *arguments, check=check)

    def up(self, *more: str) -> str:
        return self.branch("up", BRANCH, "--no-airflow", *more).stderr

    def built(self) -> list[str]:
        """The datasets that a run publishes."""
        done = json.loads(self.branch("run", BRANCH, "--yes", "--json").stdout)
        return [made["dataset"] for made in done["publications"]]

    def dear(self) -> list[str]:
        """The costs in the branch's product."""
        database = f"dapflow_branch_{branch_slug(BRANCH).replace('-', '_')}__housing_refined_zone"
        said = self.platform.run("query", f"SELECT cost FROM {database}.pricey ORDER BY 1", "--csv").stdout
        return said.replace('"', "").splitlines()[1:]


@pytest.fixture
def repository(platform: PlatformProject) -> Iterator[Repository]:
    made = Repository(platform)
    made.git("init", "-q", "-b", "main")
    made.commit(dear=SELECT.format(limit=10))
    platform.run("local", "up", "--no-airflow")
    platform.run("run", "housing", "--generation", "2024-06-05")
    made.git("switch", "-q", "-c", BRANCH)
    yield made
    platform.run("branch", "down", BRANCH, check=False)
    shutil.rmtree(platform.root / ".git")
    shutil.rmtree(platform.root / "transforms/parking", ignore_errors=True)
    platform.write(COSTS, TRANSFORM)
    (platform.root / DEAR).unlink(missing_ok=True)
    platform.run("local", "up", "--no-airflow")


@pytest.mark.slow
def test_a_branch_that_is_pushed_anew(repository: Repository) -> None:
    """Its commits of before are gone, also from git; so is what it built of them, when it is built anew."""
    first = repository.commit(dear=SELECT.format(limit=6))
    assert ": 1 to build, " in repository.up()
    assert repository.built() == ["housing.refined.pricey"]
    assert repository.dear() == ["10.5"]

    repository.git("reset", "-q", "--hard", "main")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "-q", "--prune=now")
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("cat-file", "-e", first)
    repository.commit(dear=SELECT.format(limit=4))
    # What is up is of the commits that are gone: it is still there, and said to be other than the files.
    again = repository.branch("run", BRANCH, "--yes")
    told = f"transforms/ is not what was brought up (housing.refined.pricey): dapflow branch up {BRANCH} takes it up\n"
    assert told in again.stderr and "nothing to build" in again.stderr
    compared = repository.branch("diff", BRANCH, "--yes")
    assert "Transforms/ is not what was brought up (housing.refined.pricey)" in compared.stdout
    document = json.loads(repository.branch("diff", BRANCH, "--yes", "--json").stdout)
    assert document["behind"] == [told.rstrip("\n")]

    repository.up()
    assert " (outdated) " in repository.branch("diff", BRANCH, "--yes").stdout
    assert repository.built() == ["housing.refined.pricey"]
    assert repository.dear() == ["5.0", "10.5"]
    compared = repository.branch("diff", BRANCH, "--yes")
    assert "outdated" not in compared.stdout and "not what was brought up" not in compared.stdout


@pytest.mark.slow
def test_a_base_that_has_moved_on(repository: Repository) -> None:
    repository.commit(dear=SELECT.format(limit=6))
    repository.up()
    repository.built()
    repository.git("switch", "-q", "main")
    repository.commit(costs=TRANSFORM.replace("sum(cost)", "2 * sum(cost)"))
    main = repository.git("rev-parse", "--short=9", "HEAD")
    repository.platform.run("local", "up", "--no-airflow")
    repository.git("switch", "-q", BRANCH)
    moved = "its base runs another project by now than the branch was compared with"
    assert moved in repository.branch("run", BRANCH, "--yes").stderr
    assert moved[1:] in repository.branch("diff", BRANCH, "--yes").stdout
    # Git says the same of where the branch comes from; each names what it compares with.
    planned = repository.branch("plan").stdout
    assert "which the branch comes from" in planned and "main has moved on since" in planned
    assert "1 built" in planned
    planned = repository.branch("plan", "--environment", "local").stdout
    assert planned.startswith(f"Compared with what runs in the main environment, of commit {main}.")
    assert "2 built" in planned
    up = repository.up()
    assert f"compared with what runs in the main environment, of commit {main}: 2 to build" in up
    assert "with which dapflow branch plan compares it" in up
    assert moved not in repository.branch("run", BRANCH, "--dry-run").stderr
    # Rebased, the two are the same again.
    repository.git("rebase", "-q", "main")
    assert ": 1 to build, " in (up := repository.up())
    assert "dapflow branch plan compares it" not in up


@pytest.mark.slow
def test_two_people_on_one_branch(repository: Repository) -> None:
    """One after the other, the newer files hold; at once, the run of either ends with what it began with."""
    platform = repository.platform
    repository.commit(dear=SELECT.format(limit=6))
    repository.up()
    with_six = [platform.started("branch", "run", BRANCH, "--yes") for _ in range(2)]
    platform.write(DEAR, SELECT.format(limit=4))
    another = platform.started("branch", "up", BRANCH, "--no-airflow")
    for process in (*with_six, another):
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    repository.built()
    assert repository.dear() == ["5.0", "10.5"]
    assert repository.built() == []
    # Each of two ups holds as a whole.
    both = [platform.started("branch", "up", BRANCH, "--no-airflow") for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert repository.built() == []


@pytest.mark.slow
def test_services_that_come_and_go(repository: Repository) -> None:
    before = inventory(repository.platform)
    for name, text in PARKING.items():
        repository.platform.write(f"transforms/parking/{name}", text)
    repository.commit(dear=SELECT.format(limit=6))
    assert ": 2 to build, " in repository.up()
    assert set(repository.built()) == {"housing.refined.pricey", "parking.refined.places"}
    shutil.rmtree(repository.platform.root / "transforms/parking")
    told = repository.branch("run", BRANCH, "--yes").stderr
    assert "transforms/ is not what was brought up (parking.raw.permits, parking.refined.places)" in told
    repository.up()
    assert repository.built() == []
    compared = json.loads(repository.branch("diff", BRANCH, "--yes", "--json").stdout)["products"]
    assert [product["dataset"] for product in compared] == ["housing.refined.pricey"]
    # Of a branch that git has no longer, everything goes too, by its name.
    repository.git("switch", "-q", "--discard-changes", "main")
    repository.git("branch", "-D", BRANCH)
    assert f"nothing is left of the environment of {BRANCH}" in repository.branch("down", BRANCH).stderr
    after = inventory(repository.platform)
    assert after == before


@pytest.mark.slow
def test_what_is_taken_away_while_it_is_built(repository: Repository) -> None:
    """``down`` stops the query, waits for the run, and nothing is written behind it; the next run begins anew."""
    before = inventory(repository.platform)
    many = "UNNEST(sequence(1, 10000))"
    costs = f"SELECT count(*) AS n FROM housing_refined_zone.repair_costs CROSS JOIN {many} AS t(a)"
    repository.commit(dear=f"{costs} CROSS JOIN {many} AS u(b) CROSS JOIN {many} AS v(c)\n")
    for _ in range(2):
        repository.up()
        run = repository.platform.started("branch", "run", BRANCH, "--yes")
        athena, group = repository.platform.client("athena"), f"dapflow-branch-{branch_slug(BRANCH)}-housing"
        while not any(
            athena.get_query_execution(QueryExecutionId=id_)["QueryExecution"]["Query"].startswith("UNLOAD")
            for id_ in athena.list_query_executions(WorkGroup=group)["QueryExecutionIds"]
        ):
            assert run.poll() is None, run.communicate()
            time.sleep(0.1)
        assert "nothing is left of" in repository.branch("down", BRANCH).stderr
        said, _ = run.communicate(timeout=60)
        assert (run.returncode, "[branch-not-up]" in said) == (1, True), said
        assert inventory(repository.platform) == before


@pytest.mark.slow
def test_refused_while_it_is_built(repository: Repository) -> None:
    """From one call on AWS refuses all of them: it is said, what there is stays, and the same command finishes."""
    repository.commit(dear=SELECT.format(limit=6))
    before = inventory(repository.platform)
    repository.up()
    with refusing(None) as calls:
        repository.built()
    repository.branch("down", BRANCH)
    for number, first in enumerate(range(1, len(calls) + 1, max(1, len(calls) // 5))):
        code = CODES[number % len(CODES)]
        repository.up()
        with refusing(first, code):
            refused = repository.branch("run", BRANCH, "--yes", check=False)
        # What comes after the publication is noted or not, and undoes nothing.
        assert refused.returncode in (0, 1)
        assert not refused.returncode or f"was refused: by the test ({code})" in refused.stderr, refused.stderr
        assert refused.returncode or first > len(calls) // 2
        again = repository.branch("run", BRANCH, "--yes")
        assert "1 generation" in again.stdout + again.stderr
        assert repository.dear() == ["10.5"]
        repository.branch("down", BRANCH)
        assert inventory(repository.platform) == before


@pytest.mark.slow
@pytest.mark.parametrize("schema", [SCHEMA - 1, SCHEMA + 1])
def test_what_another_release_has_brought_up(repository: Repository, schema: int) -> None:
    repository.commit(dear=SELECT.format(limit=6))
    repository.up()
    folder = repository.platform.state.branches / branch_slug(BRANCH)
    held = {name: json.loads((folder / name).read_text()) for name in ("manifest.json", "branch.json")}
    (folder / "manifest.json").write_text(json.dumps({**held["manifest.json"], "schema": schema}))
    (folder / "branch.json").write_text(json.dumps({**held["branch.json"], "of_another_release": 1}))
    for command in ("run", "diff"):
        refused = repository.branch(command, BRANCH, "--yes", check=False)
        assert refused.returncode == 1
        assert f"what was brought up of {BRANCH} cannot be read by this release: " in refused.stderr
        assert f"bring it up again: dapflow branch up {BRANCH}" in refused.stderr
    assert BRANCH in repository.branch("list").stdout
    repository.up()
    assert repository.built() == ["housing.refined.pricey"]
    # So is the main environment's.
    bundle = repository.platform.state.bundle / "dags"
    main = bundle / json.loads((bundle / "manifest.json").read_text())["manifest"]
    text = main.read_text()
    main.write_text(json.dumps({**json.loads(text), "schema": schema}))
    for words in (("up", BRANCH, "--no-airflow"), ("run", BRANCH), ("plan", "--environment", "local")):
        refused = repository.branch(*words, check=False)
        assert "what runs in the main environment cannot be read: " in refused.stderr
        assert "bring it up with this release: dapflow local up" in refused.stderr
    main.write_text(text)
    (folder / "manifest.json").write_text("{")
    assert f"nothing is left of the environment of {BRANCH}" in repository.branch("down", BRANCH).stderr
