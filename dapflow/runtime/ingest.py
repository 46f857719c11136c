"""From landing files to what is staged: looked at first, then read and typed by Athena through a temporary table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Column, LandingSource, SourceColumn
from dapflow.runtime.accepted_changes import AcceptedChanges
from dapflow.runtime.athena import AthenaQueryError, QueryExecution, succeeded
from dapflow.runtime.attempts import Run, digest, taken_up
from dapflow.runtime.conversion import Conversion
from dapflow.runtime.formats.registry import format_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import dispensable_columns, published_table
from dapflow.runtime.inference import inference_query, inferred
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.landing.landed import Landed
from dapflow.runtime.landing.landing_files import content_of, identity_of, landing_files
from dapflow.runtime.landing.landing_table import create_landing_table
from dapflow.runtime.landing_columns import KnownColumns, conversions_of
from dapflow.runtime.parquet_footer import table_type
from dapflow.runtime.publication import Plan
from dapflow.runtime.schema_comparison import breaking_changes, schema_changed
from dapflow.runtime.statement_parts import parts_that_fit
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import temporary_name
from dapflow.runtime.validation import LandingTable, judge, misfits, validation_query

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
    progress(f"{target.dataset.id} {generation}: looking at {len(files)} landing file{'' if len(files) == 1 else 's'}")
    known = _known_columns(target, source)
    landing = identity_of(files)
    # Attempts share table and files as they share their queries, so the names say all that these are made of.
    base = digest(target.dataset.id, generation.key, run.key, landing, repr(source), repr(known))
    table = temporary_name(target.dataset, "landing", base)
    converted = f"{target.place.prefix}converted/{base[:16]}/"
    target.journal.write(table, locations=[converted], tables=[table])
    try:
        inspection = Inspection(target, source, generation, files, known.source, converted, progress)
        landed = format_of(source).inspect(inspection)
        _check_rows(landed, source, known.source)
        progress(f"{target.dataset.id} {generation}: {_files_and_rows(landed)}")
        create_landing_table(target, table, landed.storage, header_lines=landed.header_lines)
        ingest = _Ingest(target, source, landed, table, base, run.attempt, generation, progress)
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
    named = [f"{file.name} ({landed.rows[file.uri]} rows)" for file in landed.files[:_MOST_NAMED]]
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
    generation: Generation
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


def _known_columns(target: Target, source: LandingSource) -> KnownColumns:
    """What is known before the load. Where service.yml names the columns, the table counts for what was accepted."""
    place = target.place
    table = target.catalog.table(place.database, place.history)
    if source.columns is not None and not AcceptedChanges.of(table).entries:
        table = None
    there = table is not None and target.catalog.has_partitions(place.database, place.history)
    return KnownColumns.of(source, table if there else None)


def _checked_plan(ingest: _Ingest, known: KnownColumns, landing: str) -> Plan:
    target, source, landed = ingest.target, ingest.source, ingest.landed
    columns, scanned = _typed_columns(ingest, known, known.in_files(landed, source))
    conversions = conversions_of(columns, known, landed, source)
    reading = LandingTable(ingest.table, source, landed, conversions.made)
    rows: list[dict[str, str | None]] = []
    if landed.total and reading.checked:
        ingest.progress(f"{target.dataset.id}: checking the values")
        rows, read = _validated(ingest, reading)
        scanned += read
    unfit = misfits(reading, rows) | set(conversions.refused)
    dispensable = conversions.dispensable(unfit)
    try:
        for number in sorted(set(conversions.refused) - dispensable):
            raise conversions.refused[number]
        if rows:
            judge(target, reading, rows, dispensable)
    except DapflowError as error:
        wrong = [conversions.made[number] for number in sorted(unfit - dispensable)]
        if known.declared or not known.table or not wrong:
            raise
        raise _changed(ingest, known, columns, _types_now(ingest, wrong), error) from None
    made = conversions.without(unfit)
    reading = LandingTable(ingest.table, source, landed, made)
    comments = {column.name: column.comment for column in columns}
    return Plan(
        sql=reading.select(target.place.database, [conversion.name for conversion in made]),
        database=target.place.database,
        identity=[landing],
        columns=tuple(Column(conversion.name, conversion.type, comments[conversion.heading]) for conversion in made),
        temporary=(ingest.table,),
        temporary_prefixes=(landed.converted,) if landed.converted else (),
        bytes_scanned=scanned,
        expected_rows=landed.total,
        landing=landing,
        landed=content_of(landed.files),
    )


def _validated(ingest: _Ingest, reading: LandingTable) -> tuple[list[dict[str, str | None]], int]:
    """What the queries for values that do not fit say, by file; and the bytes that they read."""
    target, scanned = ingest.target, 0
    rows: dict[str | None, dict[str, str | None]] = {}

    def query(part: Sequence[tuple[int, Conversion]]) -> str:
        return validation_query(reading, target.place.database, part)

    for part in parts_that_fit(reading.checked, query):
        checked = ingest.run(query(part), "validate")
        scanned += checked.bytes_scanned
        for row in target.athena.rows(checked.id):
            rows.setdefault(row["file"], {}).update(row)
    return list(rows.values()), scanned


def _changed(
    ingest: _Ingest,
    known: KnownColumns,
    columns: Sequence[SourceColumn],
    types: Mapping[str, str],
    error: DapflowError,
) -> DapflowError:
    """The values that do not fit, and both schemas where these columns came with other ``types`` than the table's."""
    present = [made for column in columns for made in known.becoming(column)]
    now = [Column(made.name, types.get(made.name, made.type), made.comment) for made in present]
    target, dispensable = ingest.target, known.accepted.dispensable
    if (table := published_table(target.catalog, target.place)) is not None:
        dispensable = dispensable_columns(target.catalog, target.dataset, target.place, table, ingest.generation)
    breaking = breaking_changes(known.table, now, dispensable)
    if all(change.lost for change in breaking):
        return error
    schema = schema_changed(target.dataset, known.table, now, breaking, [str(change) for change in breaking])
    return DapflowErrors([*(error.errors if isinstance(error, DapflowErrors) else [error]), schema])


