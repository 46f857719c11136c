"""The order in which datasets can be looked at, several at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from dapflow.manifest import Dataset


def levels(datasets: Iterable[Dataset]) -> Iterable[list[Dataset]]:
    """Datasets that come after what they read, as lists of such as do not read each other, in order."""
    of_level: defaultdict[int, list[Dataset]] = defaultdict(list)
    level_of: dict[str, int] = {}
    for dataset in datasets:
        level = 1 + max([level_of[read] for read in dataset.depends_on if read in level_of], default=-1)
        level_of[dataset.id] = level
        of_level[level].append(dataset)
    return of_level.values()
