"""``dapflow check --fix``: what can be mended without a doubt, in the files that people wrote."""

from __future__ import annotations

import codecs
import itertools
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

    Each file is written whole. One that has a mistake at the same place then is put back, and that mistake left alone.
    Raises DapflowError ``unwritable-file``.
    """
    mended: list[Mended] = []
    left_alone: set[Mended] = set()
    for _ in range(_MOST_ROUNDS):
        chosen = _chosen(findings, left_alone)
        if not chosen:
            break
        texts = {name: (root / name).read_bytes() for name in chosen}
        for name, mistakes in chosen.items():
            _write(root / name, changed(texts[name], [edit for mistake in mistakes for edit in mistake.fix]))
        now = again()
        put_back = False
        for name, mistakes in chosen.items():
            wrong = {(finding.line, finding.column) for finding in now if finding.file == name and _is_error(finding)}
            not_mended = [mistake for mistake in mistakes if _place_then(mistake, mistakes) in wrong]
            if not_mended:
                left_alone.update(map(_mended, not_mended))
                _write(root / name, texts[name])
                put_back = True
            else:
                mended += map(_mended, mistakes)
        findings = again() if put_back else now
    return mended


def _chosen(findings: Iterable[DapflowError], left_alone: set[Mended]) -> dict[str, list[DapflowError]]:
    """The findings that can be mended together, by file: their changes do not overlap."""
    chosen: dict[str, list[DapflowError]] = defaultdict(list)
    ends: dict[str, int] = {}
    for finding in findings:
        name = finding.file
        if not finding.fix or name is None or _mended(finding) in left_alone:
            continue
        if min(edit.start for edit in finding.fix) >= ends.get(name, 0):
            chosen[name].append(finding)
            ends[name] = max(edit.end for edit in finding.fix)
    return chosen


def _mended(mistake: DapflowError) -> Mended:
    return Mended(mistake.code, mistake.place)


def _is_error(finding: DapflowError) -> bool:
    return finding.severity == "error"


def _place_then(mistake: DapflowError, mended: Sequence[DapflowError]) -> tuple[int | None, int | None]:
    """Where a mistake stands once others of its file are mended: those before it in its line may move it."""
    before = itertools.takewhile(lambda other: other is not mistake, mended)
    edits = [edit for other in before if other.line == mistake.line for edit in other.fix]
    return mistake.line, (mistake.column or 0) + sum(len(edit.text) - (edit.end - edit.start) for edit in edits)


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
