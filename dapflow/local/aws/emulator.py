"""moto as one WSGI application, with what it answers too slowly, too broadly or otherwise than AWS put right."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.utils import method_names_from_class
from moto.glue import models as glue_models
from moto.glue import utils as glue_utils
from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse
from moto.iam import models as iam_models
from moto.iam import utils as iam_utils
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response

from dapflow.local.aws.partition_filter import get_partitions
from dapflow.local.aws.refused_requests import closed
from dapflow.local.aws.shortcuts import shortcut
from dapflow.local.aws.wsgi import Environ, StartResponse
from dapflow.servers.access_key import AccessKey
from dapflow.servers.patience import PatientRe

# What moto serves without being AWS: see ``closed``.
_BESIDE_AWS = frozenset({"moto_api", "instance_metadata"})
_CHUNK = 1 << 20
_list_objects = S3Backend.list_objects
_get_object = S3Response.get_object
_update_table = GlueResponse.update_table
_make_account = BackendDict._create_account_specific_backend


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

    def __iter__(self) -> Iterator[bytes]:
        """All of it, where moto takes a range for none."""
        return (self[start : start + _CHUNK] for start in range(0, len(self), _CHUNK))


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
        in_full = response._get_key

        def in_spans(*given: Any, **named: Any) -> tuple[_InSpans, bool]:
            key, unchanged = in_full(*given, **named)
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


def _make_account_once(backends: BackendDict[Any], account: str) -> None:
    """moto looks among all services, each time that it needs one, whether it must make what an account has of it."""
    if not dict.__contains__(backends, account):
        _make_account(backends, account)


@functools.cache
def _methods_of(response: type) -> frozenset[str]:
    return frozenset(method_names_from_class(response))


class Emulator(DomainDispatcherApplication):  # type: ignore[misc]
    """All services."""

    def __init__(self) -> None:
        super().__init__(_backend)
        # moto looks through its directory of services for each request.
        self.get_backend_for_host = functools.cache(super().get_backend_for_host)
        S3Backend.list_objects = _list_below
        S3Response.get_object = _get_in_spans
        GlueResponse.update_table = _update_of_a_version
        glue_models.FakeTable.get_partitions = get_partitions
        # GetTables by an expression, GetPartitions by LIKE: both are the client's own patterns.
        glue_models.re, glue_utils.re = PatientRe(), PatientRe()
        BackendDict._create_account_specific_backend = _make_account_once
        # moto looks through the class for each request.
        responses.method_names_from_class = _methods_of

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        quick = shortcut(environ)
        if quick is not None:
            return quick.send(start_response)
        answer: Iterable[bytes] = super().__call__(environ, start_response)
        return answer


def issue_keys_under(key: AccessKey) -> None:
    """From now on, let moto give out keys that the platform's servers admit: those of roles that are assumed."""
    generate = iam_utils.generate_access_key_id_from_account_id
    iam_models.generate_access_key_id_from_account_id = lambda *given, **named: key.issue(generate(*given, **named))


def _backend(name: Any) -> Any:
    return closed if name in _BESIDE_AWS else create_backend_app(name)
