"""From landing files to what is staged: Athena reads them through a temporary table, checks them and types them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Column, Source, SourceColumn
from dapflow.runtime.athena import Execution, QueryError, succeeded
from dapflow.runtime.attempts import Run, digest
from dapflow.runtime.conversion import conversion
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import parquet_storage, published_columns
from dapflow.runtime.inference import inference_query, inferred
from dapflow.runtime.landing import check_names, column_name, header, landing_files, sample_text
from dapflow.runtime.landing_table import create_landing_table, csv_storage, json_storage
from dapflow.runtime.objects import Object
from dapflow.runtime.publication import Plan
from dapflow.runtime.staged_files import footer_of
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import temporary_name
from dapflow.runtime.validation import Reading, judge, malformed_json, validation_query

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Landed:
    """The landing files of a generation: the columns in file order with Glue's types, and how they are stored."""

    files: tuple[Object, ...]
    columns: tuple[tuple[str, str], ...]
    storage: dict[str, Any]
    rows: int | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [name for name, _ in self.columns]


def plan_ingest(target: Target, generation: Generation, run: Run, progress: Progress) -> Plan:
    """Check the landing files of a generation, and plan the SELECT over them. Leaves a temporary table for it."""
    source = target.dataset.source
    if source is None:
        raise DapflowError("manifest", f"{target.dataset.id} has neither a source nor a transform")
    files = landing_files(target, generation)
    progress(f"{target.dataset.id} {generation}: {len(files)} landing files")
    known = _known_columns(target, source)
    landed = _look(target, source, generation, files, known)
    identity = [part for each in files for part in (each.uri, each.etag)]
    # Attempts share the table as they share their queries, so its name says all that it is made of.
    base = digest(target.dataset.id, generation.key, run.key, *identity, json.dumps(landed.storage, sort_keys=True))
    table = temporary_name(target.dataset, "landing", base)
    create_landing_table(target, table, landed.storage, header_lines=1 if source.format == "csv" else 0)
    try:
        return _checked_plan(_Ingest(target, source, landed, table, base, run.attempt, progress), known, identity)
    except (DapflowError, KeyboardInterrupt):
        if run.alone:
            target.drop((table,))
        raise


@dataclass(frozen=True)
class _Ingest:
    target: Target
    source: Source
    landed: Landed
    table: str
    base: str
    attempt: int
    progress: Progress

    @property
    def null(self) -> str | None:
        """The text that stands for NULL. JSON has a NULL of its own, and may be given a text as well."""
        return self.source.null if self.source.format == "csv" or self.source.null else None

    def run(self, statement: str, name: str) -> Execution:
        """Run a check, or take up the one that an earlier attempt ran."""
        athena = self.target.athena
        for index in range(self.attempt):
            query_id = athena.start(
                statement, self.target.place.database, digest(self.base, name, statement, str(index))
            )
            try:
                execution = athena.wait(query_id)
            except KeyboardInterrupt:
                athena.stop(query_id)
                raise
            if execution.state == "SUCCEEDED" or index == self.attempt - 1:
                return self._read(execution)
        raise AssertionError

    def _read(self, execution: Execution) -> Execution:
        try:
            return succeeded(execution)
        except QueryError as error:
            if self.source.format == "json" and (found := malformed_json(self.target, self.landed.files)):
                raise found from error
            raise type(error)(
                error.code,
                f"Athena could not read the landing files: {error.message}",
                file=self.landed.files[0].uri.rpartition("/")[0] + "/",
            ) from error


def _checked_plan(ingest: _Ingest, known: list[SourceColumn] | None, identity: Sequence[str]) -> Plan:
    target, landed = ingest.target, ingest.landed
    columns, scanned = _typed_columns(ingest, known)
    types = dict(landed.columns)
    conversions = [conversion(each, ingest.null, types[each.name]) for each in columns]
    reading = Reading(ingest.table, ingest.source, landed.names, conversions)
    rows = landed.rows
    if rows is None or any(each.raw != each.typed for each in conversions):
        ingest.progress(f"{target.dataset.id}: checking the landing files")
        checked = ingest.run(validation_query(reading, target.place.database), "validate")
        rows = judge(target, reading, target.athena.rows(checked.id), landed.files)
        scanned += checked.bytes_scanned
    elif rows == 0:
        judge(target, reading, iter(()), landed.files)
    comments = {each.name: each.comment for each in columns}
    return Plan(
        sql=reading.select(target.place.database, [each.name for each in conversions]),
        database=target.place.database,
        identity=identity,
        columns=tuple(Column(each.name, each.type, comments[each.name]) for each in conversions),
        temporary=(ingest.table,),
        bytes_scanned=scanned,
        expected_rows=rows,
    )


