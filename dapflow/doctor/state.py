"""The project and its embedded platform: mistakes, a stale manifest, a hook that is not run, processes, ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from dapflow.compiled import compiled_before, inputs, manifest_file
from dapflow.doctor.diagnosis import Diagnosis
from dapflow.errors import DapflowError
from dapflow.git import git
from dapflow.local.processes.components import statuses
from dapflow.local.processes.ports import is_free, read_ports
from dapflow.project import check_project
from dapflow.servers.state import State


def project_diagnoses(root: Path) -> Iterator[Diagnosis]:
    """How the project at ``root`` is, and its platform."""
    yield _transforms(root)
    yield _manifest(root)
    yield _hook(root)
    state = State.of(root)
    try:
        yield from _platform(state)
    except DapflowError as error:  # what .dapflow/ notes cannot be read
        yield Diagnosis("platform", "mend", error.message, error.hint or "dapflow local down --wipe begins anew")


def _transforms(root: Path) -> Diagnosis:
    manifest, errors = check_project(root)
    if manifest is None:
        mistakes = "a mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        place = f"{errors[0].place}: " if errors[0].place else ""
        return Diagnosis("transforms", "mend", f"{mistakes}; {place}{errors[0].message}", "dapflow check shows all")
    products = sum(dataset.transform is not None for dataset in manifest.datasets.values())
    return Diagnosis("transforms", "ok", f"{len(manifest.services)} services, {products} products")


def _manifest(root: Path) -> Diagnosis:
    if not manifest_file(root).exists():
        return Diagnosis("manifest", "ok", "not compiled yet, which no command waits for")
    if compiled_before(root, inputs(root)) is None:
        hint = "dapflow compile; what is deployed, cdk deploy compiles by itself"
        return Diagnosis("manifest", "look", "transforms/, or dapflow, changed since it was compiled", hint)
    return Diagnosis("manifest", "ok", "as transforms/ is")


def _hook(root: Path) -> Diagnosis:
    """A hook that stands there and cannot be run is passed over by git with a hint that few see."""
    written = git(root, "rev-parse", "--git-path", "hooks")
    hook = root / written / "pre-commit"
    if not written or not hook.exists():
        return Diagnosis("hook", "ok", "none before a commit; dapflow check --install-hook writes one")
    if not os.access(hook, os.X_OK):
        return Diagnosis("hook", "look", f"git does not run {hook}: it is not executable", f"chmod +x {hook}")
    return Diagnosis("hook", "ok", str(hook))


def _platform(state: State) -> Iterator[Diagnosis]:
    ports = read_ports(state)
    components = list(statuses(state, ports))
    dead = [component.name for component in components if component.state == "dead"]
    alive = [component.name for component in components if component.state == "running"]
    if dead:
        hint = f"dapflow local logs {dead[0]} says why; dapflow local up starts it again"
        yield Diagnosis("platform", "mend", f"{', '.join(dead)} ended", hint)
    else:
        said = f"{', '.join(alive)} run" if alive else "not running; dapflow local up starts it"
        yield Diagnosis("platform", "ok", said)
    taken = {
        name: port for name, port in asdict(ports).items() if name not in alive and name not in dead
        if not is_free(port)
    }  # fmt: skip
    if taken:
        named = ", ".join(f"{port} ({name})" for name, port in taken.items())
        hint = "nothing, unless you rely on the number: dapflow local up takes others, and says which"
        yield Diagnosis("ports", "look", f"in use by something else: {named}", hint)
    else:
        yield Diagnosis("ports", "ok", ", ".join(f"{name} {port}" for name, port in asdict(ports).items()))
