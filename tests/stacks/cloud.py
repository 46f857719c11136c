"""The real CDK command line against ministack, each in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from dapflow.deployed.cdk import CDK
from stacks import NODE
from tests.stacks.node import installed
from tests.stacks.templates import ROOT

# ministack pins its own botocore; its Lambda workers find boto3 beside it.
MINISTACK = ["--from", "ministack==1.5.33", "--with", "boto3"]
# Of the example's prod and staging.
ACCOUNT, REGION = "111122223333", "eu-west-2"


@dataclass(frozen=True)
class Cloud:
    """An emulator that runs, and a project to deploy to it."""

    port: int
    project: Path
    failures: Path

    @contextmanager
    def failing(self, stack: str, kind: str) -> Iterator[None]:
        """While it lasts, no resource of this type can be created in this stack."""
        self.failures.write_text(f"{stack} {kind}\n")
        try:
            yield
        finally:
            self.failures.unlink()

    @property
    def endpoint(self) -> str:
        """Where AWS is. Not 127.0.0.1: the CDK command line would put bucket names before it."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What lets a program find it."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            # The CDK's command line remembers accounts by access key, so each emulator has its own.
            "AWS_ACCESS_KEY_ID": f"test{self.port}",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str, credentials: dict[str, str] | None = None, *, endpoint: str | None = None) -> Any:
        """A boto3 client: of the account's root, or with the credentials of an assumed role."""
        keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=endpoint or self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    def cdk(self, *arguments: str, fails: bool = False) -> str:
        """Run the CDK command line in the project, which is to succeed, or to fail; gives back what it printed."""
        program = installed(CDK) / "bin" / "cdk"
        environment = {**self.environment, "CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true"}
        command = [str(NODE), str(program), *arguments, "--no-notices", "--no-version-reporting"]
        run = subprocess.run(
            command,
            cwd=self.project,
            env=environment,
            # It would look at a terminal, and be stopped for it in the background.
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        printed = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout + run.stderr)
        assert (run.returncode != 0) is fails, printed[-4000:]
        return printed


def deployable(project: Path, **branch: str) -> Path:
    """A copy of the example, to be deployed as it stands; ``branch``: settings of branches that are to differ."""
    shutil.copytree(ROOT / "transforms", project / "transforms")
    settings = json.loads((ROOT / "cdk.json").read_text())
    settings["app"] = f"{sys.executable} {ROOT / 'app.py'}"
    settings["context"]["environments"]["branch"] |= branch
    (project / "cdk.json").write_text(json.dumps(settings, indent=2))
    return project


@contextmanager
def cloud(project: Path, log: Path, *, account: str = ACCOUNT, enforce: bool = False) -> Iterator[Cloud]:
    """Start an emulator on a free port of the loopback interface, and stop it. ``enforce`` makes it check policies."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    failures = log.with_suffix(".failures")
    environment = {
        **os.environ,
        "FAILURES": str(failures),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": account,
        "AUTH": str(enforce).lower(),
    }
    uv = ROOT / ".venv" / "bin" / "uv"
    command = [str(uv) if uv.exists() else "uv", "tool", "run", *MINISTACK, "python"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, str(Path(__file__).with_name("emulator.py"))],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(port, process, log)
        yield Cloud(port, project, failures)
    finally:
        # uv starts Python as its child; both are in the session that was started here.
        os.killpg(process.pid, 15)
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"ministack does not answer: {log.read_text()[-2000:]}")
