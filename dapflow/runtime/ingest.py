"""From landing files to what is staged: looked at first, then read and typed by Athena through a temporary table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.manifest import Column, LandingSource, SourceColumn
from dapflow.runtime.athena import AthenaQueryError, QueryExecution, succeeded
from dapflow.runtime.attempts import Run, digest, taken_up
from dapflow.runtime.conversion import Conversion, conversion
from dapflow.runtime.formats.registry import format_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import published_columns
from dapflow.runtime.inference import inference_query, inferred
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.landing.landed import Landed
from dapflow.runtime.landing.landing_files import content_of, identity_of, landing_files
from dapflow.runtime.landing.landing_table import create_landing_table
from dapflow.runtime.parquet_footer import table_type
from dapflow.runtime.publication import Plan
from dapflow.runtime.statement_parts import parts_that_fit
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import temporary_name
from dapflow.runtime.validation import LandingTable, judge, validation_query

Progress = Callable[[str], None]
_MOST_NAMED = 10


def plan_ingest(target: Target, generation: Generation, run: Run, progress: Progress) -> Plan:
    """Check the landing files of a generation, and plan the SELECT over them.

    Leaves a temporary table for it, and converted files where Athena cannot read the landing files themselves.
    """
    source = target.dataset.source
    if source is None:
        raise DapflowError("manifest", f"{target.dataset.id} has neither a source nor a transform")
    files = landing_files(target, source, generation)
    progress(f"{target.dataset.id} {generation}: looking at {len(files)} landing files")
    known = _known_columns(target, source)
    landing = identity_of(files)
    # Attempts share table and files as they share their queries, so the names say all that these are made of.
    base = digest(target.dataset.id, generation.key, run.key, landing, repr(source), repr(known))
    table = temporary_name(target.dataset, "landing", base)
    converted = f"{target.place.prefix}converted/{base[:16]}/"
    target.journal.write(table, locations=[converted], tables=[table])
    try:
        landed = format_of(source).inspect(Inspection(target, source, generation, files, known, converted, progress))
        _check_rows(landed, source, known)
        progress(f"{target.dataset.id} {generation}: {_files_and_rows(landed)}")
        create_landing_table(target, table, landed.storage, header_lines=landed.header_lines)
        ingest = _Ingest(target, source, landed, table, base, run.attempt, progress)
        return _checked_plan(ingest, known, landing)
    except (DapflowError, KeyboardInterrupt):
        if run.alone:
            target.drop((table,), (converted,))
        raise


def _check_rows(landed: Landed, source: LandingSource, known: Sequence[SourceColumn] | None) -> None:
    folder = landed.files[0].uri.rpartition("/")[0] + "/"
    if landed.total and not landed.columns:
        raise DapflowError("landing-header", "the objects have no keys", file=folder, hint="land rows that have values")
    if landed.total or (source.allow_empty and known is not None):
        return
    raise DapflowError(
        "landing-no-rows",
        "the files have no rows",
        file=folder,
        hint="an empty first generation needs `columns` in service.yml, because types cannot be found"
        if source.allow_empty
        else "an empty snapshot would hide all of yesterday's rows; land one that has rows, or write "
        "allow_empty: true in service.yml where the table may be empty",
    )


def _files_and_rows(landed: Landed) -> str:
    """What is loaded together: a second file may be a correction of the first, and not a part of the snapshot."""
    named = [f"{each.name} ({landed.rows[each.uri]} rows)" for each in landed.files[:_MOST_NAMED]]
    further = f" and {len(landed.files) - _MOST_NAMED} more" if len(landed.files) > _MOST_NAMED else ""
    together = f"{len(landed.files)} files are loaded together: " if len(landed.files) > 1 else "loading "
    return together + ", ".join(named) + further


@dataclass(frozen=True)
class _Ingest:
    target: Target
    source: LandingSource
    landed: Landed
    table: str
    base: str
    attempt: int
    progress: Progress

    def run(self, statement: str, name: str) -> QueryExecution:
        """Run a check, or take up the one that an earlier attempt ran."""
        place = self.target.place.database
        try:
            return succeeded(taken_up(self.target, statement, place, self.attempt, self.base, name))
        except AthenaQueryError as error:
            raise type(error)(
                error.code,
                f"Athena could not read the landing files: {error.message}",
                file=self.landed.files[0].uri.rpartition("/")[0] + "/",
            ) from error


def _checked_plan(ingest: _Ingest, known: list[SourceColumn] | None, landing: str) -> Plan:
    target, source, landed = ingest.target, ingest.source, ingest.landed
    columns, scanned = _typed_columns(ingest, known)
    types = dict(landed.columns)
    conversions = [
        conversion(
            each,
            source.nulls,
            types[each.name],
            read_as=landed.read_as.get(each.name),
            inferred=source.columns is None and not format_of(source).is_typed,
        )
        for each in columns
    ]
    reading = LandingTable(ingest.table, source, landed, conversions)
    if landed.total and reading.checked:
        ingest.progress(f"{target.dataset.id}: checking the values")
        scanned += _check_values(ingest, reading)
    comments = {each.name: each.comment for each in columns}
    return Plan(
        sql=reading.select(target.place.database, [each.name for each in conversions]),
        database=target.place.database,
        identity=[landing],
        columns=tuple(Column(each.name, each.type, comments[each.name]) for each in conversions),
        temporary=(ingest.table,),
        temporary_prefixes=(landed.converted,) if landed.converted else (),
        bytes_scanned=scanned,
        expected_rows=landed.total,
        landing=landing,
        landed=content_of(landed.files),
    )


def _check_values(ingest: _Ingest, reading: LandingTable) -> int:
    """Raise DapflowError for values that do not fit; the bytes read to find out."""
    target, scanned = ingest.target, 0
    rows: dict[str | None, dict[str, str | None]] = {}

    def query(part: Sequence[tuple[int, Conversion]]) -> str:
        return validation_query(reading, target.place.database, part)

    for part in parts_that_fit(reading.checked, query):
        checked = ingest.run(query(part), "validate")
        scanned += checked.bytes_scanned
        for row in target.athena.rows(checked.id):
            rows.setdefault(row["file"], {}).update(row)
    judge(target, reading, rows.values())
    return scanned


def _known_columns(target: Target, source: LandingSource) -> list[SourceColumn] | None:
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
    if format_of(ingest.source).is_typed:
        return [*(known or ()), *(SourceColumn(name, table_type(kind)) for name, kind in new)], 0
    names = [name for name, _ in new]
    ingest.progress(f"{ingest.target.dataset.id}: finding the types of {len(names)} columns")
    columns, scanned = list(known or ()), 0

    def query(part: Sequence[str]) -> str:
        return inference_query(ingest.target.place.database, ingest.table, part, ingest.source.nulls)

    for part in parts_that_fit(names, query):
        execution = ingest.run(query(part), "infer")
        columns += inferred(part, next(iter(ingest.target.athena.rows(execution.id))))
        scanned += execution.bytes_scanned
    return columns, scanned
