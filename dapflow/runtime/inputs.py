"""What a run reads: which generation of which dataset, and what lies in it; as values that can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation


class InputsChangedError(PassingError):
    """What a run reads was published, corrected or withdrawn while it ran. Nothing is published; it may run again."""


@dataclass(frozen=True)
class Input:
    """What a run reads of one dataset.

    Attributes:
        dataset: its id.
        generation: key of the one that its current view stands for; empty for a product's own history, and for what
            has no generations.
        version: names what lies in that generation: its prefix, or a digest of several. Of what has no generations:
            the state of its table, as far as Glue knows it.
        missing: there was no generation of the run's, and the product's ``.yml`` allows the one before.
        history: digest of all generations that the run may read; empty where no history is read.
        newer: whether there was a generation that the run may not read.
        view: the state of the current view where it is read as it is; empty where it is not.
    """

    dataset: str
    generation: str
    version: str
    missing: bool = False
    history: str = ""
    newer: bool = False
    view: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """Equal for equal data."""
        return self.dataset, self.generation, self.version, self.history, self.view

    def holds(self, generation: Generation) -> bool:
        """Whether a generation is part of what was read: of a history, all up to the run's are."""
        return (bool(self.history) and self.generation >= generation.key) or self.generation == generation.key

    def difference(self, now: Input) -> str | None:
        """What another look found changed, as far as a run that read this may have noticed; None for nothing."""
        published = f"{self.dataset} was changed"
        if self.generation:
            published = f"generation {Generation.parse(self.generation)} of {self.dataset} was published again"
        changes = (
            (now.generation != self.generation, f"the run's generation of {self.dataset} was published or withdrawn"),
            (now.version != self.version, published),
            (now.history != self.history, f"an earlier generation of {self.dataset} was published or withdrawn"),
            (self.view and now.view != self.view, f"the current view of {self.dataset} was changed"),
            (self.history and now.newer and not self.newer, f"a newer generation of {self.dataset} was published"),
        )
        return next((said for changed, said in changes if changed), None)


def inputs_record(inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """What was read, as it is noted with a generation: plain values, one mapping for each dataset."""
    listed: list[dict[str, Any]] = []
    for read in inputs:
        noted = {"dataset": read.dataset, "generation": read.generation, "version": read.version}
        listed.append(noted | {key: value for key in ("missing", "history") if (value := asdict(read)[key])})
    return listed


def recorded_inputs(listed: Sequence[dict[str, Any]]) -> tuple[Input, ...]:
    """The inverse of ``inputs_record``."""
    return tuple(Input(**noted) for noted in listed)
