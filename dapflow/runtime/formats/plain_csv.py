"""Whether Athena's own reader takes a CSV file exactly as it is read here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dapflow.runtime.formats.csv_records import Dialect
from dapflow.runtime.formats.repeated_header import Again
from dapflow.runtime.landing.landing_text import LONGEST_ROW, LandingText


def plain_rows(text: LandingText, dialect: Dialect, width: int) -> int | None:
    r"""How many rows Athena's OpenCSVSerDe reads of a file exactly as ``records`` does; None where it may not.

    That is UTF-8, one header line, as many fields in every line, no blank lines, quotes around whole fields only, no
    line break in them, lines that end in ``\n`` or ``\r\n``.
    """
    if not text.is_utf8:
        return None
    delimiter = dialect.delimiter.encode()
    blocks = _blocks(text, dialect.skip)
    header = next(blocks, b"")
    if not delimiter.isascii() or not _is_plain(header, dialect, width):
        return None
    again = Again(header, dialect.delimiter)
    total = 0
    for block in blocks:
        # What each member of a gzip file brings is looked at record by record.
        if text.content.members > 1 or not _is_plain(block, dialect, width) or again.is_in(block):
            return None
        total += block.count(b"\n")
    return total


def _blocks(text: LandingText, skip: int) -> Iterator[bytes]:
    """The header line, and then whole lines by the megabyte, the last with an end as well."""
    rest = b""
    left = skip + 1
    for piece in text.content:
        data = rest + piece
        while left and b"\n" in data:
            left -= 1
            line, _, data = data.partition(b"\n")
            if not left:
                yield line + b"\n"
        cut = data.rfind(b"\n") + 1 if not left else 0
        if cut:
            yield data[:cut]
        rest = data[cut:]
        if len(rest) > LONGEST_ROW:
            yield b"\0"  # which is not plain
            return
    if rest:
        yield rest + b"\n"


def _is_plain(block: bytes, dialect: Dialect, width: int) -> bool:
    """Whether whole lines are read alike; ``width`` is the number of columns."""
    return _has_plain_lines(block) and _has_plain_fields(block, dialect, width)


def _has_plain_lines(block: bytes) -> bool:
    if b"\0" in block or b"\1" in block or block.count(b"\r") != block.count(b"\r\n"):
        return False
    if block[:1] in (b"\n", b"\r") or b"\n\n" in block or b"\n\r" in block:
        return False
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _has_plain_fields(block: bytes, dialect: Dialect, width: int) -> bool:
    if dialect.has_escape and (dialect.escape or "").encode() in block:
        return False
    delimiter = dialect.delimiter.encode()
    if b'"' not in block:
        wanted = width - 1
        return all(line.count(delimiter) == wanted for line in block[:-1].split(b"\n"))
    if b'\\"' in block:
        return False
    field = rb'(?:"(?:[^"\n]|"")*+"|[^"\n' + re.escape(delimiter) + rb"]*+)"
    record = field + rb"(?:" + re.escape(delimiter) + field + rb"){%d}\r?\n" % (width - 1)
    return re.fullmatch(rb"(?:\xef\xbb\xbf)?(?:" + record + rb")++", block) is not None
