"""A service's channel, told by the real Airflow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dapflow.runtime.alerts.callbacks import tell_failure, tell_success
from tests.dags.airflow_process import airflow_environment
from tests.dags.test_airflow_runs import bundle
from tests.dags.test_attempts import Task
from tests.runtime.channel import Channel
from tests.runtime.conftest import environment
from tests.runtime.lake import Lake


@pytest.mark.slow
def test_the_channel_hears_of_tasks_that_fail_and_of_tasks_that_are_killed(
    lake: Lake, aws_endpoint: str, athena_endpoint: str, tmp_path: Path
) -> None:
    lake.alerts = True
    folder = bundle(lake, tmp_path, deferrable=False, few="SELECT 1 / (seats - seats) AS x FROM hours")
    channel = Channel(lake, "weather")
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.alert_runs", str(folder)],
        env=airflow_environment(tmp_path, folder, environment(aws_endpoint, athena_endpoint)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    [(failed, why), (killed, word)] = channel.messages
    assert (failed, killed) == ("weather.refined.few 2013-12-31 failed", "weather.raw.hours 2014-01-01 failed")
    assert "What: DIVISION_BY_ZERO [query-failed]" in why
    assert "Run: http://localhost:8080/dags/weather/runs/manual__20131231__" in why
    assert "What: the run ended without a word" in word


class Quiet:
    """A service that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def context_of(lake: Lake, run_type: str) -> Any:
    """What Airflow gives to a callback of a task that has run."""
    product = lake.product("product", "SELECT 1 / n AS a FROM (VALUES 0) AS t (n)")
    task = Task(lake, product.id, 1, deferrable=False)
    task.context["dag_run"].run_type = run_type
    return {**task.context, "task": task.operator}


def test_a_backfill_of_airflow_alarms_nobody(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who fills a history looks at it."""
    context = context_of(lake, "backfill")
    monkeypatch.setattr(type(context["task"]), "client", lambda *_: Quiet())
    tell_failure(context)
    monkeypatch.undo()
    channel = Channel(lake)
    monkeypatch.setattr(type(context["task"]), "client", lambda *_: channel.sns)
    for run_type in ("backfill", "scheduled"):
        context = context_of(lake, run_type)
        tell_failure(context)
    assert channel.subjects == ["air_traffic.refined.product 2013-12-31 failed"]


def test_what_cannot_be_told_fails_no_task(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel(lake)
    context = context_of(lake, "scheduled")
    monkeypatch.setattr(type(context["task"]), "client", lambda *_: channel.sns)
    bucket = lake.bucket("refined")
    lake.clients.s3.delete_bucket(Bucket=bucket)
    tell_failure(context)
    tell_success(context)
    context["dag_run"] = SimpleNamespace(run_id="manual", run_type="manual", partition_key=None, conf={})
    tell_failure(context)
    tell_success(context)
    assert channel.messages == []
