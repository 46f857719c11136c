"""The incident of a dataset, as it is kept in the lake: one object, which is changed by conditional writes alone.

S3 takes a write only where nothing was written since it was read, so that of two runs one goes on:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from dapflow.environment import Environment
from dapflow.manifest import Dataset
from dapflow.runtime.aws import error_code
from dapflow.runtime.objects import list_objects, read_tagged, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Below a service's part of a zone. No dataset can be called so, for names have no hyphens.
FOLDER = "dapflow-incidents"
# Whoever was about to send a message and has not noted by then that it is sent, must be dead.
SENDING = timedelta(minutes=5)
_WRITTEN_MEANWHILE = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


@dataclass(frozen=True)
class Incident:
    """What was last said, or is being said, of a dataset.

    Attributes:
        generation: the newest that failed, as ``2013-12-31``. since: when the first one did.
        told: whether the message is sent. at: when this was written; both in ISO, UTC.
    """

    state: Literal["failing", "well"]
    generation: str
    since: str
    told: bool
    at: str

    def being_told(self, now: datetime) -> bool:
        """Whether another process is about to send the message."""
        return not self.told and now - datetime.fromisoformat(self.at) < SENDING


class IncidentFile:
    """Where the incident of a dataset is kept."""

    def __init__(self, s3: S3Client, environment: Environment, dataset: Dataset) -> None:
        self.s3 = s3
        self.uri = f"{environment.zones[dataset.zone]}{dataset.service}/{FOLDER}/{dataset.name}/incident.json"

    def read(self) -> tuple[Incident | None, str]:
        """The incident, and what ``write`` takes to change it; None and nothing where there never was one."""
        # Listed first: S3 says of what is not there that it is forbidden to who may list prefixes alone.
        if not list_objects(self.s3, self.uri.rpartition("/")[0] + "/"):
            return None, ""
        body, etag = read_tagged(self.s3, self.uri)
        try:
            data = json.loads(body)
            return Incident(**{field.name: data[field.name] for field in fields(Incident)}), etag
        except (ValueError, KeyError, TypeError):
            return None, etag  # another release's, or touched by hand: the next write replaces it

    def write(self, incident: Incident, etag: str) -> str | None:
        """Write it, unless it was written since it was read; what the next ``write`` takes, or None."""
        bucket, key = split_uri(self.uri)
        only: Any = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        body = (json.dumps(asdict(incident)) + "\n").encode()
        try:
            return str(self.s3.put_object(Bucket=bucket, Key=key, Body=body, **only)["ETag"])
        except ClientError as error:
            if error_code(error) in _WRITTEN_MEANWHILE:
                return None
            raise


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)
