"""``dapflow land``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.manifest import Dataset
    from dapflow.runtime.generation import Generation
    from dapflow.runtime.land import Landing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("land")(land)


def land(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The files.", show_default=False)],
    *,
    to: Annotated[
        str, typer.Option("--to", metavar="SERVICE.TABLE", help="The raw table that they are for.", show_default=False)
    ],
    date: Annotated[
        str | None,
        typer.Option("--date", "-d", metavar="D", help="Their date, as 2013-12-31. Default: today at the service."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace files of the same name that have landed for the date.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Put files where the ingest of a raw table finds them: all of them, or none.

    What can be said before is said before: names, formats, an empty file, a date in the future, a file that has landed
    already. While several files appear, an ingest of the same date waits. Nothing is loaded: dapflow run does that.

    Example: dapflow land airlines.csv --to air_traffic.airlines --date 2013-12-31
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.landable import check_apart, check_path, landing_day, raw_table  # noqa: PLC0415 (brings boto3)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = raw_table(manifest, to)
    day = landing_day(date, manifest.services[dataset.service], datetime.now(UTC))
    with ends_when_interrupted():
        clients, names = connected(root, manifest, environment)
        from dapflow.runtime import land as landing  # noqa: PLC0415
        from dapflow.runtime.dataset_location import DatasetLocation  # noqa: PLC0415
        from dapflow.runtime.file_content import read_local  # noqa: PLC0415

        prefix = DatasetLocation.of(dataset, names).landed(day)
        for file in files:
            check_path(dataset, file, prefix)
        with _progress(2 * sum(file.stat().st_size for file in files)) as advance:
            local_files = [read_local(file, advance) for file in files]
            check_apart(local_files)
            done = landing.land(clients.s3, prefix, local_files, replace=replace, advance=advance)
    following = _following(dataset, day, names.dag_id(dataset.service), environment)
    if as_json:
        print(json.dumps(_as_dict(dataset, day, done, following), indent=2, ensure_ascii=False))
    else:
        _print(dataset, day, done, following)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Each byte counts twice: once when its file is read, once when it is uploaded."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Progress(
        "landing", BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)


def _following(dataset: Dataset, day: Generation, dag: str, environment: str | None) -> str:
    """What to do next, so that the files are loaded."""
    if environment in (None, "local"):
        return f"dapflow run {dataset.id} -g {day}"
    return f'trigger the DAG {dag} with {{"generation": "{day}"}}, or wait for its next run for {day}'


def _as_dict(dataset: Dataset, day: Generation, done: Landing, following: str) -> dict[str, object]:
    files = [
        {"name": file.name, "uri": file.uri, "bytes": file.bytes, "sha256": file.sha256, "state": file.state}
        for file in done.files
    ]
    return {
        "dataset": dataset.id,
        "generation": str(day),
        "files": files,
        "beside": list(done.beside),
        "next": following,
    }


def _print(dataset: Dataset, day: Generation, done: Landing, following: str) -> None:
    from dapflow.cli.result_table import size_text  # noqa: PLC0415

    for file in done.files:
        state = "had landed before, and is the same" if file.state == "unchanged" else file.state
        print(f"{file.uri}  {size_text(file.bytes)}  {state}")
    if done.beside:
        sys.stderr.write(
            f"Beside them lie {', '.join(done.beside)}: an ingest of {day} reads all of them as one table.\n"
        )
    print(f"{dataset.id} can be loaded for {day}: {following}")
