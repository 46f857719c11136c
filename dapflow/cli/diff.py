"""``dapflow diff``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_option import BranchOption, HostOption, connected_to_throw_away
from dapflow.cli.environment_option import connected
from dapflow.cli.failure import print_failure
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.differences.comparison import VersionComparison
    from dapflow.differences.difference import Difference
    from dapflow.differences.versions import PublishedVersions
    from dapflow.environment import Environment
    from dapflow.manifest import Dataset, Manifest, Transform

# As of diff(1): 0 where both are the same.
_DIFFERENT, _TROUBLE = 1, 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diff")(diff)


def diff(
    name: DatasetArgument,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation", "-g", metavar="D", help="Date, as 2013-12-31. Default: the newest.", show_default=False
        ),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option("--with", metavar="D", help="The generation to compare it with.", show_default=False),
    ] = None,
    branch: BranchOption = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Compare what the SELECT in this file would publish with what is published.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            "-k",
            metavar="A,B",
            help="The columns that tell rows apart. Default: those of the dataset's check `unique`, or those by which "
            "its text groups; without any, rows are compared as a whole.",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="Rows to show of each kind.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")] = False,
    environment: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Say what differs between two generations of a dataset, or between a branch's and the main environment's.

    Athena compares them, and reads each once; a second query shows rows that differ. With --branch the branch's newest
    generation is compared with the main environment's, or with --generation the same of both. Columns are compared
    by name, without the generation columns. Values in columns of personal data are not shown.

    With --against FILE, the SELECT in it reads what a run of the generation would read, and nothing is published.

    Ends with status 0 where nothing differs, with 1 where something does, and with 2 where they could not be compared.

    Example: dapflow diff daily_departures --generation 2013-12-31 --with 2013-12-30
    """
    try:
        _check_options(other, branch, against, as_json=as_json, as_markdown=as_markdown)
        with ends_when_interrupted(), Steps() as steps:
            root = project_root(project)
            if against is not None:
                comparison = _with_file(root, name, generation, against, environment, _columns(key), steps.tell)
            else:
                comparison = _comparison(root, name, (generation, other), branch, environment, _columns(key))
            steps.tell(_announced(comparison, rows, on_aws=not _is_local(environment)))
            difference = comparison.difference(rows)
    except DapflowError as error:
        print_failure(error)
        raise typer.Exit(_TROUBLE) from None
    _print(difference, as_json=as_json, as_markdown=as_markdown)
    if not difference.same:
        raise typer.Exit(_DIFFERENT)


def _check_options(
    other: str | None, branch: str | None, against: Path | None, *, as_json: bool, as_markdown: bool
) -> None:
    if as_json and as_markdown:
        raise DapflowError("option", "--json and --markdown exclude each other")
    if against is not None and (other is not None or branch is not None):
        raise DapflowError("option", "--against FILE is compared with what is published: leave out --with and --branch")
    if other is None and branch is None and against is None:
        hint = "--with D is another generation, --branch NAME what a branch has published, --against FILE another text"
        raise DapflowError("option", "there is nothing to compare it with", hint=hint)


def _comparison(
    root: Path, name: str, days: tuple[str | None, str | None], branch: str | None, host: str | None, key: list[str]
) -> VersionComparison:
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    day, other = (Generation.parse(text) if text is not None else None for text in days)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    clients, main = connected(root, manifest, host)
    from dapflow.differences.comparison import VersionComparison  # noqa: PLC0415 (brings boto3)
    from dapflow.differences.versions import PublishedVersions  # noqa: PLC0415

    published = PublishedVersions(clients, dataset, main, main.name if branch else "", _to_publish(dataset, host))
    asked = published if branch is None else _of_branch(root, manifest, dataset, branch, host).other_than(published)
    here = asked.version(day)
    there = published.version(other or (day if branch else None))
    return VersionComparison(asked, here, there, key, made_keys(root, manifest, [dataset])(dataset))


def _of_branch(root: Path, manifest: Manifest, dataset: Dataset, branch: str, host: str | None) -> PublishedVersions:
    from dapflow.differences.versions import PublishedVersions  # noqa: PLC0415 (brings boto3)

    hint = "if `dapflow branch plan` says that the branch builds it, run the service's DAG of the branch"
    if _is_local(host):
        from dapflow.local.branches import project_of  # noqa: PLC0415 (brings boto3, psutil)
        from dapflow.servers.state import State  # noqa: PLC0415

        # What it builds, and what it reads of the main environment, was settled when it was brought up.
        manifest = project_of(State.of(root), branch)
        hint = f"dapflow branch run {branch} --from D builds it"
    clients, names = connected_to_throw_away(root, manifest, branch, host)
    return PublishedVersions(clients, manifest.dataset(dataset.id), names, branch, hint)


