"""The text of a landing file: decoded without loss, line by line, each with its number."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.landing_formats import format_begun_by
from dapflow.manifest import LandingSource
from dapflow.runtime.landing.detection import detected, unicode_of
from dapflow.runtime.landing.stream import UnpackedContent, is_gzip
from dapflow.runtime.objects import Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Athena takes no longer rows (https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html).
LONGEST_ROW = 32 * 1024 * 1024
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass(frozen=True)
class LandingText:
    """A landing file and the encoding that it is read in. ``empty``: there is not a byte in it."""

    content: UnpackedContent
    encoding: str
    empty: bool = False

    @property
    def item(self) -> Object:
        """The object."""
        return self.content.item

    @property
    def is_utf8(self) -> bool:
        """Whether Athena's own readers take the encoding."""
        return codecs.lookup(self.encoding).name in ("utf-8", "ascii", "utf-8-sig")

    def lines(self) -> Iterator[str]:
        r"""All lines with their ends, which may be ``\n``, ``\r\n`` or ``\r``. A byte order mark is left out.

        Raises DapflowError ``landing-encoding`` with the line of the first byte that is none of the encoding's, and
        ``landing-row`` for a line that is longer than any row may be.
        """
        number = 0
        text = io.TextIOWrapper(self.content.open(), self.encoding, errors="strict", newline="")
        try:
            while line := text.readline(LONGEST_ROW):
                number += 1
                if len(line) == LONGEST_ROW and line[-1] not in "\r\n":
                    raise too_long(self.item, number)
                yield line.removeprefix("\ufeff") if number == 1 else line
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(self.encoding, errors="ignore")
            further = before.count("\n") + before.replace("\r\n", "").count("\r")
            raise self._undecodable(number + 1 + further, error.object[error.start]) from error
        except UnicodeError as error:  # UTF-16 without a byte order mark, in the codec that insists on one
            raise DapflowError("landing-encoding", f"{error}", file=self.item.uri, line=number + 1) from error

    def _undecodable(self, line: int, byte: int) -> DapflowError:
        if self.is_utf8:
            message = f"the file is not UTF-8: byte 0x{byte:02x} (it may be Latin-1 or Windows-1252)"
            hint = "export it as UTF-8, or give the source its encoding in service.yml: encoding: windows-1252"
        else:
            message = f"the file is not {self.encoding}: byte 0x{byte:02x} is no part of it"
            hint = "give the source its encoding in service.yml, or encoding: detect"
        return DapflowError("landing-encoding", message, file=self.item.uri, line=line, hint=hint)


def too_long(item: Object, line: int) -> DapflowError:
    """The error for a row that no reader takes."""
    return DapflowError(
        "landing-row",
        f"the row that begins here is longer than {LONGEST_ROW // 1024**2} million letters, which Athena does not take",
        file=item.uri,
        line=line,
        hint="a quote that opens there may not be closed",
    )


def text_of(s3: S3Client, item: Object, source: LandingSource) -> LandingText:
    """A landing file as text, in the encoding that its source has, or that is found.

    Raises DapflowError ``landing-format``, ``landing-encoding`` or ``landing-empty-file``.
    """
    content = UnpackedContent(s3, item)
    start = next(iter(content), b"")
    if not start and not source.takes_no_bytes:
        raise DapflowError("landing-empty-file", "the file is empty", file=item.uri, hint="land it again")
    if not start:
        return LandingText(content, "utf-8", empty=True)
    if not is_gzip(item.name) and (start.startswith((_GZIP, _ZIP)) or format_begun_by(start)):
        raise DapflowError(
            "landing-format",
            "the file is not text",
            file=item.uri,
            hint="Athena goes by the name: gzip files must end in .gz; Parquet needs `format: parquet` in service.yml",
        )
    encoding = unicode_of(start)
    if source.encoding == "detect":
        return LandingText(content, encoding or detected(content))
    text = LandingText(content, source.encoding)
    if text.is_utf8 and encoding not in ("utf-8", None):
        raise DapflowError(
            "landing-encoding",
            f"the file is {encoding.upper()} or binary, not UTF-8",
            file=item.uri,
            hint=f"export it as UTF-8, or give the source its encoding in service.yml: encoding: {encoding}",
        )
    if encoding == "utf-8" and not text.is_utf8:
        raise DapflowError(
            "landing-encoding",
            f"the file begins with the mark of UTF-8, and is not {source.encoding}",
            file=item.uri,
            line=1,
            hint="leave `encoding` out in service.yml, or write encoding: detect",
        )
    return text
