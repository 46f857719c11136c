"""What ``dapflow compile`` made last, and whether it would make the same again.

It would where every file that it reads is the same, and dapflow itself is, and the manifest that it wrote is there as
it wrote it. Then there is nothing to do, and nobody waits for texts to be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dapflow.known_answers import KnownAnswers

_MANIFEST = Path(".dapflow", "manifest.json")
#: How answers of this kind are named (see ``KnownAnswers``).
_KIND = "manifests"
#: What of the files under transforms/ is read; of all others their names alone matter.
_READ = (".sql", ".yml")


def manifest_file(root: Path) -> Path:
    """Where the manifest of a project is written."""
    return root / _MANIFEST


@dataclass(frozen=True)
class CompilerInputs:
    """All that a manifest is made of: a hash of the contents, and one of when they were written."""

    content: str
    times: str


def inputs(root: Path) -> CompilerInputs | None:
    """What a manifest of the project would be made of now; None where not all of it can be read."""
    digest = hashlib.sha256()
    try:
        times = _times(root)
        for name, file in _files(root):
            mode, data = file.stat().st_mode, b""
            if stat.S_ISREG(mode) and name.endswith(("pyproject.toml", *_READ)):
                data = file.read_bytes()
            digest.update(os.fsencode(f"{name}\0{stat.S_IFMT(mode)}\0{len(data)}\n") + data)
    except OSError:
        return None
    return CompilerInputs(digest.hexdigest(), times)


def _times(root: Path) -> str:
    """A hash of when each file was written. Raises OSError for what cannot be looked at."""
    digest = hashlib.sha256()
    for name, file in _files(root):
        status = file.stat()
        digest.update(os.fsencode(f"{name}\0{status.st_ino}\0{status.st_size}\0{status.st_mtime_ns}\n"))
    return digest.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """What stands in the project that may be read, hidden files left out, by its name there."""
    if (root / "pyproject.toml").exists():
        yield "pyproject.toml", root / "pyproject.toml"
    # Folders of services and zones may be links, which are followed; further down nothing is read.
    pending = [("transforms", 0)]
    while pending:
        folder, depth = pending.pop()
        for name in sorted(os.listdir(root / folder)):  # noqa: PTH208 - names suffice
            path = f"{folder}/{name}"
            if not name.startswith("."):
                yield path, root / path
                if os.path.isdir(root / path) and (depth < 2 or not os.path.islink(root / path)):  # noqa: PTH112, PTH114
                    pending.append((path, depth + 1))


@dataclass(frozen=True)
class Counted:
    """How much of what a manifest holds, and its name."""

    services: int
    raw: int
    transforms: int
    sha: str


def compiled_before(root: Path, now: CompilerInputs | None) -> Counted | None:
    """What was compiled of the same, where its manifest is there still."""
    if now is None:
        return None
    note = KnownAnswers(root, _KIND).get(now.content)
    try:
        return Counted(**note["counted"]) if note and note["written"] == _hash(manifest_file(root)) else None
    except OSError:
        return None


def note_compiled(root: Path, before: CompilerInputs | None, counted: Counted) -> None:
    """Note what was compiled, unless what it is made of has changed meanwhile. Who cannot note it, compiles again."""
    with suppress(OSError):
        if before is not None and _times(root) == before.times:
            known = KnownAnswers(root, _KIND)
            known.put(before.content, json.dumps({"written": _hash(manifest_file(root)), "counted": asdict(counted)}))
            known.write()


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
