"""What Athena would say of a project's transforms before anything runs: types, functions, grouping.

The analyser of the embedded Athena reads each transform over the tables that the manifest knows the columns of. It is
not AWS, so what it finds is a warning and no mistake.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.local.athena.catalog.hidden_columns import HIDDEN_COLUMNS
from dapflow.local.athena.catalog.hive_types import trino_text
from dapflow.local.athena.trino import Column, QueryError, Relation, compile_query
from dapflow.manifest import Dataset, Manifest, Transform

_CATALOG = "awsdatacatalog"
_HINTS = {"NOT_SUPPORTED": "the embedded Athena cannot run this; Athena on AWS may"}


class _Unknown(Exception):
    """A table whose columns nobody knows before it is ingested."""


class _Tables:
    """The tables of the datasets that have been looked at; a catalog for the analyser."""

    def __init__(self, manifest: Manifest) -> None:
        self.database = ""
        self._logical = {
            name: service.databases[zone]
            for service in manifest.services.values()
            for zone, names in service.environment_databases.items()
            for name in names.values()
        }
        self._relations: dict[tuple[str, str], Relation] = {}

    def add(self, dataset: Dataset, columns: list[Column]) -> None:
        partitions = dataset.generation.partition_names if dataset.has_generations else ()
        keys = [Column(name, "varchar") for name in partitions]
        data = [column for column in columns if column.name not in partitions]
        # A table without generations is one table by both names.
        for name, hidden in ((dataset.current, ()), (dataset.history, HIDDEN_COLUMNS)):
            relation = Relation(_CATALOG, dataset.database, name, (*data, *keys), hidden)
            self._relations[dataset.database, name] = relation

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.local.athena.trino.Catalog. That the table exists has been checked before."""
        del catalog
        written = database or self.database
        found = self._relations.get((self._logical.get(written, written), name))
        if found is None:
            raise _Unknown
        return found

    def has_database(self, database: str) -> bool:
        """See dapflow.local.athena.trino.Catalog."""
        return bool(database)


def review(manifest: Manifest) -> Iterator[DapflowError]:
    """One warning for each transform that Athena would probably refuse, in publishing order.

    A fault of the analyser itself is a warning too, and the other transforms are read all the same.
    """
    tables = _Tables(manifest)
    for dataset in manifest.datasets.values():
        if dataset.columns is not None:
            tables.add(dataset, [Column(column.name, trino_text(column.type)) for column in dataset.columns])
        if dataset.transform is None:
            continue
        tables.database = manifest.services[dataset.service].database
        try:
            query = compile_query(dataset.transform.sql, tables, tables.database)
        except _Unknown:
            continue
        except QueryError as error:
            yield _warning(dataset.transform, error)
        except Exception as error:  # noqa: BLE001 - see above
            yield _fault(dataset.transform, error)
        else:
            tables.add(dataset, [Column(column.name.lower(), column.type) for column in query.columns])


def unchecked(manifest: Manifest) -> list[str]:
    """The tables that transforms read and of which Glue alone knows the columns, because something else makes them."""
    read = {name for dataset in manifest.datasets.values() for name in dataset.depends_on}
    return [name for name in sorted(read) if manifest.datasets[name].external and not manifest.datasets[name].columns]


def _warning(transform: Transform, error: QueryError) -> DapflowError:
    line = error.line or 1
    return DapflowError(
        "athena-refuses",
        f"{error.error_name}: {error.message}",
        file=transform.file,
        line=line,
        column=error.column or 1,
        hint=_HINTS.get(error.error_name),
        source=transform.sql.split("\n")[line - 1].rstrip("\r"),
    )


def _fault(transform: Transform, error: Exception) -> DapflowError:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"
    return DapflowError(
        "review-failed",
        f"the embedded Athena's analyser failed by an error of its own ({place})",
        file=transform.file,
        hint="the text may be right: Athena on AWS has the last word; please report the error with the text",
    )
