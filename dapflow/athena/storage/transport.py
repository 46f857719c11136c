"""The calls to S3 that every query makes and waits for, as an interface. All others are made by boto3's clients.

Two things carry them: boto3, and to an endpoint on this machine ``LoopbackTransport``, whose reason is measured in
docs/decisions/embedded-aws.md.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dapflow.athena.storage.locations import Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Result_co = TypeVar("Result_co", covariant=True)
CONTENT_TYPE = "application/octet-stream"
_THREADS = 16


class AwsCall(Protocol[Result_co]):
    """A call that is on its way."""

    def result(self) -> Result_co:
        """Wait for the answer, once. Raises as boto3 does."""

    def cancel(self) -> object:
        """Do without the answer."""


class Transport(Protocol):
    """Calls that are begun together and waited for one after the other. What comes is as boto3 gives it."""

    def put(self, location: Location, body: bytes) -> AwsCall[None]:
        """Begin to write a small object."""

    def list_objects(self, prefix: Location) -> AwsCall[list[dict[str, Any]]]:
        """Begin to list every object whose key starts with ``prefix``."""

    def close(self) -> None:
        """Begin nothing more."""


class BotoTransport:
    """boto3, and a thread for each call that is on its way."""

    def __init__(self, client: S3Client) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="aws")

    def put(self, location: Location, body: bytes) -> AwsCall[None]:
        """PutObject."""
        return self._pool.submit(self._put, location, body)

    def _put(self, location: Location, body: bytes) -> None:
        self._client.put_object(Bucket=location.bucket, Key=location.key, Body=body, ContentType=CONTENT_TYPE)

    def list_objects(self, prefix: Location) -> AwsCall[list[dict[str, Any]]]:
        """ListObjectsV2, to the last page."""
        return self._pool.submit(self._list, prefix)

    def _list(self, prefix: Location) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        return [dict(item) for page in pages for item in page.get("Contents", [])]

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
