"""Patterns of dates: some functions take MySQL's, others Java's, and each takes the other's without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dapflow.sql.date_pattern import PatternProblem, joda_pattern_problem, mysql_pattern_problem
from dapflow.sql.traps.query_reading import QueryReading, Trap
from dapflow.trino.syntax import tree

_PROBLEMS: dict[str, Callable[[str, str], PatternProblem | None]] = {
    "date_parse": mysql_pattern_problem,
    "date_format": mysql_pattern_problem,
    "format_datetime": joda_pattern_problem,
    "parse_datetime": joda_pattern_problem,
}


def patterns(reading: QueryReading) -> Iterator[Trap]:
    """Patterns that their function understands otherwise, or not at all."""
    for call in reading.every(tree.Call):
        if call.name not in _PROBLEMS or len(call.args) != 2:
            continue
        pattern = call.args[1]
        if isinstance(pattern, tree.Literal) and pattern.kind == "string":
            problem = _PROBLEMS[call.name](pattern.value, call.name)
            if problem is not None:
                yield Trap("date-pattern", problem.message, pattern.pos, problem.hint.replace('"', "'"))
