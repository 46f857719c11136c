"""How the fields of a CSV file are parted: what its header and its quotes speak for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dapflow.errors import DapflowError
from dapflow.manifest import LandingSource
from dapflow.runtime.formats import csv_records
from dapflow.runtime.landing.landing_text import LandingText

_DELIMITERS = (",", ";", "\t", "|")
_ESCAPES = (None, "\\")
# So many rows decide how the fields of a file are parted; then all rows must agree.
_TRIED_ROWS = 200


@dataclass(frozen=True)
class _DialectTrial:
    """The first rows, read in one way.

    Attributes:
        width: how many fields the header has.
        even: whether every row has as many.
        tidy: whether quotes stand around whole fields only. Where they do not, they speak for another delimiter.
        failure: why the rows cannot be read in this way.
    """

    source: LandingSource
    width: int
    even: bool = False
    tidy: bool = False
    failure: DapflowError | None = None

    @property
    def rank(self) -> tuple[int, int]:
        """What cannot be read goes before what can be read only because the quotes are taken for letters."""
        if self.even and self.tidy:
            return 3, self.width
        if self.failure or self.tidy:
            return 2, self.width
        return int(self.even), self.width


def dialect_of(text: LandingText, source: LandingSource) -> LandingSource:
    """The source with the delimiter and the escape of a file.

    A delimiter that the header does not have is never taken in place of one that it has and that fails.

    Raises DapflowError ``landing-quotes`` and others of reading, or ``landing-header``.
    """
    tried = [
        _read(text, replace(source, delimiter=delimiter, escape=escape))
        for escape in _ESCAPES
        for delimiter in _DELIMITERS
    ]
    parted = [trial for trial in tried if trial.width > 1]
    # Of two that are alike, the first: a header of one column is parted by nothing.
    best = max(parted, key=lambda trial: trial.rank) if parted else _first_readable(tried)
    if best.failure:
        raise best.failure
    return best.source


def _first_readable(tried: list[_DialectTrial]) -> _DialectTrial:
    plain = [trial for trial in tried if trial.source.delimiter == _DELIMITERS[0]]
    return next((trial for trial in plain if not trial.failure), plain[0])


def _read(text: LandingText, source: LandingSource) -> _DialectTrial:
    dialect = csv_records.Dialect.of(source)
    widths: list[int] = []
    tidy = True
    try:
        for record in itertools.islice(csv_records.records(text, dialect), _TRIED_ROWS):
            widths.append(len(record.fields))
            tidy = tidy and ('"' not in record.text or _is_tidy(record.text, dialect))
    except DapflowError as error:
        return _DialectTrial(source, widths[0] if widths else _written_width(text, dialect), failure=error)
    if not widths:
        raise DapflowError("landing-header", "the file has no header", file=text.item.uri, line=1)
    return _DialectTrial(source, widths[0], even=len(set(widths)) == 1, tidy=tidy)


def _written_width(text: LandingText, dialect: csv_records.Dialect) -> int:
    """How many fields a header has at most whose quotes cannot be read."""
    lines: Iterator[str] = itertools.islice(text.lines(), dialect.skip, None)
    return next(lines, "").count(dialect.delimiter) + 1


def _is_tidy(record: str, dialect: csv_records.Dialect) -> bool:
    delimiter = re.escape(dialect.delimiter)
    inner = r'[^"\\]|""|\\.' if dialect.has_escape else r'[^"]|""'
    quoted = rf'(?:^|(?<={delimiter}))"(?:{inner})*+"(?=[\r\n]|{delimiter}|\Z)'
    return '"' not in re.sub(quoted, "", record, flags=re.DOTALL)
