"""Which datasets a word of the command line means, and for which generation they are wanted."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime.generation import Generation, newest

if TYPE_CHECKING:
    from dapflow.publications.published import Publications


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


def newest_generation(datasets: list[Dataset], publications: Publications) -> Generation:
    """The newest that landed for the raw tables among ``datasets``; without any, the newest that they read.

    What is among them counts where they read nothing else: it may have been made of an input of the day before.
    Never today's date. Raises DapflowError ``nothing-landed``.
    """
    read = {name for dataset in datasets for name in dataset.depends_on}
    of_others = read - {dataset.id for dataset in datasets}
    day = (
        newest(day for dataset in datasets if dataset.source is not None for day in publications.landed(dataset.id))
        or newest(day for name in of_others for day in publications.generations(name))
        or newest(day for name in read for day in publications.generations(name))
        or newest(day for dataset in datasets if dataset.external for day in publications.generations(dataset.id))
    )
    if day is None:
        service, landing = datasets[0].service, publications.environment.zones["landing"]
        raise DapflowError(
            "nothing-landed",
            f"no generation has landed for {service}, and what it reads has none",
            hint=f"land files below {landing}{service}/<table>/<date>/, run what it reads, or see dapflow demo",
        )
    return day


def comes_less_often(manifest: Manifest, dataset: Dataset) -> bool:
    """Whether all that reads a dataset takes an older generation of it: a run without a new one is no mistake."""
    readers = [reader.transform for reader in manifest.datasets.values() if dataset.id in reader.depends_on]
    return bool(readers) and all(
        transform is not None and dataset.id in transform.slower_inputs for transform in readers
    )
