"""Whether a product was published from what it would read today."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest, Transform
from dapflow.publications.published import Publications
from dapflow.runtime.inputs import inputs_record
from dapflow.runtime.publication import Publication
from dapflow.runtime.reading import Reading


def is_of_todays_inputs(
    publications: Publications, manifest: Manifest, dataset: Dataset, transform: Transform, publication: Publication
) -> bool:
    """Whether a run of the same generation would read the same runs of its inputs; not where it would fail."""
    catalog, environment = publications.catalog_of(dataset.id), publications.environment
    day = publication.generation
    try:
        inputs = Reading(catalog, manifest, environment, dataset, day, transform.references).inputs()
    except DapflowError:
        return False  # the run says what is wrong with them
    return inputs_record(inputs.read) == inputs_record(publication.inputs)