def _with_file(
    root: Path,
    name: str,
    generation: str | None,
    file: Path,
    host: str | None,
    key: list[str],
    tell: Callable[[str], None],
) -> VersionComparison:
    from dapflow.project import compile_project, find_transform  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    day = Generation.parse(generation) if generation is not None else None
    manifest = compile_project(root)
    dataset = find_transform(manifest, root, name)
    clients, names = connected(root, manifest, host)
    from dapflow.differences.comparison import VersionComparison  # noqa: PLC0415 (brings boto3)
    from dapflow.differences.file_version import FileVersions  # noqa: PLC0415
    from dapflow.differences.versions import PublishedVersions  # noqa: PLC0415

    published = PublishedVersions(clients, dataset, names, "", _to_publish(dataset, host))
    there = published.version(day)
    transform = _transform_of(root, manifest, dataset, names, file)
    here = FileVersions(published, manifest, transform, tell).version(there.generation)
    return VersionComparison(published, here, there, key, made_keys(root, manifest, [dataset])(dataset))


def _transform_of(root: Path, manifest: Manifest, dataset: Dataset, names: Environment, file: Path) -> Transform:
    """The dataset's transform with the text of a file.

    Raises DapflowError ``file``, ``sql-…``, ``unknown-table`` or ``cycle``.
    """
    from dapflow.project.asked import read_asked, refuse_circles  # noqa: PLC0415
    from dapflow.runtime.dataset_location import physical  # noqa: PLC0415

    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DapflowError("file", "the file is not UTF-8", file=file, hint="save it as UTF-8") from None
    except OSError as error:
        hint = "--against takes a file; a generation is compared with --with, a branch with --branch"
        raise DapflowError("file", f"the file cannot be read: {error.strerror}", file=file, hint=hint) from None
    logical = {called: database for database, called in names.databases.items()}
    own = manifest.services[dataset.service].database
    asked = read_asked(root, text, physical(names, own), logical, str(file))
    if asked.others:
        hint = "a transform reads the tables of the project alone"
        raise DapflowError("unknown-table", f"there is no table {asked.others[0]}", file=file, hint=hint)
    refuse_circles(manifest, dataset.id, asked, str(file))
    assert dataset.transform is not None  # noqa: S101 - it was chosen by it
    return replace(dataset.transform, file=str(file), sql=asked.sql, references=asked.references)


def _to_publish(dataset: Dataset, host: str | None) -> str:
    made = f"dapflow run {dataset.id} -g D" if _is_local(host) else "its DAG"
    return f"`dapflow history {dataset.id}` lists what there is, and {made} publishes more"


def made_keys(root: Path, manifest: Manifest, datasets: Iterable[Dataset]) -> Callable[[Dataset], tuple[str, ...]]:
    """What says of each of some datasets which columns tell its rows apart because of how its text is made."""
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415 (these bring the analyser)
    from dapflow.review.product_key import ProductKeys  # noqa: PLC0415

    wanted = {dataset.id for dataset in datasets if dataset.transform is not None and not dataset.unique_keys}
    keys = ProductKeys(manifest, wanted, read_lineage(manifest_file(root)) if wanted else {})
    return lambda dataset: keys.of_text(dataset) if dataset.id in wanted else ()


def _columns(key: str | None) -> list[str]:
    # Names of columns are in lower case, and in SQL nobody need write them so.
    return [column.strip().lower() for column in key.split(",") if column.strip()] if key else []


def _is_local(environment: str | None) -> bool:
    return environment in (None, LOCAL)


def _announced(comparison: VersionComparison, rows: int, *, on_aws: bool) -> str:
    from dapflow.cli.result_table import about_usd, size_text  # noqa: PLC0415

    said = f"comparing {comparison.here.name} with {comparison.there.name}"
    expected = comparison.estimate(rows)
    if expected is None:
        return f"{said}: nobody noted their sizes"
    size, usd = expected
    return f"{said}: at most {size_text(size)} to scan, {about_usd(usd, size)}{'' if on_aws else ' on AWS'}"


def _print(difference: Difference, *, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        print(json.dumps(difference.as_dict(), indent=2, ensure_ascii=False))
        return
    from dapflow.cli.diff_report import markdown_lines, print_text  # noqa: PLC0415
    from dapflow.cli.result_table import size_text  # noqa: PLC0415

    if as_markdown:
        print("\n".join(markdown_lines(difference)))
    else:
        print_text(difference)
    sys.stdout.flush()
    queries = "1 query" if difference.queries == 1 else f"{difference.queries} queries"
    sys.stderr.write(f"{queries}, {size_text(difference.bytes_scanned)} scanned\n")
