"""From a transform to what is staged: its text for this run, and the columns that it puts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Column, Manifest, Transform
from dapflow.runtime.athena import AthenaQueryError
from dapflow.runtime.aws import PassingError
from dapflow.runtime.damage import check_undamaged
from dapflow.runtime.describe import Described, described, output_columns
from dapflow.runtime.generation import Generation
from dapflow.runtime.limit import InputLimit
from dapflow.runtime.pinning import pinning_edits
from dapflow.runtime.publication import Plan
from dapflow.runtime.query_remedies import query_remedy, without_place
from dapflow.runtime.reading import Reading
from dapflow.runtime.target import Target
from dapflow.runtime.text_edits import Edit, edited, place_before

# UNLOAD and CREATE VIEW put one line before the transform's text.
LINES_BEFORE = 1


def plan_transform(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    generation: Generation,
    attempt: int,
    limit: InputLimit,
    progress: Callable[[str], None],
) -> Plan:
    """The text of a transform for a generation, which reads what the limit lets it read."""
    transform = target.dataset.transform
    assert transform is not None  # noqa: S101 (the caller chose by it)
    references = transform.references
    inputs = Reading(target.catalog, manifest, environment, target.dataset, generation, references, limit).inputs()
    check_undamaged(target.s3, inputs.partitions)
    for note in inputs.notes:
        progress(note)
    edits = tuple(pinning_edits(references, manifest, environment, inputs.pins))
    return Plan(
        sql=edited(transform.sql, edits),
        database=target.database,
        identity=inputs.identity(attempt),
        edits=edits,
        inputs=inputs,
    )


def output_of(target: Target, plan: Plan, view: str) -> Described:
    """The output columns of a plan, with the descriptions that were written for them. ``view`` is a free name."""
    if plan.columns is not None:
        return Described(plan.columns, ())
    try:
        output = output_columns(
            target.athena,
            target.catalog,
            plan.sql,
            view=view,
            database=target.place.database,
            session_database=plan.database,
        )
    except AthenaQueryError as error:
        transform = target.dataset.transform
        raise in_file(error, transform, plan.edits, sha=transform.sha if transform else "") from error
    except PassingError:
        raise
    except DapflowError as error:
        raise DapflowError(error.code, error.message, file=target.file, hint=error.hint) from error
    parted = described(output, target.dataset.generation, target.file)
    transform = target.dataset.transform
    comments = transform.comments if transform else {}
    columns = tuple(Column(column.name, column.type, comments.get(column.name)) for column in parted.columns)
    return Described(columns, parted.generation_types)


def in_file(
    error: AthenaQueryError, transform: Transform | None, edits: Sequence[Edit], *, sha: str
) -> AthenaQueryError:
    """The same error with the place in the transform's file, and with what helps.

    ``edits`` are what was replaced in the text with the hash ``sha``; where the file has another text by now, its line
    is unknown.
    """
    if transform is None:
        return error
    place = None
    if error.line and error.column and sha == transform.sha:
        place = place_before(transform.sql, edits, error.line - LINES_BEFORE, error.column)
    line, column = place or (None, None)
    return type(error)(
        error.code,
        # Where Athena found it in what was sent says nothing to who looks into the file.
        without_place(error.message) if place else error.message,
        file=transform.file,
        line=line,
        column=column,
        hint=error.hint or _hint(error, transform, edits),
        source=transform.sql.split("\n")[line - 1] if line else None,
    )


def _hint(error: AthenaQueryError, transform: Transform, edits: Sequence[Edit]) -> str | None:
    """What helps; first where the platform has to do with what Athena does not find."""
    name = transform.file.rpartition("/")[2].removesuffix(".sql")
    if "COLUMN_NOT_FOUND" in error.message and edits:
        return (
            f"`dapflow show {name} --generation D` prints what was sent: where a table is read as of a generation, "
            'columns such as "$path" are not there, and what qualifies a column is the table or its alias, no database'
        )
    if "TABLE_NOT_FOUND" in error.message and f".{name}_history'" in error.message:
        return f"{name} has no history before its first generation: publish one by a text that does not read it"
    return query_remedy(error.message) or f"`dapflow show {name} --generation D` prints what was sent"
