"""Lists of objects and what Glue's catalog holds, from moto's models without its general writer of answers.

moto looks for each member of each object by every name that it might have: a list of 900 objects, or 300 partitions,
takes it ten to forty times as long as here (docs/decisions/embedded-aws.md). What is asked for in an unusual way, and
what fails, is left to moto itself.
"""

from __future__ import annotations

import functools
import io
import json
import os
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.utils import parse_to_aware_datetime
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.serialize import TimestampSerializer
from moto.glue.responses import GlueResponse
from moto.iam.models import get_account_id_from
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from dapflow.local.aws.wsgi import (
    Environ,
    Response,
    access_key_of,
    bucket_and_key,
    query_of,
    read_body,
    region_of,
    service_of,
)

# A request with any other header may ask for something that is not done here.
_PLAIN_HEADERS = frozenset(
    {
        "HTTP_HOST",
        "HTTP_USER_AGENT",
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_CONNECTION",
        "HTTP_AUTHORIZATION",
        "HTTP_X_AMZ_DATE",
        "HTTP_X_AMZ_CONTENT_SHA256",
        "HTTP_X_AMZ_TARGET",
        "HTTP_AMZ_SDK_INVOCATION_ID",
        "HTTP_AMZ_SDK_REQUEST",
    }
)
_MOST_KEYS = 1000
_GLUE_READS = frozenset({"GetDatabase", "GetDatabases", "GetTable", "GetTables", "GetPartition", "GetPartitions"})
_GLUE_TARGET = "AWSGlue."


def shortcut(environ: Environ) -> Response | None:
    """The answer to a request, or None where moto has to give it; the request can then still be read."""
    if "HTTP_AUTHORIZATION" not in environ or "MOTO_ACCOUNT_ID" in os.environ:
        return None
    if any(name.startswith("HTTP_") and name not in _PLAIN_HEADERS for name in environ):
        return None
    answer = _SERVICES.get(service_of(environ))
    return None if answer is None else answer(environ)


def _s3(environ: Environ) -> Response | None:
    # Any other name may have a bucket's in front.
    if environ.get("HTTP_HOST", "").partition(":")[0] not in {"127.0.0.1", "localhost"}:
        return None
    method = environ["REQUEST_METHOD"]
    bucket, key = bucket_and_key(environ)
    return _list_objects(environ, bucket) if method == "GET" and bucket and not key else None


def _account(environ: Environ) -> str:
    return str(get_account_id_from(access_key_of(environ)))


def s3_backend(environ: Environ) -> S3Backend:
    """What moto has of S3 for who asks."""
    backend: S3Backend = s3_backends[_account(environ)][get_partition(region_of(environ))]
    return backend


def _bucket(environ: Environ, name: str) -> tuple[S3Backend, FakeBucket] | None:
    """A bucket that has no settings which ask for more than to store and to list."""
    backend = s3_backend(environ)
    bucket = backend.buckets.get(name)
    if type(bucket) is not FakeBucket or bucket.logging or bucket.object_lock_enabled or bucket.cors:
        return None
    return backend, bucket


def _list_objects(environ: Environ, bucket_name: str) -> Response | None:
    """ListObjectsV2 of all that is below a prefix, where that is one page."""
    query = query_of(environ)
    prefix = query.pop("prefix", "")
    if not prefix or query != {"list-type": "2", "encoding-type": "url"}:
        return None
    backend_and_bucket = _bucket(environ, bucket_name)
    if backend_and_bucket is None:
        return None
    backend, bucket = backend_and_bucket
    keys, truncated, _ = backend.list_objects_v2(bucket, prefix, None, None, None, _MOST_KEYS)
    if truncated:
        return None
    contents = "".join(map(_listed, keys))
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsTruncated>false</IsTruncated>{contents}<Name>{escape(bucket.name)}</Name><Prefix>{escape(quote(prefix))}</Prefix>"
        f"<MaxKeys>{_MOST_KEYS}</MaxKeys><EncodingType>url</EncodingType><KeyCount>{len(keys)}</KeyCount>"
        "</ListBucketResult>"
    )
    return _response([("Content-Type", "application/xml")], body.encode())


def _listed(key: Any) -> str:
    """An object in a listing."""
    checksum = f"<ChecksumAlgorithm>{key.checksum_algorithm}</ChecksumAlgorithm>" if key.checksum_algorithm else ""
    return (
        f"<Contents><Key>{escape(key.safe_name('url'))}</Key><LastModified>{key.last_modified_ISO8601}</LastModified>"
        f"<ETag>{escape(key.etag)}</ETag>{checksum}<Size>{key.size}</Size>"
        f"<StorageClass>{key.storage_class}</StorageClass></Contents>"
    )


def _glue(environ: Environ) -> Response | None:
    """What Glue's catalog holds."""
    action = environ.get("HTTP_X_AMZ_TARGET", "").removeprefix(_GLUE_TARGET)
    if action not in _GLUE_READS:
        return None
    body = read_body(environ)
    asked = GlueResponse()
    asked.body, asked.region, asked.current_account = body.decode(), region_of(environ), _account(environ)
    try:
        answer = getattr(asked, xform_name(action))()
        if type(answer) is ActionResult:
            content = json.dumps(_written(action)(answer.result)).encode()
            return _response([("Content-Type", "application/x-amz-json-1.1")], content)
    except (HTTPException, ServiceException, LookupError, ValueError, TypeError, AttributeError):
        # What is wrong is moto's to say, which reads the request again.
        pass
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    return None


@functools.cache
def _written(action: str) -> Callable[[Any], Any]:
    """How the result of a Glue operation becomes JSON."""
    model = ServiceModel(Loader().load_service_model("glue", "service-2"))
    return _writer(model.operation_model(action).output_shape)


def _writer(shape: Any) -> Callable[[Any], Any]:
    """How a value becomes JSON: of a structure, the members that AWS's model has and that are there."""
    kind = shape.type_name
    if kind == "structure":
        return _Structure(shape)
    if kind == "list":
        member = _writer(shape.member)
        return lambda value: [member(item) for item in value]
    if kind == "map":
        member = _writer(shape.value)
        return lambda value: {name: member(item) for name, item in value.items()}
    return _SCALARS[kind]


class _Structure:
    """Its members are looked at when it is first met, because structures may hold themselves."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape

    @functools.cached_property
    def _members(self) -> list[tuple[str, Callable[[Any], Any]]]:
        return [(name, _writer(member)) for name, member in self._shape.members.items()]

    def __call__(self, value: dict[str, Any]) -> dict[str, Any]:
        there = value.get
        return {name: write(there(name)) for name, write in self._members if there(name) is not None}


def _unix_time(value: Any) -> float:
    return float(TimestampSerializer._timestamp_unixtimestamp(parse_to_aware_datetime(value)))


def _same(value: Any) -> Any:
    return value


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "integer": int,
    "long": int,
    "double": float,
    "float": float,
    "boolean": _same,
    "timestamp": _unix_time,
}


_SERVICES = {"s3": _s3, "glue": _glue}


def _response(headers: list[tuple[str, Any]], body: bytes) -> Response:
    given = [(name, str(value)) for name, value in headers]
    return Response.of("200 OK", [*given, ("x-amzn-requestid", uuid.uuid4().hex)], body)
