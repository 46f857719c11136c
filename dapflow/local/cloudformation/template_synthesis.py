"""Templates for the embedded platform, synthesized by ``stacks/`` and kept while they cannot have changed."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.local.processes.interrupts import shielded
from dapflow.local.processes.started import with_compiled_modules
from dapflow.manifest import Manifest
from dapflow.servers.state import State

# The clone that this code stands in: stacks/ is not part of the package.
REPOSITORY = Path(__file__).parents[3]
_KEPT = 8
_SECONDS = 300.0

Templates = dict[str, dict[str, Any]]
# What users are told while it runs.
SYNTHESIZING = "synthesizing the stacks: services or settings are new"


def settings_file(root: Path) -> Path:
    """The project's ``cdk.json``; a project without one gets the settings that dapflow itself stands with."""
    own = root / "cdk.json"
    return own if own.is_file() else REPOSITORY / "cdk.json"


@dataclass(frozen=True)
class GitBranch:
    """A git branch, with what its environment is tagged with."""

    branch: str
    commit: str = ""
    owner: str = ""


class Synthesis:
    """A synthesis that runs while other things start; none is started where the templates are there already.

    The templates are those of the environment ``local``, or of the branch environment that is asked for.
    """

    def __init__(self, root: Path, manifest: Manifest, branch: GitBranch | None = None) -> None:
        self._kept = State.of(REPOSITORY).templates
        self._folder = self._kept / _content(root, manifest, branch)
        self._asked = (root, manifest, branch)
        self._process: subprocess.Popen[str] | None = None
        if not self._folder.is_dir():
            self._start(root, manifest, branch)

    @property
    def under_way(self) -> bool:
        """Whether it still runs; it takes some ten seconds."""
        return self._process is not None and self._process.poll() is None

    def templates(self) -> Templates:
        """The templates by stack. Raises DapflowError: what people wrote cannot be deployed, or ``synthesis``."""
        while True:
            if self._process is not None:
                self._finish(self._process)
            try:
                os.utime(self._folder)
                files = sorted(self._folder.glob("*.template.json"))
                return {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}
            except FileNotFoundError:
                # Commands of other projects have made so many since that it was forgotten.
                self._start(*self._asked)

    def cancel(self) -> None:
        """End what still runs, and remove what it wrote."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            shutil.rmtree(self._output, ignore_errors=True)

    def _start(self, root: Path, manifest: Manifest, branch: GitBranch | None) -> None:
        if not (REPOSITORY / "stacks").is_dir():
            raise DapflowError("synthesis", f"{REPOSITORY} holds no stacks/", hint="run dapflow from a clone of it")
        State.of(REPOSITORY).create()
        self._kept.mkdir(exist_ok=True)
        with shielded():
            self._output = Path(tempfile.mkdtemp(prefix=".", dir=self._kept))
            written = self._output / "project.json"
            written.write_text(manifest.to_json(), encoding="utf-8")
            places = {"project": root, "settings": settings_file(root), "manifest": written, "output": self._output}
            options = {**places, **(asdict(branch) if branch else {})}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stacks.local", *(f"--{name}={value}" for name, value in options.items())],
                cwd=REPOSITORY,
                env=with_compiled_modules(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # Ctrl-C is for this command, which then cancels.
                start_new_session=True,
            )

    def _finish(self, process: subprocess.Popen[str]) -> None:
        try:
            printed, _ = process.communicate(timeout=_SECONDS)
            if process.returncode != 0:
                raise _failure(self._output, printed)
            (self._output / "project.json").unlink()
            try:
                self._output.replace(self._folder)
            except OSError:
                # Another project's command may have made the same meanwhile.
                if not self._folder.is_dir():
                    raise
            _forget_all_but(self._kept, _KEPT)
        finally:
            self.cancel()


def _failure(output: Path, printed: str) -> DapflowError:
    file = output / "errors.json"
    if not file.exists():
        return DapflowError("synthesis", f"the stacks could not be synthesized:\n{printed[-2000:]}")
    errors = [DapflowError(**error) for error in json.loads(file.read_text())]
    return errors[0] if len(errors) == 1 else DapflowErrors(errors)


def _forget_all_but(kept: Path, count: int) -> None:
    folders = sorted(
        (synthesized for synthesized in kept.iterdir() if not synthesized.name.startswith(".")),
        key=lambda at: at.stat().st_mtime,
    )
    for folder in folders[:-count]:
        # Whoever reads it has all of it, or nothing.
        going = kept / f".{folder.name}.{secrets.token_hex(8)}"
        with suppress(OSError):
            folder.rename(going)
            shutil.rmtree(going, ignore_errors=True)
    # What a synthesis that was killed has left, and no other one is at work in.
    for torn in kept.glob(".*"):
        with suppress(OSError):
            if time.time() - torn.stat().st_mtime > _SECONDS:
                shutil.rmtree(torn, ignore_errors=True)


def _content(root: Path, manifest: Manifest, branch: GitBranch | None) -> str:
    """What the templates are made of, as a name. The text of transforms is in the bundle only, and so not in it.

    A branch's templates say when it expires, so they are kept for a day.
    """
    digest = hashlib.sha256(version("aws-cdk-lib").encode())
    for file in _sources(root):
        content = file.read_bytes()
        digest.update(f"\n{file.name} {len(content)}\n".encode() + content)
    datasets = {
        dataset.id: [
            dataset.database,
            dataset.history,
            dataset.current,
            dataset.depends_on,
            dataset.external,
            dataset.has_generations,
        ]
        for dataset in manifest.datasets.values()
    }
    asked = [asdict(branch), datetime.now(UTC).date().isoformat()] if branch else []
    digest.update(json.dumps([manifest.services, datasets, *asked], default=vars).encode())
    return digest.hexdigest()[:32]


def _sources(root: Path) -> Iterator[Path]:
    yield settings_file(root)
    yield from sorted((REPOSITORY / "stacks").rglob("*.py"))
    names = ("branch.py", "environment.py", "manifest.py", "platform.py")
    yield from (REPOSITORY / "dapflow" / name for name in names)
