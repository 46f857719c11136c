"""The DAGs of a bundle, as Airflow sees them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset, AssetAll
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from airflow.utils.timezone import coerce_datetime

from dapflow.environment import read_environment
from dapflow.errors import DapflowError
from dapflow.runtime.dag_factory import build_dags, build_starts
from dapflow.runtime.generation import Generation
from dapflow.runtime.operators import airflow_errors
from dapflow.runtime.schedule import cron_timetable, generation_of_run
from tests.dags.bundles import bundle, product, raw, service, write_bundle
from tests.dags.test_attempts import Instance
from tests.project.writing import compile_files
from tests.runtime.lake import Lake

SQL = "SELECT '{{ ds }}' AS a, '{% raw %}' AS b -- {{ not jinja }} .sql"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two services that ingest, and one that reads both."""
    return write_bundle(
        tmp_path,
        [
            service("flights", schedule="30 4 * * *", timezone="Europe/London", owner="team@example.org", retries=3),
            service("weather"),
            service("reports", description="What **both** say"),
        ],
        [
            raw("flights", "planes"),
            product("flights", "large", "flights.raw.planes", sql=SQL),
            product("flights", "largest", "flights.refined.large", "flights.raw.planes", zone="trusted"),
            raw("weather", "hours"),
            product("reports", "both", "weather.raw.hours", "flights.refined.large"),
        ],
    )


def test_one_dag_per_service_in_the_order_of_its_references(folder: Path) -> None:
    dags = build_dags(folder)
    assert list(dags) == ["flights", "weather", "reports"]
    tasks = dags["flights"].task_dict
    assert list(tasks) == ["raw.planes", "refined.large", "trusted.largest"]
    assert tasks["trusted.largest"].upstream_task_ids == {"raw.planes", "refined.large"}
    assert tasks["raw.planes"].downstream_task_ids == {"refined.large", "trusted.largest"}
    assert dags["reports"].task_dict["refined.both"].upstream_task_ids == set()


def test_airflow_sends_the_text_of_the_file_untouched(folder: Path) -> None:
    task = build_dags(folder)["flights"].task_dict["refined.large"]
    task.resolve_template_files()
    task.render_template_fields({"ds": "2013-12-31"})
    assert task.query == SQL
    assert SQL in task.doc_md


def test_pages_lead_to_products_and_files(folder: Path) -> None:
    dag = build_dags(folder)["flights"]
    table = "https://eu-west-2.console.aws.amazon.com/glue/home?region=eu-west-2#/v2/data-catalog/tables/view"
    where = "&catalogId=123456789012&versionId=latest"
    sql = "https://git.example.org/blob/0a1b2c/transforms/air_traffic/refined/x.sql"
    service = "https://git.example.org/blob/0a1b2c/transforms/flights/service.yml"
    for line in (
        f"- [`raw.planes`]({service}) → [`flights_raw_zone.planes`]({table}/planes?database=flights_raw_zone{where})",
        f"- [`refined.large`]({sql}) → "
        f"[`flights_refined_zone.large`]({table}/large?database=flights_refined_zone{where})",
    ):
        assert line in dag.doc_md.splitlines()
    assert (
        f"]({sql}) → [`flights_refined_zone.large_history`]({table}/large_history?"
        in dag.task_dict["refined.large"].doc_md
    )
    assert f"]({service})" in dag.task_dict["raw.planes"].doc_md


def test_on_the_embedded_platform_no_page_leads_to_a_console(tmp_path: Path) -> None:
    datasets = [raw("flights", "planes"), product("flights", "large", "flights.raw.planes")]
    for number, more in enumerate(({"name": "local"}, {"branch": "fix-0a1b2c", "host": "local"})):
        folder = write_bundle(tmp_path / str(number), [service("flights")], datasets, **more)
        [dag] = build_dags(folder).values()
        assert "console.aws" not in dag.doc_md + "".join(task.doc_md for task in dag.tasks)


