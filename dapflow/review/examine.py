"""What is to be said of one SELECT before it runs: what Athena refuses, in its own words, and what is a trap.

``dapflow check`` and ``dapflow query`` both ask here, so that they say the same of the same text.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from dapflow.errors import DapflowError
from dapflow.review.failing_constants import failing_constants
from dapflow.review.ignored import heeded
from dapflow.runtime.unstorable_columns import column_hive_type
from dapflow.sql import UNKNOWN, Columns, FileStatement, SqlColumn, SqlText, TableName, analyse, read_statement
from dapflow.sql.missing import missing_database, missing_table
from dapflow.sql.output import nameless_columns, repeated_columns
from dapflow.sql.refusals import refusal, spoken
from dapflow.sql.traps import KnownTable, QueryReading, find_traps
from dapflow.trino.analysis import Analysed
from dapflow.trino.analysis import analyse as analyse_text
from dapflow.trino.catalogue import UNCHECKED, Catalogue, ColumnMetadata, NotKnown
from dapflow.trino.duckdb import check_analysed
from dapflow.trino.errors import QueryError
from dapflow.trino.functions import AGGREGATES, NAMES
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import expression_text
from dapflow.trino.syntax.quoting import name_text
from dapflow.trino.syntax.statements import parse

_PARTS = ("year", "month", "day", "date")


class ListedCatalogue(Catalogue, Protocol):
    """What is known of tables, and which there are."""

    def tables(self) -> Collection[tuple[str, str]]:
        """Every table with its database, for the nearest names."""
        ...


@dataclass(frozen=True)
class Examined:
    """The findings of a text, in its order, and its output columns; None where they are not known."""

    findings: list[DapflowError]
    columns: tuple[ColumnMetadata, ...] | None = None


def examine(
    text: SqlText,
    catalogue: ListedCatalogue,
    database: str,
    *,
    named: Sequence[DapflowError] | None = None,
    product: bool = False,
) -> Examined:
    """Examine a SELECT. ``named`` are mistakes in its names, where they were looked for before.

    With ``product`` also what Athena takes and a data product must not hold.
    """
    try:
        if named is None:
            named = list(_names(read_statement(text), catalogue, database, product=product))
        node = parse(text.text)
    except DapflowError as error:
        return Examined([error])
    except QueryError as error:
        return Examined([*(named or ()), refusal(text, error)])
    findings = list(named)
    query: Analysed | None = None
    try:
        query = analyse_text(text.text, catalogue, database)
        for refused in _refused(text.text, query, database):
            _add(findings, refusal(text, refused, NAMES), spoken(refused))
    except Exception as error:  # noqa: BLE001 - a fault of the analyser's own is a finding, and no end
        findings.append(_fault(text, error))
    reading = QueryReading(
        text=text.text,
        query=node,
        table=cache(partial(_table, catalogue)),
        aggregates=AGGREGATES,
        divisions=query.divisions if query is not None else frozenset(),
        product=product,
    )
    known = query.columns if query is not None and not query.findings else None
    if product and known is not None:
        findings += _unstorable(text, node, known)
    _add_run_time(findings, list(failing_constants(text, reading)), find_traps(text, reading))
    columns = None
    if known is not None:
        columns = tuple(ColumnMetadata(column.name.lower(), column.type) for column in known)
    findings.sort(key=lambda finding: (finding.line or 0, finding.column or 0))
    return Examined(heeded(text, findings, all_rules=product), columns)


def _add(findings: list[DapflowError], refused: DapflowError, words: str) -> None:
    """Add what Athena says, or note its words at the finding that says the same."""
    for finding in findings:
        if _same(finding, refused):
            finding.athena = finding.athena or (words if finding.message != refused.message else None)
            return
    findings.append(refused)


def _add_run_time(findings: list[DapflowError], failing: list[DapflowError], traps: list[DapflowError]) -> None:
    """Add what fails once it runs, and traps; of two in one place the one that is an error, with the trap's advice."""
    by_place = {(finding.line, finding.column): finding for finding in failing if finding.severity == "error"}
    for trap in traps:
        failed = by_place.get((trap.line, trap.column))
        if failed is None or trap.severity == "error":
            findings.append(trap)
        if failed is not None and trap.severity == "error":
            failing.remove(failed)
        elif failed is not None:
            failed.hint = trap.hint
    for finding in failing:
        _add(findings, finding, finding.message)


