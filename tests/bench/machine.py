"""When and on what something was measured."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def today() -> str:
    """The day in UTC, such as 2026-11-30."""
    return dt.datetime.now(dt.UTC).date().isoformat()


def machine_lines(packages: Sequence[str]) -> list[str]:
    """The machine and versions, as a list in Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        f"- Machine: {processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()}",
        f"- Python {platform.python_version()}, {versions}",
    ]


def processor() -> str:
    """The name of the processor."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
