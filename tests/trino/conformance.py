"""Score the language room against a corpus of cases, in this process (arguments: cases.jsonl run.py)."""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb

from dapflow.trino.duckdb import QueryError, compile_query, prepare_connection, translate_error


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


def main() -> None:
    """Print the score by category, and the failures asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("runner")
    parser.add_argument("--category", nargs="*")
    parser.add_argument("--grep", default="")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--status", nargs="*")
    parser.add_argument("--causes", type=int, default=0)
    args = parser.parse_args()
    spec = importlib.util.spec_from_file_location("conformance_runner", args.runner)
    assert spec is not None
    assert spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    logging.disable(logging.CRITICAL)
    cases = [json.loads(line) for line in Path(args.corpus).read_text().split("\n") if line]
    cases = [c for c in cases if not set(runner.DEFAULT_SKIP) & set(c["flags"])]
    cases = [
        c
        for c in cases
        if (not args.category or c["category"] in args.category) and args.grep.lower() in c["sql"].lower()
    ]
    target = Target(runner.PrintedValues)
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    causes: Counter[str] = Counter()
    shown = 0
    start = time.perf_counter()
    for case in cases:
        # Trino's tests read 1.2 as a decimal, Athena as a double: the runner writes the tests' meaning out.
        for text in {"sql", "expected_sql"} & set(case):
            case[text] = runner.explicit_decimals(case[text])
        try:
            status, detail, mismatch = runner.check(target, case, 10)
        except Exception as error:  # noqa: BLE001 - a fault of the room must not end the run
            status, detail, mismatch = "crash", repr(error), False
        for label in (case["category"], "TOTAL"):
            totals[label][status] += 1
            totals[label]["cases"] += 1
            totals[label]["types"] += bool(mismatch)
        if status != "pass":
            causes[runner.cause(status, detail, case["sql"])] += 1
            if shown < args.show and (not args.status or status in args.status):
                shown += 1
                print(f"{status:9} {case['category']:12} {case['sql'][:300]}\n          {detail}")
    for name in [*sorted(n for n in totals if n != "TOTAL"), "TOTAL"]:
        c = totals[name]
        rest = " ".join(f"{k}={v}" for k, v in c.items() if k not in {"cases", "pass"})
        print(f"{name:16}{c['cases']:6}{c['pass']:6} {100 * c['pass'] / max(c['cases'], 1):6.1f}%  {rest}")
    for cause, count in causes.most_common(args.causes):
        print(f"{count:5} {cause}")
    print(f"{time.perf_counter() - start:.1f} s, of which compiling {target.compiling:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
