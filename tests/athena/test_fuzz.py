"""Mutated queries: whatever is typed, the answer is rows or an error in Athena's words, and the server goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.aws_servers import LocalAws
from tests.trino.test_queries import QUERIES
from tests.trino.test_values import VALUES

TPCH = Path(__file__).parents[1] / "fixtures" / "sql" / "tpch"
SEEDS = [
    *(f"SELECT {row[0]}" for row in VALUES),
    *(row[0] for row in QUERIES),
    *(query.read_text(encoding="utf-8") for query in sorted(TPCH.glob("*.sql"))),
]
TOKENS = sorted({token for seed in SEEDS for token in re.findall(r"\w+|'[^']*'|[^\w\s]", seed)})
FOREIGN = re.compile(
    r"duckdb|python|traceback|/tmp|binder error|parser error|catalog error|conversion error|read_parquet|sqlglot"
    r"|GENERIC_INTERNAL_ERROR|\bscan_\d|InternalServerException",
    re.IGNORECASE,
)
SECONDS = 20.0


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A query of the tests with some of its tokens dropped, doubled, swapped or replaced by others' tokens."""
    tokens = re.findall(r"\w+|'[^']*'|\s+|[^\w\s]", draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        way = draw(st.sampled_from(("drop", "double", "swap", "replace", "insert")))
        other = draw(st.integers(0, len(tokens) - 1))
        if way == "drop" and len(tokens) > 1:
            del tokens[at]
        elif way == "double":
            tokens[at:at] = tokens[min(at, other) : max(at, other)]
        elif way == "swap":
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif way == "replace":
            tokens[at] = draw(st.sampled_from(TOKENS))
        else:
            tokens.insert(at, f" {draw(st.sampled_from(TOKENS))} ")
    return "".join(tokens)


def run_mutated(aws: LocalAws, sql: str) -> None:
    """Run a query to its end, or stop it when it takes long; a message must be Athena's."""
    try:
        identity = aws.start(sql)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRequestException", sql
        reason = error.response["Error"]["Message"]
    else:
        began = time.monotonic()
        while (status := aws.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"])[
            "State"
        ] in {"QUEUED", "RUNNING"}:
            if time.monotonic() - began > SECONDS:
                aws.athena.stop_query_execution(QueryExecutionId=identity)
            assert time.monotonic() - began < 2 * SECONDS, f"does not stop: {sql}"
        reason = status.get("StateChangeReason", "")
    # The user's own words may stand in the message.
    assert not FOREIGN.search(reason.lower().replace(sql.lower(), "")), f"{sql}\n{reason}"


def fuzz(aws: LocalAws, examples: int, *, always_the_same: bool) -> None:
    """Run that many mutated queries."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=always_the_same,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated())
    def query(sql: str) -> None:
        run_mutated(aws, sql)

    run: Callable[[], None] = query
    run()
    assert aws.query("SELECT 1") == [["1"]]


def test_mutated_queries_get_an_answer(aws: LocalAws) -> None:
    fuzz(aws, 60, always_the_same=True)


@pytest.mark.slow
def test_many_mutated_queries_get_an_answer(aws: LocalAws) -> None:
    fuzz(aws, 1500, always_the_same=False)
