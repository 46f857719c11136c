"""Building DAGs from the manifest, against making the same AthenaOperators by hand from JSON, in one process."""

from __future__ import annotations

import gc
import json
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import DAG

from dapflow.manifest import Column, Dataset, LandingSource, Manifest, Reference, Service, SourceColumn, Transform
from dapflow.platform import describe
from dapflow.runtime.dag_factory import build_dags
from tests.bench.figure import Figure

SERVICES, TRANSFORMS_EACH, RUNS = 50, 20, 15
_SQL = """-- {name}: who flew how often, and how late
WITH late AS (
  SELECT f.carrier, f.origin, f.dest, f.dep_delay, f.arr_delay, cast(f.time_hour AS date) AS day
  FROM {source} f
  WHERE f.dep_delay > 15 AND f.arr_delay IS NOT NULL
)
SELECT carrier, origin, dest, day, count(*) AS flights, avg(arr_delay) AS arr_delay,
  row_number() OVER (PARTITION BY carrier ORDER BY count(*) DESC) AS position
FROM late
GROUP BY carrier, origin, dest, day"""


def measure() -> list[Figure]:
    """CPU seconds of both, and their ratio run by run."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder))
        from_manifest, by_hand = [], []
        _manifest_dags(Path(folder))
        _hand_made_dags(Path(folder))
        for _ in range(RUNS):
            by_hand.append(_cpu_seconds(_hand_made_dags, Path(folder)))
            from_manifest.append(_cpu_seconds(_manifest_dags, Path(folder)))
    what = f"{SERVICES * TRANSFORMS_EACH} transforms in {SERVICES} DAGs, without Airflow's own imports"
    ratios = tuple(ours / theirs for ours, theirs in zip(from_manifest, by_hand, strict=True))
    return [
        Figure("DAGs from the manifest", "s", tuple(from_manifest), note=f"CPU; {what}"),
        Figure("AthenaOperators by hand from JSON", "s", tuple(by_hand), note=f"CPU; {what}"),
        Figure(
            "DAG factory over hand-made DAGs", "x", ratios, bound=1.2, note="CPU, pairs measured one after the other"
        ),
    ]


def write_project(folder: Path) -> None:
    """A bundle's files, and the same project as the JSON that a hand-made DAG file would read."""
    services: dict[str, Service] = {}
    datasets: dict[str, Dataset] = {}
    plain: list[dict[str, Any]] = []
    for number in range(SERVICES):
        service = f"service_{number:02}"
        databases = {zone: f"{service}_{zone}_zone" for zone in ("raw", "refined", "trusted")}
        own: list[Dataset] = []
        raw = Dataset(
            service,
            "raw",
            "flights",
            databases["raw"],
            "flights_history",
            "flights",
            source=LandingSource("csv", (SourceColumn("carrier", "string"), SourceColumn("dep_delay", "int"))),
        )
        own.append(raw)
        for position in range(TRANSFORMS_EACH):
            source = own[-1] if position % 4 else raw
            name = f"product_{position:02}"
            sql = _SQL.format(name=name, source=source.current)
            start = sql.index(f"FROM {source.current} f") + 5
            reference = Reference(start, start + len(source.current), source.id, "current", True)
            transform = Transform(
                f"transforms/{service}/refined/{name}.sql",
                sql,
                f"{number:04}{position:012}",
                (reference,),
                "new",
                ("carrier", "origin", "dest", "day", "flights", "arr_delay", "position"),
            )
            own.append(
                Dataset(
                    service,
                    "refined",
                    name,
                    databases["refined"],
                    f"{name}_history",
                    name,
                    columns=(Column("carrier", "string"),),
                    transform=transform,
                    depends_on=(source.id,),
                )
            )
        services[service] = Service(service, service, databases["raw"], databases, tuple(dataset.id for dataset in own))
        datasets |= {dataset.id: dataset for dataset in own}
        plain.append(
            {
                "dag_id": service,
                "database": databases["raw"],
                "workgroup": f"dapflow-test-{service}",
                "conn": f"dapflow_{service}",
                "tasks": [
                    {
                        "id": dataset.task_id,
                        "query": dataset.transform.sql if dataset.transform else "SELECT 1",
                        "after": [datasets[upstream].task_id for upstream in dataset.depends_on],
                    }
                    for dataset in own
                ],
            }
        )
    manifest = Manifest(services, datasets)
    environment = describe(manifest, name="test", account="123456789012", region="eu-west-2").environment
    (folder / "manifests").mkdir()
    (folder / f"manifests/{manifest.sha}.json").write_text(manifest.to_json())
    (folder / "manifest.json").write_text(json.dumps({"manifest": f"manifests/{manifest.sha}.json"}))
    (folder / "environment.json").write_text(environment.to_json())
    (folder / "plain.json").write_text(json.dumps(plain))


def _manifest_dags(folder: Path) -> dict[str, Any]:
    return build_dags(folder)


def _hand_made_dags(folder: Path) -> dict[str, Any]:
    dags = {}
    for described in json.loads((folder / "plain.json").read_text()):
        with DAG(
            described["dag_id"],
            schedule="0 5 * * *",
            catchup=False,
            default_args={"retries": 2, "retry_delay": timedelta(minutes=1), "pool": described["conn"]},
        ) as dag:
            tasks: dict[str, Any] = {}
            for task in described["tasks"]:
                made = AthenaOperator(
                    task_id=task["id"],
                    query=task["query"],
                    database=described["database"],
                    workgroup=described["workgroup"],
                    aws_conn_id=described["conn"],
                    region_name="eu-west-2",
                    sleep_time=5,
                    deferrable=True,
                )
                tasks[task["id"]] = made
                if task["after"]:
                    made.set_upstream([tasks[upstream] for upstream in task["after"]])
        dags[described["dag_id"]] = dag
    return dags


def _cpu_seconds(build: Callable[[Path], Any], folder: Path) -> float:
    gc.collect()
    started = time.process_time()
    build(folder)
    return time.process_time() - started
