"""From what people wrote to the manifest: references, order, contracts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.files import write_whole
from dapflow.manifest import Column, Dataset, Manifest, Reference, Service, Transform
from dapflow.project.load import read_project
from dapflow.project.model import Product, Project, ServiceFolder
from dapflow.project.order import circles, publishing_order
from dapflow.project.tables import Node, Table, Tables
from dapflow.sql import TableName, table_names


def compile_project(root: Path) -> Manifest:
    """The manifest of the project in ``root``. Raises DapflowErrors with every mistake in it."""
    manifest, errors = check_project(root)
    if errors or manifest is None:
        raise DapflowErrors(errors)
    return manifest


def check_project(root: Path) -> tuple[Manifest | None, list[DapflowError]]:
    """The manifest, or None and every mistake, in the order of files and lines."""
    project, errors = read_project(root)
    compiler = _Compiler(project)
    manifest = compiler.manifest()
    errors = sorted([*errors, *compiler.errors], key=_by_place)
    return (None if errors else manifest), errors


def write_manifest(manifest: Manifest, file: Path) -> None:
    """Write the manifest, whole or not at all. Raises DapflowError ``unwritable-file``."""
    try:
        write_whole(file, manifest.to_json().encode())
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=file) from error


def _by_place(error: DapflowError) -> tuple[str, int, int, str]:
    return error.file or "", error.line or 0, error.column or 0, error.message


@dataclass
class _Read:
    """A dataset's tables, as its SQL names them."""

    tables: list[tuple[TableName, Table]] = field(default_factory=list)


class _Compiler:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.tables = Tables(project)
        self.errors = self.tables.errors
        self._reads = {node.id: self._read(node) for node in self.tables.nodes.values()}

    def _read(self, node: Node) -> _Read:
        read = _Read()
        statement = node.product.statement if node.product else None
        for name in table_names(statement.tree) if statement else []:
            assert statement is not None
            try:
                table = self.tables.find(name, node.service, statement.text)
            except DapflowError as error:
                self.errors.append(error)
                continue
            if table is not None:
                read.tables.append((name, table))
        return read

    def manifest(self) -> Manifest:
        depends = {
            node_id: sorted({table.node.id for _, table in read.tables} - {node_id})
            for node_id, read in self._reads.items()
        }
        for circle in circles(depends):
            node = self.tables.nodes[circle[0]]
            self.errors.append(node.place.error("cycle", f"datasets wait for each other: {' → '.join(circle)}"))
        datasets = {name: self._dataset(self.tables.nodes[name], depends[name]) for name in publishing_order(depends)}
        by_service: dict[str, list[str]] = defaultdict(list)
        for dataset in datasets.values():
            by_service[dataset.service].append(dataset.id)
        names = [*by_service, *(name for name in self.project.services if name not in by_service)]
        services = {name: _service(self.project.services[name], by_service[name]) for name in names}
        return Manifest(services=services, datasets=datasets)

    def _dataset(self, node: Node, depends_on: list[str]) -> Dataset:
        source, product = node.source, node.product
        columns = source.source.columns if source else None
        return Dataset(
            service=node.service.name,
            zone=node.zone,
            name=node.name,
            database=node.database,
            history=node.history,
            current=node.current,
            generation=node.generation,
            description=source.description if source else product.description if product else None,
            columns=tuple(Column(c.name, c.type, c.comment) for c in columns) if columns else None,
            source=source.source if source else None,
            transform=_transform(product, self._reads[node.id]) if product else None,
            depends_on=tuple(depends_on),
        )


def _transform(product: Product, read: _Read) -> Transform | None:
    if product.statement is None:
        return None
    sql = product.statement.sql
    names = tuple(product.statement.tree.named_selects)
    four = names[-4:] == ("import_year", "import_month", "import_day", "import_date")
    return Transform(
        file=product.file,
        sql=sql,
        sha=hashlib.sha256(sql.encode()).hexdigest()[:16],
        references=tuple(
            Reference(name.start, name.end, table.node.id, table.kind, name.alias) for name, table in read.tables
        ),
        contract="migrated" if four else "new",
        columns=names if "*" not in names else None,
        description=product.description,
        tags=product.tags,
    )


def _service(folder: ServiceFolder, datasets: list[str]) -> Service:
    return Service(
        name=folder.name,
        title=folder.title,
        database=folder.database,
        databases=folder.databases,
        datasets=tuple(datasets),
        description=folder.description,
        owner=folder.owner,
        schedule=folder.schedule,
        timezone=folder.timezone,
        retries=folder.retries,
        reads=tuple(grant.text for grant in folder.reads or ()),
        bytes_scanned_cutoff=folder.bytes_scanned_cutoff,
    )
