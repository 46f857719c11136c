"""The generation columns that service.yml names."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.manifest import GenerationColumns
from dapflow.project.service_terms import GenerationTerms


def read_generation(terms: GenerationTerms | None, errors: list[DapflowError]) -> GenerationColumns:
    """The columns; those of the platform where nothing is said. Mistakes are added to ``errors``."""
    if terms is None:
        return GenerationColumns()
    columns = GenerationColumns(terms.prefix) if terms.prefix else GenerationColumns()
    extra: list[str] = []
    for column in terms.extra:
        if column.text in columns.names or column.text in extra:
            errors.append(column.place.error("bad-value", f"partition column {column.text!r} is there twice"))
        else:
            extra.append(column.text)
    return GenerationColumns(columns.prefix, tuple(extra))


def read_published_generation(terms: GenerationTerms | None, errors: list[DapflowError]) -> GenerationColumns:
    """Those of what the service publishes; see docs/decisions/one-moment.md for what they lack."""
    columns = read_generation(terms, errors)
    if terms is None or not columns.extra:
        return columns
    names = ", ".join(columns.extra)
    errors.append(
        terms.at["extra"].error(
            "extra-columns",
            f"generation_columns.extra names {names}: a dataset that dapflow publishes has no further partition "
            "columns, because several partitions do not change in one moment",
            f"leave extra out, so that {names} stays ordinary data; only tables under `external` may have it, in "
            "their `generations`",
        )
    )
    return GenerationColumns(columns.prefix)
