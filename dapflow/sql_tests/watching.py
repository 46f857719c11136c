"""Waiting for changes of what people write."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from dapflow.manifest import Manifest
from dapflow.project.sql_test_files import SqlTest

#: How often the files are looked at, in seconds. To look at 1,000 takes some milliseconds.
_EVERY = 0.3
_READ = (".sql", ".yml", ".csv")


class WatchedFiles:
    """What people write in a project, looked at again and again. What changes while nobody waits is not missed."""

    def __init__(self, root: Path, every: float = _EVERY) -> None:
        self._root = root
        self._every = every
        self._before = _written(root)

    def wait(self) -> frozenset[str]:
        """The files that were changed, made or removed since the last time, by their names; it waits for some."""
        while True:
            now = _written(self._root)
            before, self._before = self._before, now
            changed = frozenset(name for name in {*before, *now} if before.get(name) != now.get(name))
            if changed:
                return changed
            time.sleep(self._every)


def concerned(tests: Sequence[SqlTest], manifest: Manifest, changed: Collection[str]) -> list[SqlTest]:
    """The tests of which these files are, or whose transforms; all, where others changed that many may depend on."""
    folders = {name.rpartition("/")[0] for name in changed if name.endswith(".csv")}
    known: set[str] = set()
    chosen = []
    for test in tests:
        transform = manifest.datasets[test.dataset].transform
        own = {test.file} | ({transform.file} if transform is not None else set())
        known |= own
        folder = f"{test.file.rpartition('/')[0]}/"
        if own & set(changed) or any(f"{name}/".startswith(folder) for name in folders):
            chosen.append(test)
    is_known = all(name in known or name.endswith(".csv") for name in changed)
    return chosen if is_known else list(tests)


def _written(root: Path) -> dict[str, tuple[int, int]]:
    """When files were written, and how long they are."""
    files: dict[str, tuple[int, int]] = {}
    for folder, folders, names in os.walk(root / "transforms", followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(_READ):
                path = Path(folder, name)
                try:
                    status = path.stat()
                except OSError:  # it is gone, or being replaced
                    continue
                files[path.relative_to(root).as_posix()] = (status.st_mtime_ns, status.st_size)
    return files
