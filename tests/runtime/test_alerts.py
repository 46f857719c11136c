"""A service's channel hears of an incident once, and once that all is well again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.alerts.incident import SENDING, now
from dapflow.runtime.generation import Generation
from tests.runtime.channel import Channel, channel_of
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

SERVICE = "sources: {planes: {columns: {tailnum: string, seats: integer}}}\n"
X = "air_traffic.refined.x"


@pytest.fixture
def channel(lake: Lake) -> Iterator[Channel]:
    with channel_of(lake) as made:
        yield made


def prepared(lake: Lake, root: Path, sql: str = "SELECT 1 / seats AS n FROM planes", **files: str) -> Dataset:
    """A product that fails where a plane has no seats."""
    lake.compile(root, {"air_traffic/service.yml": SERVICE, "air_traffic/refined/x.sql": sql, **files})
    return lake.datasets[X]


def planes(lake: Lake, day: Generation, seats: int) -> None:
    """The planes of a day, published."""
    raw = lake.datasets["air_traffic.raw.planes"]
    lake.land(raw, day, planes_csv=f"tailnum,seats\nN1,{seats}\n")
    lake.publish(raw, day)


def test_an_incident_is_told_once_and_its_end_once(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    x = prepared(lake, tmp_path)
    planes(lake, EARLIER, 1)
    channel.run(x, EARLIER, "first")
    assert channel.messages == []
    for day in (DAY, LATER):
        planes(lake, day, 0)
        channel.run(x, day, f"scheduled-{day}", attempts=2)
    assert channel.subjects == [f"{X} 2013-12-31 failed"]
    # The older of the two that failed is there now, and the newer one is not.
    planes(lake, DAY, 1)
    channel.run(x, DAY, "again")
    assert len(channel.messages) == 1
    planes(lake, LATER, 1)
    for run in ("again", "and again"):
        channel.run(x, LATER, run)
    assert channel.subjects[1:] == [f"{X} is well again"]
    planes(lake, LATER, 0)
    channel.run(x, LATER, "worse")
    assert channel.subjects[2:] == [f"{X} 2014-01-01 failed"]


def test_a_message_says_what_is_wrong_where_and_what_to_do(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    x = prepared(lake, tmp_path)
    planes(lake, EARLIER, 1)
    channel.run(x, EARLIER, "first")
    planes(lake, DAY, 0)
    channel.run(x, DAY, "scheduled")
    planes(lake, DAY, 1)
    channel.run(x, DAY, "again")
    [(_, failed), (_, well)] = channel.messages
    assert failed.splitlines() == [
        "air_traffic.refined.x 2013-12-31 could not be published in test.",
        "What: DIVISION_BY_ZERO [query-failed]",
        "Where: transforms/air_traffic/refined/x.sql",
        "To do: divide by NULLIF(divisor, 0), which gives NULL instead",
        "More: dapflow why air_traffic.refined.x --generation 2013-12-31 --environment test",
        "Run: https://airflow.example.org/run",
        "Readers see 2013-12-30 until then.",
    ]
    assert well.startswith("air_traffic.refined.x 2013-12-31 is published in test.\nIt had failed since 20")


def test_what_is_not_there_is_said_at_its_place(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    x = prepared(lake, tmp_path)
    channel.run(x, DAY, "scheduled")
    [(_, text)] = channel.messages
    assert (
        "which has no generation 2013-12-31 [not-published]\nWhere: transforms/air_traffic/refined/x.sql:1:28\n" in text
    )
    assert text.endswith("Nothing of it was published so far.")


@pytest.mark.parametrize(
    ("sql", "notes", "landing", "said"),
    [
        ("SELECT CAST(tailnum AS integer) AS n FROM planes", "", "hunter2,1", "INVALID_CAST_ARGUMENT [query-failed]"),
        (
            "SELECT tailnum FROM planes",
            "checks: {names: {accepted_values: {tailnum: [N1]}}}\n",
            "hunter2,1",
            "check names: accepted_values(tailnum): 1 failing [check-failed]",
        ),
        ("SELECT tailnum FROM planes", "", "N1,hunter2", "a value does not fit the type of its column [landing-value]"),
        ("SELECT tailnum FROM planes", "", "N1,1,hunter2", "too many or too few fields [landing-ragged]"),
    ],
)
def test_no_message_shows_a_value_of_the_data(
    lake: Lake, channel: Channel, tmp_path: Path, sql: str, notes: str, landing: str, said: str
) -> None:
    x = prepared(lake, tmp_path, sql, **{"air_traffic/refined/x.yml": notes})
    raw = lake.datasets["air_traffic.raw.planes"]
    lake.land(raw, DAY, planes_csv=f"tailnum,seats\n{landing}\n")
    channel.run(raw, DAY, "scheduled")
    if not channel.messages:
        channel.run(x, DAY, "scheduled")
    [(subject, text)] = channel.messages
    assert "hunter2" not in subject + text
    assert said in text


def test_what_readers_do_not_miss_alarms_nobody(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    """A late run of an older generation, and one of two runs at once whose sister has published."""
    x = prepared(lake, tmp_path)
    planes(lake, LATER, 1)
    channel.run(x, LATER, "scheduled")
    planes(lake, DAY, 0)
    channel.run(x, DAY, "late")
    planes(lake, LATER, 0)
    with pytest.raises(DapflowError):
        lake.publish(x, LATER, run_key="sister")
    planes(lake, LATER, 1)
    channel.run(x, LATER, "other sister")
    channel.alerts(x).failed(LATER, "sister")
    assert channel.messages == []


def test_of_a_backlog_the_channel_hears_once(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    x = prepared(lake, tmp_path)
    days = [Generation.parse(f"2013-12-{day:02}") for day in range(1, 11)]
    for day in days:
        channel.run(x, day, f"catching up {day}")
    assert channel.subjects == [f"{X} 2013-12-01 failed"]


def test_a_killed_run_is_told_too(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    """Of one it has a record that says nothing of its end; of the other, killed before it wrote any, none."""
    x = prepared(lake, tmp_path)
    planes(lake, DAY, 1)
    lake.publisher.stage(x.id, DAY, "killed")
    channel.alerts(x).failed(DAY, "killed")
    [(_, text)] = channel.messages
    assert "What: the run ended without a word\n" in text
    channel.alerts(lake.datasets["air_traffic.raw.planes"]).failed(LATER, "killed at once")
    assert channel.subjects[1:] == ["air_traffic.raw.planes 2014-01-01 failed"]


def test_runs_that_end_in_the_same_moment_tell_once(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    x = prepared(lake, tmp_path)
    with pytest.raises(DapflowError):
        lake.publish(x, DAY, run_key="run")
    alerts = [channel.alerts(x) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda own: own.failed(DAY, "run"), alerts))
    assert channel.subjects == [f"{X} 2013-12-31 failed"]
    planes(lake, DAY, 1)
    lake.publish(x, DAY)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda own: own.published(DAY), alerts))
    assert channel.subjects[1:] == [f"{X} is well again"]


class Interrupted:
    """SNS, with something that happens in the moment in which a message is about to be sent."""

    def __init__(self, sns: Any, before: Any) -> None:
        self.sns, self.before = sns, before

    def publish(self, **message: Any) -> None:
        before, self.before = self.before, None
        if before is not None:
            before()
        self.sns.publish(**message)


def test_a_generation_that_is_published_while_its_failure_is_told_ends_the_incident(
    lake: Lake, channel: Channel, tmp_path: Path
) -> None:
    x = prepared(lake, tmp_path)

    def mended() -> None:
        planes(lake, DAY, 1)
        channel.run(x, DAY, "mended")

    channel.run(x, DAY, "scheduled", sns=Interrupted(channel.sns, mended))
    assert channel.subjects == [f"{X} 2013-12-31 failed", f"{X} is well again"]
    channel.run(x, LATER, "next")
    assert channel.subjects[2:] == [f"{X} 2014-01-01 failed"]


def test_another_failure_while_one_is_told_is_part_of_the_incident(
    lake: Lake, channel: Channel, tmp_path: Path
) -> None:
    x = prepared(lake, tmp_path)
    meanwhile = Interrupted(channel.sns, lambda: channel.run(x, LATER, "next"))
    channel.run(x, DAY, "scheduled", sns=meanwhile)
    assert channel.subjects == [f"{X} 2013-12-31 failed"]
    for day in (DAY, LATER):
        planes(lake, day, 1)
        channel.run(x, day, "again")
        assert len(channel.messages) == (1 if day == DAY else 2)


@pytest.mark.parametrize("ending", [False, True], ids=["an incident", "its end"])
def test_what_a_process_that_died_did_not_send_is_sent_by_the_next(
    lake: Lake, channel: Channel, tmp_path: Path, ending: bool
) -> None:
    x = prepared(lake, tmp_path)
    expected = f"{X} is well again" if ending else f"{X} 2013-12-31 failed"
    if ending:
        channel.run(x, DAY, "scheduled")
        planes(lake, DAY, 1)

    def killed() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        channel.run(x, DAY, "run", sns=Interrupted(channel.sns, killed))
    before = channel.subjects
    channel.run(x, DAY, "at once after")
    assert channel.subjects == before
    channel.run(x, DAY, "later", clock=lambda: now() + SENDING + timedelta(seconds=1))
    channel.run(x, DAY, "and again")
    assert channel.subjects == [*before, expected]


def test_a_channel_that_is_not_there_fails_nothing_and_is_told_when_it_is(
    lake: Lake, channel: Channel, tmp_path: Path
) -> None:
    x = prepared(lake, tmp_path)
    channel.sns.delete_topic(TopicArn=channel.topic)
    channel.run(x, DAY, "scheduled")
    assert "nobody could be told" in channel.said[-1]
    channel.make()
    channel.run(x, DAY, "again")
    assert channel.subjects == [f"{X} 2013-12-31 failed"]
    planes(lake, DAY, 1)
    channel.sns.delete_topic(TopicArn=channel.topic)
    channel.run(x, DAY, "mended")
    assert lake.publications.generations(X) == [DAY]
    channel.make()
    channel.run(x, DAY, "mended again")
    assert channel.subjects == [f"{X} is well again"]


def test_files_that_come_less_often_are_no_incident_where_products_say_so(
    lake: Lake, channel: Channel, tmp_path: Path
) -> None:
    notes = "inputs: {planes: {on_missing: previous}}\n"
    prepared(lake, tmp_path, **{"air_traffic/refined/x.yml": notes})
    raw = lake.datasets["air_traffic.raw.planes"]
    channel.run(raw, DAY, "scheduled")
    assert channel.messages == []
    lake.land(raw, DAY, planes_csv="tailnum,seats\nN1,none\n")
    channel.run(raw, DAY, "again")
    assert channel.subjects == ["air_traffic.raw.planes 2013-12-31 failed"]


def test_a_damaged_note_of_an_incident_is_replaced(lake: Lake, channel: Channel, tmp_path: Path) -> None:
    x = prepared(lake, tmp_path)
    key = "air_traffic/dapflow-incidents/x/incident.json"
    lake.clients.s3.put_object(Bucket=lake.bucket("refined"), Key=key, Body=b"{")
    channel.run(x, DAY, "scheduled")
    channel.run(x, DAY, "again")
    assert channel.subjects == [f"{X} 2013-12-31 failed"]
