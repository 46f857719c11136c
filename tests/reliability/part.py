"""What came of one part of the trials."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

Cell = str | int | float


@dataclass(frozen=True)
class Figures:
    """A table. ``title`` says what of."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> list[str]:
        """Lines of Markdown."""
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        table = ["| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines]
        return [f"{self.title}:", "", *table, ""]

    def print(self, console: Console) -> None:
        """Show it."""
        table = Table(*self.headings, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*(_text(cell) for cell in row))
        console.print(table)


@dataclass(frozen=True)
class Part:
    """A part of the trials.

    Attributes:
        promise: what a user may rely on. done: what was done to see it.
        broken: each promise that was seen to be broken, in words.
        one_in: of so many cases one was tried; 1 where all were.
        seconds: how long it took. load: processes that wanted a processor at its end, on the average of a minute.
    """

    title: str
    promise: str
    done: str
    figures: Sequence[Figures]
    broken: Sequence[str]
    one_in: int = 1
    seconds: float = 0.0
    load: float = 0.0

    def markdown(self) -> list[str]:
        """Its section of docs/reliability.md."""
        lines = [f"## {self.title}", "", f"**Promised.** {self.promise}", "", f"**Done.** {self.done}", ""]
        for figures in self.figures:
            lines += figures.markdown()
        verdict = "Broken: " + "; ".join(self.broken) if self.broken else "Nothing promised was broken."
        tried = f"Of what there is to try, one in {self.one_in} was tried. " if self.one_in > 1 else ""
        return [*lines, f"{verdict} {tried}It took {self.seconds:.0f} s, at a load of {self.load:.1f}.", ""]

    def print(self, console: Console) -> None:
        """Show it."""
        console.rule(self.title)
        for figures in self.figures:
            figures.print(console)
        for promise in self.broken:
            console.print(f"broken: {promise}", style="red")
        console.print(f"{self.seconds:.0f} s")

    def keep(self, file: Path) -> None:
        """Write it down."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def kept(cls, file: Path) -> Part:
        """What was written down."""
        data = json.loads(file.read_text(encoding="utf-8"))
        return cls(**{**data, "figures": [Figures(**kept) for kept in data["figures"]]})


def measured(name: str, one_in: int = 1) -> Part:
    """A part by the name of its module, or a ``one_in``-th of it."""
    began = time.perf_counter()
    part: Part = importlib.import_module(f"tests.reliability.{name}").measure(one_in=one_in)
    return replace(part, one_in=one_in, seconds=time.perf_counter() - began, load=os.getloadavg()[0])


def _text(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.3g}" if isinstance(cell, float) else cell
