"""Names of databases in the environments of one account, from a service's files to the templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.project import compile_project
from stacks.database_names import check_databases
from stacks.settings import DeploymentSettings, read_settings
from tests.project.writing import write_project
from tests.stacks.example import project_with
from tests.stacks.templates import Templates, synthesized

ACCOUNT = {"account": "111122223333", "region": "eu-west-2"}
SERVICE = """\
databases:
  refined: {prod: housing-prod-refined-zone, staging: housing-stg-refined-zone}
sources: {people: {columns: {id: integer}}}
"""
SQL = 'SELECT t.n FROM "housing-stg-refined-zone".totals t'


def settings_of(root: Path, **environments: dict[str, Any]) -> DeploymentSettings:
    file = root / "cdk.json"
    file.write_text(json.dumps({"context": {"platform": {"name": "dapflow"}, "environments": environments}}))
    return read_settings(file)


def compiled(root: Path, service: str = SERVICE) -> Manifest:
    files: dict[str, str | bytes] = {
        "housing/service.yml": service,
        "housing/refined/totals.sql": "SELECT 1 AS n",
        "housing/refined/report.sql": SQL if service == SERVICE else "SELECT 2 AS n",
    }
    return compile_project(write_project(root, files))


def test_environments_in_one_account_have_databases_of_their_own(tmp_path: Path) -> None:
    manifest = compiled(tmp_path, "title: Housing")
    with pytest.raises(DapflowError) as caught:
        check_databases(settings_of(tmp_path, prod=ACCOUNT, staging=ACCOUNT), manifest, tmp_path)
    assert "staging.database_prefix: staging and prod would have the same Glue databases" in caught.value.message
    apart = {"prod": ACCOUNT, "staging": {**ACCOUNT, "database_prefix": "staging__"}}
    far = {**ACCOUNT, "region": "eu-west-1"}
    check_databases(settings_of(tmp_path, **apart, far=far), manifest, tmp_path)


def test_names_by_environment_keep_them_apart_too(tmp_path: Path) -> None:
    pattern = '[tool.dapflow.database]\nprod = "{service}-prod-{zone}"\nstaging = "{service}-stg-{zone}"\n'
    (tmp_path / "pyproject.toml").write_text(pattern)
    manifest = compiled(tmp_path, "title: Housing")
    check_databases(settings_of(tmp_path, prod=ACCOUNT, staging=ACCOUNT), manifest, tmp_path)
    with pytest.raises(DapflowError, match="unknown-environment") as caught:
        check_databases(settings_of(tmp_path, prod=ACCOUNT), manifest, tmp_path)
    assert caught.value.file == "pyproject.toml"


def test_one_name_in_two_environments_is_refused(tmp_path: Path) -> None:
    names = "databases: {refined: {prod: a, staging: a}}"
    settings = settings_of(tmp_path, prod=ACCOUNT, staging={**ACCOUNT, "database_prefix": "staging__"})
    with pytest.raises(DapflowError, match="the same Glue databases"):
        check_databases(settings, compiled(tmp_path, names), tmp_path)


def test_a_name_for_no_environment_is_a_mistake(tmp_path: Path) -> None:
    manifest = compiled(tmp_path, "databases: {refined: {produ: a, staging: b}}")
    with pytest.raises(DapflowError, match="the environment produ") as caught:
        check_databases(settings_of(tmp_path, staging=ACCOUNT), manifest, tmp_path)
    assert caught.value.file == "transforms/housing/service.yml"


@pytest.mark.parametrize(
    ("environment", "refined", "raw"),
    [
        ("prod", "housing-prod-refined-zone", "housing_raw_zone"),
        ("staging", "housing-stg-refined-zone", "staging__housing_raw_zone"),
    ],
)
def test_each_environment_has_its_own_name_in_templates_and_at_run_time(
    tmp_path: Path, environment: str, refined: str, raw: str
) -> None:
    root = project_with(tmp_path / "project", "prod", services=[])
    made: Templates = synthesized(
        tmp_path / "out", root=root, manifest=compiled(root), checks=False, environment=environment
    )
    names = {database["DatabaseInput"]["Name"] for database in made.properties("AWS::Glue::Database")}
    assert {refined, raw} <= names
    assert not {"housing-prod-refined-zone", "housing-stg-refined-zone"} - {refined} & names
    (written,) = [json.loads(file.read_text()) for file in made.folder.glob("asset.*/environment.json")]
    assert written["databases"]["housing-prod-refined-zone"] == refined
    runner = json.dumps(made.properties("AWS::IAM::Policy") + made.properties("AWS::IAM::Role"))
    assert f"table/{refined}/*" in runner
