"""How long 1,000 transforms in 50 services take to compile: the whole command, from a cold start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figure import Figure

SERVICES, TRANSFORMS, RUNS = 50, 1_000, 5
SOURCES = 8

_SERVICE = """\
title: {title}
owner: team-{number}@example.org
schedule: "{minute} 5 * * *"
timezone: Europe/London
reads: [service_{before:02}.raw]
grants: {{service_{after:02}: [raw]}}
sources:
"""
_SOURCE = """\
  table_{number}:
    description: Nightly export of table {number}.
    null: '\\N'
    columns:
      id: bigint
      parent_id: bigint
      reference: string
      status: string
      amount: {{type: "decimal(18,2)", description: In pounds.}}
      opened_at: {{type: timestamp, format: "%Y-%m-%dT%H:%i:%sZ"}}
      closed_at: timestamp
      category: string
      postcode: string
      officer: string
"""
_JOIN = """\
-- {name}: parent and child, as the template has it.
SELECT
    p.import_date AS original_import_date,
    p.id,
    p.reference,
    upper(trim(p.status)) AS status,
    CAST(p.opened_at AS date) AS opened_on,
    date_diff('day', p.opened_at, coalesce(p.closed_at, current_timestamp)) AS days_open,
    CASE
        WHEN p.amount IS NULL THEN 'none'
        WHEN p.amount < 100 THEN 'small'
        WHEN p.amount BETWEEN 100 AND 999.99 THEN 'medium'
        ELSE 'large'
    END AS size,
    c.category,
    coalesce(c.postcode, p.postcode) AS postcode,
    regexp_replace(c.officer, '\\s+', ' ') AS officer
FROM {first} p
LEFT JOIN {second} c
    ON c.parent_id = p.id
    AND c.status <> 'deleted'
WHERE p.opened_at >= date '2015-01-01'
    AND p.category IN ('repairs', 'complaints', 'permits')
"""
_CTES = """\
/* {name}: monthly figures with the change against the month before. */
WITH cases AS (
    SELECT
        t.id,
        t.category,
        t.officer,
        date_trunc('month', t.opened_at) AS month,
        t.amount,
        row_number() OVER (PARTITION BY t.reference ORDER BY t.opened_at DESC) AS newest
    FROM {first} t
    WHERE t.import_date = (SELECT max(import_date) FROM {first})
),

monthly AS (
    SELECT
        category,
        month,
        count(*) AS cases,
        count(DISTINCT officer) AS officers,
        sum(amount) AS amount,
        count(*) FILTER (WHERE amount > 100) AS large_cases
    FROM cases
    WHERE newest = 1
    GROUP BY category, month
),

named AS (
    SELECT m.*, k.reference AS category_name
    FROM monthly m
    LEFT JOIN {second} k ON k.category = m.category
    UNION ALL
    SELECT m.*, 'unknown' AS category_name
    FROM monthly m
    WHERE m.category IS NULL
)

SELECT
    n.category,
    n.category_name,
    n.month,
    n.cases,
    n.cases - lag(n.cases) OVER (PARTITION BY n.category ORDER BY n.month) AS change,
    round(100 * CAST(n.large_cases AS double) / nullif(n.cases, 0), 1) AS large_percent,
    n.officers,
    n.amount,
    rank() OVER (PARTITION BY n.month ORDER BY n.amount DESC NULLS LAST) AS place
FROM named n
WHERE EXISTS (SELECT 1 FROM {third} x WHERE x.category = n.category)
ORDER BY n.month, n.category
"""
_MIGRATED = """\
-- {name}: moved from the older platform, generation columns and all
with latest as (select * from {first} where import_date = (select max(import_date) from {first})),
     open_ones as (
        select l.id, l.reference, l.status, l.amount, l.opened_at, l.officer,
               l.import_year, l.import_month, l.import_day, l.import_date
        from latest l
        where l.closed_at is null
          and lower(l.status) not in ('closed', 'cancelled', 'rejected')
     )
select
    o.id
    , o.reference
    , o.status
    , try_cast(o.amount as double) as amount
    , substr(s.reference, 1, 3) as short_reference
    , date_format(o.opened_at, '%d/%m/%Y') as opened
    , if(o.officer = '', null, o.officer) as officer
    , array_join(array_agg(distinct s.category), ', ') as categories
    , max(s.closed_at) as last_closed
    , o.import_year
    , o.import_month
    , o.import_day
    , o.import_date
from open_ones o
join {second} s on s.parent_id = o.id
left join {third} q on q.id = o.id and q.status = 'open'
where q.id is null
group by 1, 2, 3, 4, 5, 6, 7, o.import_year, o.import_month, o.import_day, o.import_date
"""
_TEMPLATES = (_JOIN, _CTES, _MIGRATED)


def write_project(root: Path, services: int = SERVICES, transforms: int = TRANSFORMS) -> None:
    """Write a project of transforms that look like an analyst's, 20 to 60 lines each."""
    for number in range(services):
        service, before, after = f"service_{number:02}", (number or services) - 1, (number + 1) % services
        folder = root / "transforms" / service
        (folder / "refined").mkdir(parents=True)
        (folder / "trusted").mkdir()
        sources = "".join(_SOURCE.format(number=source) for source in range(SOURCES))
        (folder / "service.yml").write_text(
            _SERVICE.format(title=f"Service {number}", number=number, minute=number, before=before, after=after)
            + sources,
            encoding="utf-8",
        )
        for product in range(transforms // services):
            zone = "trusted" if product % 5 == 4 else "refined"
            first, second = f"table_{product % SOURCES}", f"table_{(product + 3) % SOURCES}"
            third = f"table_{(product + 5) % SOURCES}"
            if product > 3 and product % 3 == 0:
                # Products build on each other, and trusted ones on other services.
                second = f"service_{before:02}_raw_zone.table_{product % SOURCES}"
            name = f"product_{product:02}"
            title = f"{name} of service {number}"
            sql = _TEMPLATES[product % len(_TEMPLATES)].format(name=title, first=first, second=second, third=third)
            (folder / zone / f"{name}.sql").write_text(sql, encoding="utf-8")


def measure() -> list[Figure]:
    """Wall seconds of ``dapflow compile``, with the start of Python in them."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_project(root)
        first, *again = [_compiled(root) for _ in range(1 + RUNS)]
        changed = []
        for number in range(RUNS):
            text = root / f"transforms/service_{number:02}/refined/product_00.sql"
            text.write_text(text.read_text(encoding="utf-8").replace("'small'", "'little'"), encoding="utf-8")
            changed.append(_compiled(root))
    return [
        Figure(
            "compile 1,000 transforms in 50 services again",
            "s",
            tuple(again),
            3.0,
            "`dapflow compile`, no text changed",
        ),
        Figure("the same after a change of one text", "s", tuple(changed), note="one is read and analysed"),
        Figure("the same for the first time", "s", (first,), note="every text is read, and analysed for its lineage"),
    ]


def _compiled(root: Path) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "dapflow", "compile", "--project", str(root)], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started