def _types_now(ingest: _Ingest, wrong: Sequence[Conversion]) -> dict[str, str]:
    """The types that columns would be found to have by the files of this load, by the names of the table's columns."""
    if format_of(ingest.source).is_typed:
        return {made.name: _file_type(ingest.landed, made.heading) for made in wrong}
    inferred, _ = _inferred(ingest, [made.heading for made in wrong])
    return {made.name: column.type for made, column in zip(wrong, inferred, strict=True)}


def _file_type(landed: Landed, column: str) -> str:
    return table_type(dict(landed.columns)[column])


def _typed_columns(
    ingest: _Ingest, known: KnownColumns, present: Sequence[SourceColumn]
) -> tuple[list[SourceColumn], int]:
    """All columns with their types, those that are new to an inferred table last; the bytes read to find out."""
    have = {column.name for column in present}
    new = [(name, kind) for name, kind in ingest.landed.columns if name not in have]
    if taken := [name for name, _ in new if name in known.accepted.successors]:
        raise DapflowError(
            "reserved-column",
            f"the files have {', '.join(taken)}, which the table has for values of another type of another column",
            file=ingest.landed.files[0].uri,
            hint="rename the column in the export",
        )
    if not new:
        return list(present), 0
    if format_of(ingest.source).is_typed:
        return [*present, *(SourceColumn(name, table_type(kind)) for name, kind in new)], 0
    ingest.progress(f"{ingest.target.dataset.id}: finding the types of {len(new)} columns")
    inferred, scanned = _inferred(ingest, [name for name, _ in new])
    return [*present, *inferred], scanned


def _inferred(ingest: _Ingest, names: Sequence[str]) -> tuple[list[SourceColumn], int]:
    """Columns of text with the types that their values speak for, and the bytes read to find out."""
    columns, scanned = [], 0

    def query(part: Sequence[str]) -> str:
        return inference_query(ingest.target.place.database, ingest.table, part, ingest.source.nulls)

    for part in parts_that_fit(names, query):
        execution = ingest.run(query(part), "infer")
        columns += inferred(part, next(iter(ingest.target.athena.rows(execution.id))))
        scanned += execution.bytes_scanned
    return columns, scanned
