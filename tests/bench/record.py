"""The record of what was measured: the table in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable

from tests.bench.figure import Figure

_HEAD = (
    "| figure | median | spread | runs | promise | how | measured |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


def recorded(page: str, figures: Iterable[Figure], when: str) -> str:
    """The page with these figures in its table, each in place of the one of its name; all else stays as it is.

    Raises ValueError where the page has no such table.
    """
    lines = page.splitlines()
    if _HEAD[0] not in lines:
        raise ValueError(f"there is no table that begins with {_HEAD[0]}")
    first = lines.index(_HEAD[0]) + len(_HEAD)
    last = first
    while last < len(lines) and lines[last].startswith("| "):
        last += 1
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in lines[first:last]}
    rows |= {figure.name: f"{figure.row()} {when} |" for figure in figures}
    return "\n".join([*lines[:first], *rows.values(), *lines[last:], ""])
