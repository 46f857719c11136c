"""The text that is sent: the file's, or with the recorded spans replaced and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from dapflow.environment import Environment, ServiceEnvironment
from dapflow.manifest import Dataset, GenerationColumns, Manifest, Reference, Service, Transform
from dapflow.runtime.generation import Generation
from dapflow.runtime.pinning import Pin, pinned_sql

ZONES = {zone: f"s3://{zone}/" for zone in ("landing", "raw", "refined", "trusted")}
PLAIN = Environment("test", "eu-west-2", "1", ZONES, {}, {"s": ServiceEnvironment("w", "c", "p", "r")})
BRANCH = replace(PLAIN, databases={"s_raw_zone": "fix__s-raw"})
WHERE = Generation.parse("2013-12-31").predicate(GenerationColumns())
UP_TO = "\"import_date\" <= '20131231'"
PIN = {"s.raw.t": Pin(("a", "import_date"), current=WHERE, history=UP_TO)}
VIEW_ALONE = {"s.raw.t": Pin(("a", "import_date"), current=WHERE)}
HISTORY_ALONE = {"s.raw.t": Pin(("a", "import_date"), history=UP_TO)}


def manifest(name: str = "t", current: str = "t") -> Manifest:
    dataset = Dataset("s", "raw", name, "s_raw_zone", f"{name}_history", current)
    return Manifest({"s": Service("s", "S", "s_raw_zone", {}, ())}, {dataset.id: dataset})


def transform(sql: str) -> Transform:
    """``[x]`` marks a reference, ``[x|]`` one with an alias of its own."""
    text, references = "", []
    for number, part in enumerate(sql.replace("]", "[").split("[")):
        if number % 2:
            name = part.rstrip("|")
            kind: Literal["history", "current"] = "history" if "_history" in name else "current"
            suffix = "$" + name.strip('"').partition("$")[2] if "$" in name else ""
            references.append(Reference(len(text), len(text) + len(name), "s.raw.t", kind, part.endswith("|"), suffix))
            text += name
        else:
            text += part
    return Transform("x.sql", text, "sha", tuple(references), "new", None)


HISTORY = '(SELECT "a", "import_date" FROM "{}"."t_history" WHERE ' + WHERE + ")"
BOUNDED = HISTORY.replace(WHERE, UP_TO)
PARTITIONS = (
    '(SELECT "import_year", "import_month", "import_day", "import_date" FROM "{}"."t_history$partitions" WHERE '
    + UP_TO
    + ")"
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM [t]", f'SELECT * FROM {HISTORY} AS "t"'),
        ("SELECT * FROM [t|] AS x -- t", f"SELECT * FROM {HISTORY} AS x -- t"),
        ("SELECT 't' FROM [T|] x, [s_raw_zone.t]", f"SELECT 't' FROM {HISTORY} x, {HISTORY} AS \"t\""),
        ("SELECT * FROM [t_history] JOIN [t|] y", f'SELECT * FROM {BOUNDED} AS "t_history" JOIN {HISTORY} y'),
        ("SELECT 'é😀' FROM\n\t[t]\r\n;", f"SELECT 'é😀' FROM\n\t{HISTORY} AS \"t\"\r\n;"),
    ],
)  # fmt: skip
def test_pinned_to_a_generation(sql: str, expected: str) -> None:
    assert pinned_sql(transform(sql), manifest(), PLAIN, PIN) == expected.replace("{}", "s_raw_zone")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM [t]", 'SELECT * FROM "fix__s-raw"."t"'),
        ("SELECT * FROM [s_raw_zone.t_history|] h", 'SELECT * FROM "fix__s-raw"."t_history" h'),
        ('SELECT * FROM ["t_history$partitions"]', 'SELECT * FROM "fix__s-raw"."t_history$partitions"'),
    ],
)
def test_database_of_another_environment(sql: str, expected: str) -> None:
    assert pinned_sql(transform(sql), manifest(), BRANCH) == expected


def test_both_at_once() -> None:
    pinned = pinned_sql(transform("SELECT * FROM [t]"), manifest(), BRANCH, PIN)
    assert pinned == f'SELECT * FROM {HISTORY} AS "t"'.replace("{}", "fix__s-raw")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('SELECT * FROM ["t_history$partitions"]', f'SELECT * FROM {PARTITIONS} AS "t_history$partitions"'),
        ('SELECT * FROM [s_raw_zone."t_history$partitions"|] p', f"SELECT * FROM {PARTITIONS} p"),
        ('SELECT * FROM ["t_history$properties"]', 'SELECT * FROM "t_history$properties"'),
    ],
)
def test_metadata_of_a_history(sql: str, expected: str) -> None:
    assert pinned_sql(transform(sql), manifest(), PLAIN, PIN) == expected.replace("{}", "s_raw_zone")


def test_each_kind_of_name_is_replaced_by_itself() -> None:
    written = transform("SELECT * FROM [t|] a, [t_history|] b")
    view, history = HISTORY.replace("{}", "s_raw_zone"), BOUNDED.replace("{}", "s_raw_zone")
    assert pinned_sql(written, manifest(), PLAIN, VIEW_ALONE) == f"SELECT * FROM {view} a, t_history b"
    assert pinned_sql(written, manifest(), PLAIN, HISTORY_ALONE) == f"SELECT * FROM t a, {history} b"


def test_the_alias_is_the_name_that_the_text_used() -> None:
    pinned = pinned_sql(transform("SELECT t_latest.a FROM [t_latest]"), manifest(current="t_latest"), PLAIN, PIN)
    assert pinned.endswith(') AS "t_latest"')


def test_an_ordinary_run_sends_the_file_byte_for_byte() -> None:
    sql = "\tSELECT *\r\nFROM [t] x, [t_history] -- the end"
    written = transform(sql)
    assert pinned_sql(written, manifest(), PLAIN) == written.sql == sql.replace("[", "").replace("]", "")
