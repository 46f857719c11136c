"""A measured figure, with its spread."""

from __future__ import annotations

import importlib
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, over several runs.

    ``unit`` is the unit of ``values``, such as ``s`` or ``x`` (a ratio). ``bound`` is what the project promises, in
    the same unit, or None where a figure is only stated.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    bound: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.values)

    def row(self) -> str:
        """The figure as a row of a Markdown table."""
        spread = f"{min(self.values):.3g} to {max(self.values):.3g}"
        bound = "" if self.bound is None else f"≤ {self.bound:g} {self.unit}"
        cells = (self.name, f"{self.median:.3g} {self.unit}", spread, str(len(self.values)), bound, self.note)
        return "| " + " | ".join(cells) + " |"


def measured(name: str) -> list[Figure]:
    """The figures of a module of this folder."""
    figures: list[Figure] = importlib.import_module(f"tests.bench.{name}").measure()
    return figures
