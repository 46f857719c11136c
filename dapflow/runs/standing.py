"""How each dataset stands: which generation its readers see, and what became of its last run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dapflow.manifest import Dataset
from dapflow.publications.published import Publications
from dapflow.runs.recent import runs_of
from dapflow.runtime.generation import Generation

_AT_ONCE = 8


@dataclass(frozen=True)
class DatasetStanding:
    """``shown`` is the generation that the current view shows; ``last_run`` what became of the newest run, or empty."""

    shown: Generation | None
    last_run: str


def standings(publications: Publications, datasets: Sequence[Dataset]) -> dict[str, DatasetStanding]:
    """How datasets stand, by their ids. Raises DapflowError ``aws`` where AWS refuses."""
    with ThreadPoolExecutor(_AT_ONCE) as asked:
        standing = asked.map(lambda dataset: _standing(publications, dataset), datasets)
        return {dataset.id: known for dataset, known in zip(datasets, standing, strict=True)}


def _standing(publications: Publications, dataset: Dataset) -> DatasetStanding:
    shown = publications.shown(dataset.id)
    if dataset.external:
        return DatasetStanding(shown, "")
    newest = runs_of(publications, dataset, most=1)
    return DatasetStanding(shown, newest[0].outcome if newest else "")
