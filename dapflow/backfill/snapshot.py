"""What is published and what has landed, as one look found it."""

from __future__ import annotations

from functools import cached_property

from dapflow.manifest import Manifest
from dapflow.publications.published import Publications, PublishedGeneration
from dapflow.runtime.generation import Generation


class Snapshot:
    """Asks of each dataset once. Raises what ``Publications`` does."""

    def __init__(self, publications: Publications) -> None:
        self.publications = publications
        self._generations: dict[str, frozenset[Generation]] = {}
        self._landed: dict[str, frozenset[Generation]] = {}
        self._published: dict[str, dict[Generation, PublishedGeneration]] = {}

    @cached_property
    def manifest(self) -> Manifest:
        """The project that was looked at."""
        return self.publications.manifest

    def generations(self, dataset_id: str) -> frozenset[Generation]:
        """The generations that a dataset has, whoever made them."""
        if dataset_id not in self._generations:
            self._generations[dataset_id] = frozenset(self.publications.generations(dataset_id))
        return self._generations[dataset_id]

    def published(self, dataset_id: str) -> dict[Generation, PublishedGeneration]:
        """Those that dapflow has made, with what is noted of them."""
        if dataset_id not in self._published:
            self._published[dataset_id] = self.publications.of(dataset_id)
        return self._published[dataset_id]

    def landed(self, dataset_id: str) -> frozenset[Generation]:
        """The generations for which files of a raw table have landed; none of what is no raw table."""
        if self.manifest.dataset(dataset_id).source is None:
            return frozenset()
        if dataset_id not in self._landed:
            self._landed[dataset_id] = frozenset(self.publications.landed(dataset_id))
        return self._landed[dataset_id]
