"""Past generations built by the Airflow of a deployed environment: in order, each run once, resumed, failures named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapflow.backfill.building import StepOutcome
from dapflow.backfill.by_airflow import AirflowBackfill
from dapflow.backfill.mwaa import MwaaAirflow
from dapflow.backfill.plan import PlannedStep, Step
from dapflow.backfill.service_runs import service_runs
from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation
from tests.backfill.mwaa_double import MwaaDouble, paged, refusal
from tests.backfill.test_backfill import (
    BUSY,
    DAYS,
    FILES,
    FIRST_TEXT,
    LOANS,
    RUNNING,
    day,
    history,
    land,
    library,
    loaded,
    planned,
    run_ids,
)
from tests.runtime.lake import Lake

__all__ = ["library", "loaded"]

# Another service, that reads what the first one makes.
TOWNS = "towns.refined.lent"
BOTH = {
    **FILES,
    "libraries/service.yml": FILES["libraries/service.yml"] + "grants: {towns: [refined]}\n",
    "towns/service.yml": "reads: [libraries.refined]\n",
    "towns/refined/lent.sql": "SELECT sum(lent) AS lent FROM libraries_refined_zone.busy\n",
}


def double(lake: Lake, **more: Any) -> MwaaDouble:
    return MwaaDouble(lake.clients, lake.manifest, lake.environment, **more)


def backfill(lake: Lake, airflow: MwaaDouble, parallel: int = 4, told: list[str] | None = None) -> AirflowBackfill:
    told = told if told is not None else []
    asked = MwaaAirflow(airflow, lake.environment.airflow, pause=lambda _seconds: None)
    snapshot = Snapshot(lake.publications)
    for dataset_id in lake.datasets:
        snapshot.published(dataset_id)  # as the estimate does, before anything is built
    return AirflowBackfill(snapshot, asked, parallel, tell=told.append, pause=airflow.work)


def begin_running(lake: Lake, root: Path, files: dict[str, str]) -> None:
    """The first generation of what reads its own history, by a text that does not."""
    lake.compile(root, {**files, "libraries/refined/running.sql": FIRST_TEXT})
    lake.publish(lake.datasets[BUSY], day(1))
    lake.publish(lake.datasets[RUNNING], day(1))
    lake.compile(root, files)


def errors(outcomes: list[StepOutcome]) -> list[str]:
    return [str(outcome.error) for outcome in outcomes if outcome.error]


def test_days_and_services_are_built_in_order_and_a_second_call_has_nothing_to_do(
    library: Lake, tmp_path: Path
) -> None:
    """One run for a service and a day, of no more than is asked for; the product that adds to its own past, too."""
    begin_running(library, tmp_path, BOTH)
    days = DAYS[1:4]
    airflow = double(library)
    outcomes = list(backfill(library, airflow).outcomes(planned(library, BUSY, RUNNING, TOWNS, days=days)))
    assert errors(outcomes) == []
    assert [outcome.publication.rows for outcome in outcomes if outcome.publication] == [
        1 if outcome.step.dataset == TOWNS else 2 for outcome in outcomes
    ]
    at = {name: number for number, name in enumerate(airflow.published)}
    assert len(at) == len(airflow.published) == 3 * len(days)
    for generation in days:
        assert at[f"{BUSY} {generation}"] < at[f"{TOWNS} {generation}"]
        assert at[f"{BUSY} {generation}"] < at[f"{RUNNING} {generation}"]
    assert sorted(days, key=lambda generation: at[f"{RUNNING} {generation}"]) == days
    totals = [row[1] for row in history(library, RUNNING) if row[0] == "1"]
    assert sorted(totals, key=lambda total: int(total or 0)) == ["10", "30", "60", "100"]
    made = [(run.dag_id, run.partition_key, run.tasks.get("raw.loans")) for run in airflow.runs.values()]
    assert sorted(made, key=str) == sorted(
        [
            *(("libraries", generation.key, "skipped") for generation in days),
            *(("towns", generation.key, None) for generation in days),
        ],
        key=str,
    )
    assert planned(library, BUSY, RUNNING, TOWNS, days=days).steps == ()


def test_no_other_day_and_no_other_dataset_changes(library: Lake, tmp_path: Path) -> None:
    begin_running(library, tmp_path, FILES)
    for generation in DAYS[1:4]:
        library.publish(library.datasets[BUSY], generation)
        library.publish(library.datasets[RUNNING], generation)
    before = {name: run_ids(library, name) for name in (LOANS, BUSY, RUNNING)}
    assert len(list(backfill(library, double(library)).outcomes(planned(library, BUSY, days=DAYS[1:3])))) == 2
    after = {name: run_ids(library, name) for name in (LOANS, BUSY, RUNNING)}
    assert {made for made in DAYS[:4] if before[BUSY][made] != after[BUSY][made]} == set(DAYS[1:3])
    assert {**before, BUSY: None} == {**after, BUSY: None}


def test_what_is_under_way_is_taken_up(library: Lake) -> None:
    """A command that was interrupted leaves its runs; the next one waits for them instead of asking once more."""
    airflow, told = double(library), list[str]()

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    first = backfill(library, airflow, parallel=2, told=told)
    first.pause = interrupted
    with pytest.raises(KeyboardInterrupt):
        list(first.outcomes(planned(library, BUSY)))
    assert len(airflow.runs) == 2
    assert told[-1] == "2 runs go on in dapflow-test; the same command takes up what is under way"
    told.clear()
    outcomes = list(backfill(library, airflow, told=told).outcomes(planned(library, BUSY)))
    assert (errors(outcomes), len(outcomes), len(airflow.runs)) == ([], len(DAYS), len(DAYS))
    assert [" goes on as " in line for line in told] == [True, True, False, False, False, False]
    assert len(airflow.published) == len(DAYS)


def test_two_commands_at_once_make_each_run_once(library: Lake) -> None:
    airflow = double(library)
    commands = [backfill(library, airflow).outcomes(planned(library, BUSY)) for _ in range(2)]
    for outcomes in zip(*commands, strict=True):
        assert [outcome.error for outcome in outcomes] == [None, None]
    assert (len(airflow.runs), len(airflow.published)) == (len(DAYS), len(DAYS))


def test_a_failure_is_named_and_nothing_further_is_begun(library: Lake, tmp_path: Path) -> None:
    """The task, and what its record says; the mended text is built by runs of their own, from where it ended."""
    wrong = FILES["libraries/refined/busy.sql"].replace("sum(lent)", "sum(lent / (lent - 30))")
    begin_running(library, tmp_path, FILES)
    library.compile(tmp_path, {**FILES, "libraries/refined/busy.sql": wrong})
    airflow, days = double(library), DAYS[1:4]
    outcomes = list(backfill(library, airflow, parallel=1).outcomes(planned(library, BUSY, RUNNING, days=days)))
    assert [(str(outcome.step), outcome.error and outcome.error.code) for outcome in outcomes[-1:]] == [
        (f"{BUSY} {day(3)}", "query-failed")
    ]
    said = str(outcomes[-1].error)
    assert "libraries, task refined.busy of 2024-03-03: " in said
    assert "Division by zero" in said
    assert "transforms/libraries/refined/busy.sql" in said
    assert len(airflow.runs) == 2
    assert run_ids(library, RUNNING).keys() == set(DAYS[:2])
    again = list(backfill(library, airflow, parallel=1).outcomes(planned(library, BUSY, RUNNING, days=days)))
    assert (len(again), len(airflow.runs)) == (1, 3), "it failed again, in a run of its own"
    library.compile(tmp_path, FILES)
    airflow.manifest = library.manifest
    assert errors(list(backfill(library, airflow).outcomes(planned(library, BUSY, RUNNING, days=days)))) == []
    assert run_ids(library, RUNNING).keys() == set(DAYS[:4])


def test_the_deployed_text_must_be_the_planned_one(library: Lake, tmp_path: Path) -> None:
    """Nothing is published by a text that nobody planned with."""
    airflow = double(library)
    library.compile(tmp_path, {**FILES, "libraries/refined/busy.sql": FILES["libraries/refined/busy.sql"] + "-- x\n"})
    [outcome] = backfill(library, airflow, parallel=1).outcomes(planned(library, BUSY))
    assert outcome.error is not None
    assert outcome.error.code == "other-text"
    assert run_ids(library, BUSY) == {}


def test_an_older_input_is_read_where_it_was_planned(library: Lake) -> None:
    library.publisher.withdraw(LOANS, day(2))
    for generation in (day(1), day(2)):
        assert run_ids(library, BUSY).get(generation) is None
    plan = planned(library, BUSY, days=DAYS[:2], on_missing="previous")
    assert errors(list(backfill(library, double(library)).outcomes(plan))) == []
    assert [row[:2] for row in history(library, BUSY)] == [("1", "10"), ("1", "10"), ("2", "11"), ("2", "11")]


def test_landing_files_are_loaded_again(library: Lake) -> None:
    land(library, day(3), 900)
    plan = planned(library, BUSY, days=DAYS[2:3], upstream=True)
    airflow = double(library)
    assert errors(list(backfill(library, airflow).outcomes(plan))) == []
    assert airflow.published == [f"{LOANS} {day(3)}", f"{BUSY} {day(3)}"]
    assert len(airflow.runs) == 1
    assert ("1", "900", "2024", "03", "03", "20240303") in history(library, BUSY)


@pytest.mark.parametrize(
    ("error", "late"),
    [
        pytest.param(refusal("RestApiServerException", 504, "timeout"), True, id="lost answer"),
        pytest.param(
            refusal("RestApiServerException", 502, "bad gateway"), False, id="bad gateway", marks=pytest.mark.slow
        ),
        pytest.param(
            refusal("RestApiClientException", 429, "too many"), False, id="Airflow throttles", marks=pytest.mark.slow
        ),
        pytest.param(refusal("InternalServerException"), True, id="AWS fails after it", marks=pytest.mark.slow),
        pytest.param(refusal("TooManyRequestsException"), False, id="AWS throttles"),
    ],
)
def test_every_call_may_fail_once(library: Lake, error: Any, late: bool) -> None:
    """Each call fails the first time; where only its answer was lost, nothing is started twice."""
    seen: set[str] = set()

    def broken(call: dict[str, Any]) -> Any:
        text = json.dumps(call, sort_keys=True)
        known = text in seen
        seen.add(text)
        return None if known else error

    airflow = double(library, broken=broken, late=late)
    building, plan = backfill(library, airflow, parallel=2), planned(library, BUSY, days=DAYS[:3])
    building.check(plan)
    assert errors(list(building.outcomes(plan))) == []
    assert (len(airflow.runs), len(airflow.published)) == (3, 3)


def _always(error: Any) -> Callable[[Any], Any]:
    return lambda _call: error


REFUSED = [
    (refusal("AccessDeniedException", detail="not authorized"), "airflow-access", "role User"),
    (refusal("ResourceNotFoundException"), "no-airflow", "no MWAA environment dapflow-test"),
    (refusal("RestApiClientException", 403, "Forbidden"), "airflow", "role User"),
    (refusal("RestApiClientException", 422, "partition_key"), "airflow", "422 to GET /dags/libraries"),
    (refusal("ValidationException", detail="Path is too long"), "aws", "Path is too long"),
]


def test_what_is_refused_is_said(library: Lake) -> None:
    steps = planned(library, BUSY)
    for error, code, words in REFUSED:
        building = backfill(library, double(library, broken=_always(error)))
        with pytest.raises(DapflowError) as raised:
            building.check(steps)
        assert raised.value.code == code
        assert words in str(raised.value)


def test_an_airflow_that_does_not_come_back_is_given_up(library: Lake) -> None:
    told: list[str] = []
    airflow = double(library)
    building = backfill(library, airflow, parallel=1, told=told)
    airflow.broken = lambda call: refusal("RestApiServerException", 503) if "list" in call["Path"] else None
    with pytest.raises(PassingError, match="Airflow answered 503"):
        list(building.outcomes(planned(library, BUSY)))
    assert told[-1].startswith("1 run goes on in dapflow-test")


def test_a_dag_that_cannot_run_is_named_before_anything_does(library: Lake, tmp_path: Path) -> None:
    airflow = double(library, paused={"libraries"})
    with pytest.raises(DapflowError, match="libraries is paused in dapflow-test"):
        backfill(library, airflow).check(planned(library, BUSY))
    airflow = double(library)
    library.compile(tmp_path, BOTH)
    with pytest.raises(DapflowError, match="dapflow-test has no DAG towns"):
        backfill(library, airflow).check(planned(library, BUSY, TOWNS))
    assert airflow.runs == {}


def test_a_run_that_was_stopped_or_deleted_is_no_success(library: Lake) -> None:
    """A person marks it failed in Airflow, whose tasks are then skipped; or deletes it."""
    for stopped in ("skipped", None):
        airflow = double(library)

        def stop(_seconds: float, airflow: MwaaDouble = airflow, stopped: str | None = stopped) -> None:
            if stopped is None:
                airflow.runs.clear()
            for run in airflow.runs.values():
                run.tasks, run.state = dict.fromkeys(run.tasks, stopped), "failed"

        building = backfill(library, airflow, parallel=1)
        building.pause = stop
        [outcome] = building.outcomes(planned(library, BUSY))
        assert outcome.error is not None
        assert outcome.error.code == "task-failed"
        assert f"task refined.busy of 2024-03-01 is {stopped or 'gone'}" in outcome.error.message


def test_all_pages_are_asked_for() -> None:
    tasks = [{"dag_run_id": "one", "task_id": f"raw.t{number}", "state": None} for number in range(250)]

    class Pages:
        def invoke_rest_api(self, **call: Any) -> dict[str, Any]:
            body = call["Body"]
            return {"RestApiResponse": paged("task_instances", tasks, body["page_offset"], body["page_limit"])}

    states = MwaaAirflow(Pages(), "dapflow-prod").task_states({"one"}, {str(task["task_id"]) for task in tasks})
    assert len(states) == 250
    assert set(states.values()) == {""}


def test_services_that_read_each_other_take_turns(library: Lake, tmp_path: Path) -> None:
    """A product that is read by another service, whose product the first service reads as a slower input."""
    library.compile(tmp_path, BOTH)
    first, second, third = (Step(day(1), name) for name in (BUSY, TOWNS, RUNNING))
    other = Step(day(2), BUSY)
    steps = [
        PlannedStep(first, frozenset()),
        PlannedStep(second, frozenset({first})),
        PlannedStep(third, frozenset({second})),
        PlannedStep(other, frozenset()),
    ]
    runs = service_runs(steps, library.manifest)
    assert [(str(run), [planned.step for planned in run.steps]) for run in runs] == [
        ("libraries 2024-03-01", [first]),
        ("towns 2024-03-01", [second]),
        ("libraries 2024-03-01", [third]),
        ("libraries 2024-03-02", [other]),
    ]
    assert [sorted(map(str, run.after)) for run in runs] == [[], ["libraries 2024-03-01"], ["towns 2024-03-01"], []]
    assert Generation.parse("2024-03-02") == runs[-1].generation
