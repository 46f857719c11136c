"""Makes the DuckDB relations that a query scans."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from dapflow.athena.catalog.information_schema import InformationRelation, information_rows
from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.catalog.partitions import (
    TablePartition,
    allowed_partitions,
    partition_keys,
    partition_values,
    read_partitions,
    typed_key,
)
from dapflow.athena.catalog.predicates import Predicate
from dapflow.athena.catalog.projection import is_projected
from dapflow.athena.catalog.session_catalog import PartitionsRelation, TableRelation
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.session import Work
from dapflow.athena.formats.buckets import allowed_buckets, bucket_of_file
from dapflow.athena.formats.files_sql import files_sql
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.query_files import Bringer, DataFile, QueryFiles
from dapflow.athena.formats.reader_choice import reader_of
from dapflow.athena.formats.row_groups import Literals, RowGroupFilter
from dapflow.athena.storage.object_store import Listings, ObjectStore
from dapflow.trino.duckdb import CompiledQuery, Scan, ScanReading
from dapflow.trino.duckdb.conditions import ColumnBound
from dapflow.trino.duckdb.storage import quote


@dataclass(frozen=True)
class TableScan:
    """A scan of a table, with what it reads."""

    scan: Scan
    relation: TableRelation
    partitions: list[TablePartition]
    readers: list[FormatReader]

    @property
    def read(self) -> set[str]:
        """Names of the columns that are read."""
        return {column.lower() for column in self.scan.columns}

    @functools.cached_property
    def data(self) -> set[str]:
        """Names of the columns that are in the files."""
        columns = self.relation.table.get("StorageDescriptor", {}).get("Columns", [])
        return {column["Name"].lower() for column in columns}

    @functools.cached_property
    def bounds(self) -> list[list[ColumnBound]]:
        """What each reading compares columns of the files with."""
        predicates = [Predicate(reading.predicate) for reading in self.scan.readings]
        return [[bound for bound in predicate.bounds() if bound.column in self.data] for predicate in predicates]


class Scanner:
    """Serves the scans of queries."""

    def __init__(self, metastore: Metastore, store: ObjectStore) -> None:
        self._metastore = metastore
        self._bringer = Bringer(store)

    def prepare(self, work: Work, query: CompiledQuery, listings: Listings) -> dict[str, str]:
        """The query that ``scan.name`` stands for, of each scan of files. Other scans are made views of the cursor."""
        tables = []
        for scan in query.scans:
            relation = scan.relation
            if isinstance(relation, TableRelation):
                tables.append(self._table(work, scan, relation))
            elif isinstance(relation, PartitionsRelation):
                self._partitions(work, scan, relation)
            elif isinstance(relation, InformationRelation):
                self._information(work, scan)
            else:
                raise QueryFailed("NOT_SUPPORTED", f"Reading '{relation.database}.{relation.name}' is not supported")
        if not tables:
            return {}
        # All objects are listed at once and fetched at once, each only once: a query sees one state of S3.
        listings.begin(partition.location for table in tables for partition in table.partitions)
        files = QueryFiles(self._bringer, work, listings)
        files.fetch([(table.partitions, table.readers) for table in tables])
        relations = {}
        literals = Literals(work, [bound for table in tables for bounds in table.bounds for bound in bounds])
        for table in tables:
            data_files = files.of(table.partitions, table.readers)
            for reading, bounds in zip(table.scan.readings, table.bounds, strict=True):
                _bill(work, reading, table, data_files, RowGroupFilter(literals.of(bounds)))
            # DuckDB binds every column that is written down, and wants those that the SQL names without reading them.
            named = tuple(column for column in table.relation.columns if column.name in table.scan.named)
            relation = replace(table.relation, columns=named)
            relations[table.scan.name] = files_sql(
                work, relation, table.partitions, table.readers, data_files, table.read
            )
        return relations

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
            partitions = read_partitions(
                work, self._metastore, relation.database, relation.table, Predicate(scan.predicate)
            )
            values = [partition.values for partition in partitions]
        else:
            registered = self._metastore.partitions(relation.database, relation.table["Name"])
            values = [tuple(item["Values"]) for item in registered]
        source = f"{scan.name}_values"
        work.table(source, partition_values(keys, values))
        typed = ", ".join(f"{typed_key(name, hive)} AS {quote(name)}" for name, hive in keys)
        work.run(f"CREATE OR REPLACE TEMP VIEW {quote(scan.name)} AS SELECT {typed} FROM {quote(source)}")

    def _table(self, work: Work, scan: Scan, relation: TableRelation) -> TableScan:
        predicate = Predicate(scan.predicate)
        partitions = read_partitions(work, self._metastore, relation.database, relation.table, predicate)
        return TableScan(scan, relation, partitions, _readers(relation.table, partitions))


def _bill(work: Work, reading: ScanReading, table: TableScan, files: list[DataFile], allowed: RowGroupFilter) -> None:
    """Count the bytes that Athena would read: of columnar formats only the chunks that are needed."""
    columns = {column.lower() for column in reading.columns} & table.data
    partitions = table.partitions
    if len(table.scan.readings) > 1:
        partitions = allowed_partitions(work, table.relation.table, partitions, Predicate(reading.predicate))
    read = {partition.values for partition in partitions}
    buckets = allowed_buckets(work, table.relation.table, Predicate(reading.predicate))
    for file in files:
        if table.partitions[file.partition].values not in read:
            continue
        if buckets is not None and bucket_of_file(file.item.location.key) not in {None, *buckets}:
            continue
        if table.readers[file.partition].bills_columns:
            work.execution.add_scanned(file.footer.cost(columns, allowed.allows))
        else:
            work.execution.add_scanned(file.item.size)
        work.execution.figures.input_rows += sum(group.rows for group in file.footer.row_groups)


def _readers(table: dict[str, Any], partitions: list[TablePartition]) -> list[FormatReader]:
    """The reader of each partition: a partition has a format of its own, and most have the table's."""
    made: dict[str, FormatReader] = {}
    readers = []
    for partition in partitions:
        storage = partition.storage if partition.storage.get("SerdeInfo") else table.get("StorageDescriptor", {})
        columns = table.get("StorageDescriptor", {}).get("Columns", [])
        key = repr((storage.get("InputFormat"), storage.get("SerdeInfo")))
        if key not in made:
            made[key] = reader_of(table, storage, columns)
        readers.append(made[key])
    return readers
