"""``.sql`` files in the house style; what is no text of SQL stays as it is, byte for byte."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.processes import shared
from dapflow.project.text_file import read_text, text_of
from dapflow.sql import SqlText
from dapflow.style.formatted import formatted


@dataclass(frozen=True)
class StyledFile:
    """A file as it is and as the house style has it, ends of lines included; ``after`` is None where it was refused."""

    path: Path
    before: str
    after: str | None
    refusal: DapflowError | None = None

    @property
    def changes(self) -> bool:
        """Whether it is in another style."""
        return self.after is not None and self.after != self.before

    def write(self) -> None:
        """Make the file hold its text in the house style, whole or not at all."""
        if self.after is None or not self.changes:
            return
        path = self.path.resolve()  # a link stays one
        mark = codecs.BOM_UTF8 if path.read_bytes().startswith(codecs.BOM_UTF8) else b""
        write_whole(path, mark + self.after.encode())


def sql_files(paths: Sequence[Path]) -> list[Path]:
    """The files that are named, and those in ``.sql`` below folders. Raises DapflowError ``unreadable-file``."""
    return list(dict.fromkeys(file for path in paths for file in _below(path)))


def styled_files(paths: Sequence[Path]) -> list[StyledFile]:
    """Files in the house style, in their order; nothing is written yet."""
    return shared(_styled_file, paths)


def styled_text(data: bytes, name: str) -> bytes:
    """The text of a file in the house style, with its byte-order mark if it has one. Raises DapflowError."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    return mark + formatted(SqlText(text_of(data, name), name)).encode()


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if not path.exists():
            raise DapflowError("unreadable-file", "there is no such file or folder", file=path)
        yield path
        return
    for file in sorted(path.rglob("*.sql")):
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file


def _styled_file(path: Path) -> StyledFile:
    text = ""
    try:
        text = read_text(path, str(path))
        return StyledFile(path, text, formatted(SqlText(text, str(path))))
    except DapflowError as error:
        return StyledFile(path, text, None, error)
