"""What Athena takes and what gives another answer than was meant: a rule for each, and it is silent in doubt."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.sql.sql_text import SqlText
from dapflow.sql.traps.aliases import swallowed_columns
from dapflow.sql.traps.constants import constants
from dapflow.sql.traps.generations import generations
from dapflow.sql.traps.joins import joins
from dapflow.sql.traps.newest_generation import newest_generation
from dapflow.sql.traps.nulls import nulls
from dapflow.sql.traps.patterns import patterns
from dapflow.sql.traps.products import products
from dapflow.sql.traps.query_reading import KnownTable, QueryReading
from dapflow.sql.traps.subqueries import subqueries

__all__ = ["KnownTable", "QueryReading", "find_traps"]

_RULES = (nulls, joins, generations, newest_generation, patterns, constants, subqueries, swallowed_columns)


def find_traps(text: SqlText, reading: QueryReading) -> list[DapflowError]:
    """The traps in a statement, in the order of the text. With ``reading.product`` also those of data products."""
    rules = (*_RULES, products) if reading.product else _RULES
    traps = sorted({trap for rule in rules for trap in rule(reading)}, key=lambda trap: (trap.pos, trap.code))
    findings = []
    for trap in traps:
        finding = text.error(trap.code, trap.message, trap.pos, trap.hint)
        finding.severity = trap.severity
        findings.append(finding)
    return findings
