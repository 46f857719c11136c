"""What became of a published generation since: objects are deleted and partitions are changed by hand, too.

Athena reads what is left without a word. What was published is noted with the partition: its run and its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import error_code
from dapflow.runtime.catalog import Partition
from dapflow.runtime.dataset_location import generation_at, run_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import Object, list_objects, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The clock of who publishes, and S3's: further apart, S3 takes no request.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (RequestTimeTooSkewed)
_CLOCKS_APART = timedelta(minutes=15)


@dataclass(frozen=True)
class Damage:
    """What is wrong with a partition. ``certain``: it does not hold what was published; else it need not."""

    partition: Partition
    said: str
    certain: bool = True


def damages(s3: S3Client, partitions: Sequence[Partition]) -> Iterator[Damage]:
    """Of a dataset's partitions, those that are not what was published, and what is wrong.

    Nobody knows of one that something else made. Where S3 lets nobody list, it is left to Athena to read.
    """
    left: list[Partition] = []
    for partition in partitions:
        run_id = partition.parameters.get(glue_parameters.RUN_ID)
        if run_id and run_id != run_of(partition.location):
            said = f"its partition points at {partition.location}, where run {run_id} published nothing"
            yield Damage(partition, said)
        elif run_id and generation_at(partition.location) != partition.values:
            # A copy of another partition, with all that is noted of that.
            yield Damage(partition, f"its partition points at {partition.location}, which is of another generation")
        elif run_id:
            left.append(partition)
    try:
        objects = _objects(s3, [partition.location for partition in left])
    except ClientError as error:
        if error_code(error) != "AccessDenied":
            raise
        return
    for partition in left:
        yield from _changed(partition, objects.get(_folder(partition.location), []))


def _changed(partition: Partition, objects: Sequence[Object]) -> Iterator[Damage]:
    """What the objects that are there say."""
    published, there = int(partition.parameters.get(glue_parameters.BYTES, 0)), sum(item.size for item in objects)
    if there != published:
        said = f"{published:,} bytes were published below {partition.location}, and {there:,} are there"
        yield Damage(partition, said)
    elif noted := partition.parameters.get(glue_parameters.PUBLISHED_AT):
        newest = max(objects, key=lambda item: item.modified, default=None)
        if newest is not None and newest.modified > datetime.fromisoformat(noted) + _CLOCKS_APART:
            # Who restores a bucket, or changes its keys, writes the same anew.
            when = f"{newest.modified.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            yield Damage(partition, f"{newest.uri} was written anew on {when}, by as many bytes", certain=False)


def check_undamaged(s3: S3Client, read: Mapping[str, Sequence[Partition]]) -> None:
    """Raise DapflowError ``damaged-generation`` where a partition of a dataset is not what was published."""
    for dataset, partitions in read.items():
        for damage in damages(s3, partitions):
            if damage.certain:
                raise damaged(dataset, damage.partition.generation, damage.said)


def damaged(dataset: str, generation: Generation | None, said: str) -> DapflowError:
    """The error for a generation that is not what was published."""
    return DapflowError(
        "damaged-generation",
        f"{dataset} {generation} was changed by hand since it was published: {said}",
        hint=f"publish it again: dapflow run {dataset} --generation {generation}",
    )


def _objects(s3: S3Client, locations: Sequence[str]) -> dict[str, list[Object]]:
    """The objects in each folder below what the locations have in common: one list, however many there are."""
    if not locations:
        return {}
    buckets = {split_uri(location)[0] for location in locations}
    if len(buckets) > 1:
        return {folder: there for location in locations for folder, there in _objects(s3, [location]).items()}
    first, last = min(locations).split("/"), max(locations).split("/")
    same = next(
        (place for place, (name, other) in enumerate(zip(first, last, strict=False)) if name != other), len(first)
    )
    objects: dict[str, list[Object]] = {}
    for item in list_objects(s3, _folder("/".join(first[:same]))):
        objects.setdefault(item.uri.removesuffix(item.name), []).append(item)
    return objects


def _folder(location: str) -> str:
    return f"{location.rstrip('/')}/"
