"""A suite of another project: its packages in an environment of their own, its tests run against a server."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from tests.aws_servers import KEY, REGION, LocalAws

HERE = Path(__file__).parent
State = Literal["passed", "failed", "refused", "skipped"]
# What the embedded Athena refuses by name: in the message of a test that failed, or in the name of one that is for it.
_REFUSED = ("NOT_SUPPORTED", "not supported by the embedded Athena")
_REFUSED_TABLES = "iceberg"


@dataclass(frozen=True)
class Suite:
    """Which tests, from where, with what.

    Attributes:
        packages: what is installed, pinned.
        source: the source release that holds the tests; None where they are in an installed package.
        arguments: pytest's, from the folder of the source.
        files: written into that folder first.
        variables: of the environment, beside those of AWS.
    """

    name: str
    packages: tuple[str, ...]
    source: str | None
    arguments: tuple[str, ...]
    files: dict[str, str]
    variables: dict[str, str]


@dataclass(frozen=True)
class Result:
    """How one test ended, and the first line of why."""

    test: str
    state: State
    reason: str


def run(suite: Suite, aws: LocalAws, folder: Path) -> list[Result]:
    """Install the suite below ``folder``, run it, and give the result of each test."""
    python = _installed(suite, folder)
    place = _unpacked(suite.source, folder, python) if suite.source else folder
    for name, text in suite.files.items():
        (place / name).write_text(text, encoding="utf-8")
    report = folder / "report.xml"
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(HERE),
        "AWS_ENDPOINT_URL": aws.aws_url,
        "AWS_ENDPOINT_URL_ATHENA": aws.athena_url,
        "AWS_DEFAULT_REGION": REGION,
        **KEY.variables(),
        **suite.variables,
    }
    options = ("-o", "addopts=", "-p", "no:cacheprovider", "-q", "--tb=line", f"--junitxml={report}")
    command = [str(python), "-m", "pytest", *options, *suite.arguments]
    done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, check=False)
    # 0 and 1: the tests ran, and some failed.
    assert done.returncode in {0, 1}, done.stdout[-4000:] + done.stderr[-2000:]
    return sorted(_results(report), key=lambda result: result.test)


def _installed(suite: Suite, folder: Path) -> Path:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else "uv"
    environment = {**os.environ, "VIRTUAL_ENV": str(folder / "venv")}
    subprocess.run(
        [uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(folder / "venv")],
        check=True,
        env=environment,
    )
    # The constraints of this project are not theirs.
    command = [uv, "pip", "install", "--quiet", "--no-config", *suite.packages]
    subprocess.run(command, check=True, env=environment, cwd=folder)
    return folder / "venv" / "bin" / "python"


def _unpacked(source: str, folder: Path, python: Path) -> Path:
    downloads = folder / "source"
    pip = [str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest"]
    subprocess.run([*pip, str(downloads), source], check=True, cwd=folder)
    [archive] = downloads.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(downloads, filter="data")
    archive.unlink()
    [unpacked] = downloads.iterdir()
    return unpacked


def _results(report: Path) -> Iterator[Result]:
    worst: dict[str, Result] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 (written by the pytest that was started here)
        name = f"{case.get('classname')}::{case.get('name')}"
        result = _result(name, case)
        # A test that passes and fails when it is torn down is reported twice.
        if name not in worst or result.state in {"failed", "refused"}:
            worst[name] = result
    yield from worst.values()


def _result(name: str, case: ElementTree.Element) -> Result:
    bad = case.find("failure")
    bad = case.find("error") if bad is None else bad
    if bad is not None:
        said = f"{bad.get('message')}\n{bad.text}"
        refused = any(words in said for words in _REFUSED) or _REFUSED_TABLES in name.lower()
        return Result(name, "refused" if refused else "failed", said.strip().splitlines()[0][:200])
    return Result(name, "skipped" if case.find("skipped") is not None else "passed", "")
