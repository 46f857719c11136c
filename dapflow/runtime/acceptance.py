"""What has to be accepted before a generation can be published: found by a look at it, as a run would look."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.attempts import Run
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.generation import Generation
from dapflow.runtime.limit import WHOLE
from dapflow.runtime.schema_comparison import SchemaChangedError, readers_named, schema_error
from dapflow.runtime.stage import fitting_output, known_history, plan_of
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import temporary_name


def pending_changes(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    generation: Generation,
    progress: Callable[[str], None],
) -> SchemaChangedError | None:
    """The changes of columns that would stop a run of a generation; None where none would.

    Nothing is staged and nothing is left. Raises DapflowError for what else would stop it.
    """
    run = Run(uuid.uuid4().hex, alone=True)
    try:
        with aws_errors(), readers_named(manifest, target.dataset):
            plan = plan_of(target, manifest, environment, generation, run, WHOLE, progress)
            try:
                view = temporary_name(target.dataset, "columns")
                fitting_output(target, plan, view, known_history(target), generation)
            finally:
                target.drop(plan.temporary, plan.temporary_prefixes)
    except DapflowError as error:
        if (schema := schema_error(error)) is not None:
            return schema
        raise
    return None
