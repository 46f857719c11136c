"""S3 objects: list, fetch through the disk cache, write, delete."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.storage.aws import AwsError, error_code, error_message
from dapflow.athena.storage.cache import FileCache
from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.quick import AwsCall, Quick

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
_ANY_CONTENT = "application/octet-stream"
# Listings that are on their way without a thread; each has a connection.
_SENT_AT_ONCE = 32
_DELETE_AT_ONCE = 1000
_MULTIPART_BYTES = 64 << 20
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "Forbidden", "403"})


@dataclass(frozen=True)
class S3Object:
    """One object as it was listed."""

    location: Location
    size: int
    etag: str
    modified: dt.datetime

    @property
    def identity(self) -> str:
        """Names this content: another ETag is another content."""
        return f"{self.location}\n{self.etag}\n{self.size}"


class ObjectStore:
    """S3 for the engine. Faults become what Athena says of them."""

    def __init__(self, client: S3Client, cache: FileCache, quick: Quick | None = None, threads: int = 16) -> None:
        self.client = client
        self._quick = quick
        self._cache = cache
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="s3")

    def close(self) -> None:
        """Stop the transfer threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        """Run a transfer on the transfer threads."""
        return self._pool.submit(function, *arguments)

    def begin_listing(self, location: Location) -> AwsCall[list[dict[str, Any]]] | None:
        """Ask S3 for what ``list_data`` wants of a place; None where that takes a thread."""
        return None if self._quick is None else self._quick.list_objects(location.prefix)

    def list_data(self, location: Location, page: list[dict[str, Any]] | None = None) -> list[S3Object]:
        """The data objects of a table or partition, in all depths; ``page`` is S3's answer, where it is there.

        As in Athena, objects whose name starts with ``_`` or ``.`` are hidden, and so are folder markers.
        """
        below = location.prefix
        items = self.list_objects(below) if page is None else [_listed(below.bucket, item) for item in page]
        found = [item for item in items if _is_data(item.location.key[len(below.key) :])]
        if not found and location.key and not location.key.endswith("/"):
            found = [item for item in self.list_objects(location) if item.location == location]
        return found

    def list_objects(self, prefix: Location) -> list[S3Object]:
        """Every object whose key starts with ``prefix``."""
        found: list[S3Object] = []
        few = None if self._quick is None else self._quick.list_objects(prefix).result()
        if few is not None:
            return [_listed(prefix.bucket, item) for item in few]
        token: dict[str, Any] = {}
        while True:
            try:
                page = self.client.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key, **token)
            except AwsError as error:
                raise _listing_failed(prefix, error) from error
            found += [_listed(prefix.bucket, item) for item in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return found
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def is_empty(self, prefix: Location) -> bool:
        """Whether nothing is stored below ``prefix``."""
        try:
            page = self.client.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.prefix.key, MaxKeys=1)
        except AwsError as error:
            raise _listing_failed(prefix, error) from error
        return not page.get("Contents")

    def fetch(self, item: S3Object, target: Path) -> None:
        """Make ``target`` a local copy of exactly the content that was listed."""
        self._cache.link(item.identity, target, lambda part: self._download(item, part))

    def linked(self, identity: str, target: Path) -> bool:
        """Make ``target`` a local copy of what ``identity`` names, if there is one."""
        return self._cache.link_kept(identity, target)

    def derive(self, item: S3Object, form: str, target: Path, make: Any) -> None:
        """Make ``target`` a file computed from an object's content, such as a text file's columns.

        ``form`` names the computation with all that its outcome depends on; ``make(source, part)`` does it.
        """

        def convert(part: Path) -> None:
            source = part.with_name(part.name + ".source")
            try:
                self.fetch(item, source)
                make(source, part)
            finally:
                source.unlink(missing_ok=True)

        self._cache.link(f"{item.identity}\n{form}", target, convert)

    def _download(self, item: S3Object, part: Path) -> None:
        place = item.location
        try:
            answer = self.client.get_object(Bucket=place.bucket, Key=place.key)
            if answer["ETag"].strip('"') != item.etag:
                raise QueryFailed("HIVE_CURSOR_ERROR", f"Object changed while it was read: {place}")
            with part.open("wb") as file:
                for chunk in answer["Body"].iter_chunks(_CHUNK):
                    file.write(chunk)
        except AwsError as error:
            raise _opening_failed(place, error) from error
        if part.stat().st_size != item.size:
            raise QueryFailed("HIVE_CURSOR_ERROR", f"Object was cut off while it was read: {place}")

    def put(self, location: Location, body: bytes, content_type: str = _ANY_CONTENT) -> None:
        """Write a small object."""
        if self._quick is None or not self._quick.put(location, body, content_type).result():
            self._put(location, body, content_type)

    def begin_put(self, location: Location, body: bytes) -> Callable[[], None]:
        """Begin to write a small object. What is given waits until it is there; it raises QueryFailed."""
        if self._quick is None:
            return self.submit(self.put, location, body).result
        call = self._quick.put(location, body, _ANY_CONTENT)

        @functools.cache
        def finish() -> None:
            if not call.result():
                self._put(location, body, _ANY_CONTENT)

        return finish

    def _put(self, location: Location, body: bytes, content_type: str) -> None:
        try:
            self.client.put_object(Bucket=location.bucket, Key=location.key, Body=body, ContentType=content_type)
        except AwsError as error:
            raise _writing_failed(location, error) from error

    def upload(self, file: Path, location: Location) -> None:
        """Write a file of any size."""
        if file.stat().st_size <= _MULTIPART_BYTES:
            self.put(location, file.read_bytes())
            return
        try:
            self.client.upload_file(str(file), location.bucket, location.key)
        except AwsError as error:
            raise _writing_failed(location, error) from error

    def get(self, location: Location) -> bytes:
        """Read a small object."""
        try:
            return self.client.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
        except AwsError as error:
            raise _opening_failed(location, error) from error

    def download(self, location: Location, target: Path) -> None:
        """Read an object of any size, past the cache."""
        try:
            body = self.client.get_object(Bucket=location.bucket, Key=location.key)["Body"]
            with target.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK):
                    file.write(chunk)
        except AwsError as error:
            raise _opening_failed(location, error) from error

    def delete(self, locations: Iterable[Location]) -> None:
        """Delete objects of one bucket."""
        items = list(locations)
        for batch in _batches(items, _DELETE_AT_ONCE):
            keys: list[Any] = [{"Key": item.key} for item in batch]
            try:
                self.client.delete_objects(Bucket=batch[0].bucket, Delete={"Objects": keys, "Quiet": True})
            except AwsError as error:
                raise _writing_failed(batch[0], error) from error


