"""Expressions that are the same for every row: whether they fail is known before there is a row."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from dapflow.trino.duckdb.compiler import constant_sql
from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.duckdb.macros import ordered_macros
from dapflow.trino.duckdb.nodes import Sql, functions_in, sql
from dapflow.trino.duckdb.printer import printed
from dapflow.trino.duckdb.runtime import provide, translate_error
from dapflow.trino.errors import QueryError
from dapflow.trino.functions import FUNCTIONS, SPECIAL_FORMS
from dapflow.trino.syntax import tree

if TYPE_CHECKING:
    import duckdb

# An expression is given this long, and the memory of a small program.
_SECONDS = 1.0
_MEMORY = "64MiB"
# What says more of this machine than of the expression.
_OF_THE_ENGINE = frozenset(
    {"GENERIC_INTERNAL_ERROR", "USER_CANCELED", "EXCEEDED_LOCAL_MEMORY_LIMIT", "EXCEEDED_CPU_LIMIT", "STACK_OVERFLOW",
     "NOT_SUPPORTED"}
)  # fmt: skip
# Functions whose result may be far longer than what they are given: they are given little here.
_GROWING = frozenset(
    {"rpad", "lpad", "repeat", "replace", "regexp_replace", "format", "sequence", "ngrams", "combinations",
     "array_join"}
)  # fmt: skip
_LONGEST = 1_000
_LARGE = re.compile(r"\d{5}")
_STEADY = {row.name for row in FUNCTIONS.values() if row.kind == "scalar" and row.deterministic}
_NAMES = _STEADY | SPECIAL_FORMS - {"grouping"}
# Other names, and values that differ between rows, runs or callers.
_OPEN = (
    tree.Ident, tree.Given, tree.Special, tree.Parameter, tree.Lambda, tree.OpaqueExpr, tree.QueryNode, tree.JsonCall,
    tree.SortItem, tree.Window,
)  # fmt: skip


class Constants:
    """Evaluates expressions without columns, each once, in a database of its own."""

    def __init__(self) -> None:
        self._failures: dict[tree.Expr, QueryError | None] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._made: set[str] = set()
        self._lock = threading.Lock()

    def failure(self, text: str, node: tree.Expr) -> QueryError | None:
        """What Trino fails with when it evaluates an expression that is constant; None where it does not.

        What the analysis of the expression, a part of `text`, refuses has a place.
        """
        with self._lock:
            if node not in self._failures:
                try:
                    constant = constant_sql(text, node)
                except QueryError as error:
                    return None if error.error_name in _OF_THE_ENGINE else error
                # A date or a time that is written out is read by the analysis.
                self._failures[node] = None if isinstance(node, tree.TypedLiteral) else self._evaluated(constant)
            return self._failures[node]

    def _evaluated(self, expr: Sql) -> QueryError | None:
        import duckdb  # noqa: PLC0415 (most texts have no such expression)

        try:
            self._run(expr)
        except duckdb.Error as error:
            failure = translate_error(error)
            return None if failure.error_name in _OF_THE_ENGINE else failure
        return None

    def _run(self, expr: Sql) -> None:
        import duckdb  # noqa: PLC0415 (see above)

        connection = self._connection
        if connection is None:
            connection = self._connection = duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY})
            connection.execute("SET TimeZone = 'UTC'; SET enable_external_access = false")
        called = functions_in(expr)
        macros = [macro for macro in ordered_macros(called) if macro.name not in self._made]
        names = called.union(*(macro.body.calls for macro in macros)) - self._made
        provide(connection, macros, [REGISTRY.udfs[name] for name in sorted(names) if name in REGISTRY.udfs])
        self._made |= names
        timer = threading.Timer(_SECONDS, connection.interrupt)
        timer.start()
        try:
            # hash takes a value of any type, and needs to know it.
            connection.execute(printed(sql("SELECT hash($expr)", expr=expr))).fetchall()
        finally:
            timer.cancel()


def not_constant(part: tree.Node) -> set[int]:
    """The ids of the nodes of a tree that name something, differ each time, or take much time or memory to evaluate."""
    walked: list[tuple[tree.Node, int]] = []
    stack: list[tuple[Any, int]] = [(part, -1)]
    while stack:
        current, parent = stack.pop()
        if isinstance(current, tuple):
            stack.extend([(item, parent) for item in current])
        elif isinstance(current, tree.Node):
            stack.extend([(item, len(walked)) for item in tree.children(current)])
            walked.append((current, parent))
    varying = [not _is_deterministic(node) for node, _ in walked]
    # What stands within a node was walked after it.
    for number in range(len(walked) - 1, 0, -1):
        if varying[number]:
            varying[walked[number][1]] = True
    return {id(node) for (node, _), differs in zip(walked, varying, strict=True) if differs}


def _is_deterministic(node: tree.Node) -> bool:
    if isinstance(node, _OPEN):
        return False
    if not isinstance(node, tree.Call):
        return True
    plain = node.name in _NAMES and node.filter is None and node.over is None
    return plain and (node.name not in _GROWING or all(map(_is_short, node.args)))


def _is_short(node: tree.Expr) -> bool:
    """Whether an argument is a short text, or a small number; `format` takes widths in its text."""
    return isinstance(node, tree.Literal) and len(str(node.value)) <= _LONGEST and not _LARGE.search(str(node.value))
