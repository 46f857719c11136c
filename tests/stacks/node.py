"""Programs of the npm registry, run with the Node.js of the environment; each is installed once."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stacks import NODE
from tests.stacks.templates import ROOT


def installed(package: str) -> Path:
    """The folder of a package, ``name@version``."""
    name = package.rpartition("@")[0]
    home = ROOT / ".dapflow" / "node" / package
    folder = home / "node_modules" / name
    if not folder.exists():
        npm = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        install = [str(NODE), str(npm), "install", "--prefix", str(home), "--no-audit", "--no-fund", package]
        subprocess.run(install, check=True, capture_output=True, timeout=300)
    return folder
