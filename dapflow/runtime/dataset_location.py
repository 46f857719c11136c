"""Where a dataset lives in one environment: physical database, table names, S3 prefixes."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.environment import Environment
from dapflow.manifest import Dataset
from dapflow.runtime.generation import Generation


def quoted(*names: str) -> str:
    """``"database"."table"``: an identifier for queries, whatever letters it holds."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def physical(environment: Environment, database: str) -> str:
    """The environment's name of a logical database."""
    return environment.databases.get(database, database)


@dataclass(frozen=True)
class DatasetLocation:
    """Where a dataset lives. ``prefix`` and ``landing`` end in ``/``."""

    database: str
    history: str
    current: str
    prefix: str
    landing: str

    @classmethod
    def of(cls, dataset: Dataset, environment: Environment) -> DatasetLocation:
        """The place of a dataset in an environment."""
        elsewhere = environment.base is not None and not environment.publishes(dataset.id, external=dataset.external)
        names = environment.base if environment.base is not None and elsewhere else environment
        return cls(
            database=names.databases.get(dataset.database, dataset.database),
            history=dataset.history,
            current=dataset.current,
            prefix=f"{names.zones[dataset.zone]}{dataset.service}/{dataset.name}/",
            landing=f"{environment.zones['landing']}{dataset.service}/{dataset.name}/",
        )

    def location(self, dataset: Dataset, generation: Generation, run_id: str) -> str:
        """The prefix of one run: a generation's objects lie in a prefix that no earlier run wrote to."""
        return f"{self.prefix}{generation.path(dataset.generation)}/{run_id}/"

    def landed(self, generation: Generation) -> str:
        """The landing prefix of a generation."""
        return f"{self.landing}{generation}/"


def run_of(location: str) -> str:
    """The run id of a publication's prefix; empty for what is none."""
    return location.rstrip("/").rpartition("/")[2] if location.startswith("s3://") else ""


def generation_at(location: str) -> tuple[str, ...]:
    """The values of the generation columns by a publication's prefix; empty for what is none."""
    folders = location.rstrip("/").split("/")[:-1]
    return tuple(value for name, equals, value in (folder.partition("=") for folder in folders) if name and equals)
