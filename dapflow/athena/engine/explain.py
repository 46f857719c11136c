"""EXPLAIN: which tables and columns a query reads, without running it; EXPLAIN ANALYZE runs it.

The form is that of Athena's plans; what is between the tables and the output is DuckDB's to plan, and left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.queries import analysed, check_syntax, compiled
from dapflow.athena.engine.results import StatementOutcome, text_outcome
from dapflow.athena.engine.rows import run_query
from dapflow.athena.engine.session import Work
from dapflow.trino.duckdb import ColumnMetadata, CompiledQuery, Scan, Statement, statement_kind
from dapflow.trino.duckdb.conditions import text_of

_EXPLAINED = frozenset({"query", "ctas", "insert", "unload", "create_view"})

# Athena has these too.
_OTHER_FORMS = frozenset({"FORMAT GRAPHVIZ", "TYPE IO"})


@dataclass(frozen=True)
class _PlanNode:
    """One step of a plan: what it is, what it gives, what it is made of."""

    name: str
    descriptor: dict[str, str]
    columns: tuple[ColumnMetadata, ...]
    details: tuple[str, ...] = ()
    children: tuple[_PlanNode, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.name}[{', '.join(f'{key} = {value}' for key, value in self.descriptor.items())}]"


def explain(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """EXPLAIN [ANALYZE] [(TYPE LOGICAL | DISTRIBUTED | VALIDATE, FORMAT TEXT | JSON)] statement."""
    text = statement.padded(work.text)
    inner = statement_kind(text)
    if inner.kind not in _EXPLAINED:
        raise QueryFailed("NOT_SUPPORTED", f"EXPLAIN of {inner.kind.replace('_', ' ').upper()} is not supported")
    other = [option for option in statement.options if option in _OTHER_FORMS]
    if other:
        raise QueryFailed("NOT_SUPPORTED", f"EXPLAIN ({other[0]}) is not supported")
    work = replace(work, text=text)
    if "ANALYZE" in statement.options:
        if inner.kind != "query":
            raise QueryFailed("NOT_SUPPORTED", "EXPLAIN ANALYZE of anything but a query is not supported")
        query = compiled(context, work, inner)
        run_query(work, query)
        figures = work.execution.figures
        head = [f"Queued: {figures.queued}ms, Analysis: {figures.planning}ms, Execution: {figures.engine}ms"]
        tail = [f"Input: {figures.input_rows} rows ({figures.scanned}B), Output: {figures.output_rows} rows"]
        return _plan_outcome([*head, *_text(query), *tail])
    check_syntax(inner, text)
    query = analysed(context, work, inner)
    if "TYPE VALIDATE" in statement.options:
        return text_outcome("Valid", ["true"])
    if "FORMAT JSON" in statement.options:
        return _plan_outcome(json.dumps({"0": _document(_plan(query))}, indent=2).split("\n"))
    return _plan_outcome(_text(query))


def _plan_outcome(lines: list[str]) -> StatementOutcome:
    """Athena's text of a plan ends in an empty line, and begins with its title, below the column's name.

    dbt-athena's tests get the title as the first row from PyAthena, which leaves out a row of the columns' names.
    """
    title = "Query Plan"
    return text_outcome(title, [title, title, *lines, ""])


def _plan(query: CompiledQuery) -> _PlanNode:
    names = f"[{', '.join(column.name for column in query.columns)}]"
    return _PlanNode("Output", {"columnNames": names}, query.columns, children=tuple(map(_scan, query.scans)))


def _scan(scan: Scan) -> _PlanNode:
    relation = scan.relation
    table = f"{relation.catalog}:{relation.database}:{relation.name}"
    known = {column.name: column for column in (*relation.columns, *relation.hidden)}
    constraint = text_of(scan.predicate)
    details = () if constraint is None else (f"Constraint: {constraint}",)
    return _PlanNode("TableScan", {"table": table}, tuple(known[name] for name in scan.columns), details)


def _text(query: CompiledQuery) -> list[str]:
    output = _plan(query)
    names = ", ".join(column.name for column in output.columns)
    head = ["Fragment 0 [SINGLE]", f"    Output layout: [{names}]", "    Output partitioning: SINGLE []"]
    return [*head, *(f"    {line}" for line in _drawn(output))]


def _drawn(node: _PlanNode) -> list[str]:
    bar = "│   " if node.children else "    "
    layout = ", ".join(f"{column.name}:{column.type}" for column in node.columns)
    lines = [node.title, f"{bar}Layout: [{layout}]", *(bar + detail for detail in node.details)]
    return lines + _branches(node.children)


def _branches(children: Sequence[_PlanNode]) -> list[str]:
    lines = []
    for index, child in enumerate(children):
        first, below = ("└─ ", "   ") if index == len(children) - 1 else ("├─ ", "│  ")
        drawn = _drawn(child)
        lines += [first + drawn[0], *(below + line for line in drawn[1:])]
    return lines


def _document(node: _PlanNode, number: int = 0) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": node.name,
        "descriptor": node.descriptor,
        "outputs": [{"symbol": column.name, "type": column.type} for column in node.columns],
        "details": list(node.details),
        "estimates": [],
        "children": [_document(child, number + 1 + index) for index, child in enumerate(node.children)],
    }
