"""What ``dapflow compile`` made last, and whether it would make the same again.

It would where every file that it reads is the same, and dapflow itself is, and the manifest that it wrote is there as
it wrote it. Then there is nothing to do, and nobody waits for texts to be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from dapflow import __version__
from dapflow.files import write_whole

_MANIFEST, _NOTE = Path(".dapflow", "manifest.json"), Path(".dapflow", "compiled.json")
#: What of the files under transforms/ is read; of all others their names alone matter.
_READ = (".sql", ".yml")
#: Packages that what people write is read with, besides Python's own.
_PACKAGES = ("yaml", "croniter")


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
    digest.update(os.fsencode(reader()))
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


def reader() -> str:
    """Which dapflow it is, with Python and the packages that it reads with."""
    code = Path(__file__).parent
    files = [Path(folder, name) for folder, _, names in os.walk(code) for name in names if name.endswith(".py")]
    for package in _PACKAGES:
        spec = find_spec(package)
        files += [Path(spec.origin)] if spec is not None and spec.origin is not None else []
    parts = [__version__, sys.version]
    for file in sorted(files):
        status = file.stat()
        parts.append(f"{file}\0{status.st_size}\0{status.st_mtime_ns}")
    return "\n".join(parts)


@dataclass(frozen=True)
class Counted:
    """How much of what a manifest holds, and its name."""

    services: int
    raw: int
    transforms: int
    sha: str


@dataclass(frozen=True)
class Compiled:
    """What was compiled; ``inputs`` and ``written``, which is the manifest's file, are hashes."""

    inputs: str
    written: str
    counted: Counted


def compiled_before(root: Path, now: CompilerInputs | None) -> Counted | None:
    """What was compiled of the same, where its manifest is there still."""
    if now is None:
        return None
    try:
        note = json.loads((root / _NOTE).read_bytes())
        same = note["inputs"] == now.content and note["written"] == _hash(manifest_file(root))
        return Counted(**note["counted"]) if same else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_compiled(root: Path, before: CompilerInputs | None, counted: Counted) -> None:
    """Note what was compiled, unless what it is made of has changed meanwhile. Who cannot note it, compiles again."""
    with suppress(OSError):
        if before is not None and _times(root) == before.times:
            note = Compiled(before.content, _hash(manifest_file(root)), counted)
            write_whole(root / _NOTE, json.dumps(asdict(note)).encode())


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
