"""How results are shown to people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# What no terminal is as wide as: where the output is a file or a pipe, nothing is cut.
_NO_LIMIT = 100_000
_NUMBERS = ("tinyint", "smallint", "integer", "int", "bigint", "float", "real", "double", "decimal")


def console() -> Console:
    """Standard output, for tables."""
    from rich.console import Console  # noqa: PLC0415 (takes a tenth of a second)

    return Console(width=None if sys.stdout.isatty() else _NO_LIMIT, highlight=False, emoji=False, soft_wrap=False)


def print_rows(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | None]]) -> None:
    """Print rows under the names and types of their columns."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, kind in columns:
        right = kind.partition("(")[0] in _NUMBERS
        table.add_column(
            Text.assemble((name, "bold"), "\n", (kind, "dim")),
            justify="right" if right else "left",
            overflow="ellipsis",
            no_wrap=True,
        )
    for row in rows:
        table.add_row(*(Text("NULL", "dim") if value is None else Text(_on_one_line(value)) for value in row))
    console().print(table)


def size_text(count: int) -> str:
    """``9.3 MB``, as Athena's console writes sizes."""
    size, unit = float(count), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def _on_one_line(value: str) -> str:
    return "".join(character if character.isprintable() else "␤" if character == "\n" else " " for character in value)