def _known_columns(target: Target, source: Source) -> list[SourceColumn] | None:
    """The columns of service.yml, or those that an earlier load found, or None before the first load."""
    if source.columns is not None:
        return list(source.columns)
    columns = published_columns(target.catalog, target.place)
    if columns is None:
        return None
    return [SourceColumn(each.name, each.type, each.comment) for each in columns]


def _typed_columns(ingest: _Ingest, known: list[SourceColumn] | None) -> tuple[list[SourceColumn], int]:
    """All columns with their types, those that are new to an inferred table last; the bytes read to find out."""
    have = {each.name for each in known or ()}
    new = [(name, kind) for name, kind in ingest.landed.columns if name not in have]
    if not new:
        return list(known or ()), 0
    if ingest.source.format == "parquet":
        return [*(known or ()), *(SourceColumn(name, kind) for name, kind in new)], 0
    names = [name for name, _ in new]
    ingest.progress(f"{ingest.target.dataset.id}: finding the types of {len(names)} columns")
    query = inference_query(ingest.target.place.database, ingest.table, names, ingest.null)
    execution = ingest.run(query, "infer")
    row = next(iter(ingest.target.athena.rows(execution.id)))
    return [*(known or ()), *inferred(names, row)], execution.bytes_scanned


def _look(
    target: Target, source: Source, generation: Generation, files: list[Object], known: list[SourceColumn] | None
) -> Landed:
    location = target.place.landed(generation)
    wanted = [column.name for column in known] if known is not None else None
    declared = source.columns is not None
    if source.format == "csv":
        names = _csv_names(target, source, files, wanted, declared=declared)
        storage = csv_storage(source, names, location)
        return Landed(tuple(files), tuple((name, "string") for name in names), storage)
    if source.format == "json":
        keys = _json_keys(target, files, wanted, declared=declared)
        storage = json_storage(keys, location)
        return Landed(tuple(files), tuple((name, "string") for name in keys), storage)
    columns, rows = _parquet_columns(target, files, wanted, declared=declared)
    storage = parquet_storage([Column(name, kind) for name, kind in columns], location)
    return Landed(tuple(files), columns, storage, rows)


def _csv_names(
    target: Target, source: Source, files: list[Object], wanted: list[str] | None, *, declared: bool
) -> list[str]:
    """The columns in the order of the header, which decides; all files must have the same."""
    order: list[str] = []
    for item in files:
        names = header(item, sample_text(target.s3, item), source.delimiter)
        if wanted is not None:
            check_names(item, names, wanted if declared else [*wanted, *names], exact=True)
        if order and names != order:
            raise DapflowError(
                "landing-header",
                f"the columns come in another order than in {files[0].name}",
                file=item.uri,
                line=1,
                hint="Athena reads all files of a generation by one header; land them with the same",
            )
        order = names
    return order


def _json_keys(target: Target, files: list[Object], wanted: list[str] | None, *, declared: bool) -> dict[str, str]:
    """Column names to the keys in the files, found in the beginning of each file."""
    keys: dict[str, str] = {name: name for name in wanted or ()}
    for item in files:
        text = sample_text(target.s3, item)
        if text.startswith("\ufeff"):
            raise DapflowError(
                "landing-encoding", "the file begins with a byte order mark, which no JSON may", file=item.uri, line=1
            )
        found: dict[str, str] = {}
        for number, line in enumerate(text.split("\n")[: None if text.endswith("\n") else -1] or [text], 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise DapflowError(
                    "landing-json", f"the line is not JSON: {error}", file=item.uri, line=number, source=line[:200]
                ) from error
            if not isinstance(value, dict):
                raise DapflowError(
                    "landing-json", "the line is not a JSON object", file=item.uri, line=number, source=line[:200]
                )
            found |= {column_name(key): key for key in value}
        if wanted is not None and found:
            check_names(item, list(found), wanted if declared else [*wanted, *found], exact=False, line=None)
        keys |= found
    return keys


def _parquet_columns(
    target: Target, files: list[Object], wanted: list[str] | None, *, declared: bool
) -> tuple[tuple[tuple[str, str], ...], int]:
    """Columns and rows from the files' footers; all files must have the same columns."""
    columns: tuple[tuple[str, str], ...] = ()
    rows = 0
    for item in files:
        footer = footer_of(target.s3, item)
        rows += footer.rows
        names = [name for name, _ in footer.columns]
        if wanted is not None:
            check_names(item, names, wanted if declared else [*wanted, *names], exact=True, line=None)
        if columns and dict(footer.columns) != dict(columns):
            changed = ", ".join(sorted(name for name, _ in set(columns) ^ set(footer.columns)))
            raise DapflowError(
                "landing-header", f"the columns differ from those of {files[0].name}: {changed}", file=item.uri
            )
        columns = footer.columns
    return columns, rows
