"""Which encoding a text has of which nobody said so."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.runtime.landing.stream import UnpackedContent

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# One byte in so many, at least, is a zero in UTF-16: lines of Chinese have delimiters and ends.
_ZEROS = 20
# So many times as often they are in one half of each two bytes.
_MAINLY = 4
# So many bytes are looked at.
_SEEN = 64 * 1024
# What `encoding: detect` takes for text that is not Unicode: what Excel and most of Windows write in Western Europe.
FALLBACK = "windows-1252"
# A letter of several bytes, as UTF-8 writes it.
_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LONGEST_LETTER = 4


def unicode_of(start: bytes) -> str | None:
    """The encoding that the first bytes show without a doubt: a byte order mark, or the zeros of UTF-16.

    There, a line's end is one of two bytes, and the other is a zero. A zero elsewhere says nothing of an encoding.
    """
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if start.count(0) * _ZEROS < len(start) or b"\0" not in start:
        return None
    # Line ends are units of two bytes with a zero, mainly in the half that the other zeros are in; elsewhere the same
    # bytes are halves of other letters.
    first, second = start[:_SEEN:2], start[1:_SEEN:2]
    big = sum(high == 0 and low in b"\r\n" for high, low in zip(first, second, strict=False))
    little = sum(high == 0 and low in b"\r\n" for low, high in zip(first, second, strict=False))
    if big == little:
        big, little = int(not first[0]), int(not second[0]) if second else 0
    if little > big and second.count(0) > _MAINLY * first.count(0):
        return "utf-16-le"
    if big > little and first.count(0) > _MAINLY * second.count(0):
        return "utf-16-be"
    return None


def detected(content: UnpackedContent) -> str:
    """UTF-8 where the content is that, else FALLBACK.

    Raises DapflowError ``landing-encoding`` for what is not UTF-8 and yet holds letters as UTF-8 writes them: one of
    the two would be read wrong.
    """
    other = _first_other(content)
    if other is None:
        return "utf-8"
    if (letter := _first_letter(content)) is not None:
        at, text = letter
        raise DapflowError(
            "landing-encoding",
            f"two encodings are mixed: byte 0x{other.byte:02x} at {other.offset} (counted from 0) is not UTF-8, and "
            f"0x{text.hex()} at {at} is a letter of it",
            file=content.item.uri,
            line=other.line,
            hint=f"export it in one encoding; if it is {FALLBACK} for all that, say so: encoding: {FALLBACK}",
        )
    return FALLBACK


@dataclass(frozen=True)
class _Other:
    """A byte that is not UTF-8, and where it is."""

    byte: int
    offset: int
    line: int


def _first_other(content: UnpackedContent) -> _Other | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, lines, end = 0, 1, ""
    try:
        for piece in content:
            held = len(decoder.getstate()[0])
            text = decoder.decode(piece)
            offset += len(piece)
            lines += _ends(end + text) - _ends(end)
            end = text[-1:] or end
        held = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        line = lines + _ends(end + before) - _ends(end)
        return _Other(error.object[error.start], offset - held + error.start, line)
    return None


def _ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _first_letter(content: UnpackedContent) -> tuple[int, bytes] | None:
    offset, rest = 0, b""
    for piece in content:
        data = rest + piece
        if match := _LETTER.search(data):
            return offset - len(rest) + match.start(), match[0]
        offset += len(piece)
        rest = data[-(_LONGEST_LETTER - 1) :]
    return None
