"""Writing SQL out: the one place that knows how names and texts are quoted."""

from __future__ import annotations

from collections.abc import Container

from dapflow.trino.duckdb.nodes import Computed, Filled, Joined, Member, Name, Sql, SubquerySql, Text, Variable, Word
from dapflow.trino.duckdb.storage import literal, quote


def printed(root: Sql, taken: Container[str] = ()) -> str:
    """The text of a tree; for `taken` see `Printer`."""
    return Printer(taken).text(root)


class Printer:
    """Writes trees that go together. Variables get names that are not among those `taken`, which are in lower case.

    Attributes:
        columns: the columns that were written by their names, of each variable that was written.
    """

    def __init__(self, taken: Container[str]) -> None:
        self.columns: dict[Variable, set[str]] = {}
        self._out: list[str] = []
        self._taken = taken
        self._names: dict[Variable, str] = {}
        self._count = 0

    def text(self, root: Sql) -> str:
        """The text of a tree."""
        self._out = []
        self._write(root)
        return "".join(self._out)

    def _write(self, node: Sql) -> None:
        out = self._out
        if isinstance(node, Filled):
            fixed = node.template.fixed
            out.append(fixed[0])
            for text, part in zip(fixed[1:], node.filling, strict=True):
                self._write(part)
                out.append(text)
        elif isinstance(node, Word):
            out.append(node.text)
        elif isinstance(node, Variable):
            out.append(self._names.get(node) or self._named(node))
        elif isinstance(node, Text):
            out.append(literal(node.value))
        elif isinstance(node, Name):
            out.append(quote(node.text))
        elif isinstance(node, Member):
            self._write(node.relation)
            if isinstance(node.relation, Variable) and isinstance(node.column, Name):
                self.columns[node.relation].add(node.column.text)
            out.append(".")
            self._write(node.column)
        elif isinstance(node, Joined):
            for i, item in enumerate(node.items):
                if i:
                    out.append(node.separator)
                self._write(item)
        elif isinstance(node, SubquerySql | Computed):
            self._write(node.content)
        else:
            raise TypeError(node)

    def _named(self, variable: Variable) -> str:
        while True:
            self._count += 1
            name = f"{variable.prefix}_{self._count}"
            if name not in self._taken:
                self._names[variable] = name
                self.columns[variable] = set()
                return name
