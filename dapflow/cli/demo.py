"""``dapflow demo``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps

if TYPE_CHECKING:
    from dapflow.local.demo import DemoOutcome
    from dapflow.manifest import Manifest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(project: ProjectOption = None) -> None:
    """Land the example's data, let Airflow ingest it and run the transforms, show what came of it.

    Run again, it finds that all is published, changes nothing, and says so. It starts the embedded platform if it is
    not up, and then stops it again.

    Example: dapflow demo
    """
    from dapflow.cli.demo_progress import DemoProgress  # noqa: PLC0415 (brings rich)
    from dapflow.local.demo import demo as run_demo  # noqa: PLC0415 (brings psutil, boto3)
    from dapflow.local.startup import Startup  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)
    from dapflow.servers.state import State  # noqa: PLC0415

    began = time.monotonic()
    root = project_root(project)
    with Steps() as steps:
        steps.expect("compiling transforms/")
        manifest = compile_project(root)
    with ends_when_interrupted(), DemoProgress(manifest, began) as progress:
        startup = Startup(State.of(root), manifest, progress.tell)
        with run_demo(startup, progress.watch) as outcome:
            progress.close()
            _show(outcome, manifest)
            left = startup.leaves()
    seconds = time.monotonic() - began
    sys.stdout.flush()
    if not outcome.succeeded:
        sys.stderr.write(f"the demo failed ({seconds:.0f} s); what was published before is still there\n")
        raise typer.Exit(1)
    sys.stderr.write(f"done in {seconds:.0f} s; {left}\n")


def _show(outcome: DemoOutcome, manifest: Manifest) -> None:
    from dapflow.cli.demo_report import print_report  # noqa: PLC0415

    print_report(outcome, manifest)