def _same(finding: DapflowError, refused: DapflowError) -> bool:
    if finding.code != refused.code or finding.line != refused.line:
        return False
    name = refused.message.partition("'")[2].partition("'")[0].rpartition(".")[2].strip('"').lower()
    return finding.column == refused.column or (bool(name) and f"'{name}'" in finding.message)


def _names(
    statement: FileStatement, catalogue: ListedCatalogue, database: str, *, product: bool
) -> Iterator[DapflowError]:
    """Mistakes in the names of tables and columns."""
    columns_at: dict[int, Columns] = {}
    for name in statement.tables:
        place = name.database or database
        try:
            relation = catalogue.relation(name.catalog, place, name.name)
        except QueryError:
            continue
        if isinstance(relation, NotKnown):
            continue
        if relation is not None:
            columns_at[name.start] = Columns(tuple(SqlColumn(column.name.lower()) for column in relation.columns))
        elif not catalogue.has_database(place):
            yield missing_database(statement.text, name, place, {owner for owner, _ in catalogue.tables()})
        else:
            yield missing_table(statement.text, name, place, catalogue.tables())

    def columns(name: TableName) -> Columns:
        return columns_at.get(name.start, UNKNOWN)

    output, mistakes = analyse(statement.outline, statement.text, columns)
    yield from mistakes
    if product:
        yield from nameless_columns(statement, output)
        yield from repeated_columns(statement, output).values()


def _refused(text: str, query: Analysed, database: str) -> Iterator[QueryError]:
    """Everything that Athena refuses; of a text without such, also what only the embedded Athena does."""
    yield from (finding.error() for finding in query.findings)
    if not query.is_checked:
        return
    try:
        check_analysed(query, text, database)
    except QueryError as error:
        yield error


def _unstorable(text: SqlText, node: tree.QueryNode, columns: Sequence[ColumnMetadata]) -> Iterator[DapflowError]:
    """Output columns of types that no table can hold."""
    body = node.body
    items = body.items if isinstance(body, tree.Select) else ()
    plain = len(items) == len(columns)
    for number, column in enumerate(columns):
        if column.type == UNCHECKED:
            continue
        item = items[number] if plain else node
        expression = expression_text(item.expr) if isinstance(item, tree.SelectItem) else None
        try:
            column_hive_type(name_text(column.name), column.type, expression)
        except DapflowError as error:
            yield text.error(error.code, error.message, item.pos, error.hint)


def _table(catalogue: ListedCatalogue, parts: tuple[str, ...]) -> KnownTable | None:
    catalog, database, name = (None, None, *parts)[-3:]
    try:
        relation = catalogue.relation(catalog, database, name or "")
    except QueryError:
        return None
    if relation is None or isinstance(relation, NotKnown):
        return None
    columns = tuple(column.name.lower() for column in relation.columns)
    generation = _generation_columns(relation.partition_columns)
    return KnownTable(columns, generation or _generation_columns(columns), bool(generation))


def _generation_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The four columns of a generation among some: those whose names end alike, such as ``import_date``."""
    for name in names:
        prefix = name.removesuffix("_date")
        four = tuple(f"{prefix}_{part}" for part in _PARTS)
        if prefix != name and set(four) <= set(names):
            return four
    return ()


def _fault(text: SqlText, error: Exception) -> DapflowError:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"
    return DapflowError(
        "review-failed",
        f"the embedded Athena's analyser failed by an error of its own ({place})",
        file=text.file,
        hint="the text may be right: Athena on AWS has the last word; please report the error with the text",
        severity="warning",
    )
