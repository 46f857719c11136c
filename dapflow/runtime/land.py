"""Landing files: put where the ingest of a generation finds them, all of them at once or none.

S3 makes one object appear whole, but not several. So the files of one landing are uploaded under hidden names first, to
which nothing pays attention: whatever goes wrong meanwhile, nothing has changed. Then

1. a *note* that names them is written beside them: from here on an ingest of the generation waits,
2. each is copied to its name, within S3, and its hidden object removed,
3. the note is removed: the ingest sees all of them.

A landing that was killed after 1 leaves the note, so that half of it is never read, and all that is needed to finish
it: the same landing does so when it is repeated, any other one after ``PATIENCE``. What was left before 1 is
overwritten by a repetition, for the names of hidden objects derive from what is landed, and removed after ``KEPT``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import PassingError, aws_errors, error_code
from dapflow.runtime.file_content import Advance, LocalFile, digests, notes
from dapflow.runtime.landing.stream import is_gzip
from dapflow.runtime.objects import (
    Object,
    copy_object,
    delete_object,
    list_objects,
    read_object,
    split_uri,
    write_object,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOTE = "_landing."
STAGED = "_staged."
PATIENCE = timedelta(minutes=10)
KEPT = timedelta(days=1)
# boto3's own parts of 8 MiB, of which nothing is transferred here, would be hundreds of requests.

State = Literal["landed", "replaced", "unchanged"]


@dataclass(frozen=True)
class LandedFile:
    """What became of a file. ``uri`` is where it is now."""

    name: str
    uri: str
    bytes: int
    sha256: str
    state: State


@dataclass(frozen=True)
class Landing:
    """What a landing did, and the other files that an ingest of the same generation reads."""

    files: tuple[LandedFile, ...]
    beside: tuple[str, ...]


def under_way(objects: Sequence[Object]) -> Object | None:
    """The note of a landing that is under way among the objects of a landing folder, or None."""
    return next((item for item in objects if item.name.startswith(NOTE)), None)


def land(
    s3: S3Client,
    prefix: str,
    files: Sequence[LocalFile],
    *,
    replace: bool = False,
    advance: Advance = lambda _: None,
) -> Landing:
    """Let files appear in a landing folder: all of them, or none.

    Files that are there already, with the same content under the same name, stay as they are.

    Args:
        prefix: URI of the folder of a generation, which ends in ``/``.
        replace: whether a file of the same name and another content is replaced.
        advance: told how many bytes were uploaded.

    Raises:
        DapflowError: ``landing-exists``, ``landing-duplicate``, ``landing-under-way``, ``landing-changed``, ``aws``.
    """
    with aws_errors():
        mark = _identity(files)
        _finish_earlier(s3, prefix, mark)
        there = {item.name: item for item in list_objects(s3, prefix) if item.name[:1] not in ("_", ".")}
        states = _compare(s3, prefix, files, there, replace=replace)
        changed = [file for file in files if states[file.name] != "unchanged"]
        if changed:
            _upload(s3, prefix, mark, changed, advance)
            _commit(s3, prefix, mark, [file.name for file in changed])
    landed = tuple(
        LandedFile(file.name, prefix + file.name, file.bytes, file.sha256, states[file.name]) for file in files
    )
    return Landing(landed, tuple(sorted(there.keys() - {file.name for file in files})))


def _identity(files: Sequence[LocalFile]) -> str:
    named = json.dumps(sorted((file.name, file.sha256) for file in files))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _compare(
    s3: S3Client, prefix: str, files: Sequence[LocalFile], there: dict[str, Object], *, replace: bool
) -> dict[str, State]:
    """What each file is to what has landed already."""
    sizes = {size for file in files for size in (file.bytes, file.content_bytes)}
    known = {name: digests(s3, item) for name, item in there.items() if item.size in sizes or is_gzip(name)}
    states: dict[str, State] = {}
    for file in files:
        same = (name for name, (_, content) in known.items() if content == file.content and name != file.name)
        other = next(same, None)
        if other is not None:
            raise DapflowError(
                "landing-duplicate",
                f"{file.name} has landed already, as {other}: every row would be there twice",
                file=str(file.path),
                hint=f"to give it the other name, delete {prefix}{other} first",
            )
        if file.name not in there:
            states[file.name] = "landed"
        elif known.get(file.name, ("", ""))[0] == file.sha256:
            states[file.name] = "unchanged"
        elif replace:
            states[file.name] = "replaced"
        else:
            raise DapflowError(
                "landing-exists",
                f"another {file.name} has landed already, at {there[file.name].modified:%Y-%m-%d %H:%M} UTC",
                file=str(file.path),
                hint="--replace puts this one in its place",
            )
    return states


def _upload(s3: S3Client, prefix: str, mark: str, files: Sequence[LocalFile], advance: Advance) -> None:
    """Upload under hidden names; when that fails, nothing is left of it."""
    try:
        for file in files:
            bucket, key = split_uri(prefix + _hidden(mark, file.name))
            noted = {"Metadata": notes(file)}
            s3.upload_file(str(file.path), bucket, key, ExtraArgs=noted, Callback=advance)
        for file in files:
            _check_unchanged(file)
    except BaseException as error:
        _forget(s3, prefix, mark, [file.name for file in files])
        if isinstance(error, S3UploadFailedError):
            raise DapflowError("aws", f"{error}; nothing has landed") from error
        raise


def _check_unchanged(file: LocalFile) -> None:
    now = file.path.stat()
    if (now.st_size, now.st_mtime_ns) != (file.bytes, file.modified):
        raise DapflowError(
            "landing-changed",
            "the file was changed while it was uploaded; nothing has landed",
            file=str(file.path),
            hint="land it again when it is complete",
        )


def _commit(s3: S3Client, prefix: str, mark: str, names: Sequence[str]) -> None:
    """Let what was uploaded appear."""
    note = f"{prefix}{NOTE}{mark}.json"
    write_object(s3, note, json.dumps({"files": list(names)}).encode())
    # Both of two landings at once have written their notes before they look for others, so one at least sees the other.
    others = [item for item in list_objects(s3, prefix) if item.name.startswith(NOTE) and item.uri != note]
    if others:
        delete_object(s3, note)
        _forget(s3, prefix, mark, names)
        raise _busy(others[0])
    try:
        _finish(s3, prefix, mark, names)
    except (ClientError, BotoCoreError) as error:
        raise PassingError(
            "landing-unfinished",
            f"{', '.join(names)} were uploaded, but not all of them are in their places: {error}",
            file=note,
            hint="an ingest waits for them; the same command again finishes it",
        ) from error


def _finish_earlier(s3: S3Client, prefix: str, mark: str) -> None:
    """Finish landings that were killed: this one, or others after some time.

    Raises DapflowError ``landing-under-way`` for one that may still be going on.
    """
    now = datetime.now(UTC)
    objects = list_objects(s3, prefix)
    notes = [item for item in objects if item.name.startswith(NOTE)]
    for note in notes:
        other = note.name.removeprefix(NOTE).removesuffix(".json")
        if other != mark and now - note.modified < PATIENCE:
            raise _busy(note)
        names = json.loads(read_object(s3, note.uri))["files"]
        _finish(s3, prefix, other, [str(name) for name in names])
    for item in objects:
        if item.name.startswith(STAGED) and not notes and now - item.modified > KEPT:
            delete_object(s3, item.uri)


def _finish(s3: S3Client, prefix: str, mark: str, names: Sequence[str]) -> None:
    """Copy hidden objects to their names, then remove the note. What is hidden no more was copied before."""
    for name in names:
        try:
            copy_object(s3, prefix + _hidden(mark, name), prefix + name)
        except ClientError as error:
            if error_code(error) not in ("404", "NoSuchKey"):
                raise
    _forget(s3, prefix, mark, names)
    delete_object(s3, f"{prefix}{NOTE}{mark}.json")


def _forget(s3: S3Client, prefix: str, mark: str, names: Sequence[str]) -> None:
    for name in names:
        with suppress(ClientError):
            delete_object(s3, prefix + _hidden(mark, name))


def _busy(note: Object) -> DapflowError:
    return DapflowError(
        "landing-under-way",
        f"another landing into this folder has been under way since {note.modified:%Y-%m-%d %H:%M} UTC",
        file=note.uri,
        hint="wait for its end; if it was killed, repeat it, or land again after "
        f"{PATIENCE.total_seconds() / 60:.0f} minutes, which finishes it first",
    )


def _hidden(mark: str, name: str) -> str:
    return f"{STAGED}{mark}.{name}"
