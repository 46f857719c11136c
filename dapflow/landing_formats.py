"""The formats that files land in, and what holds of each before a file is opened.

The run time has the object that reads them, ``dapflow.runtime.formats``; this is what compiling needs as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DEFAULT_FORMAT = "csv"


@dataclass(frozen=True)
class FormatTraits:
    """What holds of all files of a format.

    Attributes:
        title: what people call it.
        endings: those of names that say it, in small letters; ``.gz`` may follow unless there is a ``signature``.
        keys: the keys of a source in service.yml that are for this format and for no other that does not list them.
        nulls: the texts that stand for NULL where service.yml names none.
        signature: what every file begins with; empty for text. A file with one holds its compression within.
        note: what people may not expect of it.
    """

    title: str
    endings: tuple[str, ...]
    keys: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    signature: bytes = b""
    note: str = ""

    @property
    def is_text(self) -> bool:
        """Whether a file is text; one without a byte is then a file without rows."""
        return not self.signature


LANDING_FORMATS = {
    "csv": FormatTraits(
        "CSV", endings=(".csv", ".tsv", ".psv"), keys=("encoding", "delimiter", "escape", "skip", "null"), nulls=("",)
    ),
    "json": FormatTraits(
        "JSON", endings=(".json", ".jsonl", ".ndjson"), keys=("encoding", "null"), note="one object a line"
    ),
    "parquet": FormatTraits("Parquet", endings=(".parquet", ".parq", ".pq"), signature=b"PAR1"),
}


def formats_with(key: str) -> tuple[str, ...]:
    """The formats that a key of a source is for; none where it is for all."""
    return tuple(name for name, traits in LANDING_FORMATS.items() if key in traits.keys)


def format_named_by(ending: str) -> str | None:
    """The format that the ending of a file's name says, in small letters; None where it says none."""
    return next((name for name, traits in LANDING_FORMATS.items() if ending in traits.endings), None)


def format_begun_by(start: bytes) -> str | None:
    """The format whose signature a file begins with."""
    signed = ((name, traits.signature) for name, traits in LANDING_FORMATS.items() if traits.signature)
    return next((name for name, signature in signed if start.startswith(signature)), None)


def titles() -> str:
    """All formats in words, as people call them: ``CSV, JSON (one object a line) or Parquet``."""
    return either(
        f"{traits.title} ({traits.note})" if traits.note else traits.title for traits in LANDING_FORMATS.values()
    )


def either(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *others, last = words
    return f"{', '.join(others)} or {last}"
