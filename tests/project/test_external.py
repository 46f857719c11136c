"""Tables that something else makes, names per table, and databases with a name per environment, from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.errors import DapflowErrors
from dapflow.manifest import GenerationColumns, Manifest, read_manifest
from dapflow.project import compile_project
from tests.project.writing import codes_of, compile_files, write_project

EXTERNAL = """\
external:
  raw:
    meters: {generations: true}
  refined:
    tenancies:
      description: Made by a Glue job.
      columns: {tenancy: bigint, tags: "array<string>", Rent: "decimal(10,2)"}
    rents: {generations: {prefix: transform, extra: [area]}, current: rents_now, history: rents}
"""
SERVICE = EXTERNAL.replace("Rent", "rent")


def compiled(root: Path, sql: str, service: str = SERVICE, **files: str) -> Manifest:
    return compile_files(root, {"air/service.yml": service, "air/refined/x.sql": sql, **files})


def test_an_external_table_is_a_dataset_that_nobody_publishes(tmp_path: Path) -> None:
    manifest = compiled(tmp_path, "SELECT t.tenancy, t.rent FROM air_refined_zone.tenancies t")
    tenancies = manifest.datasets["air.refined.tenancies"]
    assert (tenancies.external, tenancies.has_generations) == (True, False)
    assert (tenancies.current, tenancies.history) == ("tenancies", "tenancies")
    assert tenancies.description == "Made by a Glue job."
    assert [(column.name, column.type) for column in tenancies.columns or ()] == [
        ("tenancy", "bigint"),
        ("tags", "array<string>"),
        ("rent", "decimal(10,2)"),
    ]
    assert tenancies.id not in manifest.services["air"].datasets
    assert manifest.datasets["air.refined.x"].depends_on == ("air.refined.tenancies",)


def test_one_with_generations_has_a_history_and_a_current_view(tmp_path: Path) -> None:
    manifest = compiled(tmp_path, "SELECT m.a, r.b FROM meters_history m, air_refined_zone.rents_now r")
    meters, rents = manifest.datasets["air.raw.meters"], manifest.datasets["air.refined.rents"]
    assert (meters.external, meters.has_generations, meters.current, meters.history) == (
        True,
        True,
        "meters",
        "meters_history",
    )
    assert (rents.current, rents.history) == ("rents_now", "rents")
    assert rents.generation == GenerationColumns("transform", ("area",))
    assert {meters.id, rents.id} <= set(manifest.services["air"].datasets)
    transform = manifest.datasets["air.refined.x"].transform
    assert transform is not None
    assert [reference.kind for reference in transform.references] == ["history", "current"]


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("SELECT t.tenancy FROM air_refined_zone.tenancies t", []),
        ("SELECT t.rant FROM air_refined_zone.tenancies t", ["unknown-column"]),
        # No generations, so none of their columns.
        ("SELECT t.tenancy FROM air_refined_zone.tenancies t WHERE t.import_date = '1'", ["unknown-column"]),
        ("SELECT 1 AS n FROM air_refined_zone.tenancies_history", ["unknown-table"]),
        # Glue alone knows the columns.
        ("SELECT m.anything FROM meters m", []),
        ("SELECT r.transform_date AS d, r.area FROM air_refined_zone.rents_now r", []),
        ('SELECT count(*) AS n FROM air_refined_zone."tenancies$properties"', []),
    ],
)
def test_what_is_declared_is_checked(tmp_path: Path, sql: str, codes: list[str]) -> None:
    assert codes_of(tmp_path, {"air/service.yml": SERVICE, "air/refined/x.sql": sql}) == codes


@pytest.mark.parametrize(
    ("service", "codes"),
    [
        (EXTERNAL, ["bad-name"]),
        ("external: {landing: {a: {}}}", ["unknown-key"]),
        ("external: {raw: {a: {format: csv}}}", ["unknown-key"]),
        ("external: {raw: {a: {generations: perhaps}}}", ["yaml-type"]),
        ("external: {raw: {a: {history: a_all}}}", ["bad-value"]),
        ("external: {raw: {a: {generations: true, columns: {import_date: string}}}}", ["reserved-column"]),
        ("external: {raw: {a: {columns: {b: text}}}}", ["bad-column-type"]),
        ("external: {raw: {a-b: {}}}", ["bad-name"]),
        ("external: {raw: {a_b: {current: a-b}}}", []),
        ("external: {raw: {a: {generations: true, current: b, history: b}}}", ["bad-value"]),
        ("{sources: {a: }, external: {raw: {a: {current: b}}}}", ["duplicate-dataset"]),
    ],
)
def test_mistakes_in_external_tables(tmp_path: Path, service: str, codes: list[str]) -> None:
    assert codes_of(tmp_path, {"air/service.yml": service}) == codes


def test_a_name_that_ends_in_history_has_a_way(tmp_path: Path) -> None:
    service = "sources: {contact: {}, contact_history: {}}"
    assert codes_of(tmp_path, {"air/service.yml": service}) == ["duplicate-dataset"]
    files: dict[str, str | bytes] = {
        "air/service.yml": "sources: {contact: {history: contact_generations}, contact_history: {}}",
        "air/refined/x.sql": "SELECT h.a, c.b FROM contact_history h JOIN contact_generations c ON c.id = h.id",
        "air/refined/lease.sql": "SELECT 1 AS n",
        "air/refined/lease.yml": "current: lease_now\nhistory: lease",
    }
    manifest = compile_files(tmp_path, files)
    transform = manifest.datasets["air.refined.x"].transform
    assert transform is not None
    assert [(reference.dataset, reference.kind) for reference in transform.references] == [
        ("air.raw.contact_history", "current"),
        ("air.raw.contact", "history"),
    ]
    lease = manifest.datasets["air.refined.lease"]
    assert (lease.current, lease.history) == ("lease_now", "lease")


DATABASES = """\
databases:
  refined: {prod: air-prod-refined-zone, staging: air-stg-refined-zone}
