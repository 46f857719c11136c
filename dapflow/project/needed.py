"""What of a project must be without mistakes so that some of its datasets can be made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Dataset, Manifest
from dapflow.project.model import PRODUCT_ZONES


def check_needed(manifest: Manifest, errors: Sequence[DapflowError], datasets: Iterable[Dataset]) -> int:
    """How many mistakes there are, where none touches these datasets or what they need. Raises DapflowErrors else.

    A mistake in a product's own files is about this product. All others may be about anything.
    """
    needed: set[str] = set()
    waiting = [dataset.id for dataset in datasets]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += manifest.datasets[name].depends_on
    if any(_product(error.file) in {None, *needed} for error in errors):
        raise DapflowErrors(list(errors))
    return len(errors)


def _product(file: str | None) -> str | None:
    """The id of the product that a file is of; None for another file."""
    path = PurePosixPath(file or "")
    if len(path.parts) != 4 or path.parts[2] not in PRODUCT_ZONES:
        return None
    return ".".join((*path.parts[1:3], path.stem))
