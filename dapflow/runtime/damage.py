"""What became of a published generation since: objects are deleted and partitions are changed by hand, too.

Athena reads what is left without a word. What was published is noted with the partition: its run and its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import error_code
from dapflow.runtime.catalog import Partition
from dapflow.runtime.dataset_location import generation_at, run_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import list_objects, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def damages(s3: S3Client, partitions: Sequence[Partition]) -> Iterator[tuple[Partition, str]]:
    """Of a dataset's partitions, those that are not what was published, and what is wrong.

    Nobody knows of one that something else made. Where S3 lets nobody list, it is left to Athena to read.
    """
    left: list[Partition] = []
    for partition in partitions:
        run_id = partition.parameters.get(glue_parameters.RUN_ID)
        if run_id and run_id != run_of(partition.location):
            yield partition, f"its partition points at {partition.location}, where run {run_id} published nothing"
        elif run_id and generation_at(partition.location) != partition.values:
            # A copy of another partition, with all that is noted of that.
            yield partition, f"its partition points at {partition.location}, which is of another generation"
        elif run_id:
            left.append(partition)
    try:
        sizes = _sizes(s3, [partition.location for partition in left])
    except ClientError as error:
        if error_code(error) != "AccessDenied":
            raise
        return
    for partition in left:
        published, there = (
            int(partition.parameters.get(glue_parameters.BYTES, 0)),
            sizes.get(_folder(partition.location), 0),
        )
        if there != published:
            yield partition, f"{published:,} bytes were published below {partition.location}, and {there:,} are there"


def check_undamaged(s3: S3Client, read: Mapping[str, Sequence[Partition]]) -> None:
    """Raise DapflowError ``damaged-generation`` where a partition of a dataset is not what was published."""
    for dataset, partitions in read.items():
        for partition, said in damages(s3, partitions):
            raise damaged(dataset, partition.generation, said)


def damaged(dataset: str, generation: Generation | None, said: str) -> DapflowError:
    """The error for a generation that is not what was published."""
    return DapflowError(
        "damaged-generation",
        f"{dataset} {generation} was changed by hand since it was published: {said}",
        hint=f"publish it again: dapflow run {dataset} --generation {generation}",
    )


def _sizes(s3: S3Client, locations: Sequence[str]) -> dict[str, int]:
    """The bytes in each folder below what the locations have in common: one list, however many there are."""
    if not locations:
        return {}
    buckets = {split_uri(location)[0] for location in locations}
    if len(buckets) > 1:
        return {folder: size for location in locations for folder, size in _sizes(s3, [location]).items()}
    first, last = min(locations).split("/"), max(locations).split("/")
    same = next(
        (place for place, (name, other) in enumerate(zip(first, last, strict=False)) if name != other), len(first)
    )
    sizes: dict[str, int] = {}
    for item in list_objects(s3, _folder("/".join(first[:same]))):
        folder = item.uri.removesuffix(item.name)
        sizes[folder] = sizes.get(folder, 0) + item.size
    return sizes


def _folder(location: str) -> str:
    return f"{location.rstrip('/')}/"
