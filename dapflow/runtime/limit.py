"""A part of its inputs that a branch is built of, so that what a change does to years of data is seen in minutes.

A result of a part says so wherever it is noted: docs/decisions/limits.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dapflow.errors import DapflowError
from dapflow.runtime import glue_parameters
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.generation import Generation

_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,4})?)\s*%?")
# Digits of a hash that decide, in base 16.
_DIGITS = 8
# Types whose values are written as the same text wherever they stand.
_WRITTEN_ALIKE = re.compile(r"string|tinyint|smallint|int|bigint|boolean|date|decimal\(.*\)|(var)?char\(.*\)")


@dataclass(frozen=True)
class InputLimit:
    """What a run reads of its inputs; as it is, all of it.

    Attributes:
        since: where the histories that it reads begin.
        percent: how many of the values of the column ``by`` there are, in whatever input has that column.
    """

    since: Generation | None = None
    percent: Decimal | None = None
    by: str = ""

    @classmethod
    def asked(cls, since: str | None, sample: str | None, by: str | None) -> InputLimit:
        """The limit as a person writes it. Raises DapflowError ``generation`` or ``option``."""
        if (sample is None) != (by is None):
            raise DapflowError(
                "option",
                "--sample and --by go together",
                hint="--by names the column by which rows belong together, mostly the one that inputs are joined on",
            )
        percent = None
        if sample is not None:
            match = _PERCENT.fullmatch(sample.strip())
            percent = Decimal(match[1]) if match else None
            if not percent:
                raise DapflowError(
                    "option", f"--sample {sample}: must be more than 0 % and less than 100 %, as 10% or 0.5%"
                )
        return cls(Generation.parse(since) if since is not None else None, percent, (by or "").strip().lower())

    @property
    def since_said(self) -> str:
        """Where histories begin, as it is noted with what was built."""
        return f"since {self.since}" if self.since else ""

    @property
    def sample_said(self) -> str:
        """How many values there are, as it is noted with what was built."""
        return f"{self.percent} % by {self.by}" if self.percent else ""

    @property
    def said(self) -> tuple[str, ...]:
        """All of it; empty for what limits nothing."""
        return tuple(filter(None, (self.since_said, self.sample_said)))

    def rows(self, columns: Mapping[str, str], dataset: str) -> str:
        """The condition of the rows of an input that are read, by Glue's types of its columns; empty for all.

        A hash of the value decides and not chance, so that the same values are read in every table, by every product,
        on every day. What has no value is not read. Raises DapflowError ``option`` for a column that is not for this.
        """
        if self.percent is None or self.by not in columns:
            return ""
        if not _WRITTEN_ALIKE.fullmatch(columns[self.by].lower()):
            raise DapflowError(
                "option",
                f"--by {self.by}: in {dataset} it is {columns[self.by]}, of which no sample is taken",
                hint="name a column of texts, whole or decimal numbers, dates or truth values",
            )
        bound = int(self.percent / 100 * 16**_DIGITS)
        # https://trino.io/docs/current/functions/binary.html: md5 and to_hex; the latter writes capital letters.
        return f"to_hex(md5(to_utf8(CAST({quoted(self.by)} AS varchar)))) < '{bound:0{_DIGITS}X}'"


WHOLE = InputLimit()


def limits_of(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """What the rows of a partition are a part of, as its publication noted it; empty where they are whole."""
    return tuple(json.loads(parameters.get(glue_parameters.LIMITS, "[]")))


def limited_said(limits: tuple[str, ...]) -> str:
    """For people: ``limited: since 2013-12-01, 10 % by tail_number``; empty for what is whole."""
    return f"limited: {', '.join(limits)}" if limits else ""
