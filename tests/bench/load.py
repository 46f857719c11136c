"""1 GB of CSV from a disk into a history table, by the commands of a user, on an embedded platform of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.command import dapflow, platform, server_memory
from tests.bench.figure import Figure
from tests.bench.landing import MOST_MEMORY_MIB, PLAIN_ROW, write_rows

BYTES = 1_000_000_000
DAY = "2013-12-31"
_SERVICE = """\
title: Flights
sources:
  flights:
    columns:
      id: bigint
      day: date
      carrier: string
      flight: int
      tailnum: string
      origin: string
      dest: string
      air_time: int
      distance: double
      hour: int
      minute: int
      remarks: string
"""


def measure() -> list[Figure]:
    """Land the file, load it, and look at the processes that do it."""
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
        project = Path(folder)
        (project / "transforms" / "air").mkdir(parents=True)
        (project / "transforms" / "air" / "service.yml").write_text(_SERVICE, encoding="utf-8")
        file = project / "flights.csv"
        rows = write_rows(file, BYTES, "csv", PLAIN_ROW)
        with platform(project):
            landed = dapflow(project, "land", str(file), "--to", "air.flights", "--date", DAY)
            loaded = dapflow(project, "run", "air.raw.flights", "--generation", DAY, "--rows", "0")
            servers = {name: server_memory(project, name) for name in ("aws", "athena")}
    return [
        Figure("dapflow land of 1 GB of CSV", "s", (landed.seconds,), None, "whole command"),
        Figure("memory of dapflow land", "MiB", (landed.memory,), MOST_MEMORY_MIB, "peak of the process"),
        Figure(
            "dapflow run of 1 GB of CSV", "s", (loaded.seconds,), None, f"{rows} rows looked at, checked, published"
        ),
        Figure("memory of dapflow run", "MiB", (loaded.memory,), MOST_MEMORY_MIB, "peak of the process"),
        *(
            Figure(f"memory of the embedded {name} meanwhile", "MiB", (memory,), None, "peak of the server")
            for name, memory in servers.items()
        ),
    ]
