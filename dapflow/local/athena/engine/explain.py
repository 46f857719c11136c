"""EXPLAIN: which tables and columns a query reads, without running it; EXPLAIN ANALYZE runs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dapflow.local.athena.engine.errors import QueryFailed
from dapflow.local.athena.engine.queries import analysed, check_syntax, compiled
from dapflow.local.athena.engine.results import Outcome, text_outcome
from dapflow.local.athena.engine.rows import run_query
from dapflow.local.athena.engine.session import Work
from dapflow.local.athena.trino import Query, Statement, statement_kind

if TYPE_CHECKING:
    from dapflow.local.athena.engine.engine import Engine

_EXPLAINED = frozenset({"query", "ctas", "insert", "unload", "create_view"})

# The plan as text is the only form; Athena has these too.
_OTHER_FORMS = frozenset({"FORMAT JSON", "FORMAT GRAPHVIZ", "TYPE IO"})


def explain(engine: Engine, work: Work, statement: Statement) -> Outcome:
    """EXPLAIN [ANALYZE] [(TYPE LOGICAL | DISTRIBUTED | VALIDATE, FORMAT TEXT)] statement."""
    text = statement.padded(work.text)
    inner = statement_kind(text)
    if inner.kind not in _EXPLAINED:
        raise QueryFailed("NOT_SUPPORTED", f"EXPLAIN of {inner.kind.replace('_', ' ').upper()} is not supported")
    other = [one for one in statement.options if one in _OTHER_FORMS]
    if other:
        raise QueryFailed("NOT_SUPPORTED", f"EXPLAIN ({other[0]}) is not supported")
    work = replace(work, text=text)
    if "ANALYZE" in statement.options:
        if inner.kind != "query":
            raise QueryFailed("NOT_SUPPORTED", "EXPLAIN ANALYZE of anything but a query is not supported")
        query = compiled(engine, work, inner)
        run_query(work, query)
        figures = work.execution.figures
        head = [f"Queued: {figures.queued}ms, Analysis: {figures.planning}ms, Execution: {figures.engine}ms"]
        tail = [f"Input: {figures.input_rows} rows ({figures.scanned}B), Output: {figures.output_rows} rows"]
        return text_outcome("Query Plan", head + _plan(query) + tail)
    check_syntax(inner, text)
    query = analysed(engine, work, inner)
    if "TYPE VALIDATE" in statement.options:
        return text_outcome("Valid", ["true"])
    return text_outcome("Query Plan", _plan(query))


def _plan(query: Query) -> list[str]:
    lines = ["Fragment 0 [SINGLE]"]
    layout = ", ".join(f"{column.name}:{column.type}" for column in query.columns)
    names = ", ".join(column.name for column in query.columns)
    lines += [f"    Output layout: [{layout}]", f"    - Output[columnNames = [{names}]]"]
    for scan in query.scans:
        relation = scan.relation
        lines.append(f"        - TableScan[table = {relation.catalog}:{relation.database}:{relation.name}]")
        lines.append(f"            Layout: [{', '.join(scan.columns)}]")
        if scan.predicate is not None:
            lines.append(f"            Constraint: {scan.predicate}")
    return lines
