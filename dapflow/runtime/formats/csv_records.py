"""CSV files: records, read by one set of rules."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dapflow.errors import DapflowError
from dapflow.manifest import LandingSource
from dapflow.runtime.formats.repeated_header import is_same, name_of, repetition
from dapflow.runtime.landing.landing_text import LONGEST_ROW, LandingText, too_long

# So many letters of a record are shown.
_SHOWN = 200
_QUOTE_HINT = "mend the export: a quote within a quoted field is written twice, or after the source's `escape`"
_ESCAPE_HINT = r"""say in service.yml what the export does: escape: '\' where a backslash stands before quotes of a """
_ESCAPE_HINT += """field, escape: '"' where quotes are doubled and backslashes mean nothing"""


@dataclass(frozen=True)
class Dialect:
    """How fields are written."""

    delimiter: str
    escape: str | None
    skip: int

    @classmethod
    def of(cls, source: LandingSource) -> Dialect:
        """What service.yml says."""
        return cls(source.delimiter, source.escape, source.skip)

    @property
    def has_escape(self) -> bool:
        """Whether another character than the quote takes the meaning from a quote."""
        return self.escape not in (None, '"')


class Record(NamedTuple):
    """A record, the line in which it begins, and its text with the line's end."""

    line: int
    fields: list[str]
    text: str


def records(text: LandingText, dialect: Dialect) -> Iterator[Record]:
    r"""The header, and then all records. Lines with nothing in them are none.

    A header that another member of a gzip file repeats is left out. Lines end in ``\n``, ``\r\n`` or ``\r``.

    Raises DapflowError ``landing-quotes``, ``landing-lines``, ``landing-header``, ``landing-row``, or what reading
    text raises.
    """
    reading = _RecordReader(text, dialect)
    header: list[str] | None = None
    names: set[str] = set()
    for record in reading.records():
        if header is None:
            header = record.fields
            names = {name_of(field) for field in header}
        elif len(record.fields) == len(header) and name_of(record.fields[0]) in names:
            if mistake := repetition(header, record.fields, members=text.content.members, skip=dialect.skip):
                raise DapflowError(
                    "landing-header",
                    mistake,
                    file=text.item.uri,
                    line=record.line,
                    source=record.text[:_SHOWN].rstrip("\r\n"),
                    hint="several exports were put into one file: land each as a file of its own",
                )
            if text.content.members > 1 and is_same(header, record.fields):
                continue
        yield record


def other_delimiter(header: Record, dialect: Dialect) -> str | None:
    """What seems to stand between the names of a header that has one field, outside quotes, if anything."""
    if len(header.fields) != 1 or header.text.startswith('"'):
        return None
    return next((other for other in ",;\t|" if other != dialect.delimiter and other in header.text), None)


