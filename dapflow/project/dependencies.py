"""What datasets read of each other, as trees and as a graph, from the compiled project."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dapflow.manifest import Manifest


@dataclass(frozen=True)
class Dependencies:
    """All that a dataset is made of and all that is made of it; of the whole project where no dataset is named.

    A transform reads by its text and by its checks. What it reads of its own history is no dependency.
    """

    manifest: Manifest
    dataset: str | None = None

    def inputs(self, dataset: str) -> list[str]:
        """The datasets that one reads itself, by name."""
        return sorted(set(self.manifest.dataset(dataset).depends_on) - {dataset})

    def readers(self, dataset: str) -> list[str]:
        """The datasets that read one themselves, by name."""
        return self._readers.get(dataset, [])

    @cached_property
    def upstream(self) -> list[str]:
        """All that the dataset is made of, in publishing order."""
        return self._reached(self.inputs)

    @cached_property
    def downstream(self) -> list[str]:
        """All that is made of the dataset, in publishing order."""
        return self._reached(self.readers)

    @cached_property
    def shown(self) -> list[str]:
        """The datasets of the graph, in publishing order."""
        if self.dataset is None:
            return list(self.manifest.datasets)
        held = {self.dataset, *self.upstream, *self.downstream}
        return [name for name in self.manifest.datasets if name in held]

    @cached_property
    def edges(self) -> list[tuple[str, str]]:
        """What is read and by whom, among the datasets of the graph on one side of the one that was asked for."""
        above, below = set(self.upstream), set(self.downstream)
        return [
            (read, reader)
            for reader in self.shown
            for read in self.inputs(reader)
            if read in self.shown and not (read in above and reader in below)
        ]

    def lines(self) -> Iterator[str]:
        """Two trees for people. What stands above with its own inputs or readers is not unfolded again."""
        if self.dataset is None:
            for dataset in self.shown:
                if not self.readers(dataset):
                    yield from _tree(dataset, self.inputs)
            return
        for heading, of in (("reads", self.inputs), ("is read by", self.readers)):
            branches = of(self.dataset)
            yield f"{self.dataset} {heading}{'' if branches else ' nothing' if of == self.inputs else ' no product'}"
            yield from list(_tree(self.dataset, of))[1:]

    def dot(self) -> Iterator[str]:
        """The graph as Graphviz takes it."""
        yield "digraph dapflow {"
        yield "  rankdir=LR;"
        yield "  node [shape=box];"
        for dataset in self.shown:
            yield f"  {json.dumps(dataset)}{' [style=bold]' if dataset == self.dataset else ''};"
        for read, reader in self.edges:
            yield f"  {json.dumps(read)} -> {json.dumps(reader)};"
        yield "}"

    def mermaid(self) -> Iterator[str]:
        """The graph as Mermaid takes it, and with it the Markdown of forges."""
        numbers = {dataset: f"d{number}" for number, dataset in enumerate(self.shown)}
        yield "flowchart LR"
        for dataset, number in numbers.items():
            yield f'  {number}["{dataset}"]'
        for read, reader in self.edges:
            yield f"  {numbers[read]} --> {numbers[reader]}"
        if self.dataset is not None:
            yield f"  style {numbers[self.dataset]} stroke-width:3px"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        edges = [{"reads": read, "dataset": reader} for read, reader in self.edges]
        if self.dataset is None:
            return {"datasets": self.shown, "edges": edges}
        return {"dataset": self.dataset, "upstream": self.upstream, "downstream": self.downstream, "edges": edges}

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        readers: dict[str, list[str]] = {}
        for dataset in sorted(self.manifest.datasets):
            for read in self.inputs(dataset):
                readers.setdefault(read, []).append(dataset)
        return readers

    def _reached(self, of: Callable[[str], Sequence[str]]) -> list[str]:
        pending, reached = [self.dataset] if self.dataset is not None else [], set()
        while pending:
            for dataset in of(pending.pop()):
                if dataset not in reached:
                    reached.add(dataset)
                    pending.append(dataset)
        return [name for name in self.manifest.datasets if name in reached]


def _tree(top: str, of: Callable[[str], Sequence[str]]) -> Iterator[str]:
    """A dataset with what ``of`` gives of it, level by level further to the right."""
    unfolded: set[str] = set()

    def branch(dataset: str, prefix: str) -> Iterator[str]:
        unfolded.add(dataset)
        below = of(dataset)
        for place, name in enumerate(below, 1):
            last = place == len(below)
            again = name in unfolded and of(name)
            yield f"{prefix}{'└─' if last else '├─'} {name}{' (above)' if again else ''}"
            if not again:
                yield from branch(name, prefix + ("   " if last else "│  "))

    yield top
    yield from branch(top, "")
