"""Airflow's options, as MWAA is given them: each is one that the locked Airflow knows."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.stacks.templates import Templates


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Every ``section.option`` of the locked Airflow; its list leaves out what is no longer read."""
    # As a file: to import Airflow is to write into its home.
    file = Path(sysconfig.get_path("purelib")) / "airflow" / "config_templates" / "config.yml"
    sections = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {f"{name}.{option}" for name, section in sections.items() for option in section["options"]}


@pytest.mark.parametrize("environment", ["prod", pytest.param("staging", marks=pytest.mark.slow)])
def test_airflow_knows_every_option(request: pytest.FixtureRequest, known: set[str], environment: str) -> None:
    templates: Templates = request.getfixturevalue(environment)
    [airflow] = templates.properties("AWS::MWAA::Environment")
    options = airflow["AirflowConfigurationOptions"]
    assert "secrets.backend" in known and "webserver.expose_config" not in known
    assert options.keys() <= known
    assert all(isinstance(value, str) for value in options.values()), "MWAA takes text only"


def test_what_is_deployed_runs_and_is_not_killed_by_an_update(prod: Templates) -> None:
    [airflow] = prod.properties("AWS::MWAA::Environment")
    assert airflow["AirflowConfigurationOptions"]["core.dags_are_paused_at_creation"] == "False"
    assert airflow["WorkerReplacementStrategy"] == "GRACEFUL"
