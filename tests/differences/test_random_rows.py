"""Random rows of all kinds of types: Athena finds what a plain computation over the same rows finds."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.differences.versions import difference, publish
from tests.runtime.lake import DAY, EARLIER, Lake

Choose = Callable[[random.Random], object]
# What a value is in Python, where equal values are the same, and how each is written in SQL: maps in any order.
KINDS: dict[str, Choose] = {
    "integer": lambda chance: chance.randrange(3),
    "varchar": lambda chance: chance.choice(["", "a", "A", "it's", "ü"]),
    "double": lambda chance: chance.choice(["nan", 0.5, -1e300, 0.0]),
    "decimal(20,2)": lambda chance: chance.choice(["0.10", "0.11", "123456789012345678.99"]),
    "date": lambda chance: chance.choice(["2013-12-31", "1969-01-01"]),
    "timestamp(3)": lambda chance: chance.choice(["2013-12-31 00:00:00.000", "2013-12-31 00:00:00.001"]),
    "boolean": lambda chance: chance.choice(["true", "false"]),
    "array(double)": lambda chance: tuple(chance.choice([None, "nan", 1.0]) for _ in range(chance.randrange(3))),
    "map(varchar, integer)": lambda chance: frozenset(
        (key, chance.choice([None, 1, 2])) for key in chance.sample("xyz", chance.randrange(3))
    ),
    'row("n" integer, "m" map(varchar, integer))': lambda chance: (
        chance.choice([None, 1]),
        frozenset((key, 1) for key in chance.sample("xy", chance.randrange(3))),
    ),
}
Row = tuple[object, ...]


def literal(value: object, kind: str, chance: random.Random) -> str:
    return f"CAST({_written(value, chance)} AS {kind})"


def _written(value: object, chance: random.Random) -> str:
    if value is None:
        return "NULL"
    if value == "nan":
        return "nan()"
    if isinstance(value, frozenset):
        entries = list(value)
        chance.shuffle(entries)
        keys, values = ([_written(entry[place], chance) for entry in entries] for place in (0, 1))
        return f"MAP(ARRAY[{', '.join(keys)}], ARRAY[{', '.join(values)}])"
    if isinstance(value, tuple):
        items = ", ".join(_written(item, chance) for item in value)
        return f"ROW({items})" if any(isinstance(item, frozenset) for item in value) else f"ARRAY[{items}]"
    if isinstance(value, float | int):
        return f"{value:e}" if isinstance(value, float) else str(value)
    return "'" + str(value).replace("'", "''") + "'"


def text(rows: list[Row], chance: random.Random) -> str:
    """A SELECT of the rows, in another order and with maps written otherwise."""
    shuffled = chance.sample(rows, len(rows))
    columns = ", ".join(f"c{number}" for number in range(len(KINDS)))
    listed = ", ".join(
        "(" + ", ".join(literal(value, kind, chance) for value, kind in zip(row, KINDS, strict=True)) + ")"
        for row in shuffled
    )
    return f"SELECT * FROM (VALUES {listed}) AS t({columns})"


def random_row(chance: random.Random) -> Row:
    return tuple(None if chance.random() < 0.15 else choose(chance) for choose in KINDS.values())


def edited(rows: list[Row], chance: random.Random) -> list[Row]:
    """The rows with some gone, some twice, some others, and some with a value more or less."""
    made = []
    for row in rows:
        what, place = chance.random(), chance.randrange(len(row))
        changed = (*row[:place], random_row(chance)[place], *row[place + 1 :])
        made += [] if what < 0.15 else [changed] if what < 0.5 else [row] if what < 0.9 else [row, row]
    return made + [random_row(chance) for _ in range(chance.randrange(3))]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
def test_whole_rows_are_counted_as_python_counts_them(lake: Lake, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    there = [random_row(chance) for _ in range(12)]
    here = edited(there, chance)
    publish(lake, tmp_path, text(there, chance), EARLIER)
    publish(lake, tmp_path, text(here, chance), DAY)
    more, less = Counter(here) - Counter(there), Counter(there) - Counter(here)
    found = difference(lake, rows=100)
    assert (found.only_here, found.only_there) == (more.total(), less.total())
    assert found.equal_rows == (Counter(here) & Counter(there)).total()
    for kind, counted in (("here", more), ("there", less)):
        assert sorted(row.times for row in found.sample if row.kind == kind) == sorted(counted.values())
    for place, column in enumerate(found.columns):
        assert column.here.nulls == sum(row[place] is None for row in here)
        assert column.there.nulls == sum(row[place] is None for row in there)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
@pytest.mark.parametrize("keys", [(0,), (8, 2)], ids=["a number", "a map and a floating-point number"])
def test_rows_of_a_key_are_compared_as_python_compares_them(
    lake: Lake, tmp_path: Path, seed: int, keys: tuple[int, ...]
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret

    def by_key(rows: list[Row]) -> dict[Row, Row]:
        return {tuple(row[place] for place in keys): row for row in rows}

    rows = [random_row(chance) for _ in range(12)]
    there, here = by_key(rows), by_key(edited(rows, chance))
    publish(lake, tmp_path, text(list(there.values()), chance), EARLIER)
    publish(lake, tmp_path, text(list(here.values()), chance), DAY)
    both = here.keys() & there.keys()
    found = difference(lake, [f"c{place}" for place in keys], rows=100)
    assert (found.only_here, found.only_there) == (len(here.keys() - there), len(there.keys() - here))
    assert found.changed == sum(here[key] != there[key] for key in both)
    counted = {column.name: column.changed for column in found.columns}
    values = [place for place in range(len(KINDS)) if place not in keys]
    assert counted == {f"c{place}": sum(here[key][place] != there[key][place] for key in both) for place in values}
    assert len(found.sample) == found.only_here + found.only_there + (found.changed or 0)
    numbers = [row[2] for row in here.values() if row[2] is not None]
    if 2 not in keys and "nan" not in numbers and numbers:
        (double,) = (column for column in found.columns if column.name == "c2")
        assert math.isclose(float(double.here.average or 0), sum(map(float, map(str, numbers))) / len(numbers))
