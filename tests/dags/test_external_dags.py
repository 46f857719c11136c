"""What a DAG does about tables that something else makes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.execution_time.context import OutletEventAccessors

from dapflow.runtime.aws import PassingError
from dapflow.runtime.dag_factory import build_dags
from dapflow.runtime.generation import Generation
from dapflow.runtime.operators import ShowOperator
from tests.dags.bundles import bundle
from tests.project.writing import compile_files

FILES: dict[str, str | bytes] = {
    "air/service.yml": "schedule: '0 5 * * *'\nexternal: {raw: {meters: {generations: true}}, refined: {areas: {}}}\n"
    "grants: {water: [raw, refined]}",
    "air/refined/use.sql": "SELECT m.id FROM meters m JOIN air_refined_zone.areas a ON a.id = m.id",
    "water/service.yml": "title: Water\nreads: [air.raw.meters, air.refined]",
    "water/refined/areas.sql": "SELECT a.id FROM air_refined_zone.areas a",
    "water/refined/both.sql": "SELECT a.id FROM air_refined_zone.areas a, air_raw_zone.meters m",
}


def test_one_with_generations_is_waited_for_and_the_other_is_not(tmp_path: Path) -> None:
    dags = build_dags(bundle(tmp_path, compile_files(tmp_path, FILES)))
    tasks = dags["air"].task_dict
    assert list(tasks) == ["raw.meters", "refined.use"]
    assert isinstance(tasks["raw.meters"], ShowOperator)
    assert tasks["refined.use"].upstream_task_ids == {"raw.meters"}
    assert [asset.name for asset in tasks["raw.meters"].outlets] == ["air.raw.meters"]
    waits = {asset.name for asset in dags["water"].timetable.asset_condition.objects}
    assert waits == {"air.raw.meters"}


def test_a_service_that_reads_only_what_has_no_generations_runs_daily(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if "both" not in name}
    dags = build_dags(bundle(tmp_path, compile_files(tmp_path, files)))
    assert "Cron" in type(dags["water"].timetable).__name__


def test_a_branch_leaves_them_to_the_environment_that_it_reads(tmp_path: Path) -> None:
    dags = build_dags(bundle(tmp_path, compile_files(tmp_path, FILES), "fix"))
    (own,) = [dag for name, dag in dags.items() if name.endswith("__air")]
    assert list(own.task_dict) == ["refined.use"]
    waits = {asset.name for asset in own.timetable.asset_condition.objects}
    assert waits == {"air.raw.meters"}


def test_the_task_is_tried_again_until_the_generation_is_there(tmp_path: Path) -> None:
    task: Any = build_dags(bundle(tmp_path, compile_files(tmp_path, FILES)))["air"].task_dict["raw.meters"]
    asked: list[tuple[str, Generation]] = []

    def show(dataset: str, generation: Generation) -> Generation:
        asked.append((dataset, generation))
        if len(asked) == 1:
            raise PassingError("external-missing", "not yet")
        return generation

    task.__dict__["publisher"] = SimpleNamespace(show=show)
    run = SimpleNamespace(run_id="r", partition_key="20131231", conf=None)
    events = OutletEventAccessors()
    context = {"dag_run": run, "outlet_events": events}
    with pytest.raises(AirflowException, match="not yet"):
        task.execute(context)
    assert task.execute(context)["shown"] == "2013-12-31"
    assert asked == [("air.raw.meters", Generation.parse("2013-12-31"))] * 2
    [event] = [events[asset] for asset in task.outlets]
    assert (event.extra["generation"], event.partition_keys) == ("2013-12-31", {"20131231"})
