"""Past generations built again: each from its own day, in order, as far as it is needed, and no other touched."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dapflow.backfill.building import Backfill, StepOutcome
from dapflow.backfill.calendar import days_between
from dapflow.backfill.earlier import EarlierBackfills
from dapflow.backfill.estimate import estimate
from dapflow.backfill.plan import BackfillPlan, PlannedStep, plan_backfill, with_upstream
from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.local.selection import newest_generation
from dapflow.manifest import Manifest
from dapflow.publications.published import Publications
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from tests.aws_servers import HeldAws
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError
from tests.runtime.lake import Lake

LOANS, BUSY, RUNNING = "libraries.raw.loans", "libraries.refined.busy", "libraries.refined.running"
FILES = {
    "libraries/service.yml": "sources: {loans: {columns: {branch: integer, lent: integer}}}\n",
    "libraries/refined/busy.sql": "SELECT branch, sum(lent) AS lent FROM loans GROUP BY branch\n",
    # Reads its own history: what it says of a day depends on all days before.
    "libraries/refined/running.sql": "SELECT b.branch, b.lent + coalesce(sum(r.total), 0) AS total FROM "
    "libraries_refined_zone.busy AS b LEFT JOIN libraries_refined_zone.running_history AS r ON r.branch = b.branch "
    "AND r.import_date = (SELECT max(import_date) FROM libraries_refined_zone.running_history) GROUP BY 1, b.lent\n",
}
FIRST_TEXT = "SELECT branch, lent AS total FROM libraries_refined_zone.busy\n"
DAYS = days_between(Generation.parse("2024-03-01"), Generation.parse("2024-03-06"))


def day(number: int) -> Generation:
    return DAYS[number - 1]


def planned(
    lake: Lake, *names: str, days: Sequence[Generation] = DAYS, again: bool = False, **more: Any
) -> BackfillPlan:
    """The plan of a backfill of these datasets."""
    manifest, earlier = lake.manifest, EarlierBackfills(lake.publications)
    upstream = more.pop("upstream", False)

    def is_done(step: PlannedStep) -> bool:
        return not again and earlier.published(step.manifest(manifest), step.step.dataset, step.step.generation)

    wanted = [dataset for dataset in manifest.datasets.values() if dataset.id in names]
    chosen = with_upstream(manifest, wanted) if upstream else wanted
    return plan_backfill(Snapshot(lake.publications), chosen, days, is_done, **more)


def execution(lake: Lake, parallel: int = 3, again: bool = False, **publisher: Any) -> Backfill:
    def made(manifest: Manifest, _service: str) -> Publisher:
        return Publisher(publisher.get("clients", lake.clients), manifest, lake.environment, by="a person")

    return Backfill(Snapshot(lake.publications), made, parallel, again)


def backfilled(lake: Lake, *names: str, parallel: int = 3, again: bool = False, **more: Any) -> list[StepOutcome]:
    """Plan and build; every step must have come to something."""
    plan = planned(lake, *names, again=again, **more)
    outcomes = list(execution(lake, parallel, again).outcomes(plan))
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert len(outcomes) == len(plan.steps)
    return outcomes


def land(lake: Lake, generation: Generation, lent: int) -> None:
    lake.land(lake.datasets[LOANS], generation, loans_csv=f"branch,lent\n1,{lent}\n2,{lent + 1}\n")


def history(lake: Lake, dataset_id: str) -> list[tuple[str | None, ...]]:
    """All rows of all generations."""
    dataset = lake.datasets[dataset_id]
    return sorted(
        (tuple(row.values()) for row in lake.query(f'SELECT * FROM "{dataset.database}"."{dataset.history}"')), key=str
    )


def run_ids(lake: Lake, dataset_id: str) -> dict[Generation, str]:
    return {made: published.run_id for made, published in lake.publications.of(dataset_id).items()}


@pytest.fixture(scope="module")
def loaded(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """Six days of loans, loaded."""
    lake = empty_lake(clients)
    lake.compile(tmp_path_factory.mktemp("project"), FILES)
    for number, generation in enumerate(DAYS):
        land(lake, generation, 10 * (number + 1))
        lake.publish(lake.datasets[LOANS], generation)
    return HeldAws.now()


@pytest.fixture
def library(loaded: HeldAws, lake: Lake, tmp_path: Path) -> Lake:
    """Six days of loans, loaded; nothing is made of them."""
    lake.compile(tmp_path, FILES)
    lake.have_again(loaded)
    lake.overrides["retention_seconds"] = 3600
    return lake


def test_backfilled_is_as_if_it_had_run_each_day(library: Lake, tmp_path: Path) -> None:
    """The product that adds to its own past, too; though all days of what it reads are there already."""
    library.compile(tmp_path, {**FILES, "libraries/refined/running.sql": FIRST_TEXT})
    library.publish(library.datasets[BUSY], day(1))
    library.publish(library.datasets[RUNNING], day(1))
    library.compile(tmp_path, FILES)
    days = DAYS[1:4]
    outcomes = backfilled(library, BUSY, RUNNING, days=days)
    assert [outcome.step.generation for outcome in outcomes if outcome.step.dataset == RUNNING] == days
    # 10, 20, 30, 40 added up, and the same of those that are one more.
    totals = {(row[0], row[-1]): row[1] for row in history(library, RUNNING)}
    assert [totals["1", generation.key] for generation in DAYS[:4]] == ["10", "30", "60", "100"]
    assert [totals["2", generation.key] for generation in DAYS[:4]] == ["11", "32", "63", "104"]
    in_order = history(library, RUNNING)
    for generation in days:
        library.publish(library.datasets[BUSY], generation)
        library.publish(library.datasets[RUNNING], generation)
    assert history(library, RUNNING) == in_order


def test_no_other_day_changes(library: Lake) -> None:
    for generation in DAYS[:5]:
        library.publish(library.datasets[BUSY], generation)
    before, rows = run_ids(library, BUSY), history(library, BUSY)
    shown = library.rows(library.datasets[BUSY])
    backfilled(library, BUSY, days=DAYS[1:4])
    after = run_ids(library, BUSY)
    assert {made for made in DAYS[:5] if before[made] != after[made]} == set(DAYS[1:4])
    assert (history(library, BUSY), library.rows(library.datasets[BUSY])) == (rows, shown)
    assert run_ids(library, LOANS).keys() == set(DAYS)


def test_a_second_call_does_what_is_left_and_again_does_all(library: Lake, tmp_path: Path) -> None:
    assert len(backfilled(library, BUSY, days=DAYS[:3])) == 3
    made = run_ids(library, BUSY)
    plan = planned(library, BUSY)
    assert [step.generation for step in plan.done] == DAYS[:3]
    assert [planned_step.step.generation for planned_step in plan.steps] == DAYS[3:]
    backfilled(library, BUSY)
    assert {generation: run_ids(library, BUSY)[generation] for generation in DAYS[:3]} == made
    assert planned(library, BUSY).steps == ()
    assert len(backfilled(library, BUSY, again=True)) == len(DAYS)
    assert not set(run_ids(library, BUSY).values()) & set(made.values())
    # What was published by anyone else is not what a backfill made, nor what another text makes.
    library.publish(library.datasets[BUSY], day(2))
    assert [planned_step.step.generation for planned_step in planned(library, BUSY).steps] == [day(2)]
    library.compile(tmp_path, {**FILES, "libraries/refined/busy.sql": FILES["libraries/refined/busy.sql"] + "-- x\n"})
    assert len(planned(library, BUSY).steps) == len(DAYS), "the text is another"


def test_an_input_that_was_corrected_is_read_anew(library: Lake) -> None:
    days = DAYS[2:5]
    backfilled(library, BUSY, LOANS, days=days)
    land(library, day(3), 900)
    plan = planned(library, BUSY, LOANS, days=days)
    assert [str(planned_step.step) for planned_step in plan.steps] == [f"{LOANS} {day(3)}", f"{BUSY} {day(3)}"]
    assert [len(planned_step.after) for planned_step in plan.steps] == [0, 1]
    backfilled(library, BUSY, LOANS, days=days)
    assert ("1", "900", "2024", "03", "03", "20240303") in history(library, BUSY)
    library.publish(library.datasets[LOANS], day(5))
    assert [str(planned_step.step) for planned_step in planned(library, BUSY, days=days).steps] == [f"{BUSY} {day(5)}"]


@pytest.mark.parametrize(
    ("crash_at", "late"), [("start_query_execution", True), ("create_partition", False), ("create_partition", True)]
)
def test_killed_anywhere_it_goes_on(library: Lake, crash_at: str | int, late: bool) -> None:
    crashing = CallCounter(crash_at, late).clients(library.clients)
    plan = planned(library, BUSY, days=DAYS[:3])
    with pytest.raises(CrashError):
        for _ in execution(library, parallel=1, clients=crashing).outcomes(plan):
            pass
    backfilled(library, BUSY, days=DAYS[:3])
    assert run_ids(library, BUSY).keys() == set(DAYS[:3])
    assert [row[:2] for row in history(library, BUSY)] == [
        (branch, str(10 * number + more)) for branch, more in (("1", 0), ("2", 1)) for number in (1, 2, 3)
    ]
    assert planned(library, BUSY, days=DAYS[:3]).steps == ()


def test_killed_behind_the_switch_the_next_one_shows_it(library: Lake) -> None:
    crashing = CallCounter("create_partition", late=True).clients(library.clients)
    with pytest.raises(CrashError):
        list(execution(library, clients=crashing).outcomes(planned(library, BUSY, days=DAYS[:1])))
    backfilled(library, BUSY, days=DAYS[:1])
    assert library.rows(library.datasets[BUSY]) == [("1", "10"), ("2", "11")]
    assert planned(library, BUSY, days=DAYS[:1]).steps == ()


@pytest.mark.slow
def test_two_at_once_come_to_the_same(library: Lake) -> None:
    plans = [planned(library, BUSY), planned(library, BUSY)]
    ended: list[list[StepOutcome]] = [[], []]
    threads = [
        threading.Thread(target=lambda which=which: ended[which].extend(execution(library).outcomes(plans[which])))
        for which in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(outcome.error) for outcomes in ended for outcome in outcomes if outcome.error] == []
    assert len(history(library, BUSY)) == 2 * len(DAYS)
    assert library.rows(library.datasets[BUSY]) == [("1", "60"), ("2", "61")]
    assert planned(library, BUSY).steps == ()


def test_a_past_day_beside_todays_run(library: Lake) -> None:
    """Today's generation is published while the past is built: both are there, and the view shows the newer one."""
    outcomes = execution(library, parallel=1).outcomes(planned(library, BUSY, days=DAYS[:5]))
    next(outcomes)
    library.publish(library.datasets[BUSY], day(6))
    assert all(outcome.error is None for outcome in outcomes)
    assert run_ids(library, BUSY).keys() == set(DAYS)
    assert library.rows(library.datasets[BUSY]) == [("1", "60"), ("2", "61")]


