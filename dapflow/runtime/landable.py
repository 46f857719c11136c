"""What may land: for which table, on which day, and which files. All of it is said before anything is uploaded."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dapflow.errors import DapflowError
from dapflow.landing_formats import LANDING_FORMATS, format_begun_by, format_named_by, titles
from dapflow.manifest import Dataset, Manifest, Service
from dapflow.runtime.file_content import LocalFile
from dapflow.runtime.generation import Generation, check_not_future
from dapflow.runtime.landing.landing_files import OTHER_COMPRESSIONS

_UNREADABLE = {
    ".xls": "an Excel workbook",
    ".xlsx": "an Excel workbook",
    ".xlsm": "an Excel workbook",
    ".ods": "a spreadsheet",
    ".avro": "Avro",
    ".orc": "ORC",
    ".xml": "XML",
}
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_MOST_KEY_BYTES = 1024


def ending_of(path: Path) -> str:
    """The ending that says what is in a file, without that of gzip."""
    return Path(path.name.removesuffix(".gz")).suffix


def format_of_name(path: Path) -> str:
    """The format that a file's ending names. Raises DapflowError ``landing-format``, with what helps."""
    ending = ending_of(path).lower()
    if path.name.lower().endswith(OTHER_COMPRESSIONS) or ending in OTHER_COMPRESSIONS:
        raise _wrong(str(path), "is compressed in a way that is not read here", "unpack it, or use gzip")
    if (format_name := format_named_by(ending)) is None:
        what = _UNREADABLE.get(ending, "of no format that is known by its ending")
        raise _wrong(str(path), f"is {what}", f"export it as {titles()}")
    return format_name


def raw_table(manifest: Manifest, written: str) -> Dataset:
    """The raw table that ``service.table`` (or ``service.raw.table``) means. Raises DapflowError ``landing-target``."""
    raw = {f"{table.service}.{table.name}": table for table in manifest.datasets.values() if table.source is not None}
    parts = written.lower().split(".")
    name = f"{parts[0]}.{parts[2]}" if len(parts) == 3 and parts[1] == "raw" else ".".join(parts)
    if name in raw:
        return raw[name]
    others = {f"{other.service}.{other.name}": other for other in manifest.datasets.values() if other.source is None}
    other = manifest.datasets.get(written.lower()) or others.get(name)
    if other is not None:
        kind = "something else makes it" if other.external else "it is a data product"
        raise DapflowError("landing-target", f"no files land for {other.id}: {kind}", hint=_known(raw))
    near = difflib.get_close_matches(name, raw, n=3, cutoff=0.6) or [
        table for table in raw if table.endswith(f".{parts[-1]}")
    ]
    raise DapflowError(
        "landing-target",
        f"there is no raw table {written!r}",
        hint=f"did you mean {' or '.join(near)}?" if near else _known(raw),
    )


def landing_day(written: str | None, service: Service, now: datetime) -> Generation:
    """The generation that files land for: today by the service's clock, unless another is named, and no later one.

    Raises DapflowError ``generation`` or ``future-generation``.
    """
    if written is None:
        return Generation(now.astimezone(ZoneInfo(service.timezone)).date())
    day = Generation.parse(written)
    try:
        check_not_future(day, now, service.timezone)
    except DapflowError as error:
        # A run may be allowed to go on; files for such a day are a mistake in the date.
        raise DapflowError(error.code, error.message, hint="look at --date") from None
    return day


