"""Landing files: which there are for a generation, and what their first bytes say."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dapflow.errors import DapflowError
from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation
from dapflow.runtime.land import under_way
from dapflow.runtime.objects import Object, list_folders, list_objects, read_object, split_uri
from dapflow.runtime.target import Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SAMPLE_BYTES = 64 * 1024
_SAMPLE_TEXT = 16 * SAMPLE_BYTES
OTHER_COMPRESSIONS = (".zip", ".bz2", ".xz", ".zst", ".7z", ".lz4", ".snappy")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_UTF8_HINT = "export it as UTF-8"


def landing_files(target: Target, generation: Generation) -> list[Object]:
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
    files = [each for each in objects if each.name and each.name[0] not in "._"]
    if not files:
        days = list_folders(target.s3, target.place.landing)
        raise PassingError(
            "landing-missing",
            f"no files of {target.dataset.id} have landed for {generation}",
            file=prefix,
            hint=f"the newest that landed: {', '.join(sorted(days)[-3:])}" if days else "nothing has landed so far",
        )
    for each in files:
        if each.size == 0:
            raise DapflowError("landing-empty-file", "the file is empty", file=each.uri, hint="land it again")
        if each.name.lower().endswith(OTHER_COMPRESSIONS):
            raise DapflowError(
                "landing-format",
                "the file is compressed in a way that is not read here",
                file=each.uri,
                hint="use gzip",
            )
    return files


def sample_text(s3: S3Client, item: Object) -> str:
    """The beginning of a text file. Raises DapflowError ``landing-encoding``, ``-format`` or ``-empty-file``."""
    start = read_object(s3, item.uri, f"0-{SAMPLE_BYTES - 1}")
    whole = item.size <= SAMPLE_BYTES
    if is_gzip(item):
        try:
            reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
            start = reader.decompress(start, _SAMPLE_TEXT)
            whole = whole and reader.eof and not reader.unused_data
        except zlib.error as error:
            raise DapflowError("landing-format", "the file is named .gz, but is not gzip", file=item.uri) from error
    elif start.startswith((b"\x1f\x8b", b"PK\x03\x04", b"PAR1")):
        raise DapflowError(
            "landing-format",
            "the file is not text",
            file=item.uri,
            hint="Athena goes by the name: gzip files must end in .gz; Parquet needs `format: parquet` in service.yml",
        )
    if not start:
        raise DapflowError("landing-empty-file", "the file is empty", file=item.uri, hint="land it again")
    if start.startswith(_WIDE) or b"\0" in start:
        raise DapflowError(
            "landing-encoding", "the file is UTF-16 or binary, not UTF-8", file=item.uri, hint=_UTF8_HINT
        )
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(start, final=whole)
    except UnicodeDecodeError as error:
        line = start.count(b"\n", 0, error.start) + 1
        raise not_utf8(item, line, start[error.start]) from error


def not_utf8(item: Object, line: int, byte: int) -> DapflowError:
    """The error for a byte that is no part of UTF-8."""
    return DapflowError(
        "landing-encoding",
        f"the file is not UTF-8: byte 0x{byte:02x} (it may be Latin-1 or Windows-1252)",
        file=item.uri,
        line=line,
        hint=_UTF8_HINT,
    )


def is_gzip(item: Object) -> bool:
    """Whether Athena will take the file as gzip: it goes by the name."""
    return item.name.lower().endswith(".gz")


def lines(s3: S3Client, item: Object) -> Iterator[bytes]:
    """All lines of a landing file, for finding the place of a mistake that Athena has seen."""
    bucket, key = split_uri(item.uri)
    body: Any = s3.get_object(Bucket=bucket, Key=key)["Body"]
    raw = io.BufferedReader(gzip.GzipFile(fileobj=body)) if is_gzip(item) else None
    if raw is None:
        yield from body.iter_lines(chunk_size=SAMPLE_BYTES)
    else:
        for line in raw:
            yield line.rstrip(b"\r\n")


def fields_of(line: str, delimiter: str, *, strict: bool = False) -> list[str]:
    """The fields of one line of CSV. ``strict`` raises csv.Error for quotes that make no sense."""
    return next(csv.reader([line], delimiter=delimiter, strict=strict), [])


def column_name(text: str) -> str:
    """A column name made of a header: ``Flight No`` → ``flight_no``."""
    return re.sub(r"[^a-z0-9_]+", "_", text.strip().lower()).strip("_")


def header(item: Object, text: str, delimiter: str) -> list[str]:
    """The column names that the first line of a CSV file gives. Raises DapflowError ``landing-header``."""
    first = text.removeprefix("\ufeff").split("\n", 1)[0].rstrip("\r")
    names = [column_name(name) for name in fields_of(first, delimiter)]
    if not first.strip():
        raise DapflowError(
            "landing-header",
            "the first line is blank",
            file=item.uri,
            line=1,
            hint="the first line must name the columns",
        )
    if "" in names:
        raise DapflowError(
            "landing-header", f"column {names.index('') + 1} has no name", file=item.uri, line=1, source=first[:200]
        )
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise DapflowError(
            "landing-header", f"{', '.join(doubled)} is named twice", file=item.uri, line=1, source=first[:200]
        )
    return names


def check_names(item: Object, found: list[str], wanted: list[str], *, exact: bool, line: int | None = 1) -> None:
    """Compare the names in a file with those that are wanted. ``exact``: none may be missing.

    Raises DapflowError ``landing-header``.
    """
    complaints = []
    missing = [name for name in wanted if name not in found]
    if missing and (exact or len(missing) == len(wanted)):
        complaints.append(f"lacks {', '.join(missing)}")
    if unknown := [name for name in found if name not in wanted]:
        complaints.append(f"has {', '.join(unknown)}, which service.yml does not name")
    if complaints:
        raise DapflowError(
            "landing-header",
            f"the file {' and '.join(complaints)}",
            file=item.uri,
            line=line,
            hint=f"the columns of service.yml are {', '.join(wanted)}",
        )
