"""Each rule's examples: the wrong one is found, by the rule's name, and the right one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.rules import GROUPS, RULES, Rule, files_of
from tests.rules.project import findings_of

_WITH_EXAMPLES = [rule for rule in RULES.values() if rule.wrong is not None]


@pytest.mark.parametrize("rule", _WITH_EXAMPLES, ids=lambda rule: rule.code)
def test_the_wrong_example_is_found(rule: Rule, tmp_path: Path) -> None:
    assert rule.wrong is not None
    found = findings_of(tmp_path, files_of(rule.wrong))
    assert {finding.code for finding in found} == {rule.code}
    assert {finding.severity for finding in found} == {rule.severity}


@pytest.mark.parametrize("rule", _WITH_EXAMPLES, ids=lambda rule: rule.code)
def test_the_right_example_is_silent(rule: Rule, tmp_path: Path) -> None:
    assert rule.right is not None
    assert not findings_of(tmp_path, files_of(rule.right))


def test_numbers_and_codes_are_given_once() -> None:
    rules = [rule for group in GROUPS.values() for rule in group]
    assert len({rule.number for rule in rules}) == len({rule.code for rule in rules}) == len(rules)
    assert [rule.number for rule in rules] == sorted(rule.number for rule in rules)


def test_few_rules_have_no_example() -> None:
    without = {rule.code for rule in RULES.values() if rule.wrong is None}
    assert without == {"review-failed", "unreadable-file", "changed-input"}
