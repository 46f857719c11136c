"""S3 objects on the disk: each is the PUT request that makes it. Long bodies have files of their own."""

from __future__ import annotations

import hashlib
import io
import logging
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import IO, Any
from urllib.parse import quote
from xml.etree import ElementTree

from dapflow.local.aws.object_index import ObjectIndex, Upload
from dapflow.local.aws.object_times import set_time, timed
from dapflow.local.aws.wsgi import Application, Environ, Response, api_request, call, restored

log = logging.getLogger("dapflow.aws")

_CHUNK = 1 << 20
_SHORT = 1 << 16
# A lock for every key would never be given back; two keys that share one of these only wait for each other.
_LOCKS = 4096
_SYSTEM_METADATA = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
_S3_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class BucketObjects:
    """The objects under ``directory``, and the copy of them that ``application`` serves."""

    def __init__(self, directory: Path, application: Application) -> None:
        self._bodies = directory / "bodies"
        self._application = application
        self._locks = [RLock() for _ in range(_LOCKS)]
        self._bodies.mkdir(parents=True, exist_ok=True)
        self._index = ObjectIndex(directory / "objects.sqlite")

    def close(self) -> None:
        """Close the files."""
        self._index.close()

    @contextmanager
    def locked(self, bucket: str, *keys: str) -> Iterator[None]:
        """Keep other writers away from these keys."""
        numbers = {int.from_bytes(_digest(f"{bucket}/{key}")[:2], "big") % _LOCKS for key in keys}
        with ExitStack() as stack:
            for number in sorted(numbers):
                stack.enter_context(self._locks[number])
            yield

    @contextmanager
    def all_locked(self) -> Iterator[None]:
        """Wait for all writers and keep them away."""
        with ExitStack() as stack:
            for lock in self._locks:
                stack.enter_context(lock)
            yield

    def receive(self, environ: Environ, body: IO[bytes], length: int | None) -> Upload:
        """Take a request, a long body to the disk, before anything is done. ``length`` None: until the body ends."""
        if length is not None and length <= _SHORT:
            return Upload(environ, length, body.read(length), None)
        return self._write(environ, _pieces(body, length))

    @contextmanager
    def opened(self, upload: Upload) -> Iterator[bytes | IO[bytes]]:
        """The body of an upload."""
        if upload.file is None:
            yield upload.body or b""
            return
        with (self._bodies / upload.file).open("rb") as file:
            yield file

    def accept(self, upload: Upload, bucket: str, key: str) -> None:
        """Make an upload the object, in place of what the object was."""
        try:
            kept = replace(upload, request=timed(upload.request, bucket, key))
            before = self._index.put(bucket, key, kept)
        except OSError:
            self.reload(bucket, key)
            raise
        self._drop(before)

    def discard(self, upload: Upload) -> None:
        """Forget an upload that was not accepted."""
        self._drop(upload.file)

    def save(self, bucket: str, key: str) -> None:
        """Bring the disk up to date with an object that the application made by itself: a copy, a multipart upload."""
        got = self._call("HEAD", bucket, key)
        if got.code == 404:
            self.forget(bucket, key)
            return
        length = int(got.header("Content-Length") or 0)
        try:
            request = self._put_request(bucket, key, got)
            self.accept(
                self.receive(request, io.BufferedReader(_Served(self, bucket, key), _CHUNK), length), bucket, key
            )
        except OSError:
            self.reload(bucket, key)
            raise

    def save_if_deleted(self, bucket: str, key: str) -> None:
        """Forget the object if the application no longer has it."""
        if self._call("HEAD", bucket, key).code == 404:
            self.forget(bucket, key)

    def forget(self, bucket: str, key: str) -> None:
        """Remove what the disk has of an object."""
        try:
            before = self._index.remove(bucket, key)
        except OSError:
            self.reload(bucket, key)
            raise
        self._drop(before)

    def reload(self, bucket: str, key: str) -> None:
        """Bring the application back to what the disk has, after a write that failed."""
        upload = self._index.get(bucket, key)
        if upload is None:
            self._call("DELETE", bucket, key)
        else:
            self._load(bucket, key, upload)

    def load_all(self) -> int:
        """Give the application every object; returns how many there are."""
        count, needed = 0, set()
        for bucket, key, upload in self._index.all():
            if upload.file is not None and not self._is_whole(upload.file, upload.length):
                log.warning("lost when the machine stopped: s3://%s/%s", bucket, key)
                self._index.remove(bucket, key)
                continue
            self._load(bucket, key, upload)
            needed.add(upload.file)
            count += 1
        for file in self._bodies.iterdir():
            if file.name not in needed:
                file.unlink()
        return count

    def _is_whole(self, file: str, length: int) -> bool:
        path = self._bodies / file
        return path.exists() and path.stat().st_size == length

    def _load(self, bucket: str, key: str, upload: Upload) -> None:
        with self.opened(upload) as body:
            response = call(self._application, restored(upload.request), body, upload.length)
        if not response.ok:
            path = upload.request["PATH_INFO"]
            raise RuntimeError(f"{path} cannot be restored: {response.body.decode(errors='replace')}")
        set_time(upload.request, bucket, key)

    def _write(self, environ: Environ, pieces: Iterator[bytes]) -> Upload:
        file = self._bodies / uuid.uuid4().hex
        try:
            with file.open("xb") as stream:
                length = sum(stream.write(piece) for piece in pieces)
        except OSError:
            file.unlink(missing_ok=True)
            raise
        return Upload(environ, length, None, file.name)

    def _drop(self, file: str | None) -> None:
        # What cannot be removed now is removed by the next start.
        if file is not None:
            with suppress(OSError):
                (self._bodies / file).unlink()

    def span(self, bucket: str, key: str, start: int, stop: int) -> bytes:
        """A span of an object as the application has it; nothing behind its end."""
        request = {**_object_request("GET", bucket, key), "HTTP_RANGE": f"bytes={start}-{stop - 1}"}
        got = call(self._application, restored(request), b"")
        return got.body if got.ok else b""

    def _call(self, method: str, bucket: str, key: str, query: str = "") -> Response:
        return call(self._application, restored(_object_request(method, bucket, key, query)), b"")

    def _put_request(self, bucket: str, key: str, got: Response) -> Environ:
        environ = _object_request("PUT", bucket, key)
        names = {}
        for name, value in got.headers:
            if name in _SYSTEM_METADATA or name.lower().startswith("x-amz-meta-"):
                variable = "HTTP_" + name.upper().replace("-", "_")
                environ[variable] = value
                if "_" in name:
                    names[variable] = name
        environ["CONTENT_TYPE"] = got.header("Content-Type") or "binary/octet-stream"
        environ["moto.preserved_header_names"] = names
        tags = self._tags(bucket, key)
        if tags:
            environ["HTTP_X_AMZ_TAGGING"] = tags
        return environ

    def _tags(self, bucket: str, key: str) -> str:
        response = self._call("GET", bucket, key, "tagging")
        if not response.ok:
            return ""
        tree = ElementTree.fromstring(response.body)  # noqa: S314 (written by moto in this process)
        pairs = [
            (tag.findtext(f"{_S3_NAMESPACE}Key", ""), tag.findtext(f"{_S3_NAMESPACE}Value", ""))
            for tag in tree.iter(f"{_S3_NAMESPACE}Tag")
        ]
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


class _Served(io.RawIOBase):
    """An object that the application has, read span by span: a large one is not in memory as a whole."""

    def __init__(self, store: BucketObjects, bucket: str, key: str) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        piece = self._store.span(self._bucket, self._key, self._at, self._at + len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _object_request(method: str, bucket: str, key: str, query: str = "") -> Environ:
    uri = f"/{bucket}/{quote(key)}" + (f"?{query}" if query else "")
    path = f"/{bucket}/{key}".encode().decode("latin-1")
    return api_request(
        "s3", "us-east-1", REQUEST_METHOD=method, PATH_INFO=path, QUERY_STRING=query, RAW_URI=uri, REQUEST_URI=uri
    )


def _pieces(body: IO[bytes], length: int | None) -> Iterator[bytes]:
    left = length
    while left is None or left > 0:
        piece = body.read(_CHUNK if left is None else min(_CHUNK, left))
        if not piece:
            break
        left = None if left is None else left - len(piece)
        yield piece


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
