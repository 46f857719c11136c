"""The WSGI application in front of moto that makes every change durable before its client hears of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from threading import RLock
from urllib.parse import parse_qs
from xml.etree import ElementTree

from dapflow.local.aws.bucket_objects import BucketObjects
from dapflow.local.aws.glue_entries import compacted, unconditional
from dapflow.local.aws.journal import RequestEntry, RequestJournal
from dapflow.local.aws.refused_requests import not_kept, s3_error
from dapflow.local.aws.wsgi import (
    Application,
    Environ,
    Response,
    StartResponse,
    bucket_and_key,
    call,
    content_length,
    query_of,
    read_body,
    restored,
    service_of,
    storable,
)

log = logging.getLogger("dapflow.aws")

KEPT_SERVICES = ("s3", "glue", "iam", "athena", "secretsmanager", "ssm", "sns")
_READS = ("Get", "List", "Describe", "BatchGet", "Search", "Query", "Check", "Simulate", "Test", "Validate")
_COMPACT_AFTER = 1000


class DurableApplication:
    """moto's application with what it holds kept under ``directory``."""

    def __init__(self, application: Application, directory: Path, *, compact_after: int = _COMPACT_AFTER) -> None:
        self._application = application
        self._journal = RequestJournal(directory / "journal.jsonl")
        self._objects = BucketObjects(directory / "s3", application)
        self._journal_lock = RLock()
        self._compact_after = compact_after
        self._compacted_entries = self._journal.entries
        self._warned: set[str] = set()

    def restore(self) -> None:
        """Make every kept request again."""
        for entry in self._journal.read():
            response = call(self._application, restored(entry.environ), entry.body)
            if not response.ok:
                # Taken when it was made but, say, its client was killed before the refusal was noted: refused again.
                what = (
                    entry.environ["REQUEST_METHOD"],
                    entry.environ["PATH_INFO"],
                    entry.environ.get("HTTP_X_AMZ_TARGET"),
                )
                log.warning("not restored: %s %s", what, response.body[:500])
        count = self._objects.load_all()
        log.info("restored %d requests and %d objects", self._journal.entries, count)
        self._compacted_entries = 0
        self._compact_if_long()

    def close(self) -> None:
        """Wait for requests that are changing something, keep others away, and give the files back."""
        with self._objects.all_locked(), self._journal_lock:
            self._compact_if_long()
            self._journal.close()
            self._objects.close()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        service = service_of(environ)
        try:
            response = self._change(service, environ)
        except ConnectionError:
            # The client's, not the disk's.
            raise
        except OSError as error:
            log.exception("%s %s could not be kept", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            response = not_kept(service, error)
        if response is None:
            return self._application(environ, start_response)
        return response.send(start_response)

    def _change(self, service: str, environ: Environ) -> Response | None:
        """The answer to a request that changes something; None for others."""
        if service == "s3":
            return self._change_s3(environ)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS"):
            return None
        if service not in KEPT_SERVICES:
            if service not in (*self._warned, "sts"):
                self._warned.add(service)
                log.warning("what %s holds is forgotten when this server stops", service)
            return None
        body = read_body(environ)
        if _action(environ, body).startswith(_READS):
            return call(self._application, environ, body)
        return self._journalled(environ, body)

    def _change_s3(self, environ: Environ) -> Response | None:
        method = environ["REQUEST_METHOD"]
        bucket, key = bucket_and_key(environ)
        query = query_of(environ)
        if method in ("GET", "HEAD", "OPTIONS"):
            return None
        if key:
            return self._change_object(environ, bucket, key, query)
        if method == "POST" and "delete" in query:
            return self._delete_objects(environ, bucket)
        if method == "POST":
            return s3_error("501 Not Implemented", "NotImplemented", "the embedded S3 takes no HTML form uploads")
        return self._journalled(environ, read_body(environ))

    def _change_object(self, environ: Environ, bucket: str, key: str, query: dict[str, str]) -> Response:
        method = environ["REQUEST_METHOD"]
        is_copy = "HTTP_X_AMZ_COPY_SOURCE" in environ
        if method == "PUT" and not is_copy and not query.keys() & {"uploadId", "tagging", "acl", "retention"}:
            return self._put_object(environ, bucket, key)
        body = read_body(environ)
        with self._objects.locked(bucket, key):
            response = call(self._application, environ, body)
            makes_object = (
                method == "DELETE"
                or (method == "POST" and "uploadId" in query)
                or "tagging" in query
                or (is_copy and "uploadId" not in query)
            )
            if response.ok and makes_object:
                if method == "DELETE" and "uploadId" not in query and "versionId" not in query:
                    self._objects.save_if_deleted(bucket, key)
                elif "uploadId" not in query or method == "POST":
                    self._objects.save(bucket, key)
            return response

    def _put_object(self, environ: Environ, bucket: str, key: str) -> Response:
        upload = self._objects.receive(storable(environ), environ["wsgi.input"], content_length(environ))
        accepted = False
        try:
            with self._objects.locked(bucket, key):
                with self._objects.opened(upload) as body:
                    response = call(self._application, environ, body, upload.length)
                if response.ok:
                    self._objects.accept(upload, bucket, key)
                    accepted = True
                return response
        finally:
            if not accepted:
                self._objects.discard(upload)

    def _delete_objects(self, environ: Environ, bucket: str) -> Response:
        body = read_body(environ)
        try:
            tree = ElementTree.fromstring(body)  # noqa: S314 (loopback clients of this machine)
        except ElementTree.ParseError:
            return s3_error("400 Bad Request", "MalformedXML", "the list of keys is not XML")
        keys = [element.text or "" for element in tree.iter() if element.tag.rpartition("}")[2] == "Key"]
        with self._objects.locked(bucket, *keys):
            response = call(self._application, environ, body)
            if response.ok:
                for key in keys:
                    self._objects.save_if_deleted(bucket, key)
            return response

    def _journalled(self, environ: Environ, body: bytes) -> Response:
        with self._journal_lock:
            mark = self._journal.append(RequestEntry(storable(environ), unconditional(environ, body)))
            response = call(self._application, environ, body)
            if not response.ok:
                self._journal.take_back(mark)
            return response

    def _compact_if_long(self) -> None:
        if self._journal.entries - self._compacted_entries < self._compact_after:
            return
        try:
            self._journal.replace(compacted(self._application, self._journal.read()))
        except OSError:
            log.exception("the journal could not be shortened; it stays as it is")
        self._compacted_entries = self._journal.entries


def _action(environ: Environ, body: bytes) -> str:
    """The API operation that a request asks for; '' where the protocol has none."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    return parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
