"""S3 by prefix. Every prefix ends in ``/``: ``…/orders`` would also match ``…/orders_old``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MOST_DELETED_AT_ONCE = 1000
_COPIED_AT_ONCE = 256 << 20


@dataclass(frozen=True)
class Object:
    """An object in S3. ``version`` is only known where it was asked for, and empty in a bucket without versions."""

    uri: str
    size: int
    etag: str
    modified: datetime
    version: str = ""

    @property
    def name(self) -> str:
        """What follows the last ``/``."""
        return self.uri.rpartition("/")[2]


def split_uri(uri: str) -> tuple[str, str]:
    """``s3://bucket/key`` → bucket, key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def list_objects(s3: S3Client, prefix: str) -> list[Object]:
    """All objects below a prefix, by name."""
    bucket, key = split_uri(_checked(prefix))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    return [
        Object(f"s3://{bucket}/{entry['Key']}", entry["Size"], entry["ETag"].strip('"'), entry["LastModified"])
        for page in pages
        for entry in page.get("Contents", ())
    ]


def list_folders(s3: S3Client, prefix: str) -> list[str]:
    """The names directly below a prefix that have objects below them."""
    bucket, key = split_uri(_checked(prefix))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, Delimiter="/")
    return [entry["Prefix"].removeprefix(key).rstrip("/") for page in pages for entry in page.get("CommonPrefixes", ())]


def delete_prefix(s3: S3Client, prefix: str) -> int:
    """Delete all objects below a prefix; how many. Raises DapflowError ``aws`` when S3 refuses some of them."""
    bucket, _ = split_uri(_checked(prefix))
    keys = [split_uri(item.uri)[1] for item in list_objects(s3, prefix)]
    for start in range(0, len(keys), _MOST_DELETED_AT_ONCE):
        chunk = keys[start : start + _MOST_DELETED_AT_ONCE]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in chunk], "Quiet": True})
        if refused := answer.get("Errors"):
            first = refused[0]
            raise DapflowError(
                "aws",
                f"S3 refused to delete {len(refused)} objects, the first being s3://{bucket}/{first.get('Key')}: "
                f"{first.get('Message') or first.get('Code')}",
            )
    return len(keys)


def read_object(s3: S3Client, uri: str, span: str | None = None) -> bytes:
    """The bytes of an object, or of a span of it written as in HTTP's Range: ``0-65535``, ``-8``."""
    bucket, key = split_uri(uri)
    if span is None:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={span}")["Body"].read()


def read_aged(s3: S3Client, uri: str) -> tuple[bytes, datetime]:
    """The bytes of an object, and when it was written."""
    bucket, key = split_uri(uri)
    answer = s3.get_object(Bucket=bucket, Key=key)
    return answer["Body"].read(), answer["LastModified"]


def read_tagged(s3: S3Client, uri: str) -> tuple[bytes, str]:
    """The bytes of an object, and its ETag as a conditional write takes it."""
    bucket, key = split_uri(uri)
    answer = s3.get_object(Bucket=bucket, Key=key)
    return answer["Body"].read(), answer["ETag"]


def copy_object(s3: S3Client, source: str, target: str, *, parts_at_once: bool = True, etag: str = "") -> None:
    """Copy an object within S3: in parts where S3 copies no object of the size at once.

    With ``etag`` only what has it; S3 answers ``PreconditionFailed`` for another object.
    """
    bucket, key = split_uri(source)
    into, name = split_uri(target)
    config = TransferConfig(
        multipart_threshold=_COPIED_AT_ONCE, multipart_chunksize=_COPIED_AT_ONCE, use_threads=parts_at_once
    )
    only = {"CopySourceIfMatch": f'"{etag}"'} if etag else None
    s3.copy({"Bucket": bucket, "Key": key}, into, name, ExtraArgs=only, Config=config)


def write_object(s3: S3Client, uri: str, body: bytes) -> None:
    """Write an object."""
    bucket, key = split_uri(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=body)


def delete_object(s3: S3Client, uri: str) -> None:
    """Delete an object; it may be gone already."""
    bucket, key = split_uri(uri)
    try:
        s3.delete_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error_code(error) != "NoSuchKey":
            raise


def _checked(prefix: str) -> str:
    if not prefix.endswith("/"):
        raise ValueError(f"the prefix {prefix} does not end in /")
    return prefix
