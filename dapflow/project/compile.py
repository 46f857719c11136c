"""From what people wrote to the manifest: references, order, contracts."""

from __future__ import annotations

import copy
import gc
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.files import write_whole
from dapflow.lineage import ProductLineage
from dapflow.manifest import Column, Dataset, Manifest, Service, Transform
from dapflow.project.checks import check_mistakes, read_checks, reference_of
from dapflow.project.columns import comments, personal_columns, unknown_columns
from dapflow.project.contract import Output, partition_columns, read_output
from dapflow.project.grants import check_grants, check_read
from dapflow.project.known_columns import KnownOutputColumns
from dapflow.project.load import read_project
from dapflow.project.model import Product, Project, ServiceFolder
from dapflow.project.order import circles, publishing_order
from dapflow.project.tables import DatasetTable, Tables, UncompiledDataset
from dapflow.sql import UNKNOWN, Columns, FileStatement, SqlColumn, TableName, analyse
from dapflow.sql.query_columns import Lookup


def compile_project(root: Path) -> Manifest:
    """The manifest of the project in ``root``. Raises DapflowErrors with every mistake in it."""
    manifest, errors = check_project(root)
    if manifest is None:
        raise DapflowErrors(errors)
    return manifest


def check_project(root: Path) -> tuple[Manifest | None, list[DapflowError]]:
    """The manifest, or None and every mistake, in the order of files and lines."""
    manifest, errors = read_as_far_as_possible(root)
    return (None if errors else manifest), errors


def read_as_far_as_possible(root: Path, noted_in: Path | None = None) -> tuple[Manifest, list[DapflowError]]:
    """A manifest of what could be read, and every mistake, in the order of files and lines.

    With mistakes it is good for looking for more of them, and for nothing else. What is known of texts is looked up and
    noted in the project in ``noted_in``, by default in this one.
    """
    collecting = gc.isenabled()
    # What is read is much, and all of it is needed to the end: looking for garbage would take as long as the work.
    gc.disable()
    try:
        return _checked(root, noted_in)
    finally:
        if collecting:
            gc.enable()


def _checked(root: Path, noted_in: Path | None) -> tuple[Manifest, list[DapflowError]]:
    project, errors = read_project(root, noted_in)
    known = KnownOutputColumns(noted_in or root)
    compiler = Compilation(project, known.analyse)
    manifest = compiler.manifest()
    known.write()
    return manifest, sorted([*errors, *compiler.errors], key=_by_place)


def write_manifest(manifest: Manifest, file: Path, lineage: Mapping[str, ProductLineage] | None = None) -> None:
    """Write the manifest, whole or not at all, and maybe its lineage. Raises DapflowError ``unwritable-file``."""
    try:
        write_whole(file, manifest.to_json(lineage).encode())
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=file) from error


def _by_place(error: DapflowError) -> tuple[str, int, int, str]:
    return error.file or "", error.line or 0, error.column or 0, error.message


@dataclass
class _Reads:
    """The tables that a product's SQL names, in the order of the text. ``None`` stands for information_schema."""

    statement: FileStatement | None = None
    tables: list[tuple[TableName, DatasetTable]] = field(default_factory=list)

    @property
    def datasets(self) -> set[str]:
        return {table.node.id for _, table in self.tables}


def _analyse(statement: FileStatement, lookup: Lookup) -> tuple[Columns, list[DapflowError]]:
    return analyse(statement.outline, statement.text, lookup)


#: What says which columns a statement puts out, and what mistakes are in its names of columns.
Analyse = Callable[[FileStatement, Lookup], tuple[Columns, list[DapflowError]]]


