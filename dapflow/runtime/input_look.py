"""One look at one dataset that a run reads: what there is of it, and what its names are replaced by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from dapflow.environment import Environment
from dapflow.manifest import Dataset
from dapflow.runtime import external
from dapflow.runtime.aws import PassingError
from dapflow.runtime.bounds import is_from, is_generation, is_up_to, not_before, of_generation, up_to
from dapflow.runtime.catalog import GlueCatalog, Partition
from dapflow.runtime.current_view import shown_generation, view_shows
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation, newest
from dapflow.runtime.inputs import Input
from dapflow.runtime.limit import WHOLE, InputLimit, limits_of
from dapflow.runtime.pinning import Pin
from dapflow.runtime.text_edits import place_at


class InputLook:
    """One look at one dataset that a run reads.

    Attributes:
        current: the condition under which its current view is replaced by its history; None where it is not.
        history: the same for its history.
        rows: the condition of the rows that are read of either; empty where all are.
        partitions: what is read of it.
        kinds: by which of its names. view: its current view, where it is read as it is.
    """

    def __init__(
        self,
        catalog: GlueCatalog,
        reader: Dataset,
        read: Dataset,
        environment: Environment,
        generation: Generation,
        limit: InputLimit = WHOLE,
    ) -> None:
        self.catalog = catalog
        self.reader = reader
        self.read = read
        self.place = DatasetLocation.of(read, environment)
        self.generation = generation
        self.limit = limit
        self.notes: list[str] = []
        self.current: str | None = None
        self.history: str | None = None
        self.rows = ""
        self.partitions: Sequence[Partition] = ()
        self.kinds: frozenset[str] = frozenset()
        self.view: dict[str, Any] | None = None
        self._cut: list[str] = []

    def look_up(self, kinds: set[str]) -> Input:
        """What is there of a dataset that is read by its current view, its history or both."""
        self.kinds = frozenset(kinds)
        if not self.read.has_generations:
            return self._as_it_is()
        return self._own_history() if self.read.id == self.reader.id else self._generations(kinds)

    def pin(self) -> Pin | None:
        """What replaces the names of the dataset; None where it is read as it is."""
        if self.current is None and self.history is None and not self.rows:
            return None
        return Pin(tuple(name for name, _ in self._table_columns), self.current, self.history, self.rows)

    def limits(self) -> set[str]:
        """What keeps it from being read as a whole: the limit of this run, or those by which it was built itself."""
        return {*self._cut, *(limit for partition in self.partitions for limit in limits_of(partition.parameters))}

    def columns(self) -> dict[str, list[tuple[str, str]]]:
        """The columns and their types that a reader sees, in order, by the kind of name."""
        return {
            kind: seen_columns(self.view) if kind == "current" and self.view is not None else self._table_columns
            for kind in sorted(self.kinds)
        }

    @cached_property
    def _table_columns(self) -> list[tuple[str, str]]:
        return seen_columns(self.catalog.table(self.place.database, self.place.history) or {})

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
        self._take_rows()
        first = self._first(known, read) if "history" in kinds else None
        # A sample is taken of the history: the view may have other columns.
        shown = view is not None and not self.rows and view_shows(view, self.place, is_generation(columns, wanted))
        self.view = view if shown else None
        self.current = is_generation(columns, wanted) if "current" in kinds and not shown else None
        if "history" in kinds and (newer or first):
            self.history = up_to(columns, self.generation, partitions, first=first)
        if missing or self.current or self.history:
            self.notes.append(self._note(read, current=bool(missing or self.current)))
        self.partitions = [part for part in known if is_from(part, first)] if "history" in kinds else wanted
        return Input(
            dataset=self.read.id,
            generation=read.key,
            version=_version(wanted),
            missing=missing,
            history=partitions_digest(known) if "history" in kinds else "",
            newer=newer,
            view=_state(self.view) if self.view is not None else "",
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
        self._take_rows()
        first = self._first(known, None)
        self.partitions = [partition for partition in known if is_from(partition, first)]
        if newer or first:
            self.history = up_to(self.read.generation, self.generation, partitions, inclusive=False, first=first)
        if newer:
            self.notes.append(f"{self.reader.id} reads its own generations before {self.generation}")
        return Input(self.read.id, "", "", history=partitions_digest(known), newer=newer)

    def _take_rows(self) -> None:
        """Take the sample that the limit asks for, where the table has its column."""
        if self.limit.percent is None:
            return  # and the table's columns need not be looked up
        self.rows = self.limit.rows(dict(self._table_columns), self.read.id)
        if self.rows:
            self._cut.append(self.limit.sample_said)
            self.notes.append(f"{self.reader.id} reads {self.limit.sample_said} of {self.read.id}")

    def _first(self, known: Sequence[Partition], newest_read: Generation | None) -> Generation | None:
        """Where its history begins for this run; None where that leaves nothing out.

        The generation that stands for the run's is read however old it is.
        """
        if self.limit.since is None:
            return None
        first = self.limit.since if newest_read is None else min(self.limit.since, newest_read)
        if all(is_from(partition, first) for partition in known):
            return None
        self._cut.append(self.limit.since_said)
        self.notes.append(f"{self.reader.id} reads the history of {self.read.id} from {first} on")
        return first

    def _partitions(self, since: Generation | None) -> list[Partition]:
        expression = not_before(self.read.generation, since) if since else None
        return self.catalog.partitions(self.place.database, self.place.history, expression)

    def _previous(self, partitions: list[Partition] | None, view: dict[str, Any] | None) -> list[Partition]:
        """The newest generation before the run's, for an input that may be slower."""
        transform = self.reader.transform
        if transform is None or self.read.id not in transform.slower_inputs:
            slower = (
                f"; if it comes less often than {self.reader.name}, write `inputs: "
                f"{{{self.read.database}.{self.read.current}: {{on_missing: previous}}}}` into {self.reader.name}.yml"
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


def seen_columns(table: dict[str, Any]) -> list[tuple[str, str]]:
    """The columns of a table, partition columns last, or of a view."""
    columns = [*table.get("StorageDescriptor", {}).get("Columns", ()), *table.get("PartitionKeys", ())]
    return [(column["Name"], column["Type"]) for column in columns]


def _state(view: dict[str, Any]) -> str:
    """Changes whenever the view is changed: Glue counts its versions."""
    return f"{view.get('VersionId')} {view.get('UpdateTime')}"
