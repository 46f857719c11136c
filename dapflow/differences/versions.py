"""The two versions of a dataset that are compared: what Athena reads of each, and whether it is still that after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Column, Dataset
from dapflow.runtime import glue_parameters
from dapflow.runtime.athena import Athena
from dapflow.runtime.aws import Clients, PassingError, aws_errors
from dapflow.runtime.bounds import is_generation, of_generation
from dapflow.runtime.catalog import GlueCatalog, Partition
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type
from dapflow.runtime.current_view import newest_partitions
from dapflow.runtime.damage import check_undamaged
from dapflow.runtime.dataset_location import DatasetLocation, quoted
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import history_columns
from dapflow.runtime.limit import limited_said, limits_of

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Version:
    """One of the two.

    Attributes:
        name: for people.
        source: what stands behind FROM to read it; names in it that have no database are looked up in ``database``.
        columns: its own columns with Glue's types, without the generation columns.
        read_as: the types by which Athena reads them, which are wider where the table's got wider since.
        personal: names of columns whose values are not shown.
        bytes: how much lies there; None where nobody noted it.
        state: what it is of all that was ever published under its name.
        generation: which it is, or is for.
        look: looks at it anew.
    """

    name: str
    source: str
    database: str
    columns: tuple[Column, ...]
    read_as: Mapping[str, str]
    personal: frozenset[str]
    bytes: int | None
    state: tuple[str, ...]
    generation: Generation
    look: Callable[[], Version] = field(compare=False, repr=False)

    def confirm(self) -> None:
        """Raise DapflowError ``inputs-changed`` unless it still is what it was when it was looked at."""
        if self.look() != self:
            raise PassingError("inputs-changed", f"{self.name} was changed while it was compared", hint="compare again")


@dataclass(frozen=True)
class PublishedVersions:
    """The published versions of a dataset in one environment.

    Attributes:
        title: what the environment is called, where two are compared; else empty.
        hint: what to do where a generation is missing.
    """

    clients: Clients
    dataset: Dataset
    environment: Environment
    title: str
    hint: str

    def other_than(self, base: PublishedVersions) -> PublishedVersions:
        """These. Raises DapflowError ``same-versions`` where they are those of ``base``: a branch reads its tables."""
        if self.place == base.place:
            raise DapflowError(
                "same-versions",
                f"{self.dataset.id} is not published in {self.title}: what is read there is that of {base.title}",
                hint="compare a product that the branch builds; `dapflow branch plan` lists them",
            )
        return self

    def version(self, generation: Generation | None) -> Version:
        """A generation, or the newest one, which is what the current view shows.

        Raises DapflowError ``not-published``, ``no-generations``, ``damaged-generation`` or ``aws``.
        """
        with aws_errors():
            partitions, columns = self._partitions(generation)
            check_undamaged(self.clients.s3, {self.dataset.id: partitions})
        day = partitions[0].generation
        assert day is not None  # noqa: S101 - they were chosen by it
        place, own = self.place, self._own_columns(partitions, columns)
        sizes = [partition.parameters.get(glue_parameters.BYTES) for partition in partitions]
        limits = limits_of(partitions[0].parameters)
        condition = is_generation(self.dataset.generation, partitions)
        return Version(
            name=f"{self.title} {day}{f' ({limited_said(limits)})' if limits else ''}".strip(),
            source=f"{quoted(place.database, place.history)} WHERE {condition}",
            database=place.database,
            columns=own,
            read_as={column.name: column.type for column in columns},
            personal=frozenset(self.dataset.personal),
            bytes=None if None in sizes else sum(int(size or 0) for size in sizes),
            state=tuple(partition.location for partition in partitions),
            generation=day,
            look=lambda: self.version(day),
        )

    @property
    def place(self) -> DatasetLocation:
        """Where they lie."""
        return DatasetLocation.of(self.dataset, self.environment)

    @cached_property
    def athena(self) -> Athena:
        """Athena in the workgroup of the dataset's service, for somebody who waits."""
        return Athena(self.clients.athena, self.environment.services[self.dataset.service].workgroup, _POLL_SECONDS)

    def _partitions(self, generation: Generation | None) -> tuple[list[Partition], list[Column]]:
        """The partitions of the generation with their columns, and the columns of the table."""
        catalog, place, dataset = GlueCatalog(self.clients.glue), self.place, self.dataset
        if not dataset.has_generations:
            raise DapflowError(
                "no-generations",
                f"{dataset.id} has no generations: there is one version of it",
                hint="compare a product that is made of it",
            )
        table = catalog.table(place.database, place.history)
        chosen: list[Partition] = []
        if table is not None and generation is None:
            chosen = newest_partitions(catalog, dataset, place, None)
        elif table is not None and generation is not None:
            chosen = of_generation(catalog.partitions(place.database, place.history), generation)
        whole = [catalog.partition(place.database, place.history, partition.values) for partition in chosen]
        partitions = [partition for partition in whole if partition is not None]
        if table is None or not partitions:
            raise self._missing(generation)
        extra = [Column(name, "string") for name in dataset.generation.extra]
        return partitions, [*history_columns(table), *extra]

    def _missing(self, generation: Generation | None) -> DapflowError:
        what = (
            f"generation {generation} of {self.dataset.id} is not" if generation else f"nothing of {self.dataset.id} is"
        )
        where = f" in {self.title}" if self.title else ""
        return DapflowError("not-published", f"{what} published{where}", hint=self.hint)

    def _own_columns(self, partitions: list[Partition], columns: list[Column]) -> tuple[Column, ...]:
        """The columns that the generation itself has; what came to the table later is not among them."""
        own = {name: kind for partition in partitions for name, kind in partition.columns.items()}
        own |= dict.fromkeys(self.dataset.generation.extra, "string")
        return tuple(Column(column.name, _known(own[column.name])) for column in columns if column.name in own)


def _known(text: str) -> str:
    try:
        return hive_type(text)
    except UnsupportedTypeError:
        return text
