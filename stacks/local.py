"""Templates for the embedded platform: ``python -m stacks.local --output DIR …``.

They are those of the environment ``local``, or, with ``--branch=<git branch>``, of a branch environment that it hosts.
It runs in a process of its own, because the rest of dapflow imports no stacks. A mistake is written to
``errors.json`` beside the templates.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from dapflow.environment import LOCAL
from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import read_manifest
from stacks.synthesis import synthesize


def main() -> int:
    """Synthesize the compiled project with the settings that are given."""
    parser = argparse.ArgumentParser(prog="python -m stacks.local", description=__doc__)
    parser.add_argument("--project", type=Path, required=True, help="folder that holds transforms/")
    parser.add_argument("--settings", type=Path, required=True, help="a cdk.json")
    parser.add_argument("--manifest", type=Path, required=True, help="the compiled project")
    parser.add_argument("--output", type=Path, required=True, help="folder for the templates")
    for name in ("branch", "commit", "owner"):
        parser.add_argument(f"--{name}", help=f"as -c {name}= of cdk deploy")
    given = parser.parse_args()
    asked = {name: getattr(given, name) for name in ("branch", "commit", "owner")}
    with tempfile.TemporaryDirectory(prefix="dapflow-cdk-") as assembly:
        try:
            synthesize(
                given.project,
                settings_file=given.settings,
                output=assembly,
                context={"environment": LOCAL, **{name: value for name, value in asked.items() if value}},
                manifest=read_manifest(given.manifest),
                checks=False,
                embedded_as=LOCAL,
            )
        except DapflowError as error:
            errors = error.errors if isinstance(error, DapflowErrors) else [error]
            (given.output / "errors.json").write_text(json.dumps([error.as_dict() for error in errors]))
            return 1
        for template in Path(assembly).glob("*.template.json"):
            shutil.move(template, given.output / template.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
