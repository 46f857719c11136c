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
from dapflow.runtime.inputs import Input, InputsChangedError
from dapflow.runtime.limit import WHOLE, InputLimit
from dapflow.runtime.pinning import Pin

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Inputs:
    """The inputs of one run.

    Attributes:
        read: what is read, by dataset.
        pins: how references are replaced, by id of the dataset; without an entry the tables are read as they are.
        notes: what a person should know.
        looks: the look at each dataset.
    """

    read: tuple[Input, ...]
    pins: dict[str, Pin]
    notes: tuple[str, ...]
    looks: tuple[InputLook, ...]

    @property
    def limits(self) -> tuple[str, ...]:
        """What part of its inputs the run reads; empty where it reads all that the text says."""
        return tuple(sorted({limit for look in self.looks for limit in look.limits()}))

    @property
    def partitions(self) -> dict[str, Sequence[Partition]]:
        """What is read of each dataset, by its id."""
        return _partitions_of(self.looks)

    def identity(self, attempt: int) -> tuple[str, ...]:
        """Names all that is read, so that a query over other data is not taken for this one.

        What has no generations may change without a sign, so that an attempt takes up no other's query.
        """
        proven = all(read.generation or read.history for read in self.read)
        return (*(part for read in self.read for part in read.identity), *(() if proven else (f"attempt {attempt}",)))


@dataclass(frozen=True)
class Reading:
    """What a text of a dataset names at ``references``, for a generation, as far as a ``limit`` lets it be read."""

    catalog: GlueCatalog
    manifest: Manifest
    environment: Environment
    dataset: Dataset
    generation: Generation
    references: Sequence[Reference]
    limit: InputLimit = WHOLE

    def inputs(self) -> Inputs:
        """Look up what there is of the datasets that the text names.

        Raises PassingError ``not-published`` when one lacks the run's generation and the product's ``.yml`` does not
        allow the one before (``on_missing: previous``), DapflowError ``external-table``, ``generation-columns`` or
        ``newer-partitions``.
        """
        looks = self._looks()
        pins = {look.read.id: pin for look, _ in looks if (pin := look.pin()) is not None}
        notes = tuple(note for look, _ in looks for note in look.notes)
        return Inputs(tuple(read for _, read in looks), pins, notes, tuple(look for look, _ in looks))

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
        check_undamaged(s3, _partitions_of([look for look, _ in looks]))

    def _looks(self) -> list[tuple[InputLook, Input]]:
        """One look at each dataset, and what it found."""
        kinds: dict[str, set[str]] = {}
        for reference in self.references:
            kinds.setdefault(reference.dataset, set()).add(reference.kind)
        looks = []
        for name in sorted(kinds):
            read = self.manifest.dataset(name)
            look = InputLook(self.catalog, self.dataset, read, self.environment, self.generation, self.limit)
            looks.append((look, look.look_up(kinds[name])))
        return looks


def _partitions_of(looks: Sequence[InputLook]) -> dict[str, Sequence[Partition]]:
    """The partitions that were looked at, by the id of the dataset."""
    return {look.read.id: look.partitions for look in looks}
