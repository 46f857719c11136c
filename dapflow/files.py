"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o666, *, lasting: bool = True) -> None:
    """Make the file hold this content, at once; leave it alone when it does already.

    With ``lasting`` it stays so even where the machine stops right afterwards. ``mode`` is that of a new file, less
    what the umask takes away. One that is there keeps its own, as far as ``mode`` allows.
    """
    before = None
    if path.is_file():
        if path.read_bytes() == content:
            return
        before = path.stat().st_mode
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            if before is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(before) & (mode | 0o111))
            if lasting:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
