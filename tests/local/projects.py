"""Projects in a temporary directory, and the command line run in them as a user runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil

from dapflow.local.processes import components
from dapflow.local.processes.started import members, with_compiled_modules
from dapflow.servers.state import State
from tests.local.ports import free_port

SERVICE = """\
title: Housing
sources:
  repairs:
    columns: {id: integer, cost: double, done: boolean}
"""
TRANSFORM = "SELECT done, count(*) AS repairs, sum(cost) AS cost\nFROM repairs\nGROUP BY done\n"


@dataclass
class LocalProject:
    """A project and its embedded platform."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return State.of(self.root)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "dapflow", *arguments, "--project", str(self.root)]

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW"))}
        return with_compiled_modules({**kept, **self.environment})

    def run(self, *arguments: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
            env=self.variables,
            cwd="/",
            **options,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def status(self) -> dict[str, Any]:
        report = json.loads(self.run("local", "status", "--json", check=False).stdout)
        return {component["name"]: component for component in report["components"]}

    def ports(self) -> dict[str, int]:
        return dict(json.loads(self.state.ports_file.read_text()))

    def processes(self) -> list[psutil.Process]:
        return members(self.state, components.ALL)

    def client(self, service: Any) -> Any:
        """A client as ``eval "$(dapflow local env)"`` makes it."""
        lines = self.run("local", "env").stdout.splitlines()
        values = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines)
        return boto3.client(
            service,
            endpoint_url=values.get(f"AWS_ENDPOINT_URL_{service.upper()}", values["AWS_ENDPOINT_URL"]),
            region_name=values["AWS_REGION"],
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
        )

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def make_project(root: Path) -> LocalProject:
    """A project of one service, whose platform takes ports of its own: tests run beside each other."""
    project = LocalProject(root)
    project.write("transforms/housing/service.yml", SERVICE)
    project.write("transforms/housing/refined/repair_costs.sql", TRANSFORM)
    ports = {"aws": free_port(), "athena": free_port(), "airflow": free_port()}
    project.write(".dapflow/ports.json", json.dumps(ports))
    return project
