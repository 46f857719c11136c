"""What differs between generations of 10 million rows, by ``dapflow diff`` on an embedded platform of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.command import dapflow, platform, server_memory
from tests.bench.figure import Figure

RUNS = 3
#: Ten million rows. A later generation lacks ten and has another amount in 10,000, or another one in every row.
_SQL = """\
SELECT a * 1000 + b AS id, 'carrier ' || CAST(mod(b, 16) AS varchar) AS carrier, mod(a * 7919 + b, 100003){0} AS amount,
  CAST(mod(a, 1000) AS double) / 8 AS delay, date_add('day', mod(a, 365), DATE '2013-01-01') AS flown
FROM UNNEST(sequence(0, 9999)) AS t(a) CROSS JOIN UNNEST(sequence(0, 999)) AS u(b){1}
"""
_FIRST, _SOME, _EVERY = "2013-12-29", "2013-12-30", "2013-12-31"
_GENERATIONS = {_FIRST: ("", ""), _SOME: (" + IF(b = 500, 1, 0)", "\nWHERE a <> 77 OR b >= 10"), _EVERY: (" + 1", "")}


def measure() -> list[Figure]:
    """Publish them, and compare them by their key and as a whole."""
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
        project = Path(folder)
        file = project / "transforms" / "air" / "refined" / "large.sql"
        file.parent.mkdir(parents=True)
        (project / "transforms" / "air" / "service.yml").write_text("title: Flights\n", encoding="utf-8")
        with platform(project):
            for day, parts in _GENERATIONS.items():
                file.write_text(_SQL.format(*parts), encoding="utf-8")
                dapflow(project, "run", "large", "--generation", day, "--rows", "0")
            keyed, whole, every = (
                [dapflow(project, "diff", "large", "-g", day, "--with", _FIRST, *key, status=1) for _ in range(RUNS)]
                for day, key in ((_SOME, ("--key", "id")), (_SOME, ()), (_EVERY, ("--key", "id")))
            )
            memory = server_memory(project, "athena")
    how = "10,000,000 rows of 5 columns; whole command with a sample of rows"
    return [
        Figure("dapflow diff of 10 million rows by a key", "s", tuple(done.seconds for done in keyed), None, how),
        Figure("the same as a whole", "s", tuple(done.seconds for done in whole), None, how),
        Figure("by a key where every row differs", "s", tuple(done.seconds for done in every), None, how),
        Figure(
            "memory of dapflow diff",
            "MiB",
            tuple(done.memory for done in keyed + whole + every),
            None,
            "peak of the process",
        ),
        Figure("memory of the embedded athena meanwhile", "MiB", (memory,), None, "peak of the server"),
    ]
