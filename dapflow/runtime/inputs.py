"""What a run may read: which generation of which dataset, how that is written into its text, whether it stayed so.

A run of generation D reads generation D of everything it names, whatever name it reads by, and nothing newer. One look
at the catalog before the query decides what is replaced in the text; a second one, when the query is done, proves what
it read: the prefix of a generation is never written to again, so that equal looks mean equal data in between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dapflow.environment import Environment
from dapflow.manifest import Dataset, Manifest, Reference
from dapflow.runtime import external
from dapflow.runtime.aws import PassingError
from dapflow.runtime.bounds import is_generation, is_up_to, not_before, of_generation, up_to
from dapflow.runtime.catalog import GlueCatalog, Partition
from dapflow.runtime.current_view import shown_generation, view_shows
from dapflow.runtime.damage import check_undamaged
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation, newest
from dapflow.runtime.pinning import Pin
from dapflow.runtime.text_edits import place_at

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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


@dataclass(frozen=True)
class Inputs:
    """The inputs of one run.

    Attributes:
        read: what is read, by dataset.
        pins: how references are replaced, by id of the dataset; without an entry the tables are read as they are.
        notes: what a person should know.
        partitions: what is read of each dataset that has generations.
    """

    read: tuple[Input, ...]
    pins: dict[str, Pin]
    notes: tuple[str, ...]
    partitions: dict[str, Sequence[Partition]]

    def identity(self, attempt: int) -> tuple[str, ...]:
        """Names all that is read, so that a query over other data is not taken for this one.

        What has no generations may change without a sign, so that an attempt takes up no other's query.
        """
        proven = all(read.generation or read.history for read in self.read)
        return (*(part for read in self.read for part in read.identity), *(() if proven else (f"attempt {attempt}",)))


def read_inputs(
    catalog: GlueCatalog,
    manifest: Manifest,
    environment: Environment,
    dataset: Dataset,
    generation: Generation,
    references: Iterable[Reference],
) -> Inputs:
    """Look up what there is of the datasets that a text of this one names, at ``references``.

    Raises PassingError ``not-published`` when one lacks the run's generation and the product's ``.yml`` does not allow
    the one before (``on_missing: previous``), DapflowError ``external-table``, ``generation-columns`` or
    ``newer-partitions``.
    """
    states = _look_up(catalog, manifest, environment, dataset, generation, references)
    pins = {state.read.id: pin for state, _ in states if (pin := state.pin()) is not None}
    notes = tuple(note for state, _ in states for note in state.notes)
    return Inputs(tuple(read for _, read in states), pins, notes, _partitions_of(states))


def confirm_inputs(
    s3: S3Client,
    catalog: GlueCatalog,
    manifest: Manifest,
    environment: Environment,
    dataset: Dataset,
    generation: Generation,
    references: Iterable[Reference],
    before: Sequence[Input],
) -> None:
    """Look again, when the query is done.

    Raises InputsChangedError unless it read what ``before`` says, DapflowError ``damaged-generation`` where less was
    there than had been published.
    """
    if not before:
        return
    try:
        states = _look_up(catalog, manifest, environment, dataset, generation, references)
    except PassingError as error:
        if error.code != "not-published":
            raise
        raise InputsChangedError("inputs-changed", f"while the query ran, {error.message}") from error
    now = {read.dataset: read for _, read in states}
    for read in before:
        if (difference := read.difference(now[read.dataset])) is not None:
            raise InputsChangedError("inputs-changed", f"while {dataset.id} {generation} ran, {difference}")
    check_undamaged(s3, _partitions_of(states))


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


def _look_up(
    catalog: GlueCatalog,
    manifest: Manifest,
    environment: Environment,
    dataset: Dataset,
    generation: Generation,
    references: Iterable[Reference],
) -> list[tuple[_InputState, Input]]:
    """One look at each dataset that a text names, and what it found."""
    kinds: dict[str, set[str]] = {}
    for reference in references:
        kinds.setdefault(reference.dataset, set()).add(reference.kind)
    states = []
    for name in sorted(kinds):
        state = _InputState(catalog, dataset, manifest.dataset(name), environment, generation)
        states.append((state, state.look_up(kinds[name])))
    return states


def _partitions_of(states: Sequence[tuple[_InputState, Input]]) -> dict[str, Sequence[Partition]]:
    return {read.dataset: state.partitions for state, read in states}


class _InputState:
    """One look at one dataset that a run reads.

    Attributes:
        current: the condition under which its current view is replaced by its history; None where it is not.
        history: the same for its history.
        partitions: what is read of it.
    """

    def __init__(
        self, catalog: GlueCatalog, reader: Dataset, read: Dataset, environment: Environment, generation: Generation
    ) -> None:
        self.catalog = catalog
        self.reader = reader
        self.read = read
        self.place = DatasetLocation.of(read, environment)
        self.generation = generation
        self.notes: list[str] = []
        self.current: str | None = None
        self.history: str | None = None
        self.partitions: Sequence[Partition] = ()

    def look_up(self, kinds: set[str]) -> Input:
        """What is there of a dataset that is read by its current view, its history or both."""
        if not self.read.has_generations:
            return self._as_it_is()
        return self._own_history() if self.read.id == self.reader.id else self._generations(kinds)

    def pin(self) -> Pin | None:
        """What replaces the names of the dataset; None where it is read as it is."""
        if self.current is None and self.history is None:
            return None
        table = self.catalog.table(self.place.database, self.place.history) or {}
        columns = [*table.get("StorageDescriptor", {}).get("Columns", ()), *table.get("PartitionKeys", ())]
        return Pin(tuple(column["Name"] for column in columns), self.current, self.history)

    def _generations(self, kinds: set[str]) -> Input:
        """At a dataset whose current view or history is read."""
        if self.read.external:
            external.read_columns(self.catalog, self.read, self.place)  # raises where its partitions are no generations
        view = self.catalog.table(self.place.database, self.place.current) if "current" in kinds else None
        partitions = self._partitions(None if "history" in kinds else self.generation)
        wanted = of_generation(partitions, self.generation)
        newer = any(not is_up_to(partition, self.generation) for partition in partitions)
        if missing := not wanted:
            wanted = self._previous(partitions if "history" in kinds else None, view)
        read = wanted[0].generation
        assert read is not None  # noqa: S101 (it was found by it)
        columns = self.read.generation
        known = [partition for partition in partitions if is_up_to(partition, self.generation)]
        shown = view is not None and view_shows(view, self.place, is_generation(columns, wanted))
        self.current = is_generation(columns, wanted) if "current" in kinds and not shown else None
        self.history = up_to(columns, self.generation, partitions) if "history" in kinds and newer else None
        if missing or self.current or self.history:
            self.notes.append(self._note(read, current=bool(missing or self.current)))
        self.partitions = known if "history" in kinds else wanted
        return Input(
            dataset=self.read.id,
            generation=read.key,
            version=_version(wanted),
            missing=missing,
            history=partitions_digest(known) if "history" in kinds else "",
            newer=newer,
            view=_state(view) if view is not None and shown else "",
        )

    def _as_it_is(self) -> Input:
        """At a table without generations."""
        state = external.version(self.catalog, self.read, self.place, self.generation)
        self.notes.append(f"{self.reader.id} reads {self.read.id} as it is ({state})")
        return Input(self.read.id, "", state)

    def _own_history(self) -> Input:
        """At what earlier runs published of the product itself: a run again must find what the first one found."""
        partitions = self._partitions(None)
        known = [partition for partition in partitions if is_up_to(partition, self.generation, inclusive=False)]
        newer = len(known) < len(partitions)
        self.partitions = known
        if newer:
            self.history = up_to(self.read.generation, self.generation, partitions, inclusive=False)
            self.notes.append(f"{self.reader.id} reads its own generations before {self.generation}")
        return Input(self.read.id, "", "", history=partitions_digest(known), newer=newer)

    def _partitions(self, since: Generation | None) -> list[Partition]:
        expression = not_before(self.read.generation, since) if since else None
        return self.catalog.partitions(self.place.database, self.place.history, expression)

    def _previous(self, partitions: list[Partition] | None, view: dict[str, Any] | None) -> list[Partition]:
        """The newest generation before the run's, for an input that may be slower."""
        transform = self.reader.transform
        if transform is None or self.read.id not in transform.slower_inputs:
            slower = (
                f"; if it comes less often than {self.reader.name}, write `inputs: "
                f"{{{self.read.current}: {{on_missing: previous}}}}` into {self.reader.name}.yml"
            )
            raise self._not_published(
                f"no generation {self.generation}", f"publish it first{slower if transform else ''}"
            )
        if partitions is None:
            # What the view shows is mostly the newest, and then Glue need not list the older ones.
            shown = shown_generation(view) if view is not None else None
            partitions = self._partitions(shown if shown is not None and shown < self.generation else None)
            if not any(is_dated(partition, before=self.generation) for partition in partitions):
                partitions = self._partitions(None)
        dated = [partition.generation for partition in partitions if partition.generation]
        previous = newest(generation for generation in dated if generation < self.generation)
        if previous is None:
            raise self._not_published(f"no generation at {self.generation} or before", f"publish {self.read.id} first")
        return of_generation(partitions, previous)

    def _not_published(self, what: str, hint: str) -> PassingError:
        """The error at the place where the text first names what is missing."""
        transform = self.reader.transform
        message = f"{self.reader.id} reads {self.read.id}, which has {what}"
        references = transform.references if transform else ()
        named = [reference.start for reference in references if reference.dataset == self.read.id]
        if transform is None or not named:
            return PassingError("not-published", message, file=transform.file if transform else None, hint=hint)
        line, column = place_at(transform.sql, min(named))
        source = transform.sql.split("\n")[line - 1]
        return PassingError(
            "not-published", message, file=transform.file, line=line, column=column, hint=hint, source=source
        )

    def _note(self, read: Generation, *, current: bool) -> str:
        if current:
            return f"{self.reader.id} reads {self.read.id} as of {read}"
        return f"{self.reader.id} reads the history of {self.read.id} up to {self.generation}"


def is_dated(partition: Partition, *, before: Generation) -> bool:
    """Whether a partition is of a generation before this one."""
    return partition.generation is not None and partition.generation < before


def _version(partitions: Sequence[Partition]) -> str:
    return partitions[0].location if len(partitions) == 1 else partitions_digest(partitions)


def partitions_digest(partitions: Sequence[Partition]) -> str:
    """Equal for the same partitions at the same prefixes."""
    listed = sorted((*partition.values, partition.location) for partition in partitions)
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _state(view: dict[str, Any]) -> str:
    """Changes whenever the view is changed: Glue counts its versions."""
    return f"{view.get('VersionId')} {view.get('UpdateTime')}"