def test_every_dag_survives_airflows_serialization(folder: Path) -> None:
    for dag in build_dags(folder).values():
        dag.validate()
        data = DagSerialization.to_dict(dag)
        again = DagSerialization.from_dict(data)
        assert set(again.task_dict) == set(dag.task_dict)
        assert again.timetable.partitioned
        for name, task in again.task_dict.items():
            # What Airflow's web server looks for in XCom, with nothing of dapflow there.
            assert {link.name: link.xcom_key for link in task.operator_extra_links} == {
                "Query Results": "_link_AthenaQueryResultsLink",
                "Product": "_link_ProductLink",
                "File": "_link_FileLink",
            }
            assert task.downstream_task_ids == dag.task_dict[name].downstream_task_ids
            assert [(outlet.name, outlet.uri) for outlet in task.outlets] == [
                (f"{dag.dag_id}.{name}", f"dapflow://{dag.dag_id}/{name.replace('.', '/')}")
            ]
            # All else that Airflow knows of an asset is as its own constructor has it.
            outlets = dag.task_dict[name].outlets
            assert outlets == [Asset(outlet.name, outlet.uri) for outlet in outlets]


def test_settings_of_the_service_reach_its_tasks(folder: Path) -> None:
    dag = build_dags(folder)["flights"]
    assert (dag.catchup, dag.max_active_runs, dag.tags) == (False, 1, {"dapflow", "flights"})
    assert dag.is_paused_upon_creation is False
    for task in dag.tasks:
        assert (task.retries, task.owner, task.pool) == (3, "team@example.org", "dapflow_flights")
        assert (task.workgroup, task.aws_conn_id) == ("dapflow-test-flights", "dapflow_flights")
        assert (task.deferrable, task.sleep_time, task.database) == (True, 5.0, "flights_raw_zone")
        assert task.retry_exponential_backoff
        assert task.execution_timeout is not None


def test_a_task_tells_the_channel_of_its_service_where_there_is_one(folder: Path) -> None:
    """Airflow's scheduler asks for a killed task's callback only where the serialized DAG says that it has one."""
    names = read_environment(folder / "environment.json")
    told = replace(names.services["flights"], alerts="arn:aws:sns:eu-west-2:123456789012:dapflow-test-flights-alerts")
    (folder / "environment.json").write_text(replace(names, services={**names.services, "flights": told}).to_json())
    for name, dag in build_dags(folder).items():
        again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        for task_id, task in dag.task_dict.items():
            assert bool(task.on_success_callback) == (name == "flights")
            assert again.task_dict[task_id].has_on_failure_callback == (name == "flights")
            assert not again.task_dict[task_id].has_on_retry_callback


def test_no_dag_uses_the_connection_of_another_service(folder: Path) -> None:
    """All DAGs run as Airflow's one role: the connection is what makes a task the service's own."""
    for name, dag in build_dags(folder).items():
        for task in dag.task_dict.values():
            used = (task.aws_conn_id, task.workgroup, task.pool)
            assert all(name in value for value in used), f"{task.task_id} of {name} uses {used}"
            assert not [other for other in ("flights", "weather", "reports") if other != name and other in str(used)]


def test_who_waits_for_what(folder: Path) -> None:
    dags = build_dags(folder)
    flights = dags["flights"].timetable
    assert (flights.expression, str(flights.timezone), flights.key_format) == ("30 4 * * *", "Europe/London", "%Y%m%d")
    weather = dags["weather"].timetable
    assert (weather.expression, str(weather.timezone)) == ("0 5 * * *", "UTC")
    condition = dags["reports"].timetable.asset_condition
    assert isinstance(condition, AssetAll)
    assert [asset.name for asset in condition.objects] == ["weather.raw.hours", "flights.refined.large"]


def test_a_schedule_of_its_own_comes_before_what_a_service_reads(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path,
        [service("weather"), service("reports", schedule="@daily")],
        [raw("weather", "hours"), product("reports", "both", "weather.raw.hours")],
    )
    assert build_dags(folder)["reports"].timetable.expression == "0 0 * * *"


SLOWER: dict[str, str | bytes] = {
    "wards/service.yml": "sources: {wards: {columns: {id: int}}}\ngrants: {housing: [raw]}",
    "repairs/service.yml": "sources: {repairs: {columns: {id: int}}}\ngrants: {housing: [raw]}",
    "housing/service.yml": "reads: [wards.raw, repairs.raw]",
    "housing/refined/costs.sql": "SELECT r.id FROM repairs_raw_zone.repairs r, wards_raw_zone.wards w",
    "housing/refined/costs.yml": "inputs: {wards_raw_zone.wards: {on_missing: previous}}",
}


