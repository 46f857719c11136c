"""What the rows of a generation follow from, as one hash: equal hashes, equal rows, in whatever environment.

docs/decisions/taking-over.md says what is in it, and why that is enough.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from dapflow.manifest import Dataset, Manifest
from dapflow.runtime import glue_parameters
from dapflow.runtime.attempts import unload_statement
from dapflow.runtime.catalog import Partition
from dapflow.runtime.describe import Described
from dapflow.runtime.generation import Generation
from dapflow.runtime.input_look import InputLook
from dapflow.runtime.reading import Inputs

# Counts up whenever the run time makes something else of the same text and inputs.
_RULES = 1


class UnprovenError(Exception):
    """Nobody can say what the rows follow from; its text says why."""


def proof_of(
    dataset: Dataset, manifest: Manifest, generation: Generation, inputs: Inputs, output: Described, engine: str
) -> str:
    """The hash, 64 hexadecimal digits.

    ``output`` are the columns as Athena describes them, ``engine`` is its version. Raises UnprovenError.
    """
    transform = dataset.transform
    if transform is None or transform.unsteady is None:
        raise UnprovenError("nobody has looked whether its text gives the same rows each time")
    if transform.unsteady:
        raise UnprovenError(f"its text gives other rows each time: {', '.join(transform.unsteady)}")
    if inputs.limits:
        raise UnprovenError(f"it was built of a part of its inputs: {', '.join(inputs.limits)}")
    if not engine:
        raise UnprovenError("the version of Athena is not known")
    made_of = {
        "rules": _RULES,
        "engine": engine,
        "files": unload_statement("", ""),
        "dataset": _described(dataset),
        "generation": generation.key,
        # As the file has it, which is the same in every environment; and what each name of a table in it means.
        "text": transform.sql,
        "references": [vars(named) for named in transform.references],
        "database": manifest.services[dataset.service].database,
        "inputs": [_input(look, read.generation) for look, read in zip(inputs.looks, inputs.read, strict=True)],
        "columns": [[column.name, column.type] for column in output.columns],
        "generation types": [*output.generation_types],
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def origin_of(partition: Partition) -> str:
    """The run whose query made the rows of a partition; empty where no run of dapflow's has published it."""
    return partition.parameters.get(glue_parameters.ORIGIN) or partition.parameters.get(glue_parameters.RUN_ID, "")


def _input(look: InputLook, generation: str) -> list[Any]:
    dataset = look.read
    if not dataset.has_generations:
        raise UnprovenError(f"{dataset.id} has no generations, and nobody knows what it held")
    read: Sequence[Partition] = look.partitions
    made_here = sorted([*partition.values, origin_of(partition)] for partition in read)
    if not all(made[-1] for made in made_here):
        raise UnprovenError(f"{dataset.id} was not published by dapflow, and nobody knows what it held")
    return [_described(dataset), generation, made_here, look.columns()]


def _described(dataset: Dataset) -> list[Any]:
    """A dataset as the project knows it, as far as a text that reads it depends on that."""
    names = dataset.database, dataset.history, dataset.current
    return [dataset.id, *names, [*dataset.generation.partition_names], dataset.external]
