"""Whether a product was published from what it would read today."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest, Transform
from dapflow.publications.published import Publications
from dapflow.runtime.inputs import inputs_record
from dapflow.runtime.limit import WHOLE, InputLimit
from dapflow.runtime.publication import Publication
from dapflow.runtime.reading import Reading


def is_of_todays_inputs(
    publications: Publications,
    manifest: Manifest,
    dataset: Dataset,
    transform: Transform,
    publication: Publication,
    limit: InputLimit | None = None,
) -> bool:
    """Whether a run of the same generation would read the same runs of its inputs; not where it would fail.

    With a ``limit``, also whether by it the run would read the same part of them.
    """
    catalog, environment = publications.catalog_of(dataset.id), publications.environment
    day = publication.generation
    try:
        reading = Reading(catalog, manifest, environment, dataset, day, transform.references, limit or WHOLE)
        inputs = reading.inputs()
    except DapflowError:
        return False  # the run says what is wrong with them
    same_part = limit is None or inputs.limits == publication.limits
    return same_part and inputs_record(inputs.read) == inputs_record(publication.inputs)
