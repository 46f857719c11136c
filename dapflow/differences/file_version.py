"""What the SELECT of a file would publish: read as a run of the generation reads, and nothing is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dapflow.differences.versions import PublishedVersions, Version
from dapflow.manifest import Manifest, Transform
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.catalog import Partition
from dapflow.runtime.column_types import trino_type
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.generation import Generation
from dapflow.runtime.limit import WHOLE
from dapflow.runtime.reading import Reading
from dapflow.runtime.target import Target
from dapflow.runtime.temporary import temporary_name
from dapflow.runtime.transform import output_of, plan_transform


@dataclass(frozen=True)
class FileVersions:
    """The versions of a product by another text than its own, in the environment of ``published``.

    ``tell`` is told of what is read that is not of the generation.
    """

    published: PublishedVersions
    manifest: Manifest
    transform: Transform
    tell: Callable[[str], None]

    def version(self, generation: Generation) -> Version:
        """What the text gives for a generation. A view of a moment tells its columns; no table is made.

        Raises what a run would raise before it asks Athena: ``not-published``, ``query-failed``, ``unnamed-column``, …
        """
        dataset = replace(self.published.dataset, transform=self.transform)
        clients, environment = self.published.clients, self.published.environment
        with aws_errors():
            target = Target.of(dataset, self.manifest, environment, clients)
            plan = plan_transform(target, self.manifest, environment, generation, 1, WHOLE, self.tell)
            columns = output_of(target, plan, temporary_name(dataset, "columns")).columns
            reading = Reading(
                target.catalog, self.manifest, environment, dataset, generation, self.transform.references
            )
            size = _size(reading.inputs().partitions)
        # As UNLOAD would write them.
        cast = (
            f"CAST({quoted(column.name)} AS {trino_type(column.type)}) AS {quoted(column.name)}" for column in columns
        )
        return Version(
            name=f"{self.transform.file} {generation}",
            source=f"(SELECT {', '.join(cast)} FROM (\n{plan.sql}\n))",
            database=plan.database,
            columns=tuple(replace(column, comment=None) for column in columns),
            read_as={column.name: column.type for column in columns},
            personal=frozenset(dataset.personal),
            bytes=size,
            state=tuple(map(str, plan.inputs.read if plan.inputs is not None else ())),
            generation=generation,
            look=lambda: replace(self, tell=_say_nothing).version(generation),
        )


def _size(read: Mapping[str, Sequence[Partition]]) -> int | None:
    """The bytes of what is read; None where nobody noted them."""
    sizes = [
        partition.parameters.get(glue_parameters.BYTES) for partitions in read.values() for partition in partitions
    ]
    return None if None in sizes else sum(int(size or 0) for size in sizes)


def _say_nothing(_: str) -> None:
    """It was told at the first look."""