def waits(folder: Path, service: str) -> set[str]:
    """The assets that start a service."""
    condition = getattr(build_dags(folder)[service].timetable, "asset_condition", None)
    return {asset.name for asset in condition.objects} if condition is not None else set()


def test_a_slower_input_is_not_waited_for(tmp_path: Path) -> None:
    folder = bundle(tmp_path, compile_files(tmp_path, SLOWER))
    assert waits(folder, "housing") == {"repairs.raw.repairs"}
    # With one dataset to wait for there is nothing that Airflow could leave waiting.
    assert build_starts(folder) == {}


def test_a_slower_input_that_another_product_needs_is_waited_for(tmp_path: Path) -> None:
    needs = {"housing/refined/areas.sql": "SELECT w.id FROM wards_raw_zone.wards w"}
    folder = bundle(tmp_path, compile_files(tmp_path, {**SLOWER, **needs}))
    assert waits(folder, "housing") == {"repairs.raw.repairs", "wards.raw.wards"}
    [(_, starts)] = build_starts(folder).items()
    [makers] = starts.task_dict["start"].waits.values()
    assert set(makers) == {("repairs", "raw.repairs"), ("wards", "raw.wards")}


def test_a_service_all_of_whose_inputs_are_slower_runs_daily(tmp_path: Path) -> None:
    files = {**SLOWER, "housing/refined/costs.sql": "SELECT w.id FROM wards_raw_zone.wards w"}
    folder = bundle(tmp_path, compile_files(tmp_path, files))
    assert waits(folder, "housing") == set()
    assert build_dags(folder)["housing"].timetable.expression == "0 5 * * *"


def test_a_branch_does_not_wait_for_a_slower_input_either(tmp_path: Path) -> None:
    folder = bundle(tmp_path, compile_files(tmp_path, SLOWER), "fix")
    [name] = build_dags(folder)
    assert waits(folder, name) == {"repairs.raw.repairs"}


def test_the_ingest_of_a_slower_input_does_not_stop_its_reader(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "housing/service.yml": "sources: {repairs: {columns: {id: int}}, wards: {columns: {id: int}}}",
        "housing/refined/costs.sql": "SELECT r.id FROM repairs r, wards w",
        "housing/refined/costs.yml": "inputs: {wards: {on_missing: previous}}",
        "housing/refined/areas.sql": "SELECT w.id FROM wards w",
    }
    dag = build_dags(bundle(tmp_path, compile_files(tmp_path, files)))["housing"]
    tasks = DagSerialization.from_dict(DagSerialization.to_dict(dag)).task_dict
    # It still goes last: where the slower one comes, that is what it reads.
    assert tasks["refined.costs"].upstream_task_ids == {"raw.repairs", "raw.wards"}
    assert tasks["refined.costs"].trigger_rule == "all_done"
    assert tasks["refined.areas"].trigger_rule == "none_failed"


def test_nothing_ticks_where_the_environment_has_no_schedules(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path,
        [service("weather"), service("reports")],
        [raw("weather", "hours"), product("reports", "both", "weather.raw.hours")],
        scheduled=False,
    )
    dags = build_dags(folder)
    assert not dags["weather"].timetable.can_be_scheduled
    for dag in dags.values():
        # What Airflow asks before it takes a trigger with a generation.
        DagSerialization.from_dict(DagSerialization.to_dict(dag)).validate_partition_key("20131231")
    assert [asset.name for asset in dags["reports"].timetable.asset_condition.objects] == ["weather.raw.hours"]


