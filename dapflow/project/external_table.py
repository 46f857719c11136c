"""The ``external`` tables of a service.yml: those that a Glue job, another platform or anything else makes."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.manifest import Column, GenerationColumns, Zone
from dapflow.project.file_position import PlacedText
from dapflow.project.generation_columns import read_generation
from dapflow.project.model import ExternalTable, TableNames
from dapflow.project.service_terms import ExternalTerms, GenerationTerms
from dapflow.project.source_table import read_type


def read_external(
    zone: Zone, name: PlacedText, terms: ExternalTerms, service: GenerationColumns, errors: list[DapflowError]
) -> ExternalTable:
    """An external table. Mistakes are added to ``errors``. ``service`` are the service's generation columns."""
    where = f"external table {name.text!r}"
    generation = None
    if isinstance(terms.generations, GenerationTerms):
        generation = read_generation(terms.generations, errors)
    elif terms.generations:
        generation = service
    if generation is None and "history" in terms.at:
        errors.append(
            terms.at["history"].error(
                "bad-value",
                f"{where} has a history, but no generations",
                "add generations: true, or name its one table with current:",
            )
        )
    return ExternalTable(
        name=name.text,
        zone=zone,
        place=name.place,
        generation=generation,
        columns=_columns(where, terms, generation, errors),
        description=terms.description,
        names=TableNames(terms.current, terms.history),
    )


def _columns(
    where: str, terms: ExternalTerms, generation: GenerationColumns | None, errors: list[DapflowError]
) -> tuple[Column, ...] | None:
    columns, reserved = [], generation.partition_names if generation else ()
    for name, column in (terms.columns or {}).items():
        if name.text in reserved:
            message = f"column {name.text!r} is a partition column of {where}"
            hint = "leave it out: the history's partition columns are known"
            errors.append(name.place.error("reserved-column", message, hint))
        elif (column_type := read_type(name, column.type, errors)) is not None:
            columns.append(Column(name.text, column_type, column.description))
    return tuple(columns) or None