class _RecordReader:
    def __init__(self, text: LandingText, dialect: Dialect) -> None:
        self.text = text
        self.dialect = dialect
        self.number = 0
        self.begun: list[str] = []
        self.length = 0
        self.end = ""
        self.gap = re.compile(f'(?:^|{re.escape(dialect.delimiter)})[ \t]+"')

    def records(self) -> Iterator[Record]:
        # A field of any length is taken here: what is too long is said with its place. (The limit is the process's.)
        csv.field_size_limit(max(csv.field_size_limit(), 2 * LONGEST_ROW))
        reader = self._reader(self._lines(), self.dialect.escape)
        while True:
            try:
                fields = next(reader, None)
            except csv.Error as error:
                mistake = self.error(
                    "landing-quotes", self._first, f"the quotes of the record make no sense: {error}", self._hint()
                )
                mistake.column = self._senseless()
                raise mistake from error
            if fields is None:
                return
            first, text = self._first, "".join(self.begun)
            self.begun, self.length = [], 0
            self._check_end(text)
            if text.strip("\r\n"):
                if '"' in text:
                    self._check_quotes(first, text, fields)
                yield Record(first, fields, text)

    @property
    def _first(self) -> int:
        """The line in which the record that is being read begins."""
        return self.number - len(self.begun) + 1

    def _reader(self, lines: Iterator[str], escape: str | None) -> Iterator[list[str]]:
        if escape in (None, '"'):
            return csv.reader(lines, delimiter=self.dialect.delimiter, strict=True)
        return csv.reader(
            self._escaped(lines, escape or ""),
            delimiter=self.dialect.delimiter,
            strict=True,
            escapechar=escape,
        )

    def _escaped(self, lines: Iterator[str], escape: str) -> Iterator[str]:
        r"""An escape is one before a quote, a delimiter, a line's end or itself; ``\N`` is what it is."""
        special = re.escape(f'"{self.dialect.delimiter}{escape}') + r"\r\n"
        pattern = re.compile(f"{re.escape(escape)}([{special}]?)")
        for line in lines:
            yield pattern.sub(lambda match: match[0] if match[1] else escape * 2, line) if escape in line else line

    def _lines(self) -> Iterator[str]:
        for line in self.text.lines():
            self.number += 1
            if self.number <= self.dialect.skip:
                continue
            self.begun.append(line)
            self.length += len(line)
            if self.length > LONGEST_ROW:
                raise too_long(self.text.item, self._first)
            yield line

    def _check_end(self, text: str) -> None:
        end = text[-1]
        if end not in "\r\n":  # the last line of the file
            return
        self.end = self.end or end
        if end != self.end:
            raise self.error(
                "landing-lines",
                self.number,
                "lines end in a carriage return alone here, and in a line feed elsewhere",
                "mend the export: one of them may be a line break of a text, which must stand in quotes",
            )

    def _check_quotes(self, line: int, text: str, fields: list[str]) -> None:
        """Refuse quotes that can be read in two ways."""
        if self.dialect.escape is None and '\\"' in text:
            other = self._other(text, "\\", skip_blanks=False)
            if other is not None and len(other) == len(fields) and other != fields:
                raise self.error("landing-quotes", line, "a backslash stands before a quote", _ESCAPE_HINT)
        if (' "' in text or '\t"' in text) and self.gap.search(text):
            other = self._other(text, self.dialect.escape, skip_blanks=True)
            if other != [field.lstrip(" ") for field in fields]:
                raise self.error(
                    "landing-quotes", line, "a blank stands between a delimiter and a quote", "mend the export"
                )

    def _other(self, text: str, escape: str | None, *, skip_blanks: bool) -> list[str] | None:
        """The fields by other rules; None where these make no sense of the record."""
        lines = iter(text.splitlines(keepends=True))
        try:
            if skip_blanks:
                return next(csv.reader(lines, delimiter=self.dialect.delimiter, strict=True, skipinitialspace=True))
            return next(self._reader(lines, escape))
        except (csv.Error, StopIteration):
            return None

    def _senseless(self) -> int | None:
        """The column in which the field begins whose quotes make no sense, if it begins in the line that is shown."""
        text, delimiter = "".join(self.begun), re.escape(self.dialect.delimiter)
        escape = re.escape(self.dialect.escape or "") if self.dialect.has_escape else ""
        inner = rf'[^"{escape}]|""' + (f"|{escape}." if escape else "")
        field = re.compile(
            rf'(?:"(?:{inner})*+"|[^"{delimiter}\r\n][^{delimiter}\r\n]*|)(?={delimiter}|[\r\n]|\Z)', re.DOTALL
        )
        at = 0
        while match := field.match(text, at):
            at = match.end() + 1
        return at + 1 if text[at : at + 1] == '"' and at < min(_SHOWN, len(self.begun[0])) else None

    def _hint(self) -> str:
        return _ESCAPE_HINT if self.dialect.escape is None and '\\"' in "".join(self.begun) else _QUOTE_HINT

    def error(self, code: str, line: int, message: str, hint: str) -> DapflowError:
        """An error at a line; the record that was begun is shown."""
        shown = "".join(self.begun[:1])[:_SHOWN].rstrip("\r\n") or None
        return DapflowError(code, message, file=self.text.item.uri, line=line, hint=hint, source=shown)
