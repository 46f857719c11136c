"""What a scan's predicate says of partitions and row groups; in doubt it says nothing."""

from __future__ import annotations

import pytest

from dapflow.athena.catalog.predicates import Predicate


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ('("day" = \'1\') AND ("delay" > 5)', "(\"day\" = '1')"),
        ("(\"Day\" BETWEEN '1' AND '2') AND (\"Month\" IN ('1', '2'))", "(\"Day\" BETWEEN '1' AND '2')"),
        ('(("day" = \'1\') OR ("delay" > 5))', None),
        ('(("day" = \'1\') OR ("day" = \'2\')) AND ("delay" = 1)', "((\"day\" = '1') OR (\"day\" = '2'))"),
        ('CASE WHEN "day" = \'1\' AND "delay" = 2 THEN true ELSE false END', None),
        ("upper(\"day\") LIKE 'A AND B'", "(upper(\"day\") LIKE 'A AND B')"),
        ("\"day\" = 'unreadable ` or not' AND ` ", None),
    ],
)
def test_conjuncts_over_some_columns(text: str, over: str | None) -> None:
    assert Predicate(text).over(["day"]) == over


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("(\"day\" = '1')", ["'1'"]),
        ("('1' = \"day\")", ["'1'"]),
        ("(\"day\" IN ('1', 'a, b', CAST('2' AS VARCHAR)))", ["'1'", "'a, b'", "CAST('2' AS VARCHAR)"]),
        ("((\"day\" = '1') OR (\"day\" IN ('2', '1')))", ["'1'", "'2'"]),
        ('(("day" = \'1\') OR ("delay" = 2))', None),
        ('((("day" = \'1\') AND ("delay" = 2)) OR (("day" = \'3\')))', ["'1'", "'3'"]),
        ('("delay" > 5) AND ("day" = \'1\')', ["'1'"]),
        ("(NOT (\"day\" = '1'))", None),
        ("(\"day\" NOT IN ('1'))", None),
        ("(\"day\" > '1')", None),
        ("(upper(\"day\") = 'A')", None),
        ("((\"day\" = '1') IS NULL)", None),
    ],
)
def test_values_that_a_column_must_have(text: str, values: list[str] | None) -> None:
    assert Predicate(text).values_of("day") == values


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ('("delay" > 5)', [("delay", ">", "5")]),
        ('(-5 <= "Delay")', [("delay", ">=", "-5")]),
        (
            '("a" BETWEEN 1 AND 1 + 2) AND ("b" = DATE \'2024-01-01\')',
            [("a", ">=", "1"), ("a", "<=", "1 + 2"), ("b", "=", "DATE '2024-01-01'")],
        ),
        ('("a" BETWEEN 1 AND "b")', []),
        ('("a" = "b")', []),
        ('(("a" = 1) OR ("a" = 2))', []),
        ('("a" + 1 > 5)', []),
        ('("a" <> 5)', []),
        (None, []),
    ],
)
def test_bounds(text: str | None, bounds: list[tuple[str, str, str]]) -> None:
    assert [(one.column, one.operator, one.literal) for one in Predicate(text).bounds()] == bounds
