"""The deployable bundle: what Airflow reads, on this machine and on MWAA.

    <target>/dags/dapflow_services.py        asks the factory for one DAG per service
    <target>/dags/dapflow/…                  the part of dapflow that runs there
    <target>/dags/manifests/<sha>.json       the compiled project, named by its content
    <target>/dags/manifest.json              says which of them is in force; written last
    <target>/dags/environment.json           the physical names

The bundle of a branch lies in ``<target>/dags/branches/<branch>/``, below the one of the environment that runs it.

A bundle is built over the one before it while Airflow reads it. So every file appears whole, a file whose content is
the same is left alone, and the pointer is switched when everything that it needs is there. What the new bundle no
longer has is removed after that; earlier manifests stay, for DAG runs that are under way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.manifest import Manifest

POINTER = "manifest.json"
ENTRY = "dapflow_services.py"
BRANCHES = "branches"
# What dapflow/runtime imports of dapflow; a test keeps it so.
_RUNTIME_MODULES = ("__init__.py", "errors.py", "manifest.py", "environment.py")
_ENTRY_TEXT = '''\
"""One Airflow DAG for each service of the manifest. (Airflow skips files that do not name it.)"""

from pathlib import Path

from dapflow.runtime.dag_factory import build_dags

globals().update(build_dags(Path(__file__).parent))
'''
# A branch's bundle lies below another one, and must import its own dapflow, not the one at the top of Airflow's path.
_BRANCH_ENTRY_TEXT = '''\
"""The services of a branch, run by the code of that branch. (Airflow skips files that do not name a DAG.)"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from dapflow.runtime.dag_factory import build_dags

globals().update(build_dags(Path(__file__).parent))
'''
# Airflow looks for DAGs in every Python file that this does not name. (Its default syntax is glob.)
_IGNORED = "dapflow/\nmanifests/\n"
_KEPT_MANIFESTS = 20


def build_bundle(root: Path, manifest: Manifest, environment: Environment, target: Path) -> Path:
    """Build the bundle of the project in ``root`` under ``target``; gives back the folder that holds its DAG files."""
    dags = bundle_folder(target, environment)
    if dags.resolve() == (root / "dags").resolve():
        raise DapflowError("bundle", "a bundle cannot be built over the project that it is made of", file=target)
    manifest_name = f"manifests/{manifest.sha}.json"
    files = dict(_code(root, environment.branch))
    files[".airflowignore"] = _IGNORED.encode()
    files["environment.json"] = environment.to_json().encode()
    try:
        write_whole(dags / manifest_name, manifest.to_json().encode())
        for name, content in files.items():
            write_whole(dags / name, content)
        write_whole(dags / POINTER, (json.dumps({"manifest": manifest_name}) + "\n").encode())
        _remove_stale(dags, {*files, POINTER}, manifest_name)
    except OSError as error:
        raise DapflowError(
            "bundle", f"the bundle cannot be written: {error.strerror}", file=error.filename or dags
        ) from error
    return dags


def bundle_folder(target: Path, environment: Environment) -> Path:
    """Where the files of an environment's bundle are below ``target``."""
    return target / "dags" / BRANCHES / environment.branch if environment.branch else target / "dags"


def _code(root: Path, branch: str) -> Iterator[tuple[str, bytes]]:
    """Every Python file of the bundle by its name in it."""
    package = Path(__file__).parent
    yield ENTRY, (_BRANCH_ENTRY_TEXT if branch else _ENTRY_TEXT).encode()
    own = root / "dags"
    # Hand-written DAGs have one name each, so a branch's would take the place of those of the environment around it.
    for file in sorted(own.rglob("*.py")) if own.is_dir() and not branch else []:
        yield file.relative_to(own).as_posix(), file.read_bytes()
    for name in _RUNTIME_MODULES:
        yield f"dapflow/{name}", (package / name).read_bytes()
    for file in sorted((package / "runtime").rglob("*.py")):
        yield f"dapflow/{file.relative_to(package).as_posix()}", file.read_bytes()


def _remove_stale(dags: Path, wanted: set[str], manifest_name: str) -> None:
    for file in sorted(dags.rglob("*")):
        name = file.relative_to(dags).as_posix()
        if (
            file.is_file()
            and "__pycache__" not in file.parts
            and name not in wanted
            and not name.startswith(("manifests/", f"{BRANCHES}/"))
        ):
            file.unlink(missing_ok=True)
    manifests = sorted((dags / "manifests").glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in manifests[_KEPT_MANIFESTS:]:
        if f"manifests/{file.name}" != manifest_name:
            file.unlink(missing_ok=True)
