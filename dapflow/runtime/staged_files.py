"""What an UNLOAD left in its prefix, and whether it may be published."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.manifest import Column
from dapflow.runtime.athena import QueryExecution
from dapflow.runtime.aws import PassingError
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import parquet_storage
from dapflow.runtime.objects import Object, list_objects, read_object
from dapflow.runtime.parquet_footer import Footer, FooterError, read_footer
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import put_table, temporary_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS = 8
_SHOWN = 6
_ROWS = "row_count"


@dataclass(frozen=True)
class StagedFiles:
    """The objects of a staged generation, and the rows in each."""

    objects: tuple[Object, ...]
    rows: dict[str, int]

    @property
    def count(self) -> int:
        """All their rows."""
        return sum(self.rows.values())

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(item.size for item in self.objects)


def missing_objects(
    s3: S3Client, execution: QueryExecution, location: str, listed: Sequence[Object]
) -> list[str] | None:
    """Objects that the UNLOAD wrote and that are not ``listed``; None when Athena left no list of what it wrote."""
    if execution.manifest is None:
        return None
    try:
        written = read_object(s3, execution.manifest).decode().splitlines()
    except ClientError:
        return None
    there = {item.uri for item in listed}
    return [uri for uri in written if uri.startswith(location) and uri not in there]


def footer_of(s3: S3Client, item: Object) -> Footer:
    """The footer of a Parquet object. Raises DapflowError ``parquet``."""
    try:
        return read_footer(lambda length: read_object(s3, item.uri, f"-{min(length, item.size)}"))
    except FooterError as error:
        # What has a hint is said of a file that can be read.
        message = f"{error}" if error.hint else f"not a Parquet file that can be read: {error}"
        raise DapflowError("parquet", message, file=item.uri, hint=error.hint) from error


def staged_files(target: Target, execution: QueryExecution | None, location: str) -> StagedFiles:
    """The objects below a staged location: of an UNLOAD, or of a copy, which was counted when it was made.

    Raises PassingError ``staged-files`` when some have vanished.
    """
    listed = list_objects(target.s3, location)
    if execution is not None and (missing := missing_objects(target.s3, execution, location, listed)):
        raise PassingError(
            "staged-files", f"{len(missing)} objects that the query wrote are gone, the first being {missing[0]}"
        )
    return counted_files(target, listed)


def counted_files(target: Target, listed: Sequence[Object]) -> StagedFiles:
    """Parquet objects with their rows. Raises DapflowError ``parquet``."""
    objects = tuple(item for item in listed if item.size)
    with ThreadPoolExecutor(_READERS) as pool:
        footers = pool.map(lambda item: footer_of(target.s3, item), objects)
        rows = {item.uri: footer.rows for item, footer in zip(objects, footers, strict=True)}
    return StagedFiles(objects, rows)


def check_generation_columns(target: Target, generation: Generation, location: str, types: Sequence[str]) -> int:
    """Look whether the generation columns that a migrated transform puts out are the run's; the bytes read for it.

    Raises DapflowError ``wrong-generation``.
    """
    names = target.dataset.generation.names
    table = temporary_name(target.dataset, "staged")
    columns = [Column(name, kind) for name, kind in zip(names, types, strict=True)]
    definition = {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": parquet_storage(columns, location),
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
    }
    selected = ", ".join(f"CAST({quoted(name)} AS varchar) AS {quoted(name)}" for name in names)
    target.journal.write(table, tables=[table])
    put_table(target.catalog, target.place.database, definition)
    try:
        source = quoted(target.place.database, table)
        counted = f"{selected}, count(*) AS {quoted(_ROWS)}"
        statement = f"SELECT {counted} FROM {source} GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT {_SHOWN}"  # noqa: S608
        execution = target.athena.run(statement, target.database, uuid.uuid4().hex)
        rows = list(target.athena.rows(execution.id))
    finally:
        target.drop((table,))
    wrong = [row for row in rows if not _same([row[name] for name in names], generation)]
    if wrong:
        more = " and of others" if len(rows) == _SHOWN else ""
        listed = "; ".join(
            ", ".join(f"{name}={row[name]}" for name in names) + f" ({row[_ROWS]} rows)" for row in wrong
        )
        raise DapflowError(
            "wrong-generation",
            f"the run is for generation {generation}, but the output has rows with {listed}{more}",
            file=target.file,
            hint="leave the generation columns out, and the platform adds them (a date that is data gets a name of "
            f"its own: {names[3]} AS original_{names[3]}); or keep the rows of one generation, those with the newest "
            f"{names[3]} of the table",
        )
    return execution.bytes_scanned


def _same(values: Sequence[str | None], generation: Generation) -> bool:
    """Numbers may have been computed: month 6 is month 06."""
    widths = (4, 2, 2, 8)
    return all(
        value is not None and value.zfill(width) == wanted
        for value, width, wanted in zip(values, widths, generation.values, strict=True)
    )
