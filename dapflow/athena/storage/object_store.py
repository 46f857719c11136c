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
from dapflow.athena.storage.aws_clients import AwsError, error_code, error_message
from dapflow.athena.storage.cache import FileCache
from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.transport import AwsCall, Transport

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
# Listings of one query that are on their way.
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

    def __init__(self, client: S3Client, cache: FileCache, transport: Transport, threads: int = 16) -> None:
        self.client = client
        self._transport = transport
        self._cache = cache
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="s3")

    def close(self) -> None:
        """Stop the transfer threads."""
        self._transport.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        """Run a transfer on the transfer threads."""
        return self._pool.submit(function, *arguments)

    def begin_listing(self, prefix: Location) -> AwsCall[list[dict[str, Any]]]:
        """Let S3 list every object whose key starts with ``prefix``."""
        return self._transport.list_objects(prefix)

    def list_data(self, location: Location, call: AwsCall[list[dict[str, Any]]]) -> list[S3Object]:
        """The data objects of a table or partition, in all depths; ``call`` lists what has its prefix.

        As in Athena, objects whose name starts with ``_`` or ``.`` are hidden, and so are folder markers.
        """
        below = location.prefix
        items = _listed(below, call)
        objects = [item for item in items if _is_data(item.location.key[len(below.key) :])]
        if not objects and location.key and not location.key.endswith("/"):
            objects = [item for item in self.list_objects(location) if item.location == location]
        return objects

    def list_objects(self, prefix: Location) -> list[S3Object]:
        """Every object whose key starts with ``prefix``."""
        return _listed(prefix, self.begin_listing(prefix))

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

    def put(self, location: Location, body: bytes) -> None:
        """Write a small object."""
        self.begin_put(location, body)()

    def begin_put(self, location: Location, body: bytes) -> Callable[[], None]:
        """Begin to write a small object. What is given waits until it is there; it raises QueryFailed."""
        call = self._transport.put(location, body)

        @functools.cache
        def finish() -> None:
            try:
                call.result()
            except AwsError as error:
                raise _writing_failed(location, error) from error

        return finish

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
        self._waiting: dict[Location, None] = {}
        self._sent: dict[Location, AwsCall[list[dict[str, Any]]]] = {}
        self._found: dict[Location, list[S3Object]] = {}

    def begin(self, locations: Iterable[Location]) -> None:
        """Let S3 list."""
        self._waiting |= {place: None for place in locations if place not in self._sent and place not in self._found}
        self._send()

    def _send(self) -> None:
        while self._waiting and len(self._sent) < _SENT_AT_ONCE:
            location = next(iter(self._waiting))
            del self._waiting[location]
            self._sent[location] = self._store.begin_listing(location.prefix)

    def of(self, location: Location) -> list[S3Object]:
        """What is there, empty objects aside. Raises QueryFailed."""
        if location not in self._found:
            call = self._sent.pop(location, None) or self._store.begin_listing(location.prefix)
            self._waiting.pop(location, None)
            self._send()
            self._found[location] = self._store.list_data(location, call)
        return [item for item in self._found[location] if item.size > 0]

    def close(self) -> None:
        """Do without the listings that nobody wanted."""
        for call in self._sent.values():
            call.cancel()


def _batches(items: list[Location], size: int) -> Iterator[list[Location]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _listed(prefix: Location, call: AwsCall[list[dict[str, Any]]]) -> list[S3Object]:
    try:
        return [
            S3Object(Location(prefix.bucket, item["Key"]), item["Size"], item["ETag"].strip('"'), item["LastModified"])
            for item in call.result()
        ]
    except AwsError as error:
        raise _listing_failed(prefix, error) from error


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
