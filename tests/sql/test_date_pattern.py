"""Patterns of dates that Athena would read otherwise than they are meant."""

from __future__ import annotations

import pytest

from dapflow.sql.date_pattern import date_pattern_problem


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("dd/MM/yyyy", 'write "%d/%m/%Y"'),
        ("yyyy-MM-dd'T'HH:mm:ss", 'write "%Y-%m-%dT%H:%i:%s"'),
        ("%d/%m/%Y %H:%M", 'write "%d/%m/%Y %H:%i"'),
        ("%F", "write %Y-%m-%d"),
    ],
)
def test_patterns_of_other_languages(pattern: str, hint: str) -> None:
    problem = date_pattern_problem(pattern)
    assert problem is not None
    assert problem.hint == hint


@pytest.mark.parametrize(
    "pattern",
    ["%Y-%m-%dT%H:%i:%s+01:00", "%d/%m/%Y %H:%i BST", "%Y-%m-%d %T -0500", "%Y-%m-%d %H:%i Europe/London"],
)
def test_a_time_zone_that_would_be_passed_over(pattern: str) -> None:
    problem = date_pattern_problem(pattern)
    assert problem is not None
    assert "time zone" in problem.message


@pytest.mark.parametrize(
    "pattern",
    [
        "%d-%m-%Y",
        "%Y-%m-%dT%H:%i:%sZ",
        "%Y-%m-%d %T+00:00",
        "%d/%m/%Y %h:%i %p",
        "%d.%m.%Y %H:%i UTC",
        "%Y-%j %H%i HRS",
        "%W, %d %b %y %r",
    ],
)
def test_patterns_that_mean_what_they_say(pattern: str) -> None:
    assert date_pattern_problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("%H:%i", "does not name the year and the month and the day"),
        ("%d/%m", "does not name the year"),
        ("%Y-%m", "does not name the day"),
        ("%x-%v", "name a week"),
        ("%Y-%m-%d %h:%i", "no %p says"),
        ("%Y-%m-%d %H:%i %p", "%p does not count"),
        ("%d %m %Y (%b)", "names the month twice"),
        ("%Y-%m-%d %j", "%j is the day of the year"),
    ],
)
def test_parts_that_make_up_no_moment(pattern: str, said: str) -> None:
    problem = date_pattern_problem(pattern)
    assert problem is not None
    assert said in problem.message
