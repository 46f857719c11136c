"""Where the records of runs lie: below the service's part of a zone, by the month in which a run began.

No dataset can have this folder's name, for names have no hyphens. The zone's own bucket holds them, because a message
may show a value of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dapflow.environment import Environment
from dapflow.manifest import Dataset
from dapflow.record_table import FOLDER
from dapflow.runtime.attempts import digest
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import list_folders, list_objects, read_object, write_object
from dapflow.runtime.record import RunRecord

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS = 8
_TOGETHER = 32


def records_prefix(environment: Environment, zone: str, service: str) -> str:
    """What the records of a service's zone lie below, month by month; ends in ``/``."""
    return f"{environment.zones[zone]}{service}/{FOLDER}/"


def record_uri(environment: Environment, dataset: Dataset, record: RunRecord) -> str:
    """Where a record is kept. In the order of their names, records are in the order in which they began."""
    prefix = records_prefix(environment, dataset.zone, dataset.service)
    name = attempt_name(dataset.id, Generation.parse(record.generation), record.run, record.attempt)
    return f"{prefix}{record.start:%Y-%m}/{dataset.name}/{record.start:%Y%m%dT%H%M%S%f}-{name}"


def attempt_name(dataset_id: str, generation: Generation, run: str, attempt: int) -> str:
    """What the name of an attempt's record ends with, so that it is known without a look into the records."""
    return f"{generation.key}-{digest(dataset_id, generation.key, run, str(attempt))[:16]}.json"


def write_record(s3: S3Client, uri: str, record: RunRecord) -> None:
    """Write a record, in the place of what was known before."""
    write_object(s3, uri, (json.dumps(record.as_dict(), ensure_ascii=False) + "\n").encode())


def record_uris(s3: S3Client, prefix: str, name: str) -> list[str]:
    """Where the records of a dataset are kept, the newest first. None is read."""
    return [uri for uris in _months(s3, prefix, name) for uri in uris]


def read_record(s3: S3Client, uri: str) -> RunRecord:
    """One record."""
    return RunRecord.of_dict(json.loads(read_object(s3, uri)))


def read_records(
    s3: S3Client, prefix: str, name: str = "", generation: Generation | None = None
) -> Iterator[RunRecord]:
    """The records below a prefix, newest first, read as far as they are asked for.

    Of one dataset where its ``name`` is given, of one generation where that is.
    """
    wanted = f"-{generation.key}-" if generation else "-"
    for uris in _months(s3, prefix, name):
        matching = [uri for uri in uris if wanted in uri.rpartition("/")[2]]
        for start in range(0, len(matching), _TOGETHER):
            with ThreadPoolExecutor(_READERS) as pool:
                records = list(pool.map(lambda uri: read_record(s3, uri), matching[start : start + _TOGETHER]))
            yield from records


def _months(s3: S3Client, prefix: str, name: str) -> Iterator[Sequence[str]]:
    """What there is of each month, newest first."""
    for month in sorted(list_folders(s3, prefix), reverse=True):
        below = f"{prefix}{month}/{name}/" if name else f"{prefix}{month}/"
        listed = [item.uri for item in list_objects(s3, below) if item.uri.endswith(".json")]
        yield sorted(listed, key=lambda uri: uri.rpartition("/")[2], reverse=True)


def ended_as(record: RunRecord, published: set[str], now: datetime | None = None) -> str:
    """What became of a run, as a reader sees it: its outcome, or ``killed``.

    ``published`` are the run ids that were ever published for its generation. One whose last words were lost, or which
    failed after the switch, has published all the same.
    """
    if record.run_id in published:
        return "published"
    return "killed" if record.dead(now or datetime.now(UTC)) else record.outcome
