"""Text files as people save them: UTF-8, perhaps with a BOM."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from dapflow.errors import DapflowError


def read_text(path: Path, name: str) -> str:
    """The text of a file without its BOM; line ends stay as they are. Raises DapflowError, ``name`` being the file."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DapflowError("unreadable-file", "this is a folder, not a file", file=name)
        if not stat.S_ISREG(mode):
            # Reading a pipe would wait for ever.
            raise DapflowError("unreadable-file", "this is not a file of text", file=name)
        data = path.read_bytes()
    except OSError as error:
        raise DapflowError("unreadable-file", f"cannot be read: {error.strerror}", file=name) from error
    return text_of(data, name)


def text_of(data: bytes, name: str) -> str:
    """The text that bytes hold, as ``read_text`` does. Raises DapflowError ``encoding``."""
    hint = "save the file as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DapflowError("encoding", "the file is UTF-16", file=name, line=1, column=1, hint=hint)
    body = data.removeprefix(codecs.BOM_UTF8)
    zero = body.find(b"\0")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"byte 0x{body[error.start]:02x} is not UTF-8"
        raise _at(body, error.start, problem, name, hint) from None
    if zero >= 0:
        raise _at(body, zero, "a zero byte: this is not a text file", name, hint)
    return text


def _at(body: bytes, offset: int, problem: str, name: str, hint: str) -> DapflowError:
    line = body.count(b"\n", 0, offset) + 1
    start = body.rfind(b"\n", 0, offset) + 1
    end = body.find(b"\n", offset)
    column = len(body[start:offset].decode("utf-8", "replace")) + 1
    source = body[start : end if end >= 0 else len(body)].decode("utf-8", "replace").rstrip("\r")
    if len(source) > 200 or not source.isprintable():
        source = ""  # binary: showing it would only disturb the terminal
    return DapflowError("encoding", problem, file=name, line=line, column=column, hint=hint, source=source or None)
