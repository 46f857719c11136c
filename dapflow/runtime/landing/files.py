"""Which landing files there are for a generation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from dapflow.errors import DapflowError
from dapflow.manifest import Source
from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation
from dapflow.runtime.land import under_way
from dapflow.runtime.objects import Object, list_folders, list_objects
from dapflow.runtime.target import Target

# EMR and Hadoop's S3 client leave an empty object of such a name for each folder.
FOLDER_MARKER = "_$folder$"
OTHER_COMPRESSIONS = (".zip", ".bz2", ".xz", ".zst", ".7z", ".lz4", ".snappy")


def landing_files(target: Target, source: Source, generation: Generation) -> list[Object]:
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
    for each in files:
        if each.size == 0 and not source.takes_no_bytes:
            raise DapflowError("landing-empty-file", "the file is empty", file=each.uri, hint="land it again")
        if each.name.lower().endswith(OTHER_COMPRESSIONS):
            raise DapflowError(
                "landing-format",
                "the file is compressed in a way that is not read here",
                file=each.uri,
                hint="use gzip",
            )
    return files


def check_unchanged(target: Target, generation: Generation, landing: str) -> None:
    """Raise DapflowError ``landing-changed`` unless the landing files are those that ``landing`` names."""
    prefix = target.place.landed(generation)
    files = _seen(list_objects(target.s3, prefix), prefix)
    if identity_of(files) != landing:
        newest = max(files, key=lambda item: item.modified, default=None)
        raise DapflowError(
            "landing-changed",
            "the landing files were exchanged while they were loaded" + (f", {newest.name} at last" if newest else ""),
            file=prefix,
            hint="run it again when the landing is complete",
        )


def identity_of(files: Sequence[Object]) -> str:
    """Names these objects. The time of the upload, by the second, tells a file from one that was there before."""
    parts = [f"{each.uri}\0{each.etag}\0{each.size}\0{each.modified.isoformat()}" for each in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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


def _seen(objects: Sequence[Object], prefix: str) -> list[Object]:
    """What Athena reads below a prefix: no hidden files, no markers of folders."""
    return [each for each in objects if _is_seen(each.uri.removeprefix(prefix))]


def _is_seen(path: str) -> bool:
    if not path or path.endswith(("/", FOLDER_MARKER)):
        return False
    return all(part[:1] not in ("_", ".") for part in path.split("/"))
