"""What a user relies on when checks are asked before a generation is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Dataset
from dapflow.runtime.aws import PassingError
from dapflow.runtime.checks.asking import Asking
from dapflow.runtime.checks.questions import HIDDEN
from dapflow.runtime.checks.results import read_results
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.records import read_records, records_prefix
from tests.runtime.crashing import CallCounter, CrashError, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

COLUMNS = "{tailnum: string, seats: integer, built: date, weight: 'decimal(6,2)', speed: double, ready: boolean}"
ROWS = {
    "good": "N1,100,2001-02-03,10.50,1.5,true",
    "twin": "N1,100,2001-02-03,10.50,1.5,true",
    "empty": ",,,,,",
    "odd": "x'y,900,1890-01-01,0.01,-3,false",
}


def lake_with(lake: Lake, root: Path, checks: str, **files: str) -> Dataset:
    """A lake whose planes have these checks, each in a line: ``name: {kind: …}``."""
    lines = "".join(f"\n      {line.strip()}" for line in checks.strip().splitlines())
    service = f"sources:\n  planes:\n    columns: {COLUMNS}\n    checks:{lines}\n"
    service += "  carriers: {columns: {tail: string, carrier: string}}\n"
    lake.compile(root, {"air_traffic/service.yml": service, **files})
    return lake.datasets["air_traffic.raw.planes"]


def land(lake: Lake, dataset: Dataset, *rows: str, day: Any = DAY) -> None:
    header = "tailnum,seats,built,weight,speed,ready\n"
    lake.land(dataset, day, planes_csv=header + "".join(f"{ROWS.get(row, row)}\n" for row in rows))


def refused(lake: Lake, dataset: Dataset, **more: Any) -> dict[str, str]:
    """What is said of the checks that keep a publication back: by name and what they are about."""
    with pytest.raises(DapflowError) as caught:
        lake.publish(dataset, **more)
    errors = caught.value.errors if isinstance(caught.value, DapflowErrors) else [caught.value]
    assert {error.code for error in errors} == {"check-failed"}
    said = [error.message.removeprefix("check ").rpartition(": ") for error in errors]
    return {title: finding for title, _, finding in said}


# Of the rows good, twin, odd, empty and empty.
FAILING = {
    "{not_null: tailnum}": "2 of 5 rows fail",
    "{unique: tailnum}": "1 value is there more than once",
    "{unique: [tailnum, seats]}": "2 values are there more than once",
    "{accepted_values: {tailnum: [N1, N2]}}": "1 of 5 rows fails",
    "{accepted_values: {seats: [100, 101]}}": "1 of 5 rows fails",
    "{accepted_values: {built: [2001-02-03]}}": "1 of 5 rows fails",
    "{accepted_values: {ready: ['true']}}": "1 of 5 rows fails",
    "{range: {seats: {min: 1, max: 899}}}": "1 of 5 rows fails",
    "{range: {weight: {min: 0.02}}}": "1 of 5 rows fails",
    "{range: {speed: {min: -2.5e0}}}": "1 of 5 rows fails",
    "{range: {built: {min: 1900-01-01}}}": "1 of 5 rows fails",
    '{pattern: {tailnum: "^N[0-9]+$"}}': "1 of 5 rows fails",
    "{expression: seats * 2 < 1000}": "1 of 5 rows fails",
    "{expression: tailnum LIKE 'N%' OR seats < 5 -- so}": "1 of 5 rows fails",
    "{not_null: tailnum, where: seats IS NULL or seats < 0}": "2 of 5 rows fail",
    "{row_count: {min: 6}}": "there are 5 rows, and at least 6 are expected",
    "{row_count: {max: 4}}": "there are 5 rows, and at most 4 are expected",
}


def test_rows_that_fail_a_check_keep_a_generation_back(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(lake, tmp_path, "\n".join(f"c{number}: {check}" for number, check in enumerate(FAILING)))
    land(lake, planes, "good", "twin", "odd", "empty", "empty")
    found = {title.split()[0].strip(":,"): finding for title, finding in refused(lake, planes).items()}
    assert found == {f"c{number}": said for number, said in enumerate(FAILING.values())}
    assert lake.publications.generations(planes.id) == []
    assert lake.tables() == set()


def test_conditions_under_one_name_are_told_apart(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(lake, tmp_path, "it: {expression: [seats > 9000, seats < 1, seats > 0]}")
    land(lake, planes, "good")
    assert set(refused(lake, planes)) == {"it: expression(seats > 9000)", "it: expression(seats < 1)"}


def test_one_check_that_fails_is_enough(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(lake, tmp_path, "it: {unique: tailnum}\nother: {not_null: ready}")
    land(lake, planes, "good", "twin", "odd")
    assert list(refused(lake, planes).values()) == ["1 value is there more than once"]
    assert lake.publications.generations(planes.id) == []


def test_a_generation_of_which_all_holds_is_published(lake: Lake, tmp_path: Path) -> None:
    checks = """
        keys: {not_null: [tailnum, seats], unique: tailnum}
        values: {range: {seats: {min: 1}}, pattern: {tailnum: "^N"}, expression: weight > 1}
        count: {row_count: {min: 1, max: 5, change_percent: 50}}
    """
    planes = lake_with(lake, tmp_path, checks)
    land(lake, planes, "good", "N2,1,2001-02-03,2,3,true")
    done = lake.publish(planes)
    assert done.checks is not None
    # One scan for all that one scan can answer, and one query for what is unique.
    assert (done.checks.passed, done.checks.warnings, done.checks.queries) == (7, (), 2)
    assert 0 < done.checks.bytes_scanned < done.bytes_scanned
    noted = lake.publications.publication(planes.id, DAY)
    assert noted is not None and noted.checks == done.checks
    assert lake.tables() == {"planes", "planes_history"}


def test_the_old_generation_stays_and_the_rows_can_be_looked_at(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(
        lake, tmp_path, "known: {accepted_values: {tailnum: [N1]}}\nmany: {row_count: {min: 9}, severity: warn}"
    )
    land(lake, planes, "good")
    done = lake.publish(planes)
    assert done.checks is not None
    assert done.checks.warnings == ("many: row_count: there are 1 rows, and at least 9 are expected",)
    before, objects = lake.rows(planes), lake.objects("raw")
    land(lake, planes, "odd", "good")
    with pytest.raises(DapflowError) as caught:
        lake.publish(planes)
    error = caught.value
    assert (error.code, error.file, error.line) == ("check-failed", "transforms/air_traffic/service.yml", 5)
    assert error.message == "check known: accepted_values(tailnum): 1 of 2 rows fails"
    assert error.hint == f"nothing was published; dapflow check-results {planes.id} shows rows"
    assert lake.rows(planes) == before
    assert lake.objects("raw") == objects
    assert lake.tables() == {"planes", "planes_history"}
    kept = results(lake, planes)
    assert (kept["generation"], kept["rows"], kept["stopped"]) == (str(DAY), 2, True)
    prefix = records_prefix(lake.environment, "raw", "air_traffic")
    record = max(read_records(lake.clients.s3, prefix, "planes"), key=lambda known: known.start)
    assert {(check.name, check.outcome, check.rows) for check in record.checks} == {
        ("known: accepted_values(tailnum)", "failed", 1),
        ("many: row_count", "warned", 1),
    }
    (known,) = (check for check in kept["checks"] if check["failures"] and check["severity"] == "error")
    assert [row["tailnum"] for row in known["sample"]] == ["x'y"]


def results(lake: Lake, dataset: Dataset) -> dict[str, Any]:
    kept = read_results(lake.clients.s3, DatasetLocation.of(dataset, lake.environment), None)
    assert kept is not None
    return kept


def test_a_warning_is_said_and_published(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(lake, tmp_path, "keys: {not_null: tailnum, severity: warn}")
    land(lake, planes, "good", "empty")
    said: list[str] = []
    publisher = lake.publisher
    publisher.progress = said.append
    done = publisher.publish(planes.id, DAY)
    warning = "keys: not_null(tailnum): 1 of 2 rows fails"
    assert done.checks is not None and done.checks.warnings == (warning,)
    assert f"{planes.id}: warning: {warning}" in said
    assert len(lake.rows(planes)) == 2


def test_values_of_personal_data_are_kept_nowhere(lake: Lake, tmp_path: Path) -> None:
    files = {
        "air_traffic/service.yml": """
