"""The deployable bundle: what Airflow reads, on this machine and on MWAA.

    <target>/dags/dapflow_services.py        asks the factory for one DAG per service, and one beside them
    <target>/dags/dapflow/…                  the part of dapflow that runs there
    <target>/dags/manifests/<sha>.json       the compiled project, named by its content
    <target>/dags/manifest.json              says which of them is in force, its commit, and where its files are shown
    <target>/dags/environment.json           the physical names

The bundle of a branch lies in ``<target>/dags/branches/<branch>/``, below the one of the environment that runs it. It
holds data alone, the manifest and ``environment.json``: what runs it is the run time of its host, which was reviewed,
and whose entry is copied beside the data. Only on an Airflow of its own does a branch bring its own run time along.

A bundle is built over the one before it while Airflow reads it. So every file appears whole, a file whose content is
the same is left alone, and the pointer is switched when everything that it needs is there. What the new bundle no
longer has is removed after that; earlier manifests stay, for DAG runs that are under way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dapflow.branch import FOLDER
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.git import file_addresses, project_commit
from dapflow.manifest import POINTER, Manifest

ENTRY = "dapflow_services.py"
# What dapflow/runtime imports of dapflow; a test keeps it so.
_RUNTIME_MODULES = (
    "__init__.py",
    "branch.py",
    "environment.py",
    "errors.py",
    "landing_formats.py",
    "limits.py",
    "manifest.py",
    "record_table.py",
)
_ENTRY_TEXT = '''\
"""One Airflow DAG for each service of the manifest, and one that starts what was left waiting.

(Airflow skips files that do not name it.)
"""

from pathlib import Path

from dapflow.runtime.dag_factory import build_dags, build_starts

globals().update(build_dags(Path(__file__).parent) | build_starts(Path(__file__).parent))
'''
# Airflow looks for DAGs in every Python file that this does not name, here and in branches, and in every file of
# whatever name that is a zip archive. (Its default syntax is glob.)
_IGNORED = "dapflow/\nmanifests/\n*.json\n"
KEPT_MANIFESTS = 20


def build_bundle(
    root: Path, manifest: Manifest, environment: Environment, target: Path, *, dedicated: bool = False
) -> Path:
    """Build the bundle of the project in ``root`` under ``target``; gives back the folder that holds its DAG files.

    ``dedicated``: of a branch, for an Airflow of its own.
    """
    hosted = bool(environment.branch) and not dedicated
    dags = bundle_folder(target, environment) if hosted else target / "dags"
    if dags.resolve() == (root / "dags").resolve():
        raise DapflowError("bundle", "a bundle cannot be built over the project that it is made of", file=target)
    manifest_name = f"manifests/{manifest.sha}.json"
    files = {} if hosted else {**dict(_code(root, environment.branch)), ".airflowignore": _IGNORED.encode()}
    files["environment.json"] = environment.to_json().encode()
    try:
        write_whole(dags / manifest_name, manifest.to_json().encode())
        for name, content in files.items():
            write_whole(dags / name, content)
        pointer = {"manifest": manifest_name, "commit": project_commit(root), "files": file_addresses(root)}
        write_whole(dags / POINTER, (json.dumps(pointer) + "\n").encode())
        # The entry beside a branch's data is its host's.
        _remove_stale(dags, {*files, POINTER, ENTRY}, manifest_name)
    except OSError as error:
        raise DapflowError(
            "bundle", f"the bundle cannot be written: {error.strerror}", file=error.filename or dags
        ) from error
    return dags


def bundle_folder(target: Path, environment: Environment) -> Path:
    """Where the files of an environment's bundle are below ``target``."""
    return target / "dags" / FOLDER / environment.branch if environment.branch else target / "dags"


def _code(root: Path, branch: str) -> Iterator[tuple[str, bytes]]:
    """Every Python file of the bundle by its name in it."""
    package = Path(__file__).parent
    yield ENTRY, _ENTRY_TEXT.encode()
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
            and not name.startswith(("manifests/", f"{FOLDER}/"))
        ):
            file.unlink(missing_ok=True)
    manifests = sorted((dags / "manifests").glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in manifests[KEPT_MANIFESTS:]:
        if f"manifests/{file.name}" != manifest_name:
            file.unlink(missing_ok=True)
