"""The rules of ``dapflow check``: one for each kind of mistake, with its number, its page and an example."""

from __future__ import annotations

from dapflow.rules.contract import CONTRACT
from dapflow.rules.files import FILES
from dapflow.rules.refused import REFUSED
from dapflow.rules.rule import PRODUCT, SERVICE, Files, Rule, files_of
from dapflow.rules.terms import TERMS
from dapflow.rules.tests_of_sql import TESTS_OF_SQL
from dapflow.rules.traps import TRAPS

__all__ = ["GROUPS", "PRODUCT", "RULES", "SERVICE", "Files", "Rule", "files_of"]

#: The rules, by what they are about.
GROUPS: dict[str, tuple[Rule, ...]] = {
    "What Athena refuses": REFUSED,
    "What the platform asks of a product": CONTRACT,
    "Traps: what Athena takes, and what gives another answer than was meant": TRAPS,
    "Files": FILES,
    "service.yml and product files": TERMS,
    "Tests of SQL": TESTS_OF_SQL,
}
#: Each rule by its code.
RULES: dict[str, Rule] = {rule.code: rule for rules in GROUPS.values() for rule in rules}
