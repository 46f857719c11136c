"""The stacks of a branch by the CDK's command line, as the workflow of pull requests deploys them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from dapflow.errors import DapflowError

# The release with which the workflows deploy; a test compares them.
CDK = "aws-cdk@2.1148.1"
_AT_ONCE = "8"


def deploy_branch(root: Path, branch: str, *, base: str, commit: str, owner: str) -> None:
    """Deploy the project in ``root`` as a branch; ``base`` is what it is compared with, empty to build every product.

    What the CDK says goes to standard error. Raises DapflowError ``cdk``.
    """
    tags = {"base": base, "commit": commit, "owner": owner}
    context = [word for name, value in tags.items() if value for word in ("-c", f"{name}={value}")]
    approval = ("--concurrency", _AT_ONCE, "--require-approval", "never")
    _cdk(root, "deploy", "--all", *approval, "-c", f"branch={branch}", *context)


def _cdk(root: Path, *arguments: str) -> None:
    npx = shutil.which("npx")
    if npx is None:
        raise DapflowError("cdk", "there is no npx, which runs the CDK's command line", hint="install Node.js 24")
    sys.stderr.flush()
    command = [npx, "--yes", CDK, *arguments]
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode:
        raise DapflowError(
            "cdk",
            f"cdk {arguments[0]} ended with status {done.returncode}; why stands above",
            hint="the same command goes on from what there is",
        )