class Listings:
    """The data objects of places, each listed once, side by side."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._sent: dict[Location, AwsCall[list[dict[str, Any]]]] = {}
        self._submitted: dict[Location, Future[list[S3Object]]] = {}
        self._found: dict[Location, list[S3Object]] = {}

    def begin(self, locations: Iterable[Location]) -> None:
        """Let S3 list."""
        for location in locations:
            if location in self._sent or location in self._submitted or location in self._found:
                continue
            call = self._store.begin_listing(location) if len(self._sent) < _SENT_AT_ONCE else None
            if call is not None:
                self._sent[location] = call
            else:
                self._submitted[location] = self._store.submit(self._store.list_data, location)

    def of(self, location: Location) -> list[S3Object]:
        """What is there, empty objects aside. Raises QueryFailed."""
        self.begin([location])
        if location in self._sent:
            page = self._sent.pop(location).result()
            self._found[location] = self._store.list_data(location, page)
        elif location in self._submitted:
            self._found[location] = self._submitted.pop(location).result()
        return [item for item in self._found[location] if item.size > 0]

    def close(self) -> None:
        """Do without the listings that nobody wanted."""
        for call in self._sent.values():
            call.forget()


def _batches(items: list[Location], size: int) -> Iterator[list[Location]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _listed(bucket: str, item: Any) -> S3Object:
    return S3Object(Location(bucket, item["Key"]), item["Size"], item["ETag"].strip('"'), item["LastModified"])


def _is_data(relative: str) -> bool:
    if not relative or relative.endswith("/"):
        return False
    return not any(re.match(r"[_.]", part) for part in relative.split("/"))


def _listing_failed(location: Location, error: BaseException) -> QueryFailed:
    code = error_code(error)
    if code in _DENIED:
        return QueryFailed("PERMISSION_DENIED", f"Permission denied on S3 path: {location}")
    if code == "NoSuchBucket":
        return QueryFailed("HIVE_FILESYSTEM_ERROR", f"Failed to list directory: {location}. The bucket does not exist")
    return QueryFailed("HIVE_FILESYSTEM_ERROR", f"Failed to list directory: {location}. {error_message(error)}")


def _opening_failed(location: Location, error: BaseException) -> QueryFailed:
    code = error_code(error)
    if code in _DENIED:
        reason = "Access Denied (Service: Amazon S3; Status Code: 403)"
    elif code in {"NoSuchKey", "404"}:
        reason = "The specified key does not exist (Service: Amazon S3; Status Code: 404)"
    else:
        reason = error_message(error)
    return QueryFailed("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {location}: {reason}")


def _writing_failed(location: Location, error: BaseException) -> QueryFailed:
    code = error_code(error)
    if code in _DENIED:
        return QueryFailed("PERMISSION_DENIED", f"Access Denied on writing S3 path: {location}")
    if code == "NoSuchBucket":
        return QueryFailed("HIVE_WRITER_OPEN_ERROR", f"Error writing {location}: The bucket does not exist")
    return QueryFailed("HIVE_WRITER_CLOSE_ERROR", f"Error committing write to {location}: {error_message(error)}")
