"""``dapflow check --fix``: what can be mended without a doubt, in the files that people wrote."""

from __future__ import annotations

import codecs
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError, Edit
from dapflow.files import write_whole

# Each round may show a further mistake behind the one that it mends.
_MOST_ROUNDS = 200


@dataclass(frozen=True)
class Mended:
    """A mistake that was mended, by its code, and where it stood."""

    code: str
    place: str


def mend(root: Path, findings: Sequence[DapflowError], again: Callable[[], Sequence[DapflowError]]) -> list[Mended]:
    """Mend what findings say how to; ``again`` looks for those that there are then.

    Each file is written whole. One that has a mistake at the same place then is put back, and left alone. Raises
    DapflowError ``unwritable-file``.
    """
    mended: list[Mended] = []
    left_alone: set[str] = set()
    for _ in range(_MOST_ROUNDS):
        chosen = _chosen(findings, left_alone)
        if not chosen:
            break
        texts = {name: (root / name).read_bytes() for name in chosen}
        for name, mistakes in chosen.items():
            _write(root / name, changed(texts[name], [edit for mistake in mistakes for edit in mistake.fix]))
        now = again()
        for name, mistakes in chosen.items():
            if _places(mistakes) & _places(finding for finding in now if finding.file == name):
                left_alone.add(name)
                _write(root / name, texts[name])
            else:
                mended += [Mended(mistake.code, mistake.place) for mistake in mistakes]
        findings = again() if left_alone & chosen.keys() else now
    return mended


def _chosen(findings: Iterable[DapflowError], left_alone: set[str]) -> dict[str, list[DapflowError]]:
    """The findings that can be mended together, by file: their changes do not overlap."""
    chosen: dict[str, list[DapflowError]] = defaultdict(list)
    ends: dict[str, int] = {}
    for finding in findings:
        name = finding.file
        if not finding.fix or name is None or name in left_alone:
            continue
        if min(edit.start for edit in finding.fix) >= ends.get(name, 0):
            chosen[name].append(finding)
            ends[name] = max(edit.end for edit in finding.fix)
    return chosen


def _places(findings: Iterable[DapflowError]) -> set[str]:
    return {finding.place for finding in findings if finding.severity == "error"}


def changed(content: bytes, edits: Iterable[Edit]) -> bytes:
    """A file's content with changes of its text; all other bytes stay."""
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    text = content.removeprefix(mark).decode()
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return mark + text.encode()


def _write(file: Path, content: bytes) -> None:
    try:
        write_whole(file.resolve(), content)
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=file) from error
