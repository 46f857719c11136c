"""Why a product is not current: what is at the root of it, through all that it reads."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.runs.history import chosen, history_of
from dapflow.runs.recent import runs_of, runs_of_all
from dapflow.runs.why import Currency, CurrencyLook, Reason
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import delete_prefix
from dapflow.runtime.publish import Publisher
from tests.aws_servers import HeldAws
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError
from tests.runtime.lake import DAY, LATER, Lake

PLANES, SEATS, TOTAL = "air_traffic.raw.planes", "air_traffic.refined.seats", "air_traffic.refined.total"
PROJECT = {
    "air_traffic/service.yml": "sources: {planes: {columns: {tailnum: string, seats: integer}}}\n",
    "air_traffic/refined/seats.sql": "SELECT tailnum, seats FROM planes",
    "air_traffic/refined/total.sql": "SELECT sum(seats) AS seats FROM air_traffic_refined_zone.seats",
}


def why(lake: Lake, dataset: str = TOTAL, generation: Generation | None = None) -> Currency:
    return CurrencyLook(lake.publications).at(lake.datasets[dataset], generation)


def only(lake: Lake, dataset: str = TOTAL) -> Reason:
    [reason] = why(lake, dataset).reasons
    return reason


def typed(kind: str) -> str:
    """The service's file with another type of the seats."""
    return f"sources:\n  planes:\n    columns: {{tailnum: string, seats: {kind}}}\n"


def run(lake: Lake, *datasets: str, generation: Generation = DAY) -> None:
    for dataset in datasets or (PLANES, SEATS, TOTAL):
        with suppress(DapflowError):
            lake.publisher.publish(dataset, generation)


def land(lake: Lake, generation: Generation, seats: str = "1") -> None:
    lake.land(lake.datasets[PLANES], generation, planes_csv=f"tailnum,seats\nN1,{seats}\n")


