"""What a platform holds of a dataset by the name that it has and by the one that it is to have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.git import was_called
from dapflow.manifest import Manifest
from dapflow.publications.published import Publications
from dapflow.renaming.new_names import NewNames
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import Clients, aws_errors
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation


@dataclass(frozen=True)
class PublishedNames:
    """The generations by the name that a dataset has, and by the new one, where it was called so before."""

    generations: list[Generation]
    by_new_name: list[Generation]


def published_names(
    root: Path, clients: Clients, manifest: Manifest, environment: Environment, names: NewNames
) -> PublishedNames:
    """What is published. Raises DapflowError ``name-taken`` where something else has a table of the new name."""
    place = DatasetLocation.of(manifest.dataset(names.old_id), environment)
    generations = Publications(clients, manifest, environment).generations(names.old_id)
    catalog = GlueCatalog(clients.glue)
    with aws_errors():
        for name in names.tables.values():
            table = catalog.table(place.database, name)
            if table is None:
                continue
            made_of = table.get("Parameters", {}).get(glue_parameters.DATASET)
            if made_of != names.id:
                hint = "choose another name, or drop it first"
                raise DapflowError("name-taken", f"there is a table {place.database}.{name} already", hint=hint)
            if not _is_its_own(root, names):
                message = f"something else was published as {names.id}, and {place.database}.{name} holds it"
                raise DapflowError(
                    "name-taken", message, hint=f"choose another name, or remove it: dapflow remove {names.id}"
                )
        held = catalog.partitions(place.database, names.history)
    return PublishedNames(generations, sorted({part.generation for part in held if part.generation}))


def _is_its_own(root: Path, names: NewNames) -> bool:
    """Whether the dataset had the new name before, as git knows it."""
    product = names.node.product
    if product is None:
        return False
    file = Path(product.file)
    return was_called(root, file, file.with_name(f"{names.name}.sql"))
