"""Write what the embedded Athena refuses into its page, from the code: ``python -m tests.docs.athena_language``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from textwrap import fill

from dapflow.trino.functions.refused import FAMILIES, REFUSED
from tests.docs.markdown import ROOT

FILE = ROOT / "docs" / "embedded-athena.md"
ROOMS = ("dapflow/trino/syntax", "dapflow/trino/analysis", "dapflow/trino/duckdb")
HEADING = "### Refused by name\n"
LEAD = """
Generated from the rules by `python -m tests.docs.athena_language`; a test fails when it is not current. Each fails with
`NOT_SUPPORTED`, the construct and its place, in `dapflow check` too. `…` stands for what the query says there.

"""


def constructs() -> list[str]:
    """Every construct that a rule refuses, as the message names it."""
    named = {
        text for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")) for text in _named(file.read_text())
    }
    return sorted(named - {"…", "Function …"}, key=str.lower)


def _named(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in {"unsupported", "refuse", "limit"}:
            assert isinstance(node, ast.Call)
            yield _text(node.args[0])


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "…"


def section() -> str:
    """The section, from its heading on."""
    listed = "".join(f"- {construct}\n" for construct in constructs())
    names = sorted((*REFUSED, *(f"{family}…" for family in FAMILIES)))
    functions = fill(", ".join(f"`{name}`" for name in names), 118, break_on_hyphens=False)
    return f"{HEADING}{LEAD}{listed}\nAnd these functions:\n{functions}.\n"


def written(page: str) -> str:
    """The page with the section as it should be."""
    return re.sub(rf"{re.escape(HEADING)}.*?(?=\n##)", lambda _: section(), page, flags=re.DOTALL)


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
