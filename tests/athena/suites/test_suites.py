"""Test suites of other projects pass against the embedded Athena, but for what is known and written down."""

from __future__ import annotations

import pytest

from tests.athena.suites.record import PAGE, recorded, run_suite, section, written
from tests.athena.suites.suites import SUITES


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_what_passed_passes(name: str) -> None:
    known = recorded()[name]
    results = run_suite(SUITES[name])
    new = {result.test: result.reason for result in results if result.state in {"failed", "refused"}}
    assert {test: reason for test, reason in new.items() if test not in known["others"]} == {}
    assert sum(result.state == "passed" for result in results) >= known["passed"]


def test_the_page_shows_what_is_known() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert section() in page
    assert written(page) == page