def test_it_ends_at_the_first_failure_and_goes_on_from_there(library: Lake, tmp_path: Path) -> None:
    text = "SELECT branch, 100 / (sum(lent) - 40) AS lent FROM loans WHERE branch = 1 GROUP BY branch\n"
    library.compile(tmp_path, {**FILES, "libraries/refined/busy.sql": text})
    outcomes = list(execution(library, parallel=1).outcomes(planned(library, BUSY)))
    assert [outcome.error is None for outcome in outcomes] == [True, True, True, False]
    assert outcomes[-1].step.generation == day(4)
    library.compile(tmp_path, FILES)
    backfilled(library, BUSY)
    assert run_ids(library, BUSY).keys() == set(DAYS)


def test_what_is_missing_is_named_before_anything_runs(library: Lake) -> None:
    library.publisher.withdraw(LOANS, day(2))
    library.publisher.withdraw(LOANS, day(5))
    with pytest.raises(DapflowError) as caught:
        planned(library, BUSY)
    assert caught.value.code == "missing-inputs"
    assert caught.value.message.splitlines() == [
        "2 input generations are missing; nothing was run:",
        f"  {BUSY} 2024-03-02: {LOANS} has no generation 2024-03-02; the newest before is 2024-03-01",
        f"  {BUSY} 2024-03-05: {LOANS} has no generation 2024-03-05; the newest before is 2024-03-04",
    ]
    assert library.publications.of(BUSY) == {}
    plan = planned(library, BUSY, RUNNING, on_missing="skip")
    assert {step.generation for step in plan.left_out} == {day(2), day(5)}
    assert [missing.step.dataset for missing in plan.missing] == [BUSY, BUSY], "what follows from it is not named again"
    backfilled(library, BUSY, on_missing="skip")
    assert set(DAYS) - run_ids(library, BUSY).keys() == {day(2), day(5)}
    backfilled(library, BUSY, on_missing="previous")
    assert {row[:2]: row[-1] for row in history(library, BUSY) if row[-1] == day(2).key} == {
        ("1", "10"): day(2).key,
        ("2", "11"): day(2).key,
    }
    assert planned(library, BUSY, on_missing="previous").steps == ()
    library.publisher.withdraw(LOANS, day(1))
    with pytest.raises(DapflowError, match="none before"):
        planned(library, BUSY, days=DAYS[:1], on_missing="previous")


