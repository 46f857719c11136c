"""S3 objects as files: each is the PUT request that makes it, its headers in the first line, its body after that."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import IO
from urllib.parse import quote
from xml.etree import ElementTree

from dapflow.local.aws.wsgi import Application, Environ, Response, api_request, call, restored

log = logging.getLogger("dapflow.aws")

_CHUNK = 1 << 20
# A lock for every key would never be given back; two keys that share one of these only wait for each other.
_LOCKS = 64
_SYSTEM_METADATA = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)
# In an object's first line: the bytes that must follow it. As wide as any number is, so that it can be written last.
_LENGTH = "dapflow.length"
_LENGTH_DIGITS = 20
_S3_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Upload:
    """A PUT request whose body is on the disk, not yet visible."""

    file: Path
    offset: int
    length: int
    #: All of it, if it is short.
    body: bytes | None


class ObjectStore:
    """The objects under ``directory``, and the copy of them that ``application`` serves.

    A killed process loses nothing this way; only a crash of the machine may lose objects of the last moments.
    """

    def __init__(self, directory: Path, application: Application) -> None:
        self._directory = directory
        self._incoming = directory / ".incoming"
        self._application = application
        self._locks = [RLock() for _ in range(_LOCKS)]
        self._incoming.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

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
        """Write a request to the disk, before anything is done about it. ``length`` None: until the body ends."""
        return self._write(environ, _pieces(body, length), length)

    @contextmanager
    def opened(self, upload: Upload) -> Iterator[bytes | IO[bytes]]:
        """The body of an upload: the bytes if they are few, else the file."""
        if upload.body is not None:
            yield upload.body
            return
        with upload.file.open("rb") as file:
            file.seek(upload.offset)
            yield file

    def accept(self, upload: Upload, bucket: str, key: str) -> None:
        """Make an upload the object, in place of what the object was."""
        file = self._file(bucket, key)
        try:
            try:
                upload.file.replace(file)
            except FileNotFoundError:
                file.parent.mkdir(parents=True, exist_ok=True)
                upload.file.replace(file)
        except OSError:
            self.reload(bucket, key)
            raise

    def discard(self, upload: Upload) -> None:
        """Forget an upload."""
        upload.file.unlink(missing_ok=True)

    def save(self, bucket: str, key: str) -> None:
        """Bring the disk up to date with an object that the application made by itself: a copy, a multipart upload."""
        got = self._call("GET", bucket, key)
        if got.code == 404:
            self.forget(bucket, key)
            return
        try:
            upload = self._write(self._put_request(bucket, key, got), iter([got.body]), len(got.body))
            self.accept(upload, bucket, key)
        except OSError:
            self.reload(bucket, key)
            raise

    def save_if_deleted(self, bucket: str, key: str) -> None:
        """Forget the object if the application no longer has it."""
        if self._call("HEAD", bucket, key).code == 404:
            self.forget(bucket, key)

    def forget(self, bucket: str, key: str) -> None:
        """Remove an object's file."""
        self._file(bucket, key).unlink(missing_ok=True)

    def reload(self, bucket: str, key: str) -> None:
        """Bring the application back to what the disk has, after a write that failed."""
        file = self._file(bucket, key)
        if file.exists():
            self._load(file)
        else:
            self._call("DELETE", bucket, key)

    def load_all(self) -> int:
        """Give the application every object; returns how many there are."""
        files = [file for file in self._directory.glob("*/??/*") if file.parent.parent != self._incoming]
        for file in files:
            self._load(file)
        return len(files)

    def _load(self, file: Path) -> None:
        with file.open("rb") as stream:
            header = stream.readline()
            length = file.stat().st_size - len(header)
            environ = json.loads(header) if header.endswith(b"\n") else None
            if environ is None or environ.pop(_LENGTH, length) != length:
                log.warning("lost when the machine stopped: %s", file if environ is None else environ["PATH_INFO"])
                file.unlink()
                return
            response = call(self._application, restored(environ), stream, length)
        if not response.ok:
            raise RuntimeError(f"{file} cannot be restored: {response.body.decode(errors='replace')}")

    def _write(self, environ: Environ, pieces: Iterator[bytes], expected: int | None) -> Upload:
        file = self._incoming / uuid.uuid4().hex
        start = f'{{"{_LENGTH}":'
        rest = "," + json.dumps(environ, separators=(",", ":"))[1:] + "\n"
        header = f"{start}{expected or 0:{_LENGTH_DIGITS}}{rest}".encode()
        try:
            with file.open("xb") as stream:
                stream.write(header)
                length, body = 0, b""
                for piece in pieces:
                    length += stream.write(piece)
                    body = piece
                if length != expected:
                    stream.seek(len(start))
                    stream.write(f"{length:{_LENGTH_DIGITS}}".encode())
        except OSError:
            file.unlink(missing_ok=True)
            raise
        return Upload(file, len(header), length, body if len(body) == length else None)

    def _file(self, bucket: str, key: str) -> Path:
        name = _digest(key).hex()
        return self._directory / bucket / name[:2] / name

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
