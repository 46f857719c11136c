"""From a transform to what is staged: its text for this run, and the columns that it puts out."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Column, Manifest, Transform
from dapflow.runtime.athena import AthenaQueryError
from dapflow.runtime.aws import PassingError
from dapflow.runtime.describe import Described, described, output_columns
from dapflow.runtime.generation import Generation
from dapflow.runtime.inputs import read_inputs
from dapflow.runtime.pinning import pinned_sql
from dapflow.runtime.publication import Plan
from dapflow.runtime.target import Target

# UNLOAD and CREATE VIEW put one line before the transform's text.
LINES_BEFORE = 1


def plan_transform(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    generation: Generation,
    attempt: int,
    progress: Callable[[str], None],
) -> Plan:
    """The text of a transform for a generation."""
    transform = target.dataset.transform
    assert transform is not None  # noqa: S101 (the caller chose by it)
    inputs = read_inputs(target.catalog, manifest, environment, target.dataset, generation, transform.references)
    for note in inputs.notes:
        progress(note)
    sql = pinned_sql(transform, manifest, environment, inputs.pins)
    return Plan(
        sql=sql,
        database=target.database,
        identity=inputs.identity(attempt),
        exact=sql == transform.sql,
        inputs=inputs.read,
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
        raise in_file(error, target.dataset.transform, exact=plan.exact) from error
    except PassingError:
        raise
    except DapflowError as error:
        raise DapflowError(error.code, error.message, file=target.file, hint=error.hint) from error
    found = described(output, target.dataset.generation, target.file)
    transform = target.dataset.transform
    comments = transform.comments if transform else {}
    columns = tuple(Column(each.name, each.type, comments.get(each.name)) for each in found.columns)
    return Described(columns, found.generation_types)


def in_file(error: AthenaQueryError, transform: Transform | None, *, exact: bool) -> AthenaQueryError:
    """The same error with the place in the transform's file; without a line where the text was changed for the run."""
    if transform is None:
        return error
    line = error.line - LINES_BEFORE if error.line else None
    source = None
    if not exact or line is None or line < 1:
        line = None
    else:
        lines = transform.sql.splitlines()
        source = lines[line - 1] if line <= len(lines) else None
    return type(error)(
        error.code,
        error.message,
        file=transform.file,
        line=line,
        column=error.column if line else None,
        hint=error.hint or _hint(error, transform, exact=exact),
        source=source,
    )


def _hint(error: AthenaQueryError, transform: Transform, *, exact: bool) -> str | None:
    """What helps where the platform has to do with what Athena does not find."""
    name = transform.file.rpartition("/")[2].removesuffix(".sql")
    if "COLUMN_NOT_FOUND" in error.message and not exact:
        return (
            f"`dapflow show {name} --generation D` prints what was sent: where a table is read as of a generation, "
            'columns such as "$path" are not there, and what qualifies a column is the table or its alias, no database'
        )
    if "TABLE_NOT_FOUND" in error.message and f".{name}_history'" in error.message:
        return f"{name} has no history before its first generation: publish one by a text that does not read it"
    return None