def test_a_branch_is_named_no_option_that_it_has_not(library: Lake) -> None:
    library.publisher.withdraw(LOANS, day(2))
    hints = []
    for environment in (library.environment, replace(library.environment, branch="fix")):
        snapshot = Snapshot(Publications(library.clients, library.manifest, environment))
        with pytest.raises(DapflowError) as caught:
            plan_backfill(snapshot, [library.datasets[BUSY]], DAYS, lambda _: False)
        hints.append("--with-upstream" in str(caught.value.hint))
    assert hints == [True, False]


def test_the_newest_day_is_that_of_what_is_read_and_not_made(library: Lake) -> None:
    library.publisher.withdraw(LOANS, day(6))
    backfilled(library, BUSY, on_missing="previous")
    assert run_ids(library, BUSY).keys() == set(DAYS)
    busy, running = library.datasets[BUSY], library.datasets[RUNNING]
    assert newest_generation([busy, running], library.publications) == day(5)
    assert newest_generation([running], library.publications) == day(6)


def test_upstream_is_built_first_and_loads_what_landed(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, {**FILES, "libraries/refined/running.sql": FIRST_TEXT})
    for number in (1, 2, 4):
        land(lake, day(number), number)
    with pytest.raises(DapflowError, match="no files have landed"):
        planned(lake, RUNNING, upstream=True, days=DAYS[:4])
    plan = planned(lake, RUNNING, upstream=True, days=DAYS[:4], on_missing="skip")
    assert [planned_step.step.dataset for planned_step in plan.steps] == [LOANS, BUSY, RUNNING] * 3
    assert {step.generation for step in plan.left_out} == {day(3)}
    expected = estimate(Snapshot(lake.publications), plan.steps)
    assert (expected.bytes, expected.unknown) == (3 * 2 * len("branch,lent\n1,1\n2,2\n"), 6)
    assert expected.usd == pytest.approx(3 * 10 * 5 / 1024**2), "ten megabytes at least for each load"
    backfilled(lake, RUNNING, upstream=True, days=DAYS[:4], on_missing="skip")
    assert [row[1] for row in history(lake, RUNNING)] == ["1", "2", "4", "2", "3", "5"]
    known = estimate(Snapshot(lake.publications), plan.steps)
    scanned = [
        published.bytes_scanned for name in (LOANS, BUSY, RUNNING) for published in lake.publications.of(name).values()
    ]
    assert (known.bytes, known.unknown) == (sum(scanned), 0)


