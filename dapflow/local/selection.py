"""Which datasets a word of the command line means, and for which generation they are wanted."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime.catalog import Catalog
from dapflow.runtime.generation import Generation, newest
from dapflow.runtime.objects import list_folders
from dapflow.runtime.place import Place

if TYPE_CHECKING:
    from dapflow.runtime.aws import Clients


def service_datasets(manifest: Manifest, name: str) -> list[Dataset] | None:
    """The datasets of a service in publishing order; None when no service has that name."""
    service = manifest.services.get(name)
    return None if service is None else [manifest.datasets[dataset] for dataset in service.datasets]


def unknown(manifest: Manifest, name: str) -> DapflowError:
    """The error for a name that is neither a service nor a dataset."""
    known = [*manifest.services, *manifest.datasets]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"services: {', '.join(manifest.services)}"
    return DapflowError("unknown-name", f"there is no service, transform or raw table {name!r}", hint=hint)


def newest_generation(
    datasets: list[Dataset], environment: Environment, manifest: Manifest, clients: Clients
) -> Generation:
    """The newest that landed for the raw tables among ``datasets``; without any, the newest of what they read.

    Never today's date. Raises DapflowError ``nothing-landed``.
    """
    landed = [
        day for dataset in datasets if dataset.source is not None for day in _landed(dataset, environment, clients)
    ]
    found = newest(landed)
    if found is None:
        read = {read for dataset in datasets for read in dataset.depends_on}
        found = newest(day for name in read for day in _published(manifest.datasets[name], environment, clients))
    if found is None:
        found = newest(day for each in datasets if each.external for day in _published(each, environment, clients))
    if found is None:
        service = datasets[0].service
        raise DapflowError(
            "nothing-landed",
            f"no generation has landed for {service}, and what it reads has none",
            hint=f"land files below {environment.zones['landing']}{service}/<table>/<date>/, run what it reads, "
            "or see dapflow demo",
        )
    return found


def comes_less_often(manifest: Manifest, dataset: Dataset) -> bool:
    """Whether all that reads a dataset takes an older generation of it: a run without a new one is no mistake."""
    readers = [each.transform for each in manifest.datasets.values() if dataset.id in each.depends_on]
    return bool(readers) and all(each is not None and dataset.id in each.slower_inputs for each in readers)


def _landed(dataset: Dataset, environment: Environment, clients: Clients) -> list[Generation]:
    found = []
    for folder in list_folders(clients.s3, Place.of(dataset, environment).landing):
        try:
            found.append(Generation.parse(folder))
        except DapflowError:
            continue
    return found


def _published(dataset: Dataset, environment: Environment, clients: Clients) -> list[Generation]:
    if not dataset.has_generations:
        return []
    place = Place.of(dataset, environment)
    partitions = Catalog(clients.glue).partitions(place.database, place.history)
    return [partition.generation for partition in partitions if partition.generation is not None]
