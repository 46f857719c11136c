"""Names of the environments that are deployed to AWS, as ``stacks/`` has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dapflow.environment import Environment, read_environment
from dapflow.errors import DapflowError, DapflowErrors
from dapflow.local.cloudformation.template_synthesis import REPOSITORY, settings_file
from dapflow.local.processes.started import with_compiled_modules
from dapflow.manifest import Manifest

_SECONDS = 60.0


def deployed_environment(root: Path, manifest: Manifest, name: str) -> Environment:
    """The names of an environment of ``cdk.json``. Nothing is asked of AWS.

    Raises DapflowError ``unknown-environment``, ``settings`` or ``synthesis``.
    """
    if not (REPOSITORY / "stacks").is_dir():
        raise DapflowError("synthesis", f"{REPOSITORY} holds no stacks/", hint="run dapflow from a clone of it")
    with tempfile.TemporaryDirectory(prefix="dapflow-names-") as work:
        written = Path(work) / "project.json"
        written.write_text(manifest.to_json(), encoding="utf-8")
        options = {"settings": settings_file(root).resolve(), "manifest": written, "environment": name}
        done = subprocess.run(
            [sys.executable, "-m", "stacks.described", *(f"--{key}={value}" for key, value in options.items())],
            cwd=REPOSITORY,
            env=with_compiled_modules(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            (Path(work) / "environment.json").write_text(done.stdout, encoding="utf-8")
            return read_environment(Path(work) / "environment.json")
    try:
        errors = [DapflowError(**error) for error in json.loads(done.stdout)]
    except (ValueError, TypeError):
        raise DapflowError("synthesis", f"the names could not be read:\n{done.stderr[-2000:]}") from None
    raise errors[0] if len(errors) == 1 else DapflowErrors(errors)
