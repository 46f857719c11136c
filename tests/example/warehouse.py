"""The example in DuckDB alone: the exports as typed tables, the transforms compiled as the embedded Athena does."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dapflow.example import snapshots
from dapflow.example.nightly import exports
from dapflow.manifest import Dataset, Manifest
from dapflow.project.compile import compile_project
from dapflow.trino.duckdb import ColumnMetadata, Relation, compile_query, prepare_connection

PROJECT = Path(__file__).parents[2]
# What is inferred at the first load when service.yml gives no columns.
AIRPORTS = {
    "faa": "varchar",
    "name": "varchar",
    "lat": "double",
    "lon": "double",
    "alt": "bigint",
    "tz": "bigint",
    "dst": "varchar",
    "tzone": "varchar",
    "last_served": "date",
}
TRINO = {"string": "varchar", "int": "integer", "timestamp": "timestamp(3)"}


class Warehouse:
    """Every dataset of the example with its generations, and the catalog that names them."""

    def __init__(self, folder: Path) -> None:
        self.connection = duckdb.connect()
        prepare_connection(self.connection)
        self.manifest: Manifest = compile_project(PROJECT)
        self._relations: dict[tuple[str, str], Relation] = {}
        for export in exports(snapshots()):
            file = folder / f"{export.generation}-{export.file_name}"
            file.write_bytes(export.content)
            self._load(self.manifest.dataset(f"{export.service}.raw.{export.table}"), export.generation, file)

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.trino.catalogue."""
        return self._relations.get((database or self._database, name))

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return any(database == known for known, _ in self._relations)

    def run(self, dataset_id: str) -> None:
        """Compute a product of the newest generation; its current view can be read afterwards."""
        dataset = self.manifest.dataset(dataset_id)
        assert dataset.transform is not None
        self._database = self.manifest.services[dataset.service].database
        query = compile_query(dataset.transform.sql, self, self._database)
        for scan in query.scans:
            table = f'"{scan.relation.database}"."{scan.relation.name}"'
            self.connection.execute(f'CREATE OR REPLACE TEMP VIEW "{scan.name}" AS SELECT * FROM {table}')
        self._create(dataset, dataset.current, query.sql, query.columns)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a DuckDB query over the datasets."""
        return self.connection.execute(sql).fetchall()

    def _load(self, dataset: Dataset, generation: date, file: Path) -> None:
        source = dataset.source
        assert source is not None
        given = source.columns and {column.name: TRINO.get(column.type, column.type) for column in source.columns}
        types = given or AIRPORTS
        formats = [column.format for column in source.columns or () if column.format]
        stamp = f", timestampformat='{formats[0].replace('%i', '%M').replace('%s', '%S')}'" if formats else ""
        columns = ", ".join(f"'{name}': '{kind.removesuffix('(3)').upper()}'" for name, kind in types.items())
        columns = columns.replace("'DOUBLE PRECISION'", "'DOUBLE'")
        parts = (f"{generation:%Y}", f"{generation:%m}", f"{generation:%d}", f"{generation:%Y%m%d}")
        keys = ", ".join(f"'{part}' AS {name}" for part, name in zip(parts, dataset.generation.names, strict=True))
        nulls = ", ".join(f"'{text}'" for text in source.nulls)
        rows = (
            f"SELECT *, {keys} FROM read_csv('{file}', header=true, columns={{{columns}}}, nullstr=[{nulls}]"
            f", quote='\"', escape='\"', allow_quoted_nulls=false{stamp})"
        )
        described = [ColumnMetadata(name, kind) for name, kind in types.items()]
        described += [ColumnMetadata(name, "varchar") for name in dataset.generation.names]
        if (dataset.database, dataset.history) in self._relations:
            self.connection.execute(f'INSERT INTO "{dataset.database}"."{dataset.history}" {rows}')
        else:
            self._create(dataset, dataset.history, rows, described)
        newest = f"""SELECT * FROM "{dataset.database}"."{dataset.history}" WHERE import_date = '{parts[3]}'"""
        self._create(dataset, dataset.current, newest, described, kind="VIEW")

    def _create(
        self, dataset: Dataset, name: str, sql: str, columns: Sequence[ColumnMetadata], *, kind: str = "TABLE"
    ) -> None:
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset.database}"')
        self.connection.execute(f'CREATE OR REPLACE {kind} "{dataset.database}"."{name}" AS {sql}')
        relation = Relation("awsdatacatalog", dataset.database, name, tuple(columns))
        self._relations[dataset.database, name] = relation
