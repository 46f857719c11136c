"""The ``checks`` of a dataset, as people write them, made those of the manifest."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from dapflow.errors import DapflowError
from dapflow.manifest import Check, CheckKind, Reference
from dapflow.project.check_terms import CheckTerms, ProductCheckTerms
from dapflow.project.file_position import FilePosition, PlacedText
from dapflow.project.grants import check_read
from dapflow.project.layout import CHECKS
from dapflow.project.model import Project
from dapflow.project.tables import DatasetTable, Tables, UncompiledDataset
from dapflow.sql import Columns, FileStatement, SqlText, TableName, analyse, read_statement
from dapflow.sql.condition import read_condition

# What looks at rows, so that `where` may say which.
_OF_ROWS: tuple[str, ...] = (
    "not_null", "unique", "accepted_values", "range", "pattern", "relationships", "expression",
)  # fmt: skip
_OF_ALL: tuple[str, ...] = ("row_count", "sql", "freshness")
_SHOWN = 12
# The names in dbt's ref('wards') and source('housing', 'wards').
_QUOTED = re.compile(r"""['"]([A-Za-z0-9_]+)['"]""")


@dataclass
class DeclaredChecks:
    """The checks of a dataset.

    Attributes:
        declared: them.
        reads: ids of the other datasets that they read, and where that is written.
        files: the names of the SQL files that they name.
        errors: mistakes, as far as they show before the columns of tables are known.
        named: the columns that they name, with the dataset that should have each.
        conditions: what stands under ``where`` and ``expression``.
        queries: the checks in SQL, and the tables in them by their places.
    """

    declared: list[Check] = field(default_factory=list)
    reads: dict[str, FilePosition] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    errors: list[DapflowError] = field(default_factory=list)
    named: list[tuple[PlacedText, UncompiledDataset]] = field(default_factory=list)
    conditions: list[tuple[PlacedText, FileStatement]] = field(default_factory=list)
    queries: list[tuple[FileStatement, dict[int, DatasetTable]]] = field(default_factory=list)

    def unknown_columns(
        self, own: UncompiledDataset, columns: Callable[[DatasetTable | None], Columns]
    ) -> Iterator[DapflowError]:
        """Mistakes in names of columns, once ``columns`` knows those of every table. ``own`` is this dataset."""
        for written, node in self.named:
            known = columns(DatasetTable(node, "current"))
            if known.complete and written.text.lower() not in known.names:
                listed = known.listed
                more = " …" if len(listed) > _SHOWN else ""
                yield written.place.error(
                    "unknown-column",
                    f"{node.name} has no column {written.text!r}",
                    f"columns: {', '.join(listed[:_SHOWN])}{more}",
                )
        for written, statement in self.conditions:
            _, errors = analyse(statement.outline, statement.text, lambda _: columns(DatasetTable(own, "current")))
            # The condition begins in the second line of its SELECT.
            yield from (_at(written, error, lines_before=1) for error in errors)
        for statement, tables in self.queries:
            _, errors = analyse(statement.outline, statement.text, partial(_columns_at, tables, columns))
            yield from errors


def read_checks(node: UncompiledDataset, tables: Tables, read: set[str]) -> DeclaredChecks:
    """The checks that are written for a dataset, which itself reads the datasets of the ids ``read``."""
    terms: dict[PlacedText, CheckTerms] = {}
    if node.source is not None:
        terms = dict(node.source.checks)
    elif node.product is not None:
        terms = dict(node.product.terms.checks or {})
    reader = _CheckReader(node, tables, read)
    for name, check_terms in terms.items():
        reader.read(name, check_terms)
    return reader.checks


def check_mistakes(
    project: Project,
    tables: Tables,
    checks: Mapping[str, DeclaredChecks],
    columns: Callable[[DatasetTable | None], Columns],
) -> Iterator[DapflowError]:
    """All mistakes of the checks of a project, by ids of their datasets; also files that no check names."""
    named: dict[str, set[str]] = {name: set() for name in project.services}
    for name, declared in checks.items():
        yield from declared.errors
        yield from declared.unknown_columns(tables.nodes[name], columns)
        named[tables.nodes[name].service.name] |= declared.files
    for service in project.services.values():
        for file in sorted(service.check_files.keys() - named[service.name]):
            yield DapflowError(
                "misplaced-file",
                "no check names this file",
                file=f"transforms/{service.name}/{CHECKS}/{file}",
                hint=f"write sql: {file} under `checks` of the dataset that it is about, or delete it",
            )


