"""The extension of VS Code: packed, and starting the server that it is for."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Tree

import pytest

import dapflow
from stacks import NODE
from tests.docs.markdown import ROOT

SOURCE = ROOT / "dapflow" / "editor" / "vscode"
STUB = Path(__file__).with_name("activate_extension.cjs")


def test_the_extension_has_the_version_of_the_package() -> None:
    package = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))
    assert package["version"] == lock["version"] == dapflow.__version__
    assert package["devDependencies"] == lock["packages"][""]["devDependencies"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    subprocess.run(["make", "-s", "extension"], cwd=ROOT, check=True, capture_output=True, timeout=300)
    folder = tmp_path_factory.mktemp("extension")
    with zipfile.ZipFile(ROOT / "dist" / "dapflow.vsix") as packed:
        packed.extractall(folder)
    yield folder


@pytest.mark.slow
def test_the_package_is_one_that_vs_code_takes(unpacked: Path) -> None:
    package = json.loads((unpacked / "extension" / "package.json").read_text(encoding="utf-8"))
    assert (unpacked / "extension" / package["main"]).is_file()
    assert (unpacked / "[Content_Types].xml").is_file()
    manifest = Tree.parse(unpacked / "extension.vsixmanifest").getroot()  # noqa: S314 - packed by us
    identity = manifest.find("{*}Metadata/{*}Identity")
    assert identity is not None
    assert (identity.get("Id"), identity.get("Version")) == (package["name"], package["version"])
    assert not list(unpacked.rglob("node_modules"))


@pytest.mark.slow
def test_the_extension_starts_the_server_in_the_folder(unpacked: Path, tmp_path: Path) -> None:
    written = tmp_path / "written"
    command = tmp_path / "command"
    command.write_text(
        f'#!/bin/sh\nhead -c 60 >/dev/null\necho "$* $PWD" >"{written}.new"\nmv "{written}.new" "{written}"\n'
    )
    command.chmod(0o755)
    bundle = unpacked / "extension" / "extension.js"
    arguments = [str(NODE), str(STUB), str(bundle), str(tmp_path), str(command), str(written)]
    subprocess.run(arguments, check=True, capture_output=True, timeout=60)
    assert written.read_text() == f"lsp {tmp_path}\n"
