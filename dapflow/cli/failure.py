"""How mistakes are shown: to people with the line and a caret, to machines as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.rules import RULES


def each_error(error: DapflowError) -> Sequence[DapflowError]:
    """The single errors of one that may hold several."""
    return error.errors if isinstance(error, DapflowErrors) else [error]


def rule_label(code: str) -> str:
    """The kind of a mistake: its code, behind the number of its rule where ``dapflow check`` has one."""
    rule = RULES.get(code)
    return code if rule is None else f"{rule.id} {code}"


def as_object(error: DapflowError) -> dict[str, Any]:
    """An error as machines read it, with the number of its rule."""
    rule = RULES.get(error.code)
    return {**error.as_dict(), "rule": rule.id if rule is not None else None}


def errors_as_json(errors: Sequence[DapflowError]) -> str:
    """``{"errors": […]}``, one object for each."""
    return json.dumps({"errors": [as_object(error) for error in errors]}, indent=2, ensure_ascii=False)


def print_failure(error: DapflowError) -> None:
    """Print a mistake: as JSON on standard output where the command was asked for JSON, else on standard error."""
    errors = each_error(error)
    if "--json" in sys.argv[1:]:
        print(errors_as_json(errors))
        return
    print_findings(errors)


def disk_full(error: OSError) -> DapflowError:
    """What to say where a file could not be written for want of room."""
    return DapflowError(
        "disk-full",
        "the disk is full: not all could be written",
        file=error.filename,
        hint="make room, and do it again",
    )


def print_findings(findings: Sequence[DapflowError]) -> None:
    """Print mistakes, and what may be one, on standard error: each with its line and a caret."""
    from rich.console import Console  # noqa: PLC0415 - takes a tenth of a second, and most runs never fail
    from rich.text import Text  # noqa: PLC0415

    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    width = console.width
    for number, finding in enumerate(findings):
        # At once: there may be a thousand, and the console looks at the terminal for each thing that it prints.
        console.print(Text.assemble("\n" if number else "", *_parts(finding, width)))


def _parts(error: DapflowError, width: int) -> Iterator[tuple[str, str]]:
    colour = "bold yellow" if error.severity == "warning" else "bold red"
    if error.place:
        yield f"{error.place}: ", "bold"
    if error.severity == "warning":
        yield "warning: ", colour
    yield error.message, colour
    yield f" [{rule_label(error.code)}]", "dim"
    if error.source is not None and error.line is not None:
        number = str(error.line)
        line, caret = excerpt(error.source, error.column, width - len(number) - 5)
        yield f"\n  {number} | ", "dim"
        yield line, ""
        if caret is not None:
            yield f"\n  {' ' * len(number)} | ", "dim"
            yield f"{' ' * caret}^", colour
    if error.detail:
        yield f"\n{error.detail}", ""
    if error.hint:
        yield "\nhint: ", "green"
        yield error.hint, ""
    if error.athena:
        yield f"\nAthena: {error.athena}", "dim"


def excerpt(source: str, column: int | None, width: int) -> tuple[str, int | None]:
    """The part of a line that fits the terminal, and how many cells to its left the caret stands."""
    from rich.cells import cell_len  # noqa: PLC0415

    line = "".join(character if character.isprintable() else " " for character in source)
    if column is None:
        return (line if cell_len(line) <= width else f"{line[: width - 1]}…"), None
    start = 0
    if cell_len(line) > width:
        start = max(0, min(column - 1 - width // 2, len(line) - width))
        line = f"{'…' if start else ''}{line[start + bool(start) : start + width - 1]}…"
    return line, cell_len(line[: column - 1 - start])
