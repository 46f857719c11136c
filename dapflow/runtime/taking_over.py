"""A generation that a branch has computed already is copied, where it is exactly what would be computed here.

The copy is staged as the result of an UNLOAD would be, and goes the same way from there: checks, one catalog call, the
record. Whatever is in doubt is computed. docs/decisions/taking-over.md weighs this.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.attempts import digest
from dapflow.runtime.aws import error_code
from dapflow.runtime.describe import Described
from dapflow.runtime.equality import UnprovenError, proof_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import copy_object, list_objects
from dapflow.runtime.offers import Offer, OfferedObject, branches_there, offers_of
from dapflow.runtime.publication import Plan, Takeover
from dapflow.runtime.staged_files import counted_files
from dapflow.runtime.target import Target

_COPIERS = 8


class _DoubtError(Exception):
    """What a branch offers is not there as it was offered; the text says what is not."""


@dataclass(frozen=True)
class Provenance:
    """What is known of where the rows of a run come from, before any are computed.

    ``proof`` is empty where nobody asked, or where it is not known. ``location`` and ``run_id`` are those of the copy;
    empty where the rows have to be computed.
    """

    proof: str = ""
    takeover: Takeover = field(default_factory=Takeover)
    location: str = ""
    run_id: str = ""


def provenance(
    target: Target,
    manifest: Manifest,
    environment: Environment,
    generation: Generation,
    plan: Plan,
    output: Described,
    alone: bool,
    progress: Callable[[str], None],
) -> Provenance:
    """Copy what a branch has computed of the same text and inputs, if one has; a branch only proves what it computes.

    ``alone``: nobody else has to do with this attempt, so that it removes a copy that it cannot use.
    """
    if plan.inputs is None or not (environment.offers or environment.takes_from):
        return Provenance()
    try:
        slugs = branches_there(target.s3, environment) if environment.takes_from else []
        if not (slugs or environment.offers):
            return Provenance()
        proof = proof_of(target.dataset, manifest, generation, plan.inputs, output, target.athena.engine)
    except UnprovenError as why:
        return Provenance(takeover=Takeover(refused=str(why)))
    except (ClientError, BotoCoreError) as error:
        return Provenance(takeover=Takeover(refused=_said(error)))
    if not slugs:
        return Provenance(proof)
    taken = _taken(target, environment, generation, proof, slugs, alone)
    if taken.takeover.branch:
        progress(f"{target.dataset.id} {generation}: taken over from {taken.takeover.branch}, nothing is computed")
    return taken


def _taken(
    target: Target, environment: Environment, generation: Generation, proof: str, slugs: list[str], alone: bool
) -> Provenance:
    doubts: list[str] = []
    try:
        for offer in offers_of(target.s3, environment, target.dataset, generation, proof, slugs):
            try:
                return _copied(target, generation, offer, alone)
            except (_DoubtError, DapflowError, ClientError, BotoCoreError) as doubt:
                doubts.append(f"what {offer.branch} offers as {offer.run_id} could not be taken: {_said(doubt)}")
    except (ClientError, BotoCoreError) as error:
        doubts.append(_said(error))
    return Provenance(proof, Takeover(refused="; ".join(doubts) or "no branch has published the same"))


def _copied(target: Target, generation: Generation, offer: Offer, alone: bool) -> Provenance:
    """A copy of what is offered, at a location that no other attempt writes to. Raises unless all of it is there."""
    run_id = digest(target.dataset.id, generation.key, uuid.uuid4().hex)[:16]
    location = target.place.location(target.dataset, generation, run_id)
    target.journal.write(f"taken-{run_id}", locations=[location])
    try:
        _copy(target, offer, location)
    except BaseException:
        if alone:
            with suppress(DapflowError, ClientError, BotoCoreError):
                target.journal.discard([location], target.live)
        raise
    return Provenance(offer.proof, Takeover(offer.origin, offer.branch, offer.run_id), location, run_id)


def _copy(target: Target, offer: Offer, location: str) -> None:
    s3 = target.s3
    there = tuple(OfferedObject.of(item, offer.location) for item in list_objects(s3, offer.location) if item.size)
    if sorted(there, key=_name) != sorted(offer.objects, key=_name):
        raise _DoubtError("its objects are not those that were published")

    def copied(item: OfferedObject) -> None:
        copy_object(s3, offer.location + item.name, location + item.name, parts_at_once=False, etag=item.etag)

    with ThreadPoolExecutor(_COPIERS) as pool:
        for _ in pool.map(copied, there):
            pass
    files = counted_files(target, list_objects(s3, location))
    if sorted((item.name, item.size) for item in files.objects) != sorted((item.name, item.size) for item in there):
        raise _DoubtError("its copy is not whole")
    if files.count != offer.rows:
        raise _DoubtError(f"its copy has {files.count} rows, and {offer.rows} were published")


def _name(item: OfferedObject) -> str:
    return item.name


def _said(doubt: Exception) -> str:
    if isinstance(doubt, ClientError):
        return f"{doubt.operation_name} was refused ({error_code(doubt)})"
    return doubt.message if isinstance(doubt, DapflowError) else str(doubt)