sources: {flights: {columns: {carrier: string}}}
"""


def test_every_environments_name_of_a_database_means_the_same(tmp_path: Path) -> None:
    sql = 'SELECT 1 AS n FROM "air-stg-refined-zone".a, "air-prod-refined-zone".a_history, air_raw_zone.flights f'
    manifest = compiled(tmp_path, sql, DATABASES, **{"air/refined/a.sql": "SELECT 2 AS n"})
    service = manifest.services["air"]
    assert service.databases["refined"] == "air-prod-refined-zone"
    assert service.environment_databases == {
        "refined": {"prod": "air-prod-refined-zone", "staging": "air-stg-refined-zone"}
    }
    transform = manifest.datasets["air.refined.x"].transform
    assert transform is not None
    assert [(reference.dataset, reference.database) for reference in transform.references] == [
        ("air.refined.a", "air-stg-refined-zone"),
        ("air.refined.a", None),
        ("air.raw.flights", None),
    ]


@pytest.mark.parametrize(
    ("service", "codes"),
    [
        ("databases: {refined: {prod: a, staging: b}}", []),
        ("databases: {refined: {prod: a, staging: a}}", []),
        ("databases: {refined: {prod: a, staging: b}, raw: b}", ["database-claimed-twice"]),
        ("databases: {refined: {pre-prod: a}}", ["bad-name"]),
        ("databases: {refined: {branch: a}}", ["bad-name"]),
        ("databases: {refined: {prod: 'A b'}}", ["bad-name"]),
        ("{database: b, databases: {refined: {prod: a, staging: b}}}", []),
        ("{database: c, databases: {refined: {prod: a, staging: b}}}", ["unknown-database"]),
    ],
)
def test_databases_by_environment(tmp_path: Path, service: str, codes: list[str]) -> None:
    assert codes_of(tmp_path, {"air/service.yml": service}) == codes


def test_the_default_database_may_be_called_as_in_any_environment(tmp_path: Path) -> None:
    service = "{database: b, databases: {refined: {prod: a, staging: b}}}"
    manifest = compiled(tmp_path, "SELECT y.n FROM y", service, **{"air/refined/y.sql": "SELECT 1 AS n"})
    assert manifest.services["air"].database == "a"


def test_a_pattern_by_environment_names_the_databases_of_all_services(tmp_path: Path) -> None:
    settings = '[tool.dapflow.database]\nprod = "{service}-prod-{zone}-zone"\nstaging = "{service}-stg-{zone}-zone"\n'
    (tmp_path / "pyproject.toml").write_text(settings)
    write_project(tmp_path, {"air/refined/x.sql": 'SELECT f.carrier FROM "air-stg-raw-zone".flights f'})
    manifest = compile_project(tmp_path)
    assert manifest.services["air"].databases["trusted"] == "air-prod-trusted-zone"
    assert manifest.services["air"].environment_databases["trusted"]["staging"] == "air-stg-trusted-zone"
    written = tmp_path / "manifest.json"
    written.write_text(manifest.to_json())
    assert read_manifest(written) == manifest


@pytest.mark.parametrize("value", ["{}", '{"pre-prod" = "{service}_{zone}"}', '{prod = "{service}"}'])
def test_mistakes_in_a_pattern_by_environment(tmp_path: Path, value: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.dapflow]\ndatabase = {value}\n")
    write_project(tmp_path, {})
    with pytest.raises(Exception, match="bad-settings") as caught:
        compile_project(tmp_path)
    assert not isinstance(caught.value, DapflowErrors)
