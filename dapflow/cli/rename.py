"""``dapflow rename``."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dapflow.manifest import Dataset, Manifest
    from dapflow.renaming import NewNames, RenamePlan
    from dapflow.renaming.published import PublishedNames
    from dapflow.runtime.generation import Generation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rename")(rename)


def rename(
    name: Annotated[
        str, typer.Argument(metavar="DATASET", help="A product or raw table: its id, its name, a .sql file.")
    ],
    wanted: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Give a product or raw table another name, in every file of the project that names it.

    Its files are moved, and what names it is changed where it stands: in SQL, in service.yml, beside products, in
    checks and tests. Literals, comments, aliases and WITH queries of that name stay. First the whole project is checked
    as it would be; where it would have a mistake that it has not now, or a text would mean something else, nothing is
    written.

    Data keep their names: what was published stays readable under the old one, as after dapflow remove, and the new one
    has no generation before it is run. What to run is said.

    Example: dapflow rename route_summary busiest_routes --dry-run
    """
    from dapflow.cli.check import checked  # noqa: PLC0415
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)
    from dapflow.renaming import plan_rename, write_rename  # noqa: PLC0415

    root = project_root(project)
    with ends_when_interrupted(), Steps() as steps:
        steps.expect("compiling transforms/")
        manifest = compile_project(root)
        _refuse_service(manifest, name)
        dataset = find_dataset(manifest, root, name)
        steps.expect("checking the project as it would be")
        plan = plan_rename(root, manifest, dataset, wanted, lambda folder: checked(folder).findings)
        steps.expect("looking at what is published")
        data = _published(root, manifest, plan.names, environment)
        if not dry_run:
            write_rename(root, plan)
    report = _Report(root, manifest, dataset, plan, data)
    if as_json:
        print(json.dumps({**report.as_dict(), "written": not dry_run}, indent=2, ensure_ascii=False))
        return
    for line in report.lines(written=not dry_run):
        print(line)


def _refuse_service(manifest: Manifest, name: str) -> None:
    if name in manifest.services and not any(dataset.name == name for dataset in manifest.datasets.values()):
        raise DapflowError(
            "rename",
            f"{name} is a service, and is not renamed: its databases, workgroup, role and prefixes have its name",
            hint="begin a service of the new name, and move its files there; what people read of it is `title`",
        )


def _published(root: Path, manifest: Manifest, names: NewNames, environment: str | None) -> PublishedNames | None:
    """None where nobody named an environment and the embedded platform is not running."""
    if names.node.external is not None:
        return None
    try:
        clients, described = connected(root, manifest, environment)
    except DapflowError as error:
        if error.code != "embedded-platform-not-up":
            raise
        return None
    from dapflow.renaming.published import published_names  # noqa: PLC0415 (brings boto3)

    return published_names(root, clients, manifest, described, names)


@dataclass(frozen=True)
class _Report:
    """What is changed, and what follows for data and readers."""

    root: Path
    manifest: Manifest
    dataset: Dataset
    plan: RenamePlan
    data: PublishedNames | None

    def lines(self, *, written: bool) -> Iterator[str]:
        """What people are told."""
        names, dataset = self.plan.names, self.dataset
        for file, moved in self.plan.moves.items():
            yield f"{file} → {moved.name}{', changed' if moved in self.plan.changed else ''}"
        moves = self.plan.moves.values()
        yield from (f"{file}: changed" for file in self.plan.changed if file not in moves)
        for place in self._mentions:
            yield f"{place}: names it, and is left to you"
        end = "is called" if written else "would be called"
        yield f"{dataset.id} {end} {names.id}.{' See what git diff says, and commit it.' if written else ''}"
        if dataset.external:
            return
        yield from self._of_data()

    def _of_data(self) -> Iterator[str]:
        names, dataset = self.plan.names, self.dataset
        tables = f"{dataset.database}.{dataset.current} and {dataset.history}"
        yield ""
        if self.data is None:
            sys.stderr.write("The embedded platform is not running: what is published is not known.\n")
        held = ""
        if self.data is not None:
            held = f" ({_span(self.data.generations)})"
        yield f"What was published stays readable as {tables}{held}, and gets no newer."
        if self.data is not None and self.data.by_new_name:
            yield f"{names.id} has {_span(self.data.by_new_name)}, as it was called so before. To make the others:"
        else:
            yield f"{names.id} has no generation before it is run:"
        yield from (f"  {command}" for command in self._commands)
        if self._readers:
            yield f"Those that read it wait for that: {', '.join(self._readers)}"
        others = f"; by its grants {', '.join(self._granted)} may" if self._granted else ""
        yield f"Who reads it elsewhere (other repositories, reports) has to change the name there{others}."
        yield f"When nobody does any more: dapflow remove {dataset.id}"

    @property
    def _commands(self) -> list[str]:
        """What makes the generations anew."""
        names = self.plan.names
        generations = self.data.generations if self.data is not None else []
        days = (str(generations[0]), str(generations[-1])) if generations else ("DATE", "DATE")
        built = f"dapflow backfill {names.id} --from {days[0]} --to {days[1]}"
        if self.dataset.source is None:
            return [built]
        # The landing files lie below the name of the table.
        return [f"dapflow land FILE --to {self.dataset.service}.{names.name} --date DATE", built]

    @property
    def _readers(self) -> list[str]:
        from dapflow.project.dependencies import Dependencies  # noqa: PLC0415

        return Dependencies(self.manifest).readers(self.dataset.id)

    @property
    def _granted(self) -> list[str]:
        """The services that may read it."""
        from dapflow.project.grants import is_granted  # noqa: PLC0415

        grants = self.manifest.services[self.dataset.service].grants
        return sorted(reader for reader in grants if is_granted(grants, reader, self.dataset.id))

    @property
    def _mentions(self) -> list[str]:
        from dapflow.renaming.mentions import mentions  # noqa: PLC0415

        return mentions(self.root, self.plan.names)

    def as_dict(self) -> dict[str, object]:
        """Plain values, as ``--json`` prints them."""
        published = None
        if self.data is not None:
            published = {
                "old": [str(generation) for generation in self.data.generations],
                "new": [str(generation) for generation in self.data.by_new_name],
            }
        return {
            "renamed": self.dataset.id,
            "to": self.plan.names.id,
            "moved": {str(file): str(moved) for file, moved in self.plan.moves.items()},
            "changed": [str(file) for file in self.plan.changed],
            "mentions": self._mentions,
            "readers": self._readers,
            "granted": self._granted,
            "published": published,
            "next": [] if self.dataset.external else self._commands,
        }


def _span(generations: Sequence[Generation]) -> str:
    if not generations:
        return "no generation"
    if len(generations) == 1:
        return f"1 generation, {generations[0]}"
    return f"{len(generations)} generations, {generations[0]} to {generations[-1]}"