def test_files_that_are_gone_leave_their_generation(library: Lake) -> None:
    bucket, key = library.bucket("landing"), f"libraries/loans/{day(2)}/loans.csv"
    library.clients.s3.delete_object(Bucket=bucket, Key=key)
    before = run_ids(library, LOANS)
    days = DAYS[:3]
    plan = planned(library, LOANS, BUSY, days=days)
    assert [str(step) for step in plan.kept] == [f"{LOANS} {day(2)}"]
    backfilled(library, LOANS, BUSY, days=days)
    assert {generation for generation in days if run_ids(library, LOANS)[generation] == before[generation]} == {day(2)}
    assert run_ids(library, BUSY).keys() == set(days)


def test_what_was_loaded_as_the_service_said_before_is_loaded_again(library: Lake, tmp_path: Path) -> None:
    backfilled(library, LOANS, days=DAYS[:2])
    assert planned(library, LOANS, days=DAYS[:2]).steps == ()
    wider = FILES["libraries/service.yml"].replace("lent: integer", "lent: bigint")
    library.compile(tmp_path, {**FILES, "libraries/service.yml": wider})
    assert len(backfilled(library, LOANS, days=DAYS[:2])) == 2
    assert planned(library, LOANS, days=DAYS[:2]).steps == ()


def test_days_are_those_of_the_schedule_and_those_that_are_there(lake: Lake, tmp_path: Path) -> None:
    weekly = FILES["libraries/service.yml"] + 'schedule: "0 5 * * 1"\n'
    waiting = {
        "reports/service.yml": "reads: [libraries.raw]\n",
        "reports/refined/loans.sql": "SELECT branch FROM libraries_raw_zone.loans\n",
    }
    grants = "grants: {reports: [raw]}\n"
    try:
        lake.compile(tmp_path, {"libraries/service.yml": weekly, **waiting})
    except DapflowError:
        lake.compile(tmp_path, {"libraries/service.yml": weekly + grants, **waiting})
    month = days_between(Generation.parse("2024-03-01"), Generation.parse("2024-03-31"))
    mondays = ["2024-03-04", "2024-03-11", "2024-03-18", "2024-03-25"]
    plan = planned(lake, LOANS, "reports.refined.loans", days=month, on_missing="skip")
    assert [str(step.generation) for step in plan.left_out if step.dataset == LOANS] == mondays
    assert [str(step.generation) for step in plan.left_out if step.dataset != LOANS] == mondays
    land(lake, Generation.parse("2024-03-13"), 1)
    plan = planned(lake, LOANS, "reports.refined.loans", days=month, on_missing="skip")
    assert [str(planned_step.step) for planned_step in plan.steps] == [
        f"{LOANS} 2024-03-13",
        "reports.refined.loans 2024-03-13",
    ]


