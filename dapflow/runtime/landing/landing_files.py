"""Which landing files there are for a generation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.manifest import LandingSource
from dapflow.runtime.aws import PassingError, error_code
from dapflow.runtime.generation import Generation
from dapflow.runtime.land import under_way
from dapflow.runtime.objects import Object, list_folders, list_objects, split_uri
from dapflow.runtime.target import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS = 8

# EMR and Hadoop's S3 client leave an empty object of such a name for each folder.
FOLDER_MARKER = "_$folder$"
OTHER_COMPRESSIONS = (".zip", ".bz2", ".xz", ".zst", ".7z", ".lz4", ".snappy")


def landing_files(target: Target, source: LandingSource, generation: Generation) -> list[Object]:
    """The files that landed for a generation, as Athena will read them: hidden ones are left out.

    Raises DapflowError ``landing-missing``, ``landing-under-way`` (another attempt may find them) or
    ``landing-empty-file``.
    """
    prefix = target.place.landed(generation)
    objects = list_objects(target.s3, prefix)
    if note := under_way(objects):
        raise PassingError(
            "landing-under-way",
            f"files of {target.dataset.id} are landing for {generation} at this moment",
            file=note.uri,
            hint="run it again in a while; a landing that was killed is finished by the same dapflow land again",
        )
    files = _seen(objects, prefix)
    if not files:
        days = list_folders(target.s3, target.place.landing)
        raise PassingError(
            "landing-missing",
            f"no files of {target.dataset.id} have landed for {generation}",
            file=prefix,
            hint=f"the newest that landed: {', '.join(sorted(days)[-3:])}" if days else "nothing has landed so far",
        )
    for file in files:
        if file.size == 0 and not source.takes_no_bytes:
            raise DapflowError("landing-empty-file", "the file is empty", file=file.uri, hint="land it again")
        if file.name.lower().endswith(OTHER_COMPRESSIONS):
            raise DapflowError(
                "landing-format",
                "the file is compressed in a way that is not read here",
                file=file.uri,
                hint="use gzip",
            )
    return _with_versions(target.s3, files)


def check_unchanged(target: Target, generation: Generation, landing: str) -> None:
    """Raise DapflowError ``landing-changed`` unless the landing files are those that ``landing`` names."""
    prefix = target.place.landed(generation)
    files = _with_versions(target.s3, _seen(list_objects(target.s3, prefix), prefix))
    if identity_of(files) != landing:
        newest = max(files, key=lambda item: item.modified, default=None)
        raise DapflowError(
            "landing-changed",
            "the landing files were exchanged while they were loaded" + (f", {newest.name} at last" if newest else ""),
            file=prefix,
            hint="run it again when the landing is complete",
        )


def identity_of(files: Sequence[Object]) -> str:
    """Names these objects.

    The version tells a file from one that was there before, as does the time of the upload, by the second, in a bucket
    without versions.
    """
    parts = [f"{file.uri}\0{file.etag}\0{file.size}\0{file.modified.isoformat()}\0{file.version}" for file in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def content_of(files: Sequence[Object]) -> str:
    """Equal for the same files with the same content, whenever they were uploaded."""
    parts = sorted(f"{file.name}\0{file.etag}\0{file.size}" for file in files)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def content_there(s3: S3Client, prefix: str) -> str:
    """What ``content_of`` says of what has landed below a prefix; empty where nothing has."""
    files = _seen(list_objects(s3, prefix), prefix)
    return content_of(files) if files else ""


def check_doubled(files: Sequence[Object], rows: Mapping[str, int], digest: Callable[[Object], bytes]) -> None:
    """Raise DapflowError ``landing-duplicate`` when two files with rows have the same content."""
    first: dict[bytes, Object] = {}
    for item in files:
        same = first.setdefault(digest(item), item) if rows[item.uri] else item
        if same is not item:
            raise DapflowError(
                "landing-duplicate",
                f"the file has the same content as {same.name}: every row would be loaded twice",
                file=item.uri,
                hint=f"remove one of them from {item.uri.rpartition('/')[0]}/",
            )


def _with_versions(s3: S3Client, files: Sequence[Object]) -> list[Object]:
    """The files with their versions. One that is exchanged meanwhile has the later version, which is noticed after."""

    def version(item: Object) -> str:
        bucket, key = split_uri(item.uri)
        try:
            return s3.head_object(Bucket=bucket, Key=key).get("VersionId", "")
        except ClientError as error:
            if error_code(error) not in ("404", "NoSuchKey"):
                raise
            return "gone"

    with ThreadPoolExecutor(_READERS) as pool:
        return [replace(item, version=current) for item, current in zip(files, pool.map(version, files), strict=True)]


def _seen(objects: Sequence[Object], prefix: str) -> list[Object]:
    """What Athena reads below a prefix: no hidden files, no markers of folders."""
    return [item for item in objects if _is_seen(item.uri.removeprefix(prefix))]


def _is_seen(path: str) -> bool:
    if not path or path.endswith(("/", FOLDER_MARKER)):
        return False
    return all(part[:1] not in ("_", ".") for part in path.split("/"))
