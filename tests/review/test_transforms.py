"""What ``dapflow check`` finds in transforms: what Athena refuses, as far as the tables are known, and traps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapflow.review import examine as examine_module
from dapflow.review.transforms import review
from dapflow.trino import duckdb as trino
from tests.project.writing import compile_files


def findings(root: Path, files: dict[str, str | bytes]) -> list[str]:
    return [
        f"{finding.file} {finding.line}:{finding.column} {finding.message}"
        for finding in review(compile_files(root, files))
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select carrier, year + 1 as next_year from flights", []),
        ('select carrier, "$path" as file, import_date as night from flights_history', []),
        (
            "select\n  date_trunc('month', carrier) as month\nfrom flights;",
            ["2:3 FUNCTION_NOT_FOUND: Unexpected parameters (varchar(5), varchar) for function date_trunc"],
        ),
        ("select isnull(carrier, '') as c from flights", ["1:8 FUNCTION_NOT_FOUND: Function 'isnull' not registered"]),
        (
            "select carrier, count(*) as n from flights",
            ["1:8 EXPRESSION_NOT_AGGREGATE: 'carrier' must be an aggregate expression or appear in GROUP BY clause"],
        ),
        # All mistakes are told, and nothing that only follows from one.
        (
            "select upper(year) || 'x' as y, foo(bar(carrier)) + 1 as d from flights where carrier",
            [
                "1:8 FUNCTION_NOT_FOUND: Unexpected parameters (integer) for function upper",
                "1:33 FUNCTION_NOT_FOUND: Function 'foo' not registered",
                "1:37 NOT_SUPPORTED: Function bar is not supported",
                "1:79 TYPE_MISMATCH: WHERE clause must evaluate to a boolean: actual type varchar",
            ],
        ),
        # Nobody knows the columns of airports before they are ingested; all else is checked.
        (
            "select f.carrier + 1 as c, a.name + 1 as d from flights f join airports a on a.faa = f.carrier",
            ["1:18 TYPE_MISMATCH: Cannot apply operator: varchar + integer"],
        ),
        ("select name + 1 as c from airports", []),
    ],
)
def test_a_transform(tmp_path: Path, sql: str, expected: list[str]) -> None:
    messages = findings(tmp_path, {"air/refined/x.sql": sql})
    assert [
        message.removeprefix("transforms/air/refined/x.sql ").partition(". Expected")[0] for message in messages
    ] == expected


def test_what_a_product_reads_of_another_has_its_types(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/refined/counts.sql": "select carrier, count(*) as n from flights group by carrier",
        "air/refined/good.sql": "select n * 2 as twice from air_refined_zone.counts where import_year = '2024'",
        "air/refined/wrong.sql": "select upper(n) as n from air_refined_zone.counts_history where import_date > '2024'",
    }
    [message] = findings(tmp_path, files)
    assert message.startswith(
        "transforms/air/refined/wrong.sql 1:8 FUNCTION_NOT_FOUND: Unexpected parameters (bigint) for function upper"
    )


def test_what_only_aws_can_run_is_named(tmp_path: Path) -> None:
    sql = "select m.low from flights match_recognize (measures a.year as low pattern (a) define a as true) m"
    [finding] = review(compile_files(tmp_path, {"air/refined/x.sql": sql}))
    assert finding.message == "NOT_SUPPORTED: MATCH_RECOGNIZE is not supported"
    assert finding.hint == "the embedded Athena cannot run this; Athena on AWS may"


def test_a_fault_of_the_analyser_is_a_warning_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_analysed(query: Any, text: str, *rest: Any) -> Any:
        if "carrier" in text:
            raise KeyError("an odd one")
        return real(query, text, *rest)

    real = trino.check_analysed
    monkeypatch.setattr(examine_module, "check_analysed", check_analysed)
    files: dict[str, str | bytes] = {
        "air/refined/broken.sql": "select carrier from flights",
        "air/refined/wrong.sql": "select isnull(year) as y from flights",
    }
    broken, wrong = review(compile_files(tmp_path, files))
    assert (broken.code, broken.file) == ("review-failed", "transforms/air/refined/broken.sql")
    assert "analyser failed by an error of its own (KeyError in test_transforms.py, line " in broken.message
    assert (wrong.code, wrong.file) == ("unknown-function", "transforms/air/refined/wrong.sql")
