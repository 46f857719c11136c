"""`dapflow run` of 50 services with 20 transforms each, three services at once, on an embedded platform."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.command import dapflow, platform
from tests.bench.figure import Figure

SERVICES, TRANSFORMS, PROCESSES = 50, 20, 3
MOST_SECONDS = 240
DAY = "2024-06-05"
ROWS = 200

_SERVICE = """\
title: {name}
sources:
  cases: {{columns: {{id: bigint, parent_id: bigint, category: string, amount: "decimal(10,2)", opened_on: date}}}}
"""
_JOIN = """\
SELECT c.id, c.category, c.amount, p.category AS parent_category, date_diff('day', p.opened_on, c.opened_on) AS days
FROM cases c
LEFT JOIN cases p ON p.id = c.parent_id
WHERE c.amount >= {number}
"""
_GROUPS = """\
WITH monthly AS (
    SELECT category, date_trunc('month', opened_on) AS month, count(*) AS cases, sum(amount) AS amount
    FROM cases
    WHERE import_date = (SELECT max(import_date) FROM cases)
    GROUP BY 1, 2
)
SELECT category, month, cases, amount, rank() OVER (PARTITION BY month ORDER BY amount DESC, category) AS place
FROM monthly
"""
_UPON = """\
SELECT p.category, upper(p.category) AS written, max(p.amount) AS most
FROM {database}.{before} p
GROUP BY 1, 2
"""


def measure() -> list[Figure]:
    """Land one export for each service, then run all services, three at a time."""
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
        project = Path(folder)
        services = [f"service_{number:02}" for number in range(SERVICES)]
        for name in services:
            _write_service(project / "transforms" / name, name)
        export = project / "cases.csv"
        lines = (f"{row},{row // 3},kind {row % 7},{row}.50,2024-{row % 12 + 1:02}-01" for row in range(ROWS))
        export.write_text("\n".join(["id,parent_id,category,amount,opened_on", *lines, ""]), encoding="utf-8")
        with platform(project), ThreadPoolExecutor(PROCESSES) as pool:
            list(
                pool.map(
                    lambda name: dapflow(project, "land", str(export), "--to", f"{name}.cases", "-d", DAY), services
                )
            )
            began = time.perf_counter()
            list(pool.map(lambda name: dapflow(project, "run", name, "-g", DAY, "--rows", "0"), services))
            seconds = time.perf_counter() - began
    how = f"{SERVICES} raw tables and {SERVICES * TRANSFORMS} products, {PROCESSES} processes"
    return [
        Figure(f"dapflow run of {SERVICES} services with {TRANSFORMS} transforms", "s", (seconds,), MOST_SECONDS, how)
    ]


def _write_service(folder: Path, name: str) -> None:
    (folder / "refined").mkdir(parents=True)
    (folder / "service.yml").write_text(_SERVICE.format(name=name), encoding="utf-8")
    for number in range(TRANSFORMS):
        template = (_JOIN, _GROUPS, _UPON)[number % 3]
        sql = template.format(number=number, before=f"product_{number - 1:02}", database=f"{name}_refined_zone")
        (folder / "refined" / f"product_{number:02}.sql").write_text(sql, encoding="utf-8")
