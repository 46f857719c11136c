"""A regular expression of a user's holds nobody up, wherever it is one."""

from __future__ import annotations

import threading
import time

import pytest
from botocore.exceptions import ClientError

from dapflow.local.aws.emulator import Emulator
from dapflow.servers.patience import PatientRe, compiled, full_matches, matching
from tests.aws_servers import LocalAws

# It tries for longer than the universe lasts, in ``re`` as in ``regex``.
HOPELESS = r"(a|aa)+\1$"
VICTIM = "a" * 60 + "b"


@pytest.mark.slow
def test_a_pattern_ends_in_time_and_others_go_on() -> None:
    ticks: list[float] = []
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.01):
            ticks.append(time.monotonic())

    beside = threading.Thread(target=tick)
    beside.start()
    with pytest.raises(TimeoutError):
        full_matches(compiled(HOPELESS), [VICTIM] * 1000)
    ended.set()
    beside.join()
    # With the interpreter held there would be none.
    assert len(ticks) > 10


def test_harmless_patterns_match_as_those_of_re() -> None:
    assert matching("a.*", ["ab", "Ac", "b"]) == {"ab", "Ac"}
    assert PatientRe().match("a", "ab")
    assert not PatientRe().match("b", "ab")
    assert PatientRe().search("^a.b$", "a\nb")


def test_glue_of_the_embedded_aws_is_patient_too() -> None:
    from moto.glue import models, utils  # noqa: PLC0415

    Emulator()
    assert isinstance(models.re, PatientRe)
    assert isinstance(utils.re, PatientRe)


@pytest.mark.slow
def test_a_table_whose_pattern_is_hopeless_fails_and_the_server_goes_on(aws: LocalAws) -> None:
    aws.put("hopeless/x.txt", f"{VICTIM}\n" * 3)
    aws.query(
        "CREATE EXTERNAL TABLE hopeless (a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' "
        "WITH SERDEPROPERTIES ('input.regex' = '(a|aa)+\\\\1$') LOCATION 's3://lake/hopeless/'"
    )
    identity = aws.start("SELECT a FROM hopeless")
    assert aws.query("SELECT 1") == [["1"]]
    reason = aws.wait(identity)["Status"]["StateChangeReason"]
    assert reason.startswith("EXCEEDED_CPU_LIMIT: input.regex takes too long to match the lines of s3://lake/hopeless/")


@pytest.mark.slow
def test_names_are_matched_in_time(aws: LocalAws) -> None:
    aws.glue.create_table(DatabaseName="db", TableInput={"Name": VICTIM})
    with pytest.raises(ClientError, match="takes too long"):
        aws.athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="db", Expression=HOPELESS)
    aws.glue.delete_table(DatabaseName="db", Name=VICTIM)


def test_one_sign_for_separator_and_quote_is_read_in_one_way(aws: LocalAws) -> None:
    aws.put("ambiguous/x.csv", "|" * 200 + "x\\\n")
    aws.query(
        "CREATE EXTERNAL TABLE ambiguous (a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
        "WITH SERDEPROPERTIES ('separatorChar' = '|', 'quoteChar' = '|') LOCATION 's3://lake/ambiguous/'"
    )
    assert len(aws.query("SELECT a FROM ambiguous")) == 1
    assert aws.keys("ambiguous/") == ["ambiguous/x.csv"]
