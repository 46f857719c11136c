"""Which generations a run may read, how that is written into its text, and whether it stayed so.

A run of generation D reads generation D of everything it names, whatever name it reads by, and nothing newer. One look
at the catalog before the query decides what is replaced in the text; a second one, when the query is done, proves what
it read: the prefix of a generation is never written to again, so that equal looks mean equal data in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dapflow.environment import Environment
from dapflow.manifest import Dataset, Manifest, Reference
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import GlueCatalog, Partition
from dapflow.runtime.damage import check_undamaged
from dapflow.runtime.generation import Generation
from dapflow.runtime.input_look import InputLook
from dapflow.runtime.inputs import Input, Inputs, InputsChangedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Reading:
    """What a text of a dataset names at ``references``, for a generation."""

    catalog: GlueCatalog
    manifest: Manifest
    environment: Environment
    dataset: Dataset
    generation: Generation
    references: Sequence[Reference]

    def inputs(self) -> Inputs:
        """Look up what there is of the datasets that the text names.

        Raises PassingError ``not-published`` when one lacks the run's generation and the product's ``.yml`` does not
        allow the one before (``on_missing: previous``), DapflowError ``external-table``, ``generation-columns`` or
        ``newer-partitions``.
        """
        looks = self._looks()
        pins = {look.read.id: pin for look, _ in looks if (pin := look.pin()) is not None}
        notes = tuple(note for look, _ in looks for note in look.notes)
        return Inputs(tuple(read for _, read in looks), pins, notes, _partitions_of(looks))

    def confirm(self, s3: S3Client, before: Sequence[Input]) -> None:
        """Look again, when the query is done.

        Raises InputsChangedError unless it read what ``before`` says, DapflowError ``damaged-generation`` where less
        was there than had been published.
        """
        if not before:
            return
        try:
            looks = self._looks()
        except PassingError as error:
            if error.code != "not-published":
                raise
            raise InputsChangedError("inputs-changed", f"while the query ran, {error.message}") from error
        now = {read.dataset: read for _, read in looks}
        for read in before:
            if (difference := read.difference(now[read.dataset])) is not None:
                said = f"while {self.dataset.id} {self.generation} ran, {difference}"
                raise InputsChangedError("inputs-changed", said)
        check_undamaged(s3, _partitions_of(looks))

    def _looks(self) -> list[tuple[InputLook, Input]]:
        """One look at each dataset, and what it found."""
        kinds: dict[str, set[str]] = {}
        for reference in self.references:
            kinds.setdefault(reference.dataset, set()).add(reference.kind)
        looks = []
        for name in sorted(kinds):
            look = InputLook(self.catalog, self.dataset, self.manifest.dataset(name), self.environment, self.generation)
            looks.append((look, look.look_up(kinds[name])))
        return looks


def _partitions_of(looks: Sequence[tuple[InputLook, Input]]) -> dict[str, Sequence[Partition]]:
    return {read.dataset: look.partitions for look, read in looks}
