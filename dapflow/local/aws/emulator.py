"""moto as one WSGI application, on the shortest way to what answers a request."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from moto.glue import models as glue_models
from moto.glue import utils as glue_utils
from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse
from moto.iam import models as iam_models
from moto.iam import utils as iam_utils
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response
from werkzeug.exceptions import HTTPException

from dapflow.local.aws.refusals import closed
from dapflow.local.aws.shortcuts import shortcut
from dapflow.local.aws.wsgi import Environ, Response, StartResponse, service_of
from dapflow.servers.access_key import AccessKey
from dapflow.servers.patience import PatientRe

# What moto serves without being AWS: see ``closed``.
_BESIDE_AWS = frozenset({"moto_api", "instance_metadata"})
_list_objects = S3Backend.list_objects
_get_object = S3Response.get_object
_update_table = GlueResponse.update_table


def _list_below(backend: S3Backend, bucket: Any, prefix: str | None, *more: Any, **named: Any) -> Any:
    """moto's listing, of the keys below the prefix alone: moto takes its time over each key of the bucket."""
    if prefix and type(bucket) is FakeBucket:
        keys = dict.copy(bucket.keys).items()
        bucket = SimpleNamespace(keys={name: versions[-1] for name, versions in keys if name.startswith(prefix)})
    return _list_objects(backend, bucket, prefix, *more, **named)


class _Content:
    """What an object holds, of which a span can be had without the rest: moto reads all of it for each."""

    def __init__(self, key: FakeKey) -> None:
        self._key = key

    def __len__(self) -> int:
        return int(self._key.contentsize)

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(len(self))
        with self._key.lock:
            self._key._value_buffer.seek(start)
            content: bytes = self._key._value_buffer.read(max(0, stop - start))
            return content


class _InSpans:
    """An object of moto's whose value is its ``_Content``."""

    def __init__(self, key: FakeKey) -> None:
        self._key = key
        self.value = _Content(key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)


def _get_in_spans(response: S3Response) -> Any:
    """moto's answer to GetObject; where a range is asked for, moto cuts it out of a ``_Content`` afterwards."""
    if response.headers.get("range"):
        found = response._get_key

        def in_spans(*given: Any, **named: Any) -> tuple[_InSpans, bool]:
            key, unchanged = found(*given, **named)
            return _InSpans(key), unchanged

        response._get_key = in_spans
    return _get_object(response)


def _update_of_a_version(response: GlueResponse) -> Any:
    """moto's UpdateTable, which does not look at the version that is to be changed; for Glue's words see
    https://github.com/apache/iceberg/issues/8636.
    """
    given = response.parameters
    if wanted := given.get("VersionId"):
        table = response.glue_backend.get_table(given["DatabaseName"], given["TableInput"]["Name"])
        if table.as_dict()["VersionId"] != wanted:
            raise GlueClientError(
                "ConcurrentModificationException", "Update table failed due to concurrent modifications."
            )
    return _update_table(response)


class Emulator(DomainDispatcherApplication):  # type: ignore[misc]
    """All services. S3 goes around Flask, whose routing takes as long as a small object itself."""

    def __init__(self) -> None:
        super().__init__(_backend)
        # moto looks through its directory of services for each request.
        self.get_backend_for_host = functools.cache(super().get_backend_for_host)
        S3Backend.list_objects = _list_below
        S3Response.get_object = _get_in_spans
        GlueResponse.update_table = _update_of_a_version
        # GetTables by an expression, GetPartitions by LIKE: both are the client's own patterns.
        glue_models.re, glue_utils.re = PatientRe(), PatientRe()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        quick = shortcut(environ)
        if quick is not None:
            return quick.send(start_response)
        # What is not signed may be for other services; moto finds out.
        if "HTTP_AUTHORIZATION" not in environ or service_of(environ) != "s3":
            answer: Iterable[bytes] = super().__call__(environ, start_response)
            return answer
        try:
            return _s3(environ).send(start_response)
        except HTTPException as error:
            return error.get_response(environ)(environ, start_response)


def issue_keys_under(key: AccessKey) -> None:
    """From now on, let moto give out keys that the platform's servers admit: those of roles that are assumed."""
    generate = iam_utils.generate_access_key_id_from_account_id
    iam_models.generate_access_key_id_from_account_id = lambda *given, **named: key.issue(generate(*given, **named))


def _backend(name: Any) -> Any:
    return closed if name in _BESIDE_AWS else create_backend_app(name)


def _s3(environ: Environ) -> Response:
    """S3's answer, by the rules of moto's ``s3/urls.py``; whether a host names the bucket is moto's to find out."""
    request = BackendRequest(environ)
    bucket, slash, key = environ["PATH_INFO"][1:].partition("/")
    if not bucket and not slash:
        answer = S3Response.bucket_dispatch
    elif not key and bucket:
        answer = S3Response.ambiguous_dispatch
    else:
        answer = S3Response.key_dispatch
    status, headers, body = answer(request, request.raw_url, dict(request.headers))
    content: bytes = body.encode() if isinstance(body, str) else body[:]
    return Response(f"{status} {HTTPStatus(status).phrase}", _headers(headers, content), content)


def _headers(headers: dict[str, Any], body: bytes) -> list[tuple[str, str]]:
    """moto's headers as the server takes them; the length of an answer to HEAD is the object's, not the body's."""
    found = [(name, str(value)) for name, value in headers.items()]
    if not any(name.lower() == "content-length" for name, _ in found):
        found.append(("Content-Length", str(len(body))))
    return found
