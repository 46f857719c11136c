"""What branches have published, by the hash of what it follows from: written in a branch, looked up by its base.

An offer is one small object, ``<branches>/<slug>/offers/<service>/<proof>/<run id>.json``, which only the roles write
that branches run with on the Airflow of their host. It goes with its branch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dapflow.branch import OFFERS, is_slug
from dapflow.environment import Environment
from dapflow.manifest import Dataset
from dapflow.runtime.dataset_location import run_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import Object, list_folders, list_objects, read_object, write_object
from dapflow.runtime.publication import Staged
from dapflow.runtime.staged_files import StagedFiles

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS = 8


@dataclass(frozen=True)
class OfferedObject:
    """An object of what is offered, by its name, which is what its key has after the location."""

    name: str
    size: int
    etag: str

    @classmethod
    def of(cls, item: Object, location: str) -> OfferedObject:
        """The object as it is listed below a location."""
        return cls(item.uri.removeprefix(location), item.size, item.etag)


@dataclass(frozen=True)
class Offer:
    """A publication of a branch.

    Attributes:
        branch: its slug. origin: the run whose query made the rows.
        location: S3 prefix of the objects, which ends in ``/``.
    """

    branch: str
    dataset: str
    generation: str
    proof: str
    run_id: str
    origin: str
    location: str
    rows: int
    objects: tuple[OfferedObject, ...]


def write_offer(s3: S3Client, environment: Environment, dataset: Dataset, staged: Staged, files: StagedFiles) -> None:
    """Note what a branch has published. Raises what S3 raises."""
    offer = Offer(
        branch=environment.branch,
        dataset=staged.dataset,
        generation=staged.generation,
        proof=staged.proof,
        run_id=staged.run_id,
        origin=staged.takeover.origin or staged.run_id,
        location=staged.location,
        rows=files.count,
        objects=tuple(OfferedObject.of(item, staged.location) for item in files.objects),
    )
    uri = f"{environment.offers}{dataset.service}/{staged.proof}/{staged.run_id}.json"
    write_object(s3, uri, json.dumps(asdict(offer)).encode())


def branches_there(s3: S3Client, environment: Environment) -> list[str]:
    """The slugs of the branches of which there is anything to take over from."""
    return [name for name in list_folders(s3, environment.takes_from) if is_slug(name)]


def offers_of(
    s3: S3Client, environment: Environment, dataset: Dataset, generation: Generation, proof: str, slugs: list[str]
) -> Iterator[Offer]:
    """What these branches offer for a proof, the newest first. One that says anything unlike its place is left out."""

    def listed(slug: str) -> list[tuple[str, Object]]:
        below = f"{environment.takes_from}{slug}/{OFFERS}/{dataset.service}/{proof}/"
        return [(slug, item) for item in list_objects(s3, below)]

    with ThreadPoolExecutor(_READERS) as pool:
        there = [noted for of_branch in pool.map(listed, slugs) for noted in of_branch]
    for slug, item in sorted(there, key=lambda noted: noted[1].modified, reverse=True):
        offer = _read(read_object(s3, item.uri))
        if offer is None:
            continue
        own = f"{environment.takes_from}{slug}/{dataset.zone}/{dataset.service}/{dataset.name}/"
        named = (offer.branch, offer.dataset, offer.generation, offer.proof, f"{offer.run_id}.json")
        placed = offer.location.startswith(own) and run_of(offer.location) == offer.run_id
        if named == (slug, dataset.id, generation.key, proof, item.name) and placed:
            yield offer


def _read(body: bytes) -> Offer | None:
    """The offer; None for what another release wrote, or nobody."""
    try:
        data = json.loads(body)
        return Offer(**{**data, "objects": tuple(OfferedObject(**noted) for noted in data["objects"])})
    except (ValueError, TypeError, KeyError):
        return None
