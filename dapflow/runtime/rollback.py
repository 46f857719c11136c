"""The way back to a publication of before: its objects are copied to a new prefix, and published as any others.

Copied and not pointed at again: a prefix that comes back would be two publications with one name, so that a run could
no longer prove by two equal looks what it read in between; and the sweep, which may be deleting the old prefix in this
moment, could take away what is shown. So the switch stays the one catalog call that it always is.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.manifest import Column
from dapflow.runtime import glue_parameters
from dapflow.runtime.attempts import digest
from dapflow.runtime.aws import PassingError, error_code
from dapflow.runtime.finish import Accepted
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import published_columns
from dapflow.runtime.inputs import Input
from dapflow.runtime.objects import Object, copy_object, list_objects
from dapflow.runtime.publication import Staged, Takeover
from dapflow.runtime.record import RecordedInput, RunRecord
from dapflow.runtime.staged_files import counted_files
from dapflow.runtime.target import Target

_COPIERS = 8
_GONE = ("404", "NoSuchKey")


def restage(target: Target, wanted: RunRecord, instead_of: str) -> tuple[Staged, Accepted]:
    """Copy what a run published to a prefix that no one reads, and look whether all of it is there.

    Raises DapflowError ``swept``; PassingError ``superseded`` where what is read now is not of the run ``instead_of``.
    """
    generation = Generation.parse(wanted.generation)
    _check_read(target, generation, instead_of)
    run_id = digest(target.dataset.id, generation.key, uuid.uuid4().hex)[:16]
    location = target.place.location(target.dataset, generation, run_id)
    target.journal.write(f"rollback-{run_id}", locations=[location])
    _copy(target, wanted, location)
    files = counted_files(target, list_objects(target.s3, location))
    if (files.count, files.bytes) != (wanted.rows, wanted.bytes):
        raise _swept(wanted)
    _check_read(target, generation, instead_of)
    staged = Staged(
        dataset=target.dataset.id,
        generation=generation.key,
        run_id=run_id,
        query_id="",
        location=location,
        columns=tuple((column.name, column.type, column.comment) for column in _columns(target, wanted)),
        started=time.time(),
        alone=True,
        inputs=tuple(_input(read) for read in wanted.inputs),
        landed=wanted.landed,
        limits=wanted.limits,
        takeover=Takeover(origin=wanted.computed_by or wanted.origin),
        sql_sha=wanted.sql_sha256[:16],
    )
    return staged, Accepted(files, 0)


def objects_there(target: Target, record: RunRecord) -> list[Object]:
    """The objects of a publication. Raises DapflowError ``swept`` where they are not what was published."""
    objects = [item for item in list_objects(target.s3, record.location) if item.size]
    if sum(item.size for item in objects) != record.bytes:
        raise _swept(record)
    return objects


def _check_read(target: Target, generation: Generation, instead_of: str) -> None:
    partition = target.partition(generation)
    if (partition.parameters.get(glue_parameters.RUN_ID, "") if partition else "") != instead_of:
        raise PassingError(
            "superseded",
            f"{target.dataset.id} {generation} was published meanwhile, and was not rolled back",
            hint="look at dapflow history, and roll back again if it is still wanted",
        )


def _copy(target: Target, wanted: RunRecord, location: str) -> None:
    def copied(item: Object) -> None:
        copy_object(target.s3, item.uri, location + item.name, parts_at_once=False)

    try:
        with ThreadPoolExecutor(_COPIERS) as pool:
            for _ in pool.map(copied, objects_there(target, wanted)):
                pass
    except ClientError as error:
        if error_code(error) in _GONE:
            raise _swept(wanted) from error
        raise


def _columns(target: Target, wanted: RunRecord) -> list[Column]:
    """The columns that were published, and those that the table has since: of these it has NULLs."""
    have = {column.name for column in wanted.columns}
    later = published_columns(target.catalog, target.place) or []
    return [*wanted.columns, *(column for column in later if column.name not in have)]


def _input(read: RecordedInput) -> Input:
    generation = Generation.parse(read.generation).key if read.generation else ""
    return Input(read.dataset, generation, read.version, history=read.history)


def _swept(record: RunRecord) -> DapflowError:
    return DapflowError(
        "swept",
        f"what run {record.run_id} published for {record.dataset} {record.generation} is not there any more",
        hint="`dapflow history` says which publications still are, and `retention.replaced_days` in cdk.json how long "
        "they are kept; what an earlier text made can be made again: take the text from git, and run it",
    )
