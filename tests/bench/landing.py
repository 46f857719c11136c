"""How fast landing files are looked at before Athena loads them, and in how much memory.

The files are on disk instead of in S3, so this is the look itself. Each is read in a process of its own.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dapflow.manifest import Dataset, LandingSource
from dapflow.runtime.formats.registry import format_of
from dapflow.runtime.generation import Generation
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.objects import Object
from tests.bench.command import peak_memory
from tests.bench.figure import Figure

MOST_MEMORY_MIB = 256
PLAIN_ROW = '{number},2013-12-31,UA,1545,N14228,EWR,IAH,227,1400,5,15,"Boeing 737, delayed by {number} minutes"\n'
_KINDS = {
    "1 GB of plain CSV": (1_000_000_000, "csv", PLAIN_ROW),
    "200 MB of CSV with line breaks in quotes": (200_000_000, "csv", PLAIN_ROW[:-2] + '\nat the gate"\n'),
    "200 MB of JSON": (
        200_000_000,
        "json",
        '{{"id": {number}, "day": "2013-12-31", "carrier": "UA", "delay": -4.5, "tags": ["a", "b"]}}\n',
    ),
    "10 million Parquet timestamps of 96 bits": (10_000_000, "parquet", ""),
}


def measure() -> list[Figure]:
    """Speed and peak of memory of each kind."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
        for name, (size, kind, row) in _KINDS.items():
            file = Path(folder) / f"file.{kind}"
            _write(file, size, kind, row)
            command = [sys.executable, "-m", "tests.bench.landing", str(file), kind]
            answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            unit = "MB/s" if kind != "parquet" else "M/s"
            speed = (file.stat().st_size if kind != "parquet" else size) / 1e6 / answer["seconds"]
            figures += [
                Figure(f"look at {name}", unit, (speed,), None, f"processor time; {answer['how']}"),
                Figure(f"memory for {name}", "MiB", (answer["mib"],), MOST_MEMORY_MIB, "peak of the process"),
            ]
    return figures


def write_rows(file: Path, size: int, kind: str, row: str) -> int:
    """Write a file of this size at least; how many rows it has."""
    with file.open("w", encoding="utf-8") as stream:
        if kind == "csv":
            stream.write("id,day,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,remarks\n")
        number = 0
        while stream.tell() < size:
            stream.write("".join(row.format(number=row_number) for row_number in range(number, number + 10_000)))
            number += 10_000
    return number


def _write(file: Path, size: int, kind: str, row: str) -> None:
    if kind != "parquet":
        write_rows(file, size, kind, row)
        return
    seconds = pa.array(range(1_700_000_000, 1_700_000_000 + size), pa.int64())
    moments = pa.table({"seen": seconds.cast(pa.timestamp("s")).cast(pa.timestamp("ns"))})
    pq.write_table(moments, file, use_deprecated_int96_timestamps=True)


class _Disk:
    """As much of an S3 client as is used: reads one file, and forgets what is written."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("rb")
        self._size = file.stat().st_size

    def get_object(self, *, Range: str, **_: Any) -> dict[str, Any]:  # noqa: N803 (boto3's)
        """A span of the file."""
        first, last = Range.removeprefix("bytes=").split("-")
        start = int(first) if first else self._size - int(last)
        end = int(last) if first else self._size - 1
        self._file.seek(start)
        return {"Body": io.BytesIO(self._file.read(end - start + 1))}

    def put_object(self, **_: Any) -> None:
        """Nothing."""


def _look(file: Path, kind: str) -> dict[str, Any]:
    source = LandingSource(kind, None)
    dataset = Dataset("a", "raw", "t", "d", "t_history", "t", source=source)
    place = SimpleNamespace(landed=lambda _: "s3://landing/a/t/2013-12-31/")
    target: Any = SimpleNamespace(dataset=dataset, s3=_Disk(file), place=place)
    item = Object(f"s3://landing/a/t/2013-12-31/{file.name}", file.stat().st_size, "e", datetime.now(UTC))
    inspection = Inspection(
        target, source, Generation.parse("2013-12-31"), [item], None, "s3://raw/a/t/converted/x/", lambda _: None
    )
    started = time.process_time()
    landed = format_of(source).inspect(inspection)
    return {
        "seconds": time.process_time() - started,
        "mib": peak_memory("self"),
        "how": f"{landed.total} rows, " + ("rewritten" if landed.converted else "Athena reads the file itself"),
    }


if __name__ == "__main__":
    print(json.dumps(_look(Path(sys.argv[1]), sys.argv[2])))
