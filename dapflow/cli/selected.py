"""Which datasets the first word of ``dapflow run`` and ``dapflow backfill`` means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError, DapflowErrors

if TYPE_CHECKING:
    from dapflow.manifest import Dataset, Manifest


def selected_datasets(manifest: Manifest, root: Path, name: str, errors: Sequence[DapflowError] = ()) -> list[Dataset]:
    """A transform, a raw table, or all that a service publishes, in publishing order.

    ``errors`` are the mistakes of the project, one of which may be why nothing is known by this name. Raises
    DapflowError ``unknown-name``, ``unknown-transform`` or ``no-generations``.
    """
    from dapflow.local.selection import service_datasets, unknown  # noqa: PLC0415
    from dapflow.project import find_transform  # noqa: PLC0415

    if (datasets := service_datasets(manifest, name)) is not None:
        return datasets
    if name in manifest.datasets:
        if not manifest.datasets[name].has_generations:
            raise DapflowError(
                "no-generations",
                f"{name} has no generations: something else makes it, and every run reads it as it is",
                hint="run a transform that reads it",
            )
        return [manifest.datasets[name]]
    try:
        return [find_transform(manifest, root, name)]
    except DapflowError as error:
        if errors:  # it may be known by no name because it cannot be read
            raise DapflowErrors(list(errors)) from None
        if error.code == "unknown-transform" and not name.endswith(".sql"):
            raise unknown(manifest, name) from None
        raise
