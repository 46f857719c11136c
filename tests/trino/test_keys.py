"""Keys that are found in a text: what they are, and that they tell the rows of its result apart."""

from __future__ import annotations

import random

import pytest

from dapflow.trino.analysis import UniqueColumns, analyse
from tests.trino.analysis.catalogue import Tables
from tests.trino.conftest import Run

#: A text, and the places of its key. A plane is told apart by its tailnum.
KEYS = [
    ("SELECT carrier, count(*) FROM flights GROUP BY carrier", (0,)),
    ("SELECT max(delay), origin, carrier AS c FROM flights GROUP BY 3, origin ORDER BY 1 LIMIT 5", (1, 2)),
    ("SELECT upper(carrier), count(*) FROM flights GROUP BY upper(carrier)", (0,)),
    ("SELECT upper(carrier), count(*) FROM flights GROUP BY carrier", ()),
    ("SELECT count(*) FROM flights GROUP BY carrier", ()),
    ("SELECT count(*) FROM flights", ()),
    ("SELECT carrier, origin, count(*) FROM flights GROUP BY ROLLUP (carrier, origin)", ()),
    ("SELECT DISTINCT carrier, origin FROM flights", (0, 1)),
    ("SELECT DISTINCT origin, carrier, max(delay) FROM flights GROUP BY carrier, origin", (0, 1)),
    ("SELECT carrier FROM flights UNION SELECT carrier FROM planes", (0,)),
    ("SELECT carrier FROM flights UNION ALL SELECT carrier FROM planes", ()),
    ("SELECT tailnum, seats FROM planes EXCEPT ALL SELECT tailnum, 1 FROM planes", (0,)),
    ("SELECT seats, tailnum FROM planes WHERE seats > 2", (1,)),
    ("SELECT seats FROM planes", ()),
    ("SELECT * FROM delays", (0,)),
    ("WITH p AS (SELECT carrier AS c, tailnum AS t FROM planes) SELECT t, c FROM p TABLESAMPLE BERNOULLI (50)", (0,)),
    ("SELECT f.origin, p.seats FROM flights f JOIN planes p ON p.carrier = f.carrier", ()),
    ("SELECT p.tailnum, d.worst FROM planes p LEFT JOIN delays d ON d.carrier = p.carrier AND d.worst > 0", (0,)),
    ("SELECT p.tailnum, d.worst FROM planes p, delays d WHERE d.carrier = p.carrier", (0,)),
    ("SELECT p.tailnum, d.worst FROM planes p LEFT JOIN delays d USING (carrier)", (0,)),
    ("SELECT carrier, x.worst FROM delays JOIN delays x USING (carrier)", (0,)),
    ("SELECT p.tailnum, d.worst, d.carrier FROM planes p JOIN delays d ON d.worst > p.seats", (0, 2)),
    ("SELECT p.tailnum, d.worst FROM planes p JOIN delays d ON d.worst > p.seats", ()),
    ("SELECT p.tailnum, d.carrier FROM planes p FULL JOIN delays d ON d.carrier = p.carrier", ()),
    ("SELECT p.tailnum, n FROM planes p CROSS JOIN UNNEST(parts) AS u(n, c)", ()),
    # Names that each stand for two of the one before.
    (
        "WITH w0 AS (SELECT tailnum AS t FROM planes), "
        + ", ".join(f"w{n} AS (SELECT a.t FROM w{n - 1} a JOIN w{n - 1} b ON a.t = b.t)" for n in range(1, 30))
        + " SELECT t FROM w29",
        (0,),
    ),
    # The outer condition does not hold of the rows that it joins with none.
    (
        "SELECT p.tailnum, e.worst FROM (planes p CROSS JOIN delays d) LEFT JOIN delays e "
        "ON e.carrier = p.carrier AND d.carrier = p.carrier",
        (),
    ),
]


def key(text: str) -> tuple[int, ...]:
    query = analyse(text, Tables(), "air").query
    assert query is not None
    return UniqueColumns(lambda table: ("tailnum",) if table[-1] == "planes" else ()).of(query)


@pytest.mark.parametrize(("text", "expected"), KEYS)
def test_key(text: str, expected: tuple[int, ...]) -> None:
    assert key(text) == expected


def test_rows_are_told_apart_by_what_is_found(run: Run) -> None:
    found = 0
    for seed in range(150):
        text = Writer(random.Random(seed)).query()  # noqa: S311 - nothing secret
        places = key(text)
        rows = run(text)
        found += bool(places)
        keys = [tuple(row[place] for place in places) for row in rows]
        assert not places or len(set(keys)) == len(keys), text
    assert found > 50


class Writer:
    """Writes queries of joins, groups and subqueries over a few rows with NULLs."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw

    def query(self, depth: int = 2) -> str:
        """A query of columns a, b and c."""
        source, aliases = self.source(depth)
        names = [f"{self.draw.choice(aliases)}.{column}" for column in self.draw.choices("abc", k=3)]
        kind, grouped = self.draw.choice(("GROUP BY", "DISTINCT", "UNION", "", "")), self.draw.randint(1, 3)
        if kind == "UNION" and depth:
            return f"{self.query(depth - 1)} {self.draw.choice(('UNION', 'EXCEPT'))} {self.query(depth - 1)}"
        if kind == "GROUP BY":
            names[grouped:] = [f"max({name})" for name in names[grouped:]]
        items = ", ".join(f"{name} AS {column}" for name, column in zip(names, "abc", strict=True))
        tail = f" GROUP BY {', '.join(names[:grouped])}" if kind == "GROUP BY" else ""
        return f"SELECT {'DISTINCT ' if kind == 'DISTINCT' else ''}{items} FROM {source}{self.where()}{tail}"

    def where(self) -> str:
        a, b = self.draw.choices("abc", k=2)
        return self.draw.choice(("", f" WHERE x.{a} = x.{b}"))

    def source(self, depth: int) -> tuple[str, str]:
        """What stands in FROM, and its aliases."""
        left = f"{self.table(depth)} x"
        if self.draw.random() < 0.4:
            return left, "x"
        kind = self.draw.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        a, b, c, d = self.draw.choices("abc", k=4)
        condition = self.draw.choice(
            (f"x.{a} = y.{b}", f"x.{a} = y.{b} AND y.{c} = x.{d}", f"x.{a} = y.{b} AND y.{c} = y.{d}")
        )
        return f"{left} {kind} {self.table(depth)} y ON {condition}", "xy"

    def table(self, depth: int) -> str:
        """Rows, or a query of them."""
        if depth and self.draw.random() < 0.7:
            return f"({self.query(depth - 1)})"
        rows = [", ".join(self.draw.choices(("1", "2", "3", "cast(NULL AS integer)"), k=3)) for _ in range(4)]
        return f"(SELECT a, b, c FROM (VALUES {', '.join(f'({row})' for row in rows)}) v(a, b, c))"
