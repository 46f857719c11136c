"""Tests of SQL: what a file of tests names."""

from __future__ import annotations

from dapflow.rules.rule import PRODUCT, SERVICE, Rule

_SELECT = "WITH open_repairs AS (SELECT id, trade FROM repairs) SELECT id, trade FROM open_repairs"
_FILE = "transforms/housing/tests/example.yml"
_CSV = "transforms/housing/tests/repairs.csv"
_UNTYPED = "title: Housing\nsources:\n  repairs:\n"
_RIGHT = "tests:\n  all:\n    given: {repairs: [{id: 1}]}\n    expect: [{id: 1}]\n"


def _test(number: int, code: str, meaning: str, advice: str, wrong: str, right: str = _RIGHT) -> Rule:
    return Rule(number, code, meaning, advice, {PRODUCT: _SELECT, _FILE: wrong}, {PRODUCT: _SELECT, _FILE: right})


TESTS_OF_SQL = (
    _test(
        501,
        "unknown-tested",
        "a file of tests is of no transform of the service",
        "It has the name of the transform, or says it: `transform: example`.",
        _RIGHT.replace("tests:", "transform: exemple\ntests:"),
        _RIGHT.replace("tests:", "transform: example\ntests:"),
    ),
    _test(
        502,
        "not-given",
        "the transform reads a table of which the test gives no rows",
        "Write its rows under `given`, or `[]` where it has none.",
        "tests:\n  all:\n    given: {}\n    expect: []\n",
        "tests:\n  all:\n    given: {repairs: []}\n    expect: []\n",
    ),
    _test(
        503,
        "unknown-cte",
        "the transform has no WITH query of this name at its beginning",
        "`cte` names one of the queries of the WITH that begins the text.",
        _RIGHT.replace("given:", "cte: repairs_open\n    given:"),
        _RIGHT.replace("given:", "cte: open_repairs\n    given:"),
    ),
    Rule(
        504,
        "unknown-columns",
        "nothing in the project says which columns a table has that is read",
        "They are known to a running platform only: say them in `service.yml`, or in the test under `columns`.",
        {SERVICE: _UNTYPED, PRODUCT: "SELECT id FROM repairs", _FILE: _RIGHT},
        {
            SERVICE: _UNTYPED,
            PRODUCT: "SELECT id FROM repairs",
            _FILE: _RIGHT.replace("[{id: 1}]}", "{columns: {id: bigint}, rows: [{id: 1}]}}"),
        },
    ),
    Rule(
        505,
        "csv",
        "a CSV file of rows cannot be read",
        "A line has too many or too few fields, a quote stands where none may, or there is no header.",
        {
            PRODUCT: _SELECT,
            _FILE: _RIGHT.replace("[{id: 1}]}", "repairs.csv}"),
            _CSV: "id,trade\n1\n",
        },
        {
            PRODUCT: _SELECT,
            _FILE: _RIGHT.replace("[{id: 1}]}", "repairs.csv}"),
            _CSV: "id,trade\n1,gas\n",
        },
    ),
)
