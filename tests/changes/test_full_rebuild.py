"""What a branch does not build is, row by row, what a branch that builds everything has."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from dapflow.changes import plan_branch
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.review.project_lineage import lineages
from tests.aws_servers import LocalAws
from tests.changes.flights import PRODUCTS, project
from tests.changes.test_plan import CHANGING, PRESERVING

FLIGHTS = """\
SELECT * FROM (VALUES
    (1, 'aa', 'EWR', 5, 1400e0, DATE '2024-06-01'), (2, 'ua', 'EWR', 0, 200e0, DATE '2024-06-02'),
    (3, 'b6', 'JFK', NULL, 1e0, DATE '2024-06-02'), (4, 'AA', 'LGA', -3, 2586e0, NULL),
    (5, 'ua', 'EWR', 60, 200e0, DATE '2024-06-05'), (6, 'zz', 'JFK', 61, 748.5e0, DATE '2024-06-05'),
    (7, NULL, 'JFK', 2, 621.5e0, DATE '2024-06-06'), (8, 'aa', NULL, 5, NULL, DATE '2024-06-06')
) t (id, carrier, origin, delay, distance, day)"""
AIRLINES = """\
SELECT * FROM (VALUES ('AA', 'American', 'US'), ('UA', '', NULL), ('B6', 'JetBlue', 'US'), ('ZZ', NULL, 'ZZ'))
t (carrier, name, country)"""
NAMES = ["id", "carrier", "origin", "delay", "km", "day", "name", "country", "flights", "furthest", "place"]
WORDS = [*NAMES, "max", "min", "sum", "count", "upper", "lower", "JOIN", "LEFT JOIN", "AND", "OR", "DISTINCT", ""]


@pytest.fixture(scope="module")
def lake(aws: LocalAws) -> LocalAws:
    aws.query("CREATE DATABASE air_raw_zone")
    for name, rows in (("flights", FLIGHTS), ("airlines", AIRLINES)):
        location = f"'s3://lake/air/{name}/'"
        aws.query(f"CREATE TABLE air_raw_zone.{name} WITH (external_location = {location}) AS {rows}")
    return aws


def built(lake: LocalAws, database: str, manifest: Manifest) -> dict[str, list[list[str | None]]] | None:
    """The rows of every product of a project, in order and below its columns' names; None where Athena refuses one."""
    lake.query(f"CREATE DATABASE {database}")
    products: dict[str, list[list[str | None]]] = {}
    for dataset in manifest.datasets.values():
        if dataset.transform is not None:
            created = lake.run(f"CREATE VIEW {dataset.name} AS {dataset.transform.sql}", database)
            answer = lake.run(f"SELECT * FROM {dataset.name}", database) if created.state == "SUCCEEDED" else created
            if answer.state != "SUCCEEDED":
                return None
            products[dataset.id] = [list(answer.columns), *sorted(answer.rows, key=str)]
    return products


def mutated(chance: random.Random) -> dict[str, str]:
    """The products with one to three edits: of those that are known, or words and numbers of a text by others."""
    products = dict(PRODUCTS)
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.4:
            product, old, new = chance.choice([edit[:3] for edit in (*PRESERVING, *CHANGING)])
            products[product] = products[product].replace(old, new, 1)
        else:
            product = chance.choice(list(products))
            words = list(re.finditer(r"\b(?!SELECT|FROM)\w+\b", products[product]))
            word = chance.choice(words)
            new = str(chance.randint(0, 3)) if word[0].isdigit() else chance.choice(WORDS)
            products[product] = products[product][: word.start()] + new + products[product][word.end() :]
    return products


@pytest.mark.parametrize("edits", [3, pytest.param(600, marks=pytest.mark.slow)])
def test_what_is_deferred_is_what_a_full_rebuild_gives(lake: LocalAws, tmp_path: Path, edits: int) -> None:
    chance = random.Random(edits)  # noqa: S311 - the same edits each time
    base = project(tmp_path / "base")
    known, before = lineages(base), built(lake, f"base_{edits}", base)
    assert before is not None
    compared = changed = deferred = 0
    while compared < edits:
        products = mutated(chance)
        try:
            branch = project(tmp_path / "branch", products)
        except DapflowError:
            continue
        now = built(lake, f"branch_{edits}_{chance.getrandbits(40)}", branch)
        if now is None:
            continue
        planned = plan_branch(base, branch, known)
        for decision in planned.deferred:
            assert now[decision.dataset] == before[decision.dataset], (decision, products)
        compared += 1
        deferred += sum(decision.touched for decision in planned.deferred)
        changed += sum(now[decision.dataset] != before.get(decision.dataset) for decision in planned.built)
    # Neither is everything built, nor nothing changed.
    assert changed > edits / 2
    assert deferred > edits / 2
