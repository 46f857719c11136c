"""What stands in the source of the project: each file is read once, whichever tests ask."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outline:
    """The classes that a file defines, and what it imports: with each, whether when the program runs; types are not."""

    imports: tuple[tuple[ast.Import | ast.ImportFrom, bool], ...]
    classes: frozenset[str]


@functools.cache
def outline(file: Path) -> Outline:
    """The outline of a file of Python."""
    statements = list(_statements(ast.parse(file.read_text(encoding="utf-8")), True))
    return Outline(
        tuple((node, runs) for node, runs in statements if isinstance(node, ast.Import | ast.ImportFrom)),
        frozenset(node.name for node, _ in statements if isinstance(node, ast.ClassDef)),
    )


def _statements(node: ast.AST, runs: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):  # holds no statements
            continue
        yield child, runs
        only_types = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        yield from _statements(child, runs and not only_types)
