"""A look, each few minutes, at what is due and was never started.

Airflow starts a service that waits for several datasets when the events of all of them have come. Events that come in
the same moment may each leave a pending run that waits for the others, and the service never starts
(https://github.com/apache/airflow/issues/71070). The same happens where what a service waits for changes between two
events. So this counts again, from the runs themselves, and starts what is missing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import ErrorResponse, GetDagRun, TriggerDagRun

from dapflow.errors import DapflowError
from dapflow.runtime.order import RUN_IDS
from dapflow.runtime.schedule import generation_of_run

# A DAG id that no service can have.
NAME = "dapflow-starts"
CRON = "*/5 * * * *"
# What is due is left to Airflow for as long: its scheduler needs seconds.
GRACE = timedelta(minutes=1)
LOOK_BACK = timedelta(days=2)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

Task = tuple[str, str]
Due = tuple[str, str]


class StartsOperator(BaseOperator):
    """Starts what is due.

    ``waits`` says of each DAG that waits for several datasets one of its tasks, and the tasks that make the datasets.
    """

    def __init__(self, *, waits: Mapping[Task, Sequence[Task]], **more: Any) -> None:
        super().__init__(**more)
        self.waits = waits

    def execute(self, context: Any) -> list[str]:
        """Look twice, with a pause between, and start what was due both times."""
        due = RecentRuns(self.waits, context["ti"]).due
        if due:
            self.log.info("Due and not started: %s", sorted(due))
            time.sleep(GRACE.total_seconds())
            due &= RecentRuns(self.waits, context["ti"]).due
        return [started for run in sorted(due) if (started := self._start(*run))]

    def _start(self, dag_id: str, key: str) -> str | None:
        # One run of this name can be made, whoever else looks at the same time.
        run_id = f"due__{key}"
        answer = _ask(TriggerDagRun(dag_id=dag_id, run_id=run_id, conf={"generation": key}))
        if isinstance(answer, ErrorResponse):
            self.log.warning("%s was not started for %s: %s", dag_id, key, answer)
            return None
        self.log.info("Started %s for %s", dag_id, key)
        return f"{dag_id}/{run_id}"


@dataclass
class RecentRuns:
    """What the runs of the last days say."""

    waits: Mapping[Task, Sequence[Task]]
    instance: Any

    @cached_property
    def due(self) -> set[Due]:
        """DAG and generation of all that could run and was never started."""
        self._keys: dict[Task, str | None] = {}
        due = set()
        for (dag_id, task_id), makers in self.waits.items():
            complete = set.intersection(*(self._generations(*maker, made=True) for maker in makers))
            if complete:
                due |= {(dag_id, key) for key in complete - self._generations(dag_id, task_id)}
        return due

    def _generations(self, dag_id: str, task_id: str, *, made: bool = False) -> set[str]:
        """The generations for which a DAG was started, whatever came of it; ``made``: for which the task succeeded."""
        states = self.instance.get_task_states(dag_id=dag_id, task_ids=[task_id])
        runs = (run for run, tasks in states.items() if not made or tasks.get(task_id) == "success")
        return {key for run in recent(runs) if (key := self._key(dag_id, run))}

    def _key(self, dag_id: str, run_id: str) -> str | None:
        if (dag_id, run_id) not in self._keys:
            run = _ask(GetDagRun(dag_id=dag_id, run_id=run_id))
            try:
                self._keys[dag_id, run_id] = generation_of_run(run).key
            except DapflowError:
                # A run that says no generation is nobody's.
                self._keys[dag_id, run_id] = None
        return self._keys[dag_id, run_id]


def recent(run_ids: Iterator[str]) -> Iterator[str]:
    """Those of the last days: Airflow writes the moment into a run's id. One without is looked at too.

    Those of ``dapflow backfill`` start nothing, and stand for no run of all that a service publishes.
    """
    since = (datetime.now(UTC) - LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%S")
    for run_id in run_ids:
        moment = _MOMENT.search(run_id)
        if not run_id.startswith(RUN_IDS) and (moment is None or moment[0] >= since):
            yield run_id


def _ask(message: Any) -> Any:
    """Ask what runs the task. Airflow's public interface has neither of the two questions that are asked here."""
    return task_runner.SUPERVISOR_COMMS.send(message)
