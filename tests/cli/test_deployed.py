"""``--environment``: commands on a deployed environment, with the credentials of whoever runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dapflow.runtime.aws import Clients
from tests.aws_servers import empty_aws
from tests.cli.deployed import COSTS, NIGHTS, REPAIRS, Deployed, deployed
from tests.local.projects import SERVICE, TRANSFORM
from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients, environment

__all__ = ["athena_endpoint", "aws_endpoint", "clients"]

RANGE = ("--from", "2024-06-04", "--to", "2024-06-05")
SQL = "transforms/housing/refined/repair_costs.sql"
OTHER = "transforms/housing/refined/all_costs.sql"


@pytest.fixture(scope="module")
def prod(
    clients: Clients, aws_endpoint: str, athena_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    empty_aws()
    root = tmp_path_factory.mktemp("deployed") / "a project"
    with deployed(root, clients, environment(aws_endpoint, athena_endpoint)) as made:
        yield made


@pytest.mark.slow
def test_the_airflow_of_the_environment_builds(prod: Deployed) -> None:
    """One run for each day, that publishes the product alone; the second call has nothing to do."""
    done = prod.run("backfill", "repair_costs", *RANGE, "--yes")
    assert done.stdout == "2 generations published\n"
    assert [(run.partition_key, run.tasks) for run in prod.airflow.runs.values()] == [
        (night.replace("-", ""), {"raw.repairs": "skipped", "refined.repair_costs": "success"}) for night in NIGHTS
    ]
    begun = [line for line in done.stderr.splitlines() if ": begun as dapflow-backfill__" in line]
    assert len(begun) == 2
    again = prod.document("backfill", "repair_costs", *RANGE, "--yes")
    assert (again["steps"], len(again["done"]), again["errors"]) == ([], 2, [])


@pytest.mark.slow
def test_a_backfill_that_cannot_be_done_says_why(prod: Deployed) -> None:
    """Nothing has begun, or the task and what its record says."""
    runs = len(prod.airflow.runs)
    prod.airflow.paused = {"housing"}
    assert "housing is paused in dapflow-prod" in refused(prod, "backfill", REPAIRS, *RANGE, "--again", "--yes")
    prod.airflow.paused = set()
    assert "[missing-inputs]" in refused(prod, "backfill", "repair_costs", "--from", "2024-05-01", "--to", "2024-05-02")
    prod.project.write(SQL, TRANSFORM + "-- a note\n")
    assert "[uncommitted]" in refused(prod, "backfill", "repair_costs", *RANGE, "--yes")
    assert len(prod.airflow.runs) == runs
    prod.write(SQL, TRANSFORM.replace("sum(cost)", "sum(cost * (id / (id - id)))"))
    said = refused(prod, "backfill", "repair_costs", *RANGE, "--yes")
    assert "housing, task refined.repair_costs of 2024-06-04: " in said
    assert "Division by zero" in said
    assert f"{SQL}" in said
    prod.write(SQL, TRANSFORM)


@pytest.mark.slow
def test_what_was_published_is_told_and_taken_back(prod: Deployed) -> None:
    """History, runs, the reason why, and a roll-back; each with a name that is none."""
    prod.publish(COSTS, "2024-06-05")
    past = prod.document("history", "repair_costs", "-g", "2024-06-05")["publications"]
    before = past[1]["run_id"]
    assert "published" in prod.run("history", "repair_costs").stdout
    back = prod.document("rollback", "repair_costs", "--to", before, "--yes")
    assert (back["dataset"], back["generation"], back["restores"]) == (COSTS, "2024-06-05", before)
    assert prod.document("runs", "repair_costs", "-n", "1")["runs"][0]["kind"] == "rollback"
    assert prod.document("why", "repair_costs")["current"] is True
    assert "[unknown-run]" in refused(prod, "rollback", "repair_costs", "--to", "nothing", "--yes")
    assert "[generation]" in refused(prod, "history", "repair_costs", "-g", "someday")
    for command in ("history", "runs", "why", "rollback"):
        assert "did you mean housing.refined.repair_costs?" in refused(prod, command, "repair_cost")


@pytest.mark.slow
def test_its_athena_is_asked_in_the_workgroup_of_the_service(prod: Deployed) -> None:
    """As the embedded one, also as of a day; nothing is written to its catalog."""
    text = "SELECT count(*) AS n FROM prod__housing_raw_zone.repairs"
    assert prod.document("query", text) == [{"n": 3}]
    past = prod.document("query", text, "--as-of", "2024-06-04")
    assert (past["rows"], past["read"][0]["generation"]) == ([{"n": 1}], "2024-06-04")
    assert prod.run("query", "--file", str(prod.project.root / SQL), "--csv").stdout.startswith(
        '"done","repairs","cost"'
    )
    assert prod.document("query", "SELECT count(*) AS n FROM repairs", "-d", "prod__housing_raw_zone") == [{"n": 3}]
    costs = "SELECT sum(cost) AS cost FROM housing_refined_zone.repair_costs\n"
    prod.project.write(OTHER, costs)  # a transform, whose databases have other names there
    assert prod.document("query", "--file", str(prod.project.root / OTHER)) == [{"cost": 15.5}]
    (prod.project.root / OTHER).unlink()
    ids = prod.clients.athena.list_query_executions(WorkGroup="dapflow-prod-housing")["QueryExecutionIds"]
    asked = prod.clients.athena.batch_get_query_execution(QueryExecutionIds=ids[:6])["QueryExecutions"]
    assert sum(execution["Query"] == text for execution in asked) == 1
    wrong = refused(prod, "query", "SELECT coost FROM prod__housing_raw_zone.repairs")
    assert "SQL:1:8: there is no column 'coost' in any table of this query [DAP011 unknown-column]" in wrong
    assert "did you mean cost?" in wrong
    assert "[unknown-service]" in refused(prod, "query", "SELECT 1", "--service", "hosing")
    databases = prod.clients.glue.get_databases()["DatabaseList"]
    assert "default" not in [database["Name"] for database in databases]


@pytest.mark.slow
def test_the_commands_of_every_day_are_about_it_too(prod: Deployed) -> None:
    """What there is, the first rows of an unpublished text, what a run costs, whether one may ask at all."""
    text = "WITH dear AS (SELECT id FROM housing_raw_zone.repairs WHERE cost > 6)\nSELECT count(*) AS n FROM dear\n"
    prod.project.write(OTHER, text)
    assert prod.document("preview", "all_costs") == [{"n": 1}]
    assert prod.document("preview", "all_costs", "--cte", "dear") == [{"id": 1}]
    [cost] = prod.document("cost", "all_costs")["runs"]
    (prod.project.root / OTHER).unlink()
    assert [(read["table"], read["columns"]) for read in cost["reads"]] == [(REPAIRS, 1)]
    assert cost["scanned"] > 0
    ids = prod.clients.athena.list_query_executions(WorkGroup="dapflow-prod-housing")["QueryExecutionIds"]
    asked = prod.clients.athena.batch_get_query_execution(QueryExecutionIds=ids[:2])["QueryExecutions"]
    assert any("prod__housing_raw_zone" in execution["Query"] for execution in asked)
    listed = {dataset["id"]: dataset["generation"] for dataset in prod.document("ls")["datasets"]}
    assert listed[REPAIRS] == "2024-06-05"
    assert prod.document("show", "housing")["raw_zone"].startswith("prod__housing_raw_zone, s3://")
    credentials = prod.document("doctor")["diagnoses"][-1]
    assert (credentials["subject"], credentials["state"]) == ("credentials", "ok")


@pytest.mark.slow
def test_a_lost_column_is_accepted(prod: Deployed) -> None:
    prod.project.write(SQL, "SELECT count(*) AS repairs FROM repairs\n")
    prod.write("transforms/housing/service.yml", SERVICE.replace(", done: boolean", ""))
    prod.land("2024-06-06", "4,1.5\n", header="id,cost")
    accepted = prod.run("accept-schema", "repairs", "-g", "2024-06-06", "--yes")
    assert "done" in accepted.stdout
    prod.publish(REPAIRS, "2024-06-06")
    assert "[unknown-transform]" in refused(prod, "accept-schema", "nothing")
    prod.project.write(SQL, TRANSFORM)
    prod.write("transforms/housing/service.yml", SERVICE)


@pytest.mark.slow
def test_whose_workgroup_asks_has_to_be_clear(prod: Deployed) -> None:
    """Where two services could be meant, one is named."""
    prod.project.write("transforms/wards/service.yml", "landing: {}\n")
    said = refused(prod, "query", "SELECT 1")
    assert "whose workgroup asks prod is not clear: housing, wards [option]" in said
    assert prod.document("query", "SELECT 1 AS n", "--service", "housing") == [{"n": 1}]
    (prod.project.root / "transforms/wards/service.yml").unlink()
    (prod.project.root / "transforms/wards").rmdir()


@pytest.mark.slow
def test_what_checks_found_there_is_shown(prod: Deployed) -> None:
    prod.write(SQL.replace(".sql", ".yml"), "checks: {costs: {not_null: cost, severity: warn}}\n")
    prod.publish(COSTS, "2024-06-05")
    shown = prod.document("check-results", "repair_costs")
    assert (shown["dataset"], shown["generation"]) == (COSTS, "2024-06-05")
    assert [check["name"] for check in shown["checks"]][-1] == "costs"
    (prod.project.root / SQL.replace(".sql", ".yml")).unlink()


@pytest.mark.slow
def test_an_environment_that_is_not_there_or_somewhere_else(prod: Deployed) -> None:
    said = prod.project.run("history", "repair_costs", "--environment", "production", check=False).stderr
    assert "[unknown-environment]" in said
    settings = json.loads((prod.project.root / "cdk.json").read_text())
    mine = settings["context"]["environments"]["prod"]["account"]
    prod.project.write("cdk.json", json.dumps(settings).replace(mine, "111122223333"))
    said = refused(prod, "history", "repair_costs")
    assert f"your AWS credentials are of account {mine}, and prod is in account 111122223333 [other-account]" in said
    prod.project.write("cdk.json", json.dumps(settings))


def refused(prod: Deployed, *arguments: str) -> str:
    """What a command says that fails."""
    done = prod.run(*arguments, check=False)
    assert done.returncode == 1
    return done.stderr