def test_a_slower_input_is_read_as_it_was(lake: Lake, tmp_path: Path) -> None:
    yml = "inputs: {loans: {on_missing: previous}}\n"
    lake.compile(tmp_path, {**FILES, "libraries/refined/busy.yml": yml})
    for number in (1, 4):
        land(lake, day(number), number)
    plan = planned(lake, LOANS, BUSY, days=DAYS[:5])
    assert plan.missing == ()
    of_day = {
        planned_step.step.generation: planned_step for planned_step in plan.steps if planned_step.step.dataset == BUSY
    }
    assert [str(next(iter(of_day[day(number)].after)).generation) for number in range(1, 6)] == [
        "2024-03-01", "2024-03-01", "2024-03-01", "2024-03-04", "2024-03-04",
    ]  # fmt: skip
    backfilled(lake, LOANS, BUSY, days=DAYS[:5])
    assert [row[1] for row in history(lake, BUSY) if row[0] == "1"] == ["1", "1", "1", "4", "4"]


def test_what_compares_its_rows_with_the_day_before_is_built_in_order(library: Lake, tmp_path: Path) -> None:
    checks = "checks:\n  about as many: {row_count: {change_percent: 50}}\n"
    library.compile(tmp_path, {**FILES, "libraries/refined/busy.yml": checks})
    steps = planned(library, BUSY).steps
    assert [sorted(before.generation for before in planned_step.after) for planned_step in steps] == [
        DAYS[:number] for number in range(len(DAYS))
    ]


def test_nothing_of_an_environment_that_only_reads(library: Lake) -> None:
    snapshot = Snapshot(library.publications)
    snapshot.publications.environment = replace(library.environment, branch="x")
    with pytest.raises(DapflowError) as caught:
        plan_backfill(snapshot, [library.datasets[LOANS]], DAYS, lambda _: False)
    assert caught.value.code == "nothing-to-backfill"