@pytest.fixture(scope="module")
def one_day(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """Everything, for one day."""
    lake = empty_lake(clients)
    lake.overrides["retention_seconds"] = 3600
    lake.compile(tmp_path_factory.mktemp("project"), PROJECT)
    land(lake, DAY)
    run(lake)
    return HeldAws.now()


@pytest.fixture
def there(one_day: HeldAws, lake: Lake, tmp_path: Path) -> Lake:
    """A lake in which everything is there for one day."""
    lake.overrides["retention_seconds"] = 3600
    lake.compile(tmp_path, PROJECT)
    lake.have_again(one_day)
    return lake


def test_what_is_current_has_no_reason(there: Lake) -> None:
    currency = why(there)
    assert (currency.current, currency.shown, currency.expected, currency.reasons) == (True, DAY, DAY, ())


def test_nothing_at_all_is_not_current(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, PROJECT)
    currency = why(lake)
    assert (currency.current, currency.expected) == (False, None)


def test_a_bad_value_in_a_landing_file_far_above(there: Lake) -> None:
    land(there, LATER, "many")
    run(there, generation=LATER)
    run(there, generation=LATER)
    currency = why(there)
    assert (currency.current, currency.shown, currency.expected) == (False, DAY, LATER)
    reason = only(there)
    assert (reason.dataset, reason.generation, reason.through) == (PLANES, "2014-01-01", (TOTAL, SEATS))
    assert "many" in reason.message
    assert "(2 attempts)" in reason.message
    assert reason.since
    assert reason.hint


def test_what_was_never_run(there: Lake) -> None:
    land(there, LATER)
    reason = only(there)
    assert (reason.dataset, reason.code) == (PLANES, "not-run")
    assert f"dapflow run {PLANES} --generation {LATER}" in reason.hint
    run(there, PLANES, generation=LATER)
    assert (only(there).dataset, only(there).code) == (SEATS, "not-run")
    run(there, SEATS, TOTAL, generation=LATER)
    assert why(there).current


def test_a_run_that_only_waited_is_no_reason_of_its_own(there: Lake) -> None:
    run(there, TOTAL, generation=LATER)
    [reason] = why(there, generation=LATER).reasons
    assert (reason.dataset, reason.code) == (PLANES, "landing-missing")
    assert "dapflow land" in reason.hint


def test_another_text_and_the_failure_of_it(there: Lake, tmp_path: Path) -> None:
    there.compile(
        tmp_path, {**PROJECT, "air_traffic/refined/seats.sql": "SELECT tailnum, seats / 0 AS seats FROM planes"}
    )
    [reason] = why(there, SEATS).reasons
    assert (reason.code, reason.since != "") == ("text-changed", True)
    run(there, SEATS)
    reasons = {reason.code: reason for reason in why(there).reasons}
    assert set(reasons) == {"text-changed", "query-failed"}
    assert reasons["query-failed"].message.startswith("transforms/air_traffic/refined/seats.sql: ")
    assert reasons["query-failed"].through == (TOTAL,)


def test_a_failure_by_what_has_changed_since_says_so(there: Lake, tmp_path: Path) -> None:
    """Of an input that was published again, of a text, of landing files; a run that only waited is no failure."""
    checked = PROJECT | {"air_traffic/refined/total.yml": "checks: {few: {range: {seats: {max: 1}}}}"}
    there.compile(tmp_path, checked)
    land(there, DAY, "2")
    run(there)
    assert {reason.code for reason in why(there).reasons} == {"input-changed", "check-failed"}
    land(there, DAY, "1")
    run(there, PLANES, SEATS)
    failed = next(reason for reason in why(there).reasons if reason.code == "check-failed")
    assert failed.message.endswith(f"; since then, {SEATS} 2013-12-31 was published, and no run has tried it")
    assert failed.hint.startswith(f"dapflow run {TOTAL}")
    run(there)
    assert why(there).current
    there.publisher.withdraw(SEATS, DAY)
    run(there, TOTAL)
    run(there, SEATS)
    assert only(there).code == "input-changed"
    run(there)
    land(there, LATER, "many")
    run(there, PLANES, generation=LATER)
    time.sleep(1)  # S3 keeps whole seconds
    land(there, LATER, "3")
    assert "since then, files have landed" in only(there, PLANES).message
    run(there, PLANES, generation=LATER)
    there.compile(
        tmp_path, PROJECT | {"air_traffic/refined/seats.sql": "SELECT tailnum, seats / 0 AS seats FROM planes"}
    )
    run(there, SEATS, generation=LATER)
    there.compile(tmp_path, PROJECT)
    assert "since then, transforms/air_traffic/refined/seats.sql was changed" in only(there, SEATS).message


def test_a_service_file_that_says_otherwise(there: Lake, tmp_path: Path) -> None:
    """Of what was loaded, with the commit that it was loaded at, and of what failed."""
    there.compile(tmp_path, {**PROJECT, "air_traffic/service.yml": typed("bigint")})
    assert only(there, PLANES).code == "terms-changed"
    assert only(there).through == (TOTAL, SEATS)
    Publisher(there.clients, there.manifest, there.environment, commit="c0ffee12345+changes").publish(PLANES, DAY)
    run(there, SEATS, TOTAL)
    checked = typed("bigint") + "    checks: {few: {range: {seats: {max: 9}}}}\n    description: Aeroplanes\n"
    there.compile(tmp_path, {**PROJECT, "air_traffic/service.yml": checked})
    assert why(there).current, "it would be loaded as it was"
    there.compile(tmp_path, PROJECT)
    said = "transforms/air_traffic/service.yml says to read its files otherwise than they were"
    assert only(there, PLANES).message == f"{said}, at commit c0ffee123 and changes"
    land(there, LATER, "many")
    run(there, PLANES, generation=LATER)
    assert "since then" not in only(there, PLANES).message
    there.compile(tmp_path, {**PROJECT, "air_traffic/service.yml": typed("string")})
    assert "since then, transforms/air_traffic/service.yml was changed" in only(there, PLANES).message
    run(there, PLANES, generation=LATER)
    assert "since then" not in only(there, PLANES).message, "a run has tried it"


def test_a_run_of_what_is_current_that_failed_a_check_is_told(there: Lake, tmp_path: Path) -> None:
    assert why(there).unpublished is None
    there.compile(tmp_path, PROJECT | {"air_traffic/refined/total.yml": "checks: {few: {range: {seats: {max: 0}}}}"})
    assert why(there).unpublished is None, "no run has tried it"
    run(there, TOTAL)
    currency = why(there)
    assert (currency.current, currency.reasons) == (True, ())
    assert currency.unpublished is not None
    assert (currency.unpublished.dataset, currency.unpublished.code) == (TOTAL, "check-failed")
    assert "since then" not in currency.unpublished.message
    there.compile(tmp_path, PROJECT | {"air_traffic/refined/total.yml": "checks: {few: {range: {seats: {max: 9}}}}"})
    unpublished = why(there).unpublished
    assert unpublished is not None
    assert "since then, transforms/air_traffic/refined/total.yml was changed" in unpublished.message
    run(there, TOTAL)
    assert why(there).unpublished is None


def test_an_input_that_was_published_again_or_withdrawn(there: Lake) -> None:
    run(there, SEATS)
    reason = only(there)
    assert (reason.dataset, reason.code) == (TOTAL, "input-changed")
    assert f"{SEATS} 2013-12-31 was published again" in reason.message
    there.publisher.withdraw(SEATS, DAY)
    codes = {(reason.dataset, reason.code) for reason in why(there).reasons}
    assert codes == {(TOTAL, "input-changed"), (SEATS, "withdrawn")}


def test_who_took_a_generation_out_is_known(there: Lake) -> None:
    there.overrides["name"] = "local"
    publisher = Publisher(there.clients, there.manifest, there.environment, by="ada")
    publisher.withdraw(SEATS, DAY)
    publisher.reset(TOTAL)
    [reason] = why(there, SEATS, DAY).reasons
    assert (reason.code, reason.message, reason.since != "") == ("withdrawn", "ada took it out: dapflow withdraw", True)
    for dataset, kind in ((SEATS, "withdraw"), (TOTAL, "reset")):
        newest, before = history_of(publisher, there.publications, there.datasets[dataset]).past
        assert (newest.state, newest.record.kind, newest.record.ran_by) == ("withdrawn", kind, "ada")
        assert (before.state, before.record.location) == ("kept", newest.record.replaced)
    # A way back leads to what was published, not to its end.
    wanted, read = chosen(there.publications, there.datasets[SEATS], None, before_of(there, SEATS))
    assert (wanted.kind, read) == ("publish", "")


def before_of(lake: Lake, dataset: str) -> str:
    return history_of(lake.publisher, lake.publications, lake.datasets[dataset]).past[1].record.run_id


def test_files_that_landed_again(there: Lake) -> None:
    land(there, DAY)
    assert why(there).current, "the same content, uploaded again"
    land(there, DAY, "2")
    assert (only(there, PLANES).code, only(there).dataset, only(there).code) == (
        "landing-changed", PLANES, "landing-changed",
    )  # fmt: skip
    bucket = there.bucket("landing")
    for item in there.clients.s3.list_objects_v2(Bucket=bucket)["Contents"]:
        there.clients.s3.delete_object(Bucket=bucket, Key=item["Key"])
    assert why(there).current, "cleared away"


def test_a_run_that_was_killed(there: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land(there, LATER)
    run(there, PLANES, generation=LATER)
    counter = CallCounter(crash_at=3)
    with pytest.raises(CrashError):
        Publisher(counter.clients(there.clients), there.manifest, there.environment).publish(SEATS, LATER)
    assert (only(there).dataset, only(there).code) == (SEATS, "running")
    # The process that the record names is this one: let it be one that has ended, here and on another machine.
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    monkeypatch.setattr("os.getpid", lambda: ended.pid)
    with pytest.raises(CrashError):
        Publisher(CallCounter(crash_at=3).clients(there.clients), there.manifest, there.environment).publish(
            SEATS, LATER
        )
    reason = only(there)
    assert (reason.code, f"dapflow run {SEATS}" in reason.hint) == ("killed", True)
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert only(there).code == "running"


def test_an_input_that_was_damaged_when_a_run_failed_and_is_whole_again(there: Lake) -> None:
    publication = there.publications.publication(SEATS, DAY)
    assert publication is not None
    delete_prefix(there.clients.s3, publication.location)
    run(there, TOTAL)
    assert "damaged-generation" in {reason.code for reason in why(there).reasons}
    run(there, SEATS)
    failed = next(reason for reason in why(there).reasons if reason.code == "damaged-generation")
    assert f"since then, {SEATS} 2013-12-31 was published" in failed.message
    assert failed.hint.startswith(f"dapflow run {TOTAL}")


def test_a_generation_for_which_an_older_one_was_read(there: Lake, tmp_path: Path) -> None:
    """Nothing is wrong with it until the one that it should have read is there."""
    there.compile(
        tmp_path,
        PROJECT | {"air_traffic/refined/total.yml": "inputs: {air_traffic_refined_zone.seats: {on_missing: previous}}"},
    )
    run(there, TOTAL, generation=LATER)
    assert why(there, generation=LATER).current
    land(there, LATER)
    run(there, PLANES, SEATS, generation=LATER)
    [reason] = why(there, generation=LATER).reasons
    assert (reason.dataset, reason.code) == (TOTAL, "input-changed")
    assert reason.message == f"{SEATS} 2014-01-01 is there by now, and 2013-12-31 was read instead"
    run(there, TOTAL, generation=LATER)
    assert why(there, generation=LATER).current


def test_an_attempt_that_airflow_gave_up_was_killed(there: Lake) -> None:
    """Its process is another machine's: what tells is that Airflow tried again, or ran the generation again."""
    land(there, LATER)
    run(there, PLANES, generation=LATER)
    airflow = Publisher(there.clients, there.manifest, there.environment, by="airflow")
    airflow.stage(SEATS, LATER, "scheduled__1")
    somebody = Publisher(there.clients, there.manifest, there.environment, by="somebody")
    somebody.stage(SEATS, LATER, "scheduled__1", attempt=2)
    seats = there.datasets[SEATS]

    def outcomes() -> list[str]:
        return [run.outcome for run in runs_of(there.publications, seats, generation=LATER)]

    assert outcomes() == ["running", "running"]
    second = airflow.stage(SEATS, LATER, "scheduled__1", attempt=2)
    assert outcomes() == ["running", "running", "killed"]
    airflow.wait(second)
    airflow.finish(second)
    assert outcomes() == ["published", "running", "killed"]
    airflow.stage(SEATS, LATER, "manual__1")
    airflow.stage(SEATS, LATER, "manual__2")
    assert outcomes()[:2] == ["running", "killed"]
    listed = runs_of_all(there.publications, ["air_traffic"], most=50)
    assert [run.outcome for run in listed if run.record.run.startswith("manual")] == ["running", "killed"]


def test_each_reason_is_told_once_however_many_read_it(lake: Lake, tmp_path: Path) -> None:
    """A diamond of forty floors has more ways through it than anybody could walk."""
    files = {**PROJECT}
    del files["air_traffic/refined/total.sql"]
    for floor in range(1, 41):
        below = f"air_traffic_refined_zone.f{floor - 1}" if floor > 1 else "air_traffic_refined_zone.seats"
        files[f"air_traffic/refined/f{floor}.sql"] = f"SELECT a.seats FROM {below} a JOIN planes b ON true"
    lake.compile(tmp_path, files)
    land(lake, DAY)
    assert only(lake, "air_traffic.refined.f40").dataset == PLANES


def test_days_of_long_ago_are_not_expected_of_anybody(there: Lake) -> None:
    currency = why(there, generation=Generation(DAY.day - timedelta(days=400)))
    assert [reason.code for reason in currency.reasons] == ["landing-missing"]
