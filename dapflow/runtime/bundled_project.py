"""What a bundle holds: one compiled project, and the names of one environment."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dapflow.branch import FOLDER, check_bundled
from dapflow.environment import Environment, read_environment
from dapflow.errors import DapflowError
from dapflow.manifest import POINTER, SCHEMA, Manifest, read_manifest


@dataclass(frozen=True)
class Pointer:
    """Which manifest of a bundle is in force, its git commit, and where its files are shown; empty where not known."""

    manifest: str
    commit: str
    files: str


def read_pointer(file: Path) -> Pointer:
    """Read a bundle's ``manifest.json``. Raises DapflowError ``manifest``."""
    try:
        pointed = json.loads(file.read_text(encoding="utf-8"))
        pointer = Pointer(str(pointed["manifest"]), str(pointed.get("commit", "")), str(pointed.get("files", "")))
    except FileNotFoundError:
        raise DapflowError("manifest", "the bundle has no manifest.json", file=file) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DapflowError("manifest", "the bundle's manifest.json names no manifest", file=file) from error
    if not re.fullmatch(r"manifests/[0-9a-f]{16}\.json", pointer.manifest):
        raise DapflowError("manifest", f"the bundle's manifest.json names {pointer.manifest}, no manifest", file=file)
    return pointer


class BundledProject:
    """The project in a bundle's folder, as the pointer named it when this was made.

    A DAG run may meet a newer bundle: the manifest is named by its content, so this one stays the same. A branch's
    bundle below its host's is data that nobody has reviewed. ``commit`` is the git commit of its transforms, where the
    bundle says one. Raises DapflowError ``manifest`` for what this release
    does not read, ``branch-refused`` for names that are not the branch's own.
    """

    def __init__(self, folder: Path) -> None:
        pointer = read_pointer(folder / POINTER)
        self.commit, self._files = pointer.commit, pointer.files
        self.file = folder / pointer.manifest
        self.environment: Environment = read_environment(folder / "environment.json")
        if folder.parent.name == FOLDER:
            check_bundled(folder, self.manifest, self.environment)

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest."""
        return read_manifest(self.file)

    def address(self, path: str) -> str:
        """Where a file of the project is shown on the web, as it was deployed; empty where nobody knows."""
        known = self._files.startswith("https://")
        return self._files.replace("{path}", quote(path)) if known else ""

    def data(self) -> dict[str, Any]:
        """The manifest as plain values, which is all that building DAGs takes."""
        try:
            data: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            data = {}
        if data.get("schema") != SCHEMA:
            read_manifest(self.file)  # says what is wrong
        return data
