"""``dapflow remove``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_option import BranchOption, HostOption, connected_to_throw_away
from dapflow.cli.confirmation import YesOption, confirm, counted
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.git import git

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dapflow.manifest import Dataset, Manifest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("remove")(remove)


def remove(
    name: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A product or table, or the id of what the project no longer has, as dapflow check names it.",
            show_default=False,
        ),
    ],
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    branch: BranchOption = None,
    host: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Remove a product in two steps: its files, then, by its id and the same command, what was published.

    The first step says who reads it, and does nothing while anyone does; git must have the files as they are. With the
    SQL go the file beside it, its tests, and checks that are its alone. Of a raw table, or one that something else
    makes, the entry in service.yml goes. What was published stays readable, and is named as an orphan wherever you
    would look, for as long as you like.

    The second step takes its current view, its history and its objects away; landing files stay. On the embedded
    platform and in environments of branches.

    Example: dapflow remove air_traffic.refined.route_summary
    """
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = _of_project(manifest, root, name)
    if dataset is None:
        _remove_published(root, manifest, name, branch, host, yes=yes, as_json=as_json)
    elif branch is not None or host is not None:
        raise DapflowError(
            "not-orphaned",
            f"{dataset.id} is part of the project",
            hint=f"dapflow remove {dataset.id} removes its files first; dapflow reset takes its generations out",
        )
    else:
        _remove_files(root, manifest, dataset, yes=yes, as_json=as_json)


def _of_project(manifest: Manifest, root: Path, name: str) -> Dataset | None:
    from dapflow.project import find_dataset  # noqa: PLC0415

    try:
        return find_dataset(manifest, root, name)
    except DapflowError as error:
        if error.code != "unknown-transform":
            raise
        return None


def _remove_files(root: Path, manifest: Manifest, dataset: Dataset, *, yes: bool, as_json: bool) -> None:
    from dapflow.project import load_project  # noqa: PLC0415
    from dapflow.project.removal import removal_of  # noqa: PLC0415

    removal = removal_of(root, load_project(root), manifest, dataset)
    files, entry = removal.files, removal.entry
    parts = [*map(str, files), *([f"{dataset.name} in {entry[0]}"] if entry is not None else [])]
    named = " and ".join(parts)
    if git(root, "rev-parse", "--git-dir") and not _committed(root, removal.touched):
        raise DapflowError(
            "uncommitted",
            f"git does not have {' and '.join(map(str, removal.touched))} as it is: nobody could bring it back",
            file=removal.touched[0],
            hint="commit it, or delete it yourself",
        )
    sys.stderr.write(f"{dataset.id} is read by no other product; what was published of it stays readable\n")
    confirm(f"Delete {named}?", f"{named} would be deleted", yes=yes)
    if entry is not None:
        write_whole((root / entry[0]).resolve(), entry[1].encode())
    for file in files:
        (root / file).unlink()
    if as_json:
        changed = str(entry[0]) if entry is not None else None
        said = {"removed": dataset.id, "files": [str(file) for file in files], "changed": changed}
        print(json.dumps({**said, "granted": list(removal.granted)}))
        return
    for place in removal.granted:
        print(f"{place}: names it, and is left to you")
    print(f"{named}: deleted. See what dapflow check says, and commit it.")
    if not dataset.external:
        print(f"When nobody needs what was published any more: dapflow remove {dataset.id}")


def _committed(root: Path, files: Sequence[Path]) -> bool:
    """Whether git can bring the files back; it knows nothing of those that it is told to ignore."""
    names = [str(file) for file in files]
    known = git(root, "ls-files", "--", *names).splitlines()
    return len(known) == len(names) and not git(root, "status", "--porcelain", "--", *names)


def _remove_published(
    root: Path, manifest: Manifest, name: str, branch: str | None, host: str | None, *, yes: bool, as_json: bool
) -> None:
    with ends_when_interrupted():
        try:
            clients, environment = connected_to_throw_away(root, manifest, branch, host)
        except DapflowError as error:
            if error.code == "embedded-platform-not-up":
                error.message = f"the project has no {name}, and {error.message}, which knows what is published"
            raise
        from dapflow.local import orphans  # noqa: PLC0415 (brings boto3)

        orphaned = orphans.find_orphans(clients, manifest, environment)
        chosen = next((orphan for orphan in orphaned if orphan.id == name), None)
        if chosen is None:
            listed = ", ".join(orphan.id for orphan in orphaned)
            raise DapflowError(
                "not-orphaned",
                f"nothing is published as {name}",
                hint=f"orphaned are: {listed}" if listed else "nothing is orphaned",
            )
        tables = " and ".join(table for table in (chosen.current, chosen.history) if table)
        sys.stderr.write(f"{name}: {tables} in {chosen.database}, {counted(range(chosen.generations))}\n")
        confirm(f"Remove {name}?", f"{name} would be removed", yes=yes)
        orphans.remove(clients, environment, chosen)
    if as_json:
        print(json.dumps({"removed": name, "generations": chosen.generations}))
    else:
        print(f"{name} is removed.")