sources:
  people:
    columns: {name: {type: string, personal: true}, age: integer}
    checks: {grown: {range: {age: {min: 18}}}, once: {unique: name}, query: {sql: children.sql}}
""",
        "air_traffic/checks/children.sql": "SELECT name, age AS years FROM people WHERE age < 18",
        "air_traffic/refined/same.sql": "SELECT name, age FROM people",
        "air_traffic/refined/same.yml": "checks: {grown: {range: {age: {min: 18}}}}",
        "air_traffic/refined/other.sql": "SELECT name, upper(name) AS shout, age FROM people",
        "air_traffic/refined/other.yml": "columns: {shout: {personal: true}, name: {personal: false}}",
    }
    lake.compile(tmp_path, files)
    people = lake.datasets["air_traffic.raw.people"]
    lake.land(people, people_csv="name,age\nAda,7\nBob,40\nBob,41\n,3\n")
    assert set(refused(lake, people)) == {"grown: range(age)", "once: unique(name)", "query: sql(children.sql)"}
    kept = {check["name"]: check["sample"] for check in results(lake, people)["checks"]}
    assert "Ada" not in json.dumps(kept) and "Bob" not in json.dumps(kept)
    # Whether there is a value is no personal data.
    assert sorted((row["name"], row["age"]) for row in kept["grown"] if row["name"]) == [(HIDDEN, "7")]
    assert [row["name"] for row in kept["grown"] if row["age"] == "3"] == [None]
    assert kept["once"] == [{"name": HIDDEN, "how_often": "2"}]
    assert {dataset.name: dataset.personal for dataset in lake.datasets.values()} == {
        "people": ("name",), "same": ("name",), "other": ("shout",),
    }  # fmt: skip


PARENT = {
    "air_traffic/refined/x.sql": "SELECT tailnum, seats FROM planes",
    "air_traffic/refined/x.yml": "checks: {carried: {relationships: {tailnum: {to: carriers, field: tail}}}}",
}


def test_the_other_table_of_a_relationship_is_read_as_of_the_run(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(lake, tmp_path, "a: {not_null: tailnum, severity: warn}", **PARENT)
    carriers, x = (lake.datasets[f"air_traffic.{name}"] for name in ("raw.carriers", "refined.x"))
    assert x.depends_on == ("air_traffic.raw.carriers", "air_traffic.raw.planes")
    land(lake, planes, "good", "empty")
    lake.publish(planes)
    with pytest.raises(PassingError, match="carriers, which has no generation"):
        lake.publish(x)
    lake.land(carriers, carriers_csv="tail,carrier\nN1,UA\n,AA\n")
    lake.publish(carriers)
    # A later one lacks the plane: it is not this run's.
    lake.land(carriers, LATER, carriers_csv="tail,carrier\nN2,UA\n")
    lake.publish(carriers, LATER)
    done = lake.publish(x)
    assert done.checks is not None and (done.checks.passed, done.checks.queries) == (1, 1)
    lake.land(carriers, carriers_csv="tail,carrier\nN2,UA\n")
    lake.publish(carriers)
    assert refused(lake, x) == {"carried: relationships(tailnum)": "1 of 2 rows fails"}
    assert [row["tailnum"] for row in results(lake, x)["checks"][0]["sample"]] == ["N1"]


def test_a_table_that_is_published_anew_while_checks_read_it_begins_the_run_again(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planes = lake_with(lake, tmp_path, "a: {not_null: tailnum, severity: warn}", **PARENT)
    carriers, x = (lake.datasets[f"air_traffic.{name}"] for name in ("raw.carriers", "refined.x"))
    land(lake, planes, "good")
    lake.publish(planes)
    lake.land(carriers, carriers_csv="tail,carrier\nN1,UA\n")
    lake.publish(carriers)
    asked: list[str] = []
    ask = Asking._answer

    def meanwhile(self: Asking, *arguments: Any) -> Any:
        answer = ask(self, *arguments)
        asked.append(arguments[1])
        if len(asked) == 1:
            lake.publish(carriers)
        return answer

    monkeypatch.setattr(Asking, "_answer", meanwhile)
    done = lake.publish(x)
    assert len(asked) == 2
    assert done.checks is not None and done.checks.passed == 1


def test_a_check_in_sql_reads_what_is_staged_by_the_name_of_the_dataset(lake: Lake, tmp_path: Path) -> None:
    shrunk = """-- No plane loses seats from one day to the next.
        SELECT now.tailnum, now.seats, before.seats AS seats_before, now.import_date
        FROM planes AS now JOIN planes_history AS before ON before.tailnum = now.tailnum
        WHERE now.seats < before.seats
        ORDER BY 1 -- the end"""
    planes = lake_with(lake, tmp_path, "seats: {sql: shrunk.sql}", **{"air_traffic/checks/shrunk.sql": shrunk})
    for day, seats in ((EARLIER, 100), (LATER, 9)):
        land(lake, planes, f"N1,{seats},2001-02-03,2,3,true", day=day)
        if day == EARLIER:
            lake.publish(planes, day)
        else:
            assert refused(lake, planes, generation=LATER) == {"seats: sql(shrunk.sql)": "it gives 1 row"}
    assert results(lake, planes)["checks"][0]["sample"] == [
        {"tailnum": "N1", "seats": "9", "seats_before": "100", "import_date": "20140101"}
    ]


def test_what_athena_finds_wrong_in_a_check_is_said_at_its_place_in_the_file(lake: Lake, tmp_path: Path) -> None:
    text = "SELECT now.tailnum\nFROM planes AS now JOIN planes_history AS h ON h.seats = nonsense(now.seats)"
    planes = lake_with(lake, tmp_path, "seats: {sql: odd.sql}", **{"air_traffic/checks/odd.sql": text})
    land(lake, planes, "good")
    with pytest.raises(DapflowError) as caught:
        lake.publish(planes)
    error = caught.value
    assert (error.file, error.line, error.column) == ("transforms/air_traffic/checks/odd.sql", 2, 58)
    assert "line 3" not in error.message
    assert "dapflow check" in (error.hint or "")


def test_the_number_of_rows_is_compared_with_the_generation_before(lake: Lake, tmp_path: Path) -> None:
    planes = lake_with(lake, tmp_path, "rows: {row_count: {change_percent: 50}}")
    for day, rows in ((EARLIER, 2), (LATER, 9)):
        land(lake, planes, *["good"] * rows, day=day)
        if day == EARLIER:
            lake.publish(planes, day)
        else:
            findings = refused(lake, planes, generation=LATER)
            assert findings == {
                "rows: row_count": "there are 9 rows, +350.0 % against the 2 of 2013-12-30; 50 % are allowed"
            }
    land(lake, planes, *["good"] * 3, day=LATER)
    done = lake.publish(planes, LATER)
    # It took no query.
    assert done.checks is not None and (done.checks.passed, done.checks.queries, done.checks.bytes_scanned) == (1, 0, 0)
    # A past day is compared with the one before it, whatever came later, and itself does not count.
    land(lake, planes, "good")
    lake.publish(planes, DAY)
    land(lake, planes, *["good"] * 4)
    assert list(refused(lake, planes)) == ["rows: row_count"]


def test_inputs_that_are_too_old_are_a_finding(lake: Lake, tmp_path: Path) -> None:
    service = "limits: {input_age_days: 10}\nsources: {a: {columns: {n: integer}}}"
    sql = {"air_traffic/refined/x.sql": "SELECT n FROM a"}
    for notes, day, said in (
        ("inputs: {a: {on_missing: previous}}", "2014-01-09", None),
        ("inputs: {a: {on_missing: previous}}", "2014-01-20", "inputs: freshness(a)"),
        ("{inputs: {a: {on_missing: previous}}, checks: {new: {freshness: {a: 30}}}}", "2014-01-20", None),
        ("{inputs: {a: {on_missing: previous}}, checks: {new: {freshness: {a: 5}}}}", "2014-01-09", "stops"),
    ):
        lake.compile(tmp_path, {"air_traffic/service.yml": service, **sql, "air_traffic/refined/x.yml": notes})
        a, x = lake.datasets["air_traffic.raw.a"], lake.datasets["air_traffic.refined.x"]
        if not lake.publications.generations(a.id):
            lake.land(a, a_csv="n\n1\n")
            lake.publish(a)
        when = DAY.parse(day)
        if said == "stops":
            findings = refused(lake, x, generation=when)
            assert findings == {
                "new: freshness(a)": "air_traffic.raw.a was read as of 2013-12-31, 9 days before 2014-01-09; "
                "at most 5 are allowed"
            }
            continue
        done = lake.publish(x, when)
        warnings = done.checks.warnings if done.checks else ()
        assert [warning.rpartition(": ")[0] for warning in warnings] == ([said] if said else [])


def test_a_retried_task_takes_up_the_queries_of_the_attempt_before(lake: Lake, tmp_path: Path) -> None:
    """Killed after each call that changes something, from the first query of a check to the publication."""
    planes = lake_with(lake, tmp_path, "keys: {not_null: tailnum, unique: tailnum}")
    land(lake, planes, "good")
    lake.publish(planes)
    total = CallCounter()
    crashing_publisher(lake, total).publish(planes.id, DAY, lake.run)
    started = [at for at, name in enumerate(total.names, 1) if name == "start_query_execution"]
    for crash_at in range(started[-2], total.names.index("update_partition") + 1):
        run = f"{lake.run} {crash_at}"
        with pytest.raises(CrashError):
            crashing_publisher(lake, CallCounter(crash_at, late=True)).publish(planes.id, DAY, run)
        before = executions(lake)
        done = lake.publish(planes, run_key=run, attempt=2)
        assert done.checks is not None and done.checks.passed == 2, crash_at
        # What is new is the query of a check that was not started before.
        assert len(executions(lake) - before) == (1 if crash_at < started[-1] else 0), crash_at
        assert lake.rows(planes) == lake.rows(planes, history=True)


def executions(lake: Lake) -> set[str]:
    group = lake.environment.services["air_traffic"].workgroup
    pages = lake.clients.athena.get_paginator("list_query_executions").paginate(WorkGroup=group)
    return {query_id for page in pages for query_id in page["QueryExecutionIds"]}


def test_mistakes_of_a_check_show_before_the_query_is_paid_for(lake: Lake, tmp_path: Path) -> None:
    service = "sources: {a: {checks: {x: {range: {n: {min: one}}}, y: {not_null: m}}}}"
    lake.compile(tmp_path, {"air_traffic/service.yml": service})
    a = lake.datasets["air_traffic.raw.a"]
    lake.land(a, a_csv="n\n1\n")
    with pytest.raises(DapflowError) as caught:
        lake.publish(a)
    assert (caught.value.code, caught.value.file) == ("bad-check", "transforms/air_traffic/service.yml")
    assert caught.value.message == "check 'x': 'one' is no bigint, as column n is"
    assert lake.objects("raw") == set()


def test_nothing_staged_is_nothing_that_fails(lake: Lake, tmp_path: Path) -> None:
    checks = "checks: {a: {not_null: tailnum, unique: tailnum}, b: {sql: rows.sql}}"
    files = {
        "air_traffic/refined/x.sql": "SELECT tailnum FROM planes WHERE seats > 1000",
        "air_traffic/refined/x.yml": f"allow_empty: true\n{checks}",
        "air_traffic/checks/rows.sql": "SELECT 1 AS one WHERE (SELECT count(*) FROM air_traffic_refined_zone.x) > 0",
    }
    planes = lake_with(lake, tmp_path, "a: {not_null: tailnum}", **files)
    land(lake, planes, "good")
    lake.publish(planes)
    done = lake.publish(lake.datasets["air_traffic.refined.x"])
    assert done.checks is not None
    assert (done.rows, done.checks.passed, done.checks.queries) == (0, 3, 1)
