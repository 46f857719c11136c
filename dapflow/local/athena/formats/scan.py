"""Makes the DuckDB relation of a scan: pruned partitions, listed files, the disk cache, one view over all of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dapflow.local.athena.catalog.information_schema import InformationRelation, information_rows
from dapflow.local.athena.catalog.metastore import Metastore
from dapflow.local.athena.catalog.partitions import (
    NULL_PARTITION,
    Partition,
    partition_keys,
    partition_values,
    read_partitions,
    typed_key,
)
from dapflow.local.athena.catalog.predicates import Predicate
from dapflow.local.athena.catalog.projection import is_projected
from dapflow.local.athena.catalog.session import PartitionsRelation, TableRelation
from dapflow.local.athena.engine.errors import QueryFailed
from dapflow.local.athena.engine.session import Work
from dapflow.local.athena.formats.column_types import Incompatible, conversion
from dapflow.local.athena.formats.parquet import Footer, Footers
from dapflow.local.athena.formats.reader import Reader, reader_of
from dapflow.local.athena.formats.row_groups import RowGroupFilter
from dapflow.local.athena.storage.locations import Location
from dapflow.local.athena.storage.objects import ObjectStore, S3Object
from dapflow.local.athena.trino import Scan
from dapflow.local.athena.trino.types import Type, duck_type, literal, parse_type, quote


@dataclass(frozen=True)
class _File:
    item: S3Object
    partition: int
    local: Path
    footer: Footer


class Scanner:
    """Serves the scans of queries."""

    def __init__(self, metastore: Metastore, store: ObjectStore) -> None:
        self._metastore = metastore
        self._store = store
        self._footers = Footers()

    def prepare(self, work: Work, scan: Scan) -> None:
        """Make the relation that ``scan.name`` stands for on the work's cursor."""
        relation = scan.relation
        if isinstance(relation, TableRelation):
            self._table(work, scan, relation)
        elif isinstance(relation, PartitionsRelation):
            self._partitions(work, scan, relation)
        elif isinstance(relation, InformationRelation):
            self._information(work, scan)
        else:
            raise QueryFailed("NOT_SUPPORTED", f"Reading '{relation.database}.{relation.name}' is not supported")

    def _information(self, work: Work, scan: Scan) -> None:
        schemas = self._wanted(work, scan, "table_schema")
        rows = information_rows(scan.relation.name, self._metastore, schemas)
        columns = {
            column.name: pa.array([row[index] for row in rows], pa.int64() if column.type == "bigint" else pa.string())
            for index, column in enumerate(scan.relation.columns)
        }
        work.table(scan.name, pa.table(columns))

    @staticmethod
    def _wanted(work: Work, scan: Scan, column: str) -> set[str] | None:
        literals = Predicate(scan.predicate).values_of(column)
        if not literals:
            return None
        row = work.run("SELECT " + ", ".join(f"CAST({item} AS VARCHAR)" for item in literals)).fetchone()
        return {value for value in row or () if value is not None}

    def _partitions(self, work: Work, scan: Scan, relation: PartitionsRelation) -> None:
        keys = partition_keys(relation.table)
        if is_projected(relation.table):
            found = read_partitions(work, self._metastore, relation.database, relation.table, Predicate(scan.predicate))
            values = [partition.values for partition in found]
        else:
            registered = self._metastore.partitions(relation.database, relation.table["Name"])
            values = [tuple(item["Values"]) for item in registered]
        source = f"{scan.name}_values"
        work.table(source, partition_values(keys, values))
        typed = ", ".join(f"{typed_key(name, hive)} AS {quote(name)}" for name, hive in keys)
        work.run(f"CREATE TEMP VIEW {quote(scan.name)} AS SELECT {typed} FROM {quote(source)}")

    def _table(self, work: Work, scan: Scan, relation: TableRelation) -> None:
        predicate = Predicate(scan.predicate)
        table = relation.table
        partitions = read_partitions(work, self._metastore, relation.database, table, predicate)
        read = {column.lower() for column in scan.columns}
        data = {column["Name"].lower() for column in table.get("StorageDescriptor", {}).get("Columns", [])}
        readers = _readers(table, partitions)
        files = self._files(work, scan.name, partitions, readers)
        allowed = RowGroupFilter(work, [bound for bound in predicate.bounds() if bound.column in data])
        for file in files:
            reader = readers[file.partition]
            if reader.bills_columns:
                work.execution.add_scanned(file.footer.cost(read & data, allowed.allows))
            else:
                work.execution.add_scanned(file.item.size)
        work.execution.figures.input_rows += sum(group.rows for file in files for group in file.footer.row_groups)
        work.run(_view_sql(work, scan, relation, partitions, readers, files, read))

    def _files(self, work: Work, name: str, partitions: list[Partition], readers: list[Reader]) -> list[_File]:
        directory = work.directory / name
        directory.mkdir()
        listed = self._store.list_many(partition.location for partition in partitions)
        work.execution.check()
        pending: list[tuple[S3Object, int, Path, Future[Footer]]] = []
        for index, items in enumerate(listed):
            for item in items:
                if item.size == 0:
                    continue
                local = directory / f"{len(pending)}.parquet"
                work.places[str(local)] = str(item.location)
                pending.append((item, index, local, self._store.submit(self._bring, work, readers[index], item, local)))
        try:
            return [_File(item, index, local, future.result()) for item, index, local, future in pending]
        finally:
            for *_, future in pending:
                future.cancel()

    def _bring(self, work: Work, reader: Reader, item: S3Object, local: Path) -> Footer:
        work.execution.check()
        if reader.convert is None:
            self._store.fetch(item, local)
            return self._footers.read(item.identity, local, item.location)
        convert: Callable[[Path, Path, Location], None] = reader.convert
        self._store.derive(item, reader.form, local, lambda source, part: convert(source, part, item.location))
        return self._footers.read(f"{item.identity}\n{reader.form}", local, item.location)


