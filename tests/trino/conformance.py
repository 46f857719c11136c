"""Score the language room against the corpus of cases, in this process: ``python -m tests.trino.conformance``.

With ``--record`` the score becomes the one that must not drop (`conformance.json`), and the table of
docs/embedded-athena.md is written anew.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb

from dapflow.trino.duckdb import QueryError, compile_query, prepare_connection, translate_error
from tests.docs.markdown import ROOT
from tests.trino import corpus

RECORD = Path(__file__).with_suffix(".json")
PAGE = ROOT / "docs" / "embedded-athena.md"
HEAD = "| category | cases | right | | category | cases | right |\n| --- | ---: | ---: | --- | --- | ---: | ---: |\n"
#: Statuses of the corpus's program that mean another answer without an error.
SILENT = ("wrong", "no_error")

#: By category: how many cases there are, how many are right, how many are silently wrong.
Score = dict[str, dict[str, int]]


class NoTables:
    """A catalog without tables."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> None:
        """No table has any name."""
        return None

    def has_database(self, database: str) -> bool:
        """Only the default database exists."""
        return database == "default"


class Target:
    """Compiles and runs in this process, and prints as Athena does."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.connection = duckdb.connect(config={"threads": 1})
        prepare_connection(self.connection)
        self.compiling = 0.0

    def run(self, sql: str, case: dict[str, Any], timeout: float) -> tuple[str, Any, Any]:
        """Outcome, rows or reason, types."""
        start = time.perf_counter()
        try:
            query = compile_query(sql, NoTables(), "default")
        except QueryError as error:
            return "error", str(error), None
        finally:
            self.compiling += time.perf_counter() - start
        timer = threading.Timer(timeout, self.connection.interrupt)
        timer.start()
        try:
            rows = [list(r) for r in self.connection.execute(query.text_sql).fetchall()]
        except duckdb.Error as error:
            return "error", f"{translate_error(error)} ## {str(error)[:300]}", None
        finally:
            timer.cancel()
        return "ok", rows, [c.type for c in query.columns]


class Run:
    """The outcomes of cases: statuses by category, and what the cases that are not right say."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self.target = Target(program.PrintedValues)
        self.totals: dict[str, Counter[str]] = defaultdict(Counter)
        self.causes: Counter[str] = Counter()

    def check(self, cases: Iterable[dict[str, Any]], tell: Callable[[str, str, str], None] = lambda *_: None) -> None:
        """Run the cases that Athena could run; `tell` hears of each that is not right: status, case, what is wrong."""
        for case in cases:
            if set(self.program.DEFAULT_SKIP) & set(case["flags"]):
                continue
            try:
                status, detail, mismatch = self.program.check(self.target, case, 60)
            except Exception as error:  # noqa: BLE001 - a fault of the room must not end the run
                status, detail, mismatch = "crash", repr(error), False
            self.totals[case["category"]].update({status: 1, "cases": 1, "types": bool(mismatch)})
            if status != "pass":
                self.causes[self.program.cause(status, detail, case["sql"])] += 1
            if status != "pass" or mismatch:
                shown = f"{case['category']:12} {case['sql'][:300]}"
                tell("types" if status == "pass" else status, shown, detail or str(case.get("types") or case["type"]))

    def score(self) -> Score:
        """The numbers that are recorded."""
        return {
            name: {"cases": c["cases"], "right": c["pass"], "wrong": sum(c[status] for status in SILENT)}
            for name, c in sorted(self.totals.items())
        }


def recorded() -> Score:
    """The score that must not drop."""
    score: Score = json.loads(RECORD.read_text(encoding="utf-8"))
    return score


def table(score: Score) -> str:
    """The table of the page: categories in two columns."""
    cells = [f"{name} | {c['cases']:,} | {100 * c['right'] / c['cases']:.1f} %" for name, c in sorted(score.items())]
    half = (len(cells) + 1) // 2
    right = [*cells[half:], " | | "][:half]
    return HEAD + "".join(f"| {a} | | {b} |\n" for a, b in zip(cells[:half], right, strict=True))


def record(score: Score) -> None:
    """Let the score be the one that must not drop, and the page's."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in score.items())
    RECORD.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(re.escape(HEAD) + r"(\|.*\n)+", lambda _: table(score), page), encoding="utf-8")


def main() -> None:
    """Print the score by category, and the failures asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--category", nargs="*")
    parser.add_argument("--grep", default="")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--status", nargs="*")
    parser.add_argument("--causes", type=int, default=0)
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    folder = corpus.folder()
    if folder is None:
        sys.exit(f"{corpus.VARIABLE} does not say where the corpus is")
    logging.disable(logging.CRITICAL)
    program = corpus.runner(folder)
    left = args.show

    def tell(status: str, case: str, detail: str) -> None:
        nonlocal left
        if left and (status in args.status if args.status else status != "types"):
            left -= 1
            print(f"{status:9} {case}\n          {detail}")

    run = Run(program)
    start = time.perf_counter()
    run.check(
        (
            case
            for case in corpus.cases(folder, program)
            if (not args.category or case["category"] in args.category) and args.grep.lower() in case["sql"].lower()
        ),
        tell,
    )
    for name, c in [*sorted(run.totals.items()), ("TOTAL", sum(run.totals.values(), Counter()))]:
        rest = " ".join(f"{status}={count}" for status, count in c.items() if status not in {"cases", "pass"} and count)
        print(f"{name:16}{c['cases']:6}{c['pass']:6} {100 * c['pass'] / max(c['cases'], 1):6.1f}%  {rest}")
    for cause, count in run.causes.most_common(args.causes):
        print(f"{count:5} {cause}")
    print(f"{time.perf_counter() - start:.1f} s, of which compiling {run.target.compiling:.1f} s", file=sys.stderr)
    if args.record:
        record(run.score())


if __name__ == "__main__":
    main()