@pytest.mark.parametrize(
    ("cron", "timezone", "tick", "generation"),
    [
        ("0 5 * * *", "UTC", "2024-06-05T05:00Z", "2024-06-05"),
        ("0 5 * * *", "Europe/London", "2024-06-05T04:00Z", "2024-06-05"),
        ("30 0 * * *", "Europe/London", "2024-06-04T23:30Z", "2024-06-05"),  # summer: the day before in UTC
        ("30 0 * * *", "Europe/London", "2024-01-05T00:30Z", "2024-01-05"),
        ("@daily", "Europe/London", "2024-06-04T23:00Z", "2024-06-05"),
        ("0 5 * * *", "Asia/Kolkata", "2024-06-04T23:30Z", "2024-06-05"),
        ("0 22 * * *", "America/New_York", "2024-06-06T02:00Z", "2024-06-05"),
        ("0 */6 * * *", "Europe/London", "2024-06-04T23:00Z", "2024-06-05"),
        ("0 22-23 * * 1,3", "UTC", "2024-06-05T23:00Z", "2024-06-05"),
    ],
)
def test_generation_of_a_cron_run_is_the_services_day(
    tmp_path: Path, cron: str, timezone: str, tick: str, generation: str
) -> None:
    """Through Airflow's own timetable, and on to a consumer, whose key is the same."""
    folder = write_bundle(
        tmp_path,
        [service("source", schedule=cron, timezone=timezone), service("reader")],
        [raw("source", "t"), product("reader", "p", "source.raw.t")],
    )
    dags = {name: DagSerialization.from_dict(DagSerialization.to_dict(dag)) for name, dag in build_dags(folder).items()}
    at = coerce_datetime(datetime.fromisoformat(tick))
    timetable = dags["source"].timetable
    info = timetable.next_dagrun_info_v2(
        last_dagrun_info=None, restriction=TimeRestriction(earliest=at, latest=None, catchup=True)
    )
    assert info.run_after == at
    assert generation_of_run(run(info.partition_key)) == Generation.parse(generation)
    assert info.partition_key == generation.replace("-", "")
    mapper = dags["reader"].timetable.get_partition_mapper(name="source.raw.t")
    assert mapper.to_downstream(info.partition_key) == info.partition_key