def check_path(dataset: Dataset, path: Path, prefix: str) -> None:
    """Say what a file's name and first bytes say against its landing in the folder ``prefix``. Nothing else is read.

    Raises DapflowError ``landing-file``, ``landing-empty-file``, ``landing-name`` or ``landing-format``.
    """
    assert dataset.source is not None  # noqa: S101 (see raw_table)
    file, name = str(path), path.name
    try:
        if not path.is_file():
            problem = "is a folder; name the files in it" if path.is_dir() else "is not there"
            raise DapflowError("landing-file", f"the file {problem}", file=file)
        with path.open("rb") as opened:
            start = opened.read(4)
    except OSError as error:
        raise DapflowError("landing-file", f"the file cannot be read: {error.strerror}", file=file) from error
    if not start and not dataset.source.takes_no_bytes:
        raise DapflowError("landing-empty-file", "the file is empty", file=file, hint="export it again")
    _check_name(name, file, prefix)
    _check_format(dataset.id, dataset.source.format, name.lower(), start, file)


def check_apart(files: Sequence[LocalFile]) -> None:
    """Raise DapflowError ``landing-duplicate`` where two files have one name or one content."""
    names: dict[str, LocalFile] = {}
    contents: dict[str, LocalFile] = {}
    for file in files:
        if names.setdefault(file.name, file) is not file:
            message = f"two files are called {file.name}: one of them would replace the other"
            raise DapflowError("landing-duplicate", message, file=str(file.path), hint="rename one of them")
        if (other := contents.setdefault(file.content, file)) is not file:
            raise DapflowError(
                "landing-duplicate",
                f"{other.name} and {file.name} hold the same: every row would be there twice",
                file=str(file.path),
                hint="land one of them",
            )


def _check_name(name: str, file: str, prefix: str) -> None:
    if name[0] in "._":
        raise DapflowError(
            "landing-name",
            "Athena reads no file whose name begins with a dot or an underscore",
            file=file,
            hint=f"rename it, for example to {name.lstrip('._') or 'data'}",
        )
    try:
        key = (prefix + name).partition("://")[2].partition("/")[2].encode()
    except UnicodeEncodeError:
        raise DapflowError("landing-name", "the name of the file is not text", file=ascii(file)) from None
    if len(key) > _MOST_KEY_BYTES:
        raise DapflowError("landing-name", f"S3 takes {_MOST_KEY_BYTES} bytes of name, folders included", file=file)
    if any(ord(letter) < 32 for letter in name):
        raise DapflowError("landing-name", f"the name holds a control character: {name!r}", file=file)


def _check_format(table: str, wanted: str, name: str, start: bytes, file: str) -> None:
    gzipped = name.endswith(".gz")
    ending = Path(name.removesuffix(".gz")).suffix
    if name.endswith(OTHER_COMPRESSIONS) or ending in OTHER_COMPRESSIONS:
        raise _wrong(file, "is compressed in a way that is not read here", "unpack it, or use gzip")
    if ending in _UNREADABLE or start.startswith(_ZIP):
        what = _UNREADABLE.get(ending, "a ZIP archive or an Excel workbook")
        raise _wrong(file, f"is {what}", f"{table} takes {wanted}: export it so")
    actual = format_begun_by(start) or format_named_by(ending)
    if actual is not None and actual != wanted:
        raise _wrong(file, f"is {actual}, and {table} takes {wanted}", "format: in service.yml says what a table takes")
    traits = LANDING_FORMATS[wanted]
    if not traits.is_text:
        if not start.startswith(traits.signature):
            begin = f"a {traits.title} file begins with {traits.signature.decode()}"
            raise _wrong(file, f"is not {traits.title}", f"{begin}, and is not compressed as a whole")
    elif gzipped != start.startswith(_GZIP):
        problem = "is named .gz, but is not gzip" if gzipped else "is gzip, and its name does not end in .gz"
        raise _wrong(file, problem, "Athena goes by the name")


def _wrong(file: str, problem: str, hint: str) -> DapflowError:
    return DapflowError("landing-format", f"the file {problem}", file=file, hint=hint)


def _known(raw: dict[str, Dataset]) -> str:
    shown = sorted(raw)
    return f"raw tables: {', '.join(shown[:8])}{' …' if len(shown) > 8 else ''}" if raw else "there are no raw tables"
