"""The DuckDB database that all queries share, locked down; each query has a cursor and a directory of its own."""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dapflow.athena.engine.execution import Execution
from dapflow.athena.engine.faults import fault_of
from dapflow.trino.duckdb import prepare_connection, translate_error

_log = logging.getLogger(__name__)


class Session:
    """The database. It reads and writes local files below its own directory only."""

    def __init__(self, directory: Path, memory_bytes: int) -> None:
        self._work = directory / "work"
        # What a killed process left behind.
        shutil.rmtree(self._work, ignore_errors=True)
        spill = self._work / "spill"
        spill.mkdir(parents=True)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory_bytes // (1 << 20)}MiB",
                "temp_directory": str(spill),
                # DuckDB 2.0.0 waits for itself forever when a COPY fails while another thread writes.
                "async_threads": "0",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "allow_unsigned_extensions": "false",
            },
        )
        prepare_connection(self._connection)
        # By the least and greatest value of a Parquet file DuckDB answers d < 10 without a look at d, which may be NaN.
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        # A Python variable must not be readable as a table.
        self._connection.execute("SET python_enable_replacements = false")
        self._connection.execute(f"SET allowed_directories = [{_literal(str(self._work))}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def close(self) -> None:
        """Close the database and remove its files."""
        self._connection.close()
        shutil.rmtree(self._work, ignore_errors=True)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the database; temporary views are visible to it alone."""
        return self._connection.cursor()

    @contextlib.contextmanager
    def work(self, execution: Execution, text: str) -> Iterator[Work]:
        """A cursor and a directory for one execution, both gone afterwards."""
        directory = self._work / execution.id
        cursor = self.cursor()
        work = Work(execution, text, cursor, directory)
        try:
            yield work
        finally:
            cursor.close()
            # Most queries without tables never ask for theirs.
            if "directory" in vars(work):
                shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True)
class Work:
    """Where one execution does its work. ``text`` is the statement that runs; EXECUTE runs a prepared one."""

    execution: Execution
    text: str
    cursor: duckdb.DuckDBPyConnection
    root: Path
    #: Local files of scans and the objects that they are copies of.
    places: dict[str, str] = field(default_factory=dict)

    def run(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run SQL of our own making on the cursor; a stop request interrupts it.

        Raises QueryError, QueryFailed, Cancelled.
        """
        with self.guarded(sql):
            return self.cursor.execute(sql, parameters)

    @functools.cached_property
    def directory(self) -> Path:
        """A directory for files of this execution."""
        self.root.mkdir()
        return self.root

    @contextlib.contextmanager
    def guarded(self, sql: str) -> Iterator[None]:
        """While this is entered, a stop request interrupts the cursor, and DuckDB's errors become Athena's.

        Raises QueryError, QueryFailed, Cancelled.
        """
        with self.execution.interruptible(self.cursor.interrupt):
            try:
                yield
            except duckdb.Error as error:
                self.execution.check()
                fault = fault_of(error, self.places)
                if fault is not None:
                    raise fault from error
                failure = translate_error(error)
                if failure.error_name == "GENERIC_INTERNAL_ERROR":
                    # The user sees no word of the engine's; who mends the server must.
                    _log.warning("query %s: %s\n%s", self.execution.id, error, sql)
                raise failure from error

    def table(self, name: str, rows: pa.Table) -> None:
        """Make ``name`` a relation of these rows. It goes by a file: handing Arrow data over would import pandas."""
        file = self.directory / f"{name}.parquet"
        pq.write_table(rows, file, compression="none")
        self.run(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM read_parquet({_literal(str(file))})')


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