class Compilation:
    """A project on its way to the manifest, which can say too what another text of one file would be told."""

    def __init__(self, project: Project, analyse: Analyse = _analyse) -> None:
        self.project = project
        self._analyse_columns = analyse
        self.tables = Tables(project)
        self.errors = [*self.tables.errors, *check_grants(project, self.tables)]
        self._reads = {node.id: self._read(node) for node in self.tables.nodes.values()}
        self._checks = {
            node.id: read_checks(node, self.tables, self._reads[node.id].datasets)
            for node in self.tables.nodes.values()
        }
        self._columns: dict[str, Columns] = {}
        self._outputs: dict[str, Output] = {}
        self._personal: dict[str, set[str]] = {}

    def manifest(self) -> Manifest:
        """The manifest; worth something only when there are no errors."""
        depends = self._depends()
        self._check_circles(depends)
        order = publishing_order(depends)
        # Datasets on a circle come last, so that their own SQL is checked too.
        for node_id in dict.fromkeys([*order, *depends]):
            self._analyse(self.tables.nodes[node_id])
        self.errors += check_mistakes(self.project, self.tables, self._checks, self._table_columns)
        for name in order:
            read = self._reads[name].datasets - {name}
            self._personal[name] = personal_columns(
                self.tables.nodes[name], [self._personal[source] for source in read]
            )
        datasets = {name: self._dataset(self.tables.nodes[name], depends[name]) for name in order}
        by_service: dict[str, list[str]] = defaultdict(list)
        for dataset in datasets.values():
            if dataset.has_generations:
                by_service[dataset.service].append(dataset.id)
        names = [*by_service, *(name for name in self.project.services if name not in by_service)]
        services = {name: self._service(self.project.services[name], by_service[name]) for name in names}
        return Manifest(services=services, datasets=datasets)

    def mistakes_with(self, product: UncompiledDataset, statement: FileStatement) -> list[DapflowError]:
        """The mistakes in a product's SQL if its file held this statement, all else being as it is in the manifest."""
        assert product.product is not None  # noqa: S101 - a source has no SQL
        changed = replace(product, product=replace(product.product, statement=statement))
        other = copy.copy(self)
        other.errors = []
        other._columns, other._outputs = dict(self._columns), dict(self._outputs)
        other._reads = {**self._reads, product.id: other._read(changed)}
        if other._reads[product.id].datasets != self._reads[product.id].datasets:
            other._check_circles(other._depends())
        other._analyse(changed)
        file = statement.text.file
        return sorted((error for error in other.errors if error.file == file), key=_by_place)

    # -- what a product reads

    def _read(self, node: UncompiledDataset) -> _Reads:
        reads = _Reads(node.product.statement if node.product else None)
        if reads.statement is None:
            return reads
        text = reads.statement.text
        for name in reads.statement.tables:
            try:
                table = self.tables.find(name, node.service, text)
            except DapflowError as error:
                self.errors.append(error)
                continue
            if table is None:
                continue
            refused = check_read(node.service, table.node, name, text)
            if refused is not None:
                self.errors.append(refused)
            if table.node.id == node.id and table.kind == "current":
                hint = f"read {node.history} to see what earlier generations held"
                self.errors.append(text.error("cycle", f"{node.id} reads itself", name.start, hint))
            reads.tables.append((name, table))
        return reads

    def _depends(self) -> dict[str, list[str]]:
        return {
            node: sorted((reads.datasets | self._checks[node].reads.keys()) - {node})
            for node, reads in self._reads.items()
        }

    def _check_circles(self, depends: dict[str, list[str]]) -> None:
        for circle in circles(depends):
            reads = self._reads[circle[0]]
            start = next((name.start for name, table in reads.tables if table.node.id == circle[1]), None)
            message = f"datasets wait for each other: {' → '.join(circle)}"
            hint = "one of them must read something else; earlier generations are no way out, they wait too"
            if start is None or reads.statement is None:
                self.errors.append(self._checks[circle[0]].reads[circle[1]].error("cycle", message, hint))
            else:
                self.errors.append(reads.statement.text.error("cycle", message, start, hint))
        waits: dict[str, set[str]] = {name: set() for name in self.project.services}
        for node_id, sources in depends.items():
            node = self.tables.nodes[node_id]
            # A service with a schedule waits for nobody.
            if node.service.schedule is None:
                read = (self.tables.nodes[source] for source in sources)
                owners = {dataset.service.name for dataset in read if dataset.has_generations}
                waits[node.service.name] |= owners - {node.service.name}
        for circle in circles(waits):
            place = self.project.services[circle[0]].place
            self.errors.append(
                place.error(
                    "service-cycle",
                    f"services wait for each other's data and would never start: {' → '.join(circle)}",
                    'give one of them a schedule, such as schedule: "0 5 * * *"',
                )
            )

    # -- columns

    def _analyse(self, node: UncompiledDataset) -> None:
        partitions = partition_columns(node.generation)
        source, statement = node.source, self._reads[node.id].statement
        if node.external is not None:
            known = tuple(SqlColumn(column.name) for column in node.external.columns or ())
            rest = None if known else 0
            self._columns[node.id] = Columns((*known, *(partitions if node.has_generations else ())), rest)
            return
        if source is not None:
            data = tuple(SqlColumn(column.name) for column in source.source.columns or ())
            self._columns[node.id] = Columns((*data, *partitions), None if data else 0)
            return
        if statement is None:
            self._columns[node.id] = Columns(partitions, 0)
            return
        tables = {name.start: table for name, table in self._reads[node.id].tables}
        columns, errors = self._analyse_columns(statement, lambda name: self._table_columns(tables.get(name.start)))
        output = read_output(statement, columns, node.generation)
        self.errors += [*errors, *output.errors]
        self.errors += unknown_columns(node, output)
        self._outputs[node.id] = output
        self._columns[node.id] = output.table

    def _table_columns(self, table: DatasetTable | None) -> Columns:
        if table is None:
            return UNKNOWN
        if table.suffix and not table.node.has_generations:
            return UNKNOWN
        partitions = partition_columns(table.node.generation)
        if table.suffix:
            return Columns(partitions) if table.suffix == "$partitions" else UNKNOWN
        return self._columns.get(table.node.id, Columns(partitions, 0))

    # -- the manifest

    def _dataset(self, node: UncompiledDataset, depends_on: list[str]) -> Dataset:
        source, product = node.source, node.product
        columns = source.source.columns if source else node.external.columns if node.external else None
        described = source or product or node.external
        return Dataset(
            service=node.service.name,
            zone=node.zone,
            name=node.name,
            database=node.database,
            history=node.history,
            current=node.current,
            generation=node.generation,
            description=described.description if described else None,
            columns=tuple(Column(c.name, c.type, c.comment) for c in columns) if columns else None,
            source=source.source if source else None,
            transform=self._transform(node, product) if product else None,
            depends_on=tuple(depends_on),
            checks=tuple(self._checks[node.id].declared),
            personal=tuple(sorted(self._personal[node.id])),
            external=node.external is not None,
            has_generations=node.has_generations,
        )

    def _service(self, folder: ServiceFolder, datasets: list[str]) -> Service:
        return Service(
            name=folder.name,
            title=folder.title,
            database=self.tables.logical(folder.database),
            databases=folder.databases,
            datasets=tuple(datasets),
            description=folder.description,
            owner=folder.owner.text if folder.owner else None,
            schedule=folder.schedule,
            timezone=folder.timezone,
            retries=folder.retries,
            reads=tuple(request.text for request in folder.reads),
            grants={reader.text: tuple(grant.text for grant in given) for reader, given in folder.grants.items()},
            bytes_scanned_cutoff=folder.bytes_scanned_cutoff,
            input_age_days=folder.input_age_days,
            environment_databases=folder.environment_databases,
        )

    def _transform(self, node: UncompiledDataset, product: Product) -> Transform | None:
        reads, output = self._reads[node.id], self._outputs.get(node.id)
        if reads.statement is None or output is None:
            return None
        sql = reads.statement.sql
        return Transform(
            file=product.file,
            sql=sql,
            sha=hashlib.sha256(sql.encode()).hexdigest()[:16],
            references=tuple(reference_of(name, table) for name, table in reads.tables),
            contract=output.contract,
            columns=output.columns,
            computes_generation=output.computes,
            description=product.description,
            tags=product.terms.tags,
            comments=comments(product),
            slower_inputs=self._slower_inputs(node, product),
            allow_empty=product.terms.allow_empty,
            unsteady=reads.statement.unsteady,
        )

    def _slower_inputs(self, node: UncompiledDataset, product: Product) -> tuple[str, ...]:
        """The datasets for which the product's ``.yml`` allows an older generation."""
        known = (self._reads[node.id].datasets | self._checks[node.id].reads.keys()) - {node.id}
        slower: set[str] = set()
        for table, terms in (product.terms.inputs or {}).items():
            read = self.tables.named(table.text, node.service)
            if read is None or read.id not in known:
                message = f"{node.name} reads no table {table.text!r}"
                self.errors.append(
                    table.place.error("unknown-input", message, f"it reads {self.tables.called(known, node.service)}")
                )
            elif terms.on_missing == "previous":
                slower.add(read.id)
        return tuple(sorted(slower))