class _CheckReader:
    def __init__(self, node: UncompiledDataset, tables: Tables, read: set[str]) -> None:
        self.node = node
        self.inputs = read
        self.tables = tables
        self.checks = DeclaredChecks()
        self._base = Check("", "sql", "error", "", None, None)

    def read(self, name: PlacedText, terms: CheckTerms) -> None:
        """All that stands under one name."""
        where = self._where(name, terms)
        self._base = replace(self._base, name=name.text, severity=terms.severity, where=where)
        for column in _each(terms.not_null):
            self._check("not_null", column.place, columns=self._columns([column]))
        if unique := _each(terms.unique):
            self._check("unique", unique[0].place, columns=self._columns(unique))
        self._read_values(terms)
        for column, pattern in (terms.pattern or {}).items():
            self._check("pattern", pattern.place, columns=self._columns([column]), text=pattern.text)
        for column, parent in (terms.relationships or {}).items():
            if parent.to is not None:
                self._read_relationship(column, parent.to, parent.field)
        for expression in _each(terms.expression):
            if self._is_condition(expression):
                self._check("expression", expression.place, text=expression.text)
        self._read_row_count(terms)
        for file in _each(terms.sql):
            self._read_file(file)
        if isinstance(terms, ProductCheckTerms):
            for table, days in (terms.freshness or {}).items():
                self._read_freshness(table, days)
        if terms.at and not set(terms.at) & {*_OF_ROWS, *_OF_ALL}:
            kinds = ", ".join((*_OF_ROWS, *_OF_ALL))
            self._mistake(name.place, f"check {name.text!r} checks nothing", f"one of {kinds}")

    def _where(self, name: PlacedText, terms: CheckTerms) -> str | None:
        if terms.where is None:
            return None
        others = [kind for kind in _OF_ALL if kind in terms.at]
        if others:
            hint = "put it under a name of its own, without where"
            self._mistake(terms.where.place, f"where is not for {others[0]} (check {name.text!r})", hint)
        return terms.where.text if self._is_condition(terms.where) else None

    def _read_values(self, terms: CheckTerms) -> None:
        for column, values in (terms.accepted_values or {}).items():
            if not values:
                problem = f"there are no values that {column.text} may have"
                self._mistake(column.place, problem, "list them: [open, closed]")
                continue
            texts = tuple(value.text for value in values)
            self._check("accepted_values", column.place, columns=self._columns([column]), values=texts)
        for column, between in (terms.range or {}).items():
            if not {"min", "max"} & between.at.keys():
                self._mistake(column.place, f"the range of {column.text} has neither min nor max", "write min: 0")
            if between.min is None and between.max is None:
                continue
            least, greatest = (end.text if end else None for end in (between.min, between.max))
            columns = self._columns([column])
            self._check("range", column.place, columns=columns, least=least, greatest=greatest)

    def _read_row_count(self, terms: CheckTerms) -> None:
        count = terms.row_count
        if count is None:
            return
        place = terms.at["row_count"]
        if not count.at:
            self._mistake(place, "row_count says nothing", "write min, max or change_percent")
        if count.min is not None and count.max is not None and count.min > count.max:
            self._mistake(count.at["min"], f"min {count.min} is more than max {count.max}", None)
        least, greatest = (None if end is None else str(end) for end in (count.min, count.max))
        self._check("row_count", place, least=least, greatest=greatest, percent=count.change_percent)

    def _read_relationship(self, column: PlacedText, to: PlacedText, of: PlacedText | None) -> None:
        try:
            statement = read_statement(SqlText(f"SELECT 1 FROM\n{to.text}"))
            (name,) = statement.tables
        except (DapflowError, ValueError):
            quoted = _QUOTED.findall(to.text)
            hint = f"write {quoted[-1]}" if quoted else "for example airlines, or housing_raw_zone.wards"
            self._mistake(to.place, f"{to.text!r} names no table", hint)
            return
        table = self._find(name, statement.text, to.place, lambda error: _at(to, error, lines_before=1))
        if table is None:
            return
        if table.kind != "current" or table.suffix:
            hint = f"write {table.node.current}; the run's generation of it is read"
            self._mistake(to.place, f"{to.text} is no current view", hint)
            return
        wanted = of or column
        self.checks.named.append((wanted, table.node))
        columns = self._columns([column])
        self._check("relationships", column.place, columns=columns, dataset=table.node.id, field=wanted.text.lower())

    def _read_file(self, file: PlacedText) -> None:
        self.checks.files.add(file.text)
        files = self.node.service.check_files
        if file.text not in files:
            near = difflib.get_close_matches(file.text, list(files), n=1)
            folder = f"transforms/{self.node.service.name}/{CHECKS}"
            hint = f"did you mean {near[0]}?" if near else f"create {folder}/{file.text}"
            problem = f"there is no {folder}/{file.text}"
            self.checks.errors.append(file.place.error("unknown-check-file", problem, hint))
            return
        statement = files[file.text]
        if statement is None:
            return
        references, tables_at, own = [], {}, False
        for name in statement.tables:
            table = self._find(name, statement.text, file.place, lambda error: error)
            if table is None:
                continue
            own |= table.node is self.node and table.kind == "current"
            tables_at[name.start] = table
            references.append(reference_of(name, table))
        if not own:
            message = f"{statement.text.file} does not read {self.node.current}, which is what it should look at"
            elsewhere = self.node.database != self.node.service.database
            called = f'"{self.node.database}".{self.node.current}' if elsewhere else self.node.current
            self._mistake(file.place, message, f"write FROM {called}")
        self.checks.queries.append((statement, tables_at))
        place = FilePosition(statement.text.file or "", 1, 1)
        self._check("sql", place, text=statement.sql, references=tuple(references))

    def _read_freshness(self, table: PlacedText, days: int) -> None:
        read = self.tables.named(table.text, self.node.service)
        if read is None or read.id not in self.inputs - {self.node.id}:
            message = f"{self.node.name} reads no table {table.text!r}"
            hint = f"it reads {self.tables.called(self.inputs - {self.node.id}, self.node.service)}"
            self.checks.errors.append(table.place.error("unknown-input", message, hint))
            return
        if not read.has_generations:
            self._mistake(table.place, f"{table.text!r} has no generations, so nobody knows how old it is", None)
            return
        self._check("freshness", table.place, dataset=read.id, days=days)

    def _find(
        self, name: TableName, text: SqlText, place: FilePosition, placed: Callable[[DapflowError], DapflowError]
    ) -> DatasetTable | None:
        """The table that a name means, which is read from now on. Mistakes are noted."""
        node = self.node
        try:
            table = self.tables.find(name, node.service, text)
        except DapflowError as error:
            self.checks.errors.append(placed(error))
            return None
        if table is None:
            return None
        if (refused := check_read(node.service, table.node, name, text)) is not None:
            self.checks.errors.append(placed(refused))
        if table.node is not node:
            self.checks.reads.setdefault(table.node.id, place)
        return table

    def _is_condition(self, written: PlacedText) -> bool:
        try:
            statement = read_condition(written.text, self.node.current)
        except DapflowError as error:
            self.checks.errors.append(_at(written, error))
            return False
        self.checks.conditions.append((written, statement))
        return True

    def _columns(self, written: Iterable[PlacedText]) -> tuple[str, ...]:
        named = list(written)
        self.checks.named += [(column, self.node) for column in named]
        return tuple(column.text.lower() for column in named)

    def _check(self, kind: CheckKind, place: FilePosition, **more: object) -> None:
        made = replace(self._base, kind=kind, file=place.file, line=place.line, column=place.column)
        if kind in _OF_ALL:
            made = replace(made, where=None)
        self.checks.declared.append(replace(made, **more))  # type: ignore[arg-type]

    def _mistake(self, place: FilePosition, message: str, hint: str | None) -> None:
        self.checks.errors.append(place.error("bad-value", message, hint))


def _columns_at(
    tables: dict[int, DatasetTable], columns: Callable[[DatasetTable | None], Columns], name: TableName
) -> Columns:
    return columns(tables.get(name.start))


def reference_of(name: TableName, table: DatasetTable) -> Reference:
    """Where a table is named in a text, as the manifest keeps it."""
    written = name.database if name.database != table.node.database else None
    dataset = table.node.id
    return Reference(name.start, name.end, dataset, table.kind, name.alias, table.suffix, written, name.query)


def _each(written: PlacedText | tuple[PlacedText, ...] | None) -> tuple[PlacedText, ...]:
    if written is None:
        return ()
    return (written,) if isinstance(written, PlacedText) else written


def _at(written: PlacedText, error: DapflowError, *, lines_before: int = 0) -> DapflowError:
    """A mistake in a text, at the place in the file where this is written."""
    place, column = written.place, written.place.column
    line = (error.line or 1) - lines_before
    first = written.text.split("\n", 1)[0]
    if line == 1 and place.source is not None and column is not None and error.column is not None:
        start = place.source.find(first, column - 1)
        column = start + error.column if start >= 0 else column
    return DapflowError(
        error.code, error.message, file=place.file, line=place.line, column=column, source=place.source, hint=error.hint
    )