@pytest.mark.parametrize(
    ("cron", "timezone", "start", "ticks"),
    [
        ("30 1 * * *", "Europe/London", "2024-10-26", ["00:30", "01:30", "01:30"]),  # the hour that comes twice
        ("30 1 * * *", "Europe/London", "2024-03-30", ["01:30", "01:30", "00:30"]),  # the hour that there is not
        ("30 2 * * *", "America/New_York", "2024-11-02", ["06:30", "07:30", "07:30"]),
        ("30 2 * * *", "America/New_York", "2024-03-09", ["07:30", "07:30", "06:30"]),
    ],
)
def test_each_day_has_one_run_when_the_clocks_change(
    monkeypatch: pytest.MonkeyPatch, cron: str, timezone: str, start: str, ticks: list[str]
) -> None:
    """Whatever time zone the machine is in."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        timetable = decode_timetable(encode_timetable(cron_timetable(cron, timezone)))
        first = datetime.fromisoformat(f"{start}T00:00Z")
        restriction = TimeRestriction(earliest=coerce_datetime(first), latest=None, catchup=True)
        info, found = None, []
        for _ in ticks:
            info = timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=restriction)
            found.append((str(generation_of_run(run(info.partition_key))), f"{info.run_after:%H:%M}"))
    finally:
        monkeypatch.undo()
        time.tzset()
    days = [str(first.date() + timedelta(days=number)) for number in range(len(ticks))]
    assert found == list(zip(days, ticks, strict=True))


def test_a_run_for_a_generation_by_configuration() -> None:
    assert generation_of_run(run(None, {"generation": "2013-12-31"})) == Generation.parse("2013-12-31")
    assert generation_of_run(run("20131230", {"generation": "2013-12-31"})) == Generation.parse("2013-12-30")


def test_a_run_without_a_generation_says_how_to_trigger_it() -> None:
    with pytest.raises(DapflowError, match="manual__1 says no generation") as caught:
        generation_of_run(run(None, None))
    assert "20131231" in str(caught.value.hint)


@pytest.mark.parametrize("key", ["2024-02-30", "20240230", "latest", "2024-06-05T00:30:00"])
def test_a_key_that_is_no_date_fails_without_another_attempt(key: str) -> None:
    for wrong in (run(key), run(None, {"generation": key})):
        with pytest.raises(AirflowFailException, match=r"run manual__1: .*\[generation\]"), airflow_errors():
            generation_of_run(wrong)


def run(partition_key: str | None, conf: dict[str, Any] | None = None) -> Any:
    return SimpleNamespace(run_id="manual__1", partition_key=partition_key, conf=conf)


def test_a_late_input_is_tried_again_and_a_mistake_is_not(lake: Lake, tmp_path: Path) -> None:
    files = {
        "air_traffic/service.yml": "sources: {planes: {columns: {tailnum: string}}}",
        "air_traffic/refined/x.sql": "SELECT tailnum FROM planes",
        "air_traffic/refined/y.sql": "SELECT 1 AS n WHERE 1 = 2",
    }
    lake.compile(tmp_path, files)
    tasks: dict[str, Any] = build_dags(bundle(tmp_path, lake.manifest))["air_traffic"].task_dict
    for task in tasks.values():
        hook = SimpleNamespace(conn_region_name="eu-west-2", conn_partition="aws")
        task.__dict__.update(publisher=lake.publisher, hook=hook, deferrable=False)
    instance = Instance(1)
    context = {"dag_run": run("20131231"), "ti": instance, "task_instance": instance}
    with pytest.raises(AirflowException, match=r"has no generation 2013-12-31.*\[not-published\]") as late:
        tasks["refined.x"].execute(context)
    assert not isinstance(late.value, AirflowFailException)
    with pytest.raises(AirflowFailException, match="no-rows"):
        tasks["refined.y"].execute(context)
    assert tasks["refined.x"].retries > 0


def test_a_worker_builds_the_one_dag_it_was_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "weather")
    assert list(build_dags(folder)) == ["weather"]


def test_a_branch_reads_the_raw_zone_and_disturbs_nobody(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path,
        [service("flights", schedule="0 4 * * *"), service("reports"), service("empty")],
        [
            raw("flights", "planes"),
            product("flights", "large", "flights.raw.planes"),
            product("reports", "both", "flights.refined.large"),
            raw("empty", "nothing"),
        ],
        branch="fix-it",
    )
    dags = build_dags(folder)
    assert list(dags) == ["fix-it__flights", "fix-it__reports"]
    flights, reports = dags.values()
    assert list(flights.task_dict) == ["refined.large"]
    assert [asset.name for asset in flights.timetable.asset_condition.objects] == ["flights.raw.planes"]
    assert [asset.name for asset in reports.timetable.asset_condition.objects] == ["fix-it__flights.refined.large"]
    assert flights.task_dict["refined.large"].outlets[0].uri == "dapflow://fix-it/flights/refined/large"


def test_a_branch_waits_for_what_it_leaves_to_its_base(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path,
        [service("flights"), service("reports"), service("same")],
        [
            raw("flights", "planes"),
            product("flights", "large", "flights.raw.planes"),
            product("flights", "small", "flights.raw.planes", "flights.refined.large"),
            product("reports", "both", "flights.refined.large", "flights.refined.small"),
            product("same", "as_it_was", "flights.raw.planes"),
        ],
        branch="fix-it",
        deferred=["flights.refined.large", "same.refined.as_it_was"],
    )
    dags = build_dags(folder)
    # Of a service of which nothing is built, nothing runs.
    assert list(dags) == ["fix-it__flights", "fix-it__reports"]
    flights, reports = dags.values()
    assert list(flights.task_dict) == ["refined.small"]
    waits = [sorted(asset.name for asset in dag.timetable.asset_condition.objects) for dag in (flights, reports)]
    assert waits == [
        ["flights.raw.planes", "flights.refined.large"],
        ["fix-it__flights.refined.small", "flights.refined.large"],
    ]


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        (None, "no manifest.json"),
        ("{", "names no manifest"),
        ('{"other": 1}', "names no manifest"),
        ('{"manifest": "manifests/0123456789abcdef.json"}', "manifest is missing"),
        ('{"manifest": "manifests/../environment.json"}', "no manifest"),
    ],
)
def test_a_damaged_bundle_says_so(folder: Path, pointer: str | None, message: str) -> None:
    (folder / "manifest.json").unlink()
    if pointer is not None:
        (folder / "manifest.json").write_text(pointer)
    with pytest.raises(DapflowError, match=message):
        build_dags(folder)


def test_the_manifest_of_another_release_is_refused(folder: Path) -> None:
    file = next((folder / "manifests").iterdir())
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 99}))
    with pytest.raises(DapflowError, match="schema 99"):
        build_dags(folder)


def test_building_keeps_no_clock(folder: Path) -> None:
    """The same bundle gives the same DAGs at any time: nothing derives from today."""
    first, second = (
        {name: DagSerialization.to_dict(dag) for name, dag in build_dags(folder).items()} for _ in range(2)
    )
    assert str(datetime.now(UTC).date()) not in str(first)
    assert first == second