def _readers(table: dict[str, Any], partitions: list[Partition]) -> list[Reader]:
    """The reader of each partition: a partition has a format of its own, and most have the table's."""
    made: dict[str, Reader] = {}
    found = []
    for partition in partitions:
        storage = partition.storage if partition.storage.get("SerdeInfo") else table.get("StorageDescriptor", {})
        columns = table.get("StorageDescriptor", {}).get("Columns", [])
        key = repr((storage.get("InputFormat"), storage.get("SerdeInfo")))
        if key not in made:
            made[key] = reader_of(table, storage, columns)
        found.append(made[key])
    return found


def _view_sql(
    work: Work,
    scan: Scan,
    relation: TableRelation,
    partitions: list[Partition],
    readers: list[Reader],
    files: list[_File],
    read: set[str],
) -> str:
    """One SELECT for each set of files that DuckDB can read together."""
    groups: dict[tuple[str, int], list[_File]] = {}
    for file in files:
        groups.setdefault((file.footer.schema, id(readers[file.partition])), []).append(file)
    selects = [
        _select(work, relation, partitions, readers[group[0].partition], group, read) for group in groups.values()
    ]
    if not selects:
        nothing = [
            f"CAST(NULL AS {duck_type(parse_type(column.type))}) AS {quote(column.name)}"
            for column in (*relation.columns, *relation.hidden)
        ]
        selects = [f"SELECT {', '.join(nothing)} WHERE false"]
    return f"CREATE TEMP VIEW {quote(scan.name)} AS " + "\nUNION ALL\n".join(selects)


def _select(
    work: Work, relation: TableRelation, partitions: list[Partition], reader: Reader, files: list[_File], read: set[str]
) -> str:
    paths = "[" + ", ".join(literal(str(file.local)) for file in files) + "]"
    source = f"read_parquet({paths}, hive_partitioning = false)"
    wanted = [column for column in relation.columns if column.name in read]
    types: dict[str, str] = {}
    if any(column.name not in relation.partition_columns for column in wanted):
        types = {
            row[0].lower(): row[1]
            for row in work.run(
                f"DESCRIBE SELECT * FROM read_parquet({literal(str(files[0].local))}, hive_partitioning = false)"
            ).fetchall()
        }
    keys = dict(partition_keys(relation.table))
    parts = []
    for column in relation.columns:
        kind = parse_type(column.type)
        if column.name in keys:
            index = relation.partition_columns.index(column.name)
            values = [partitions[file.partition].values[index] for file in files]
            parts.append(f"{_per_file(values, kind)} AS {quote(column.name)}")
        elif column.name not in read or column.name not in types:
            parts.append(f"CAST(NULL AS {duck_type(kind)}) AS {quote(column.name)}")
        else:
            parts.append(
                f"{_data_column(reader, files[0], column.name, types[column.name], kind)} AS {quote(column.name)}"
            )
    hidden = {
        "$path": ([str(file.item.location) for file in files], parse_type("varchar")),
        "$file_size": ([str(file.item.size) for file in files], parse_type("bigint")),
        "$partition": (
            [
                "/".join(f"{name}={value}" for name, value in zip(keys, partitions[file.partition].values, strict=True))
                for file in files
            ],
            parse_type("varchar"),
        ),
    }
    for column in relation.hidden:
        if column.name in read and column.name in hidden:
            values, kind = hidden[column.name]
            parts.append(f"{_per_file(values, kind)} AS {quote(column.name)}")
        elif column.name in read:
            raise QueryFailed("NOT_SUPPORTED", f'The hidden column "{column.name}" is not supported')
    return f"SELECT {', '.join(parts)} FROM {source}"


def _per_file(values: list[str], kind: Type) -> str:
    """A value that each file has one of."""
    items = [f"CAST(NULL AS {duck_type(kind)})" if value == NULL_PARTITION else _typed(value, kind) for value in values]
    if len(set(items)) == 1:
        return items[0]
    return f"([{', '.join(items)}])[CAST(file_index AS BIGINT) + 1]"


def _typed(value: str, kind: Type) -> str:
    return literal(value) if kind.base in {"varchar", "char"} else f"CAST({literal(value)} AS {duck_type(kind)})"


def _data_column(reader: Reader, file: _File, name: str, source: str, kind: Type) -> str:
    value = quote(file.footer.names.get(name, name))
    if reader.typed is not None:
        return reader.typed(name, value, kind)
    try:
        return conversion(source, kind, value)
    except Incompatible as error:
        raise QueryFailed(
            "HIVE_BAD_DATA",
            f"Field {name}'s type {error} in parquet file {file.item.location} is incompatible with type {kind} "
            "defined in table schema",
        ) from error
