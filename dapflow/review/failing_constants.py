"""Parts of a statement that are the same for every row and fail: CAST('2024-13-05' AS date), 100000 * 100000.

Athena takes the statement. It computes such a part while it plans; where that fails, it leaves the part as it is, and
the query fails once a row gets there. See ``processWithExceptionHandling`` in
https://github.com/trinodb/trino/blob/433/core/trino-main/src/main/java/io/trino/sql/planner/ExpressionInterpreter.java
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cached_property
from typing import TypeGuard

from dapflow.errors import DapflowError
from dapflow.review.fixed_arguments import JUDGED, with_first_argument
from dapflow.sql import SqlText
from dapflow.sql.refusals import refusal
from dapflow.sql.traps import QueryReading
from dapflow.trino.duckdb.constants import Constants, not_constant
from dapflow.trino.errors import QueryError
from dapflow.trino.functions import NAMES
from dapflow.trino.syntax import tree

# So many parts of one text are evaluated, and for so long.
_MOST = 200
_SECONDS = 3.0
_NOT_CERTAIN = "the query fails once a row gets as far as this"
# What cannot fail.
_PLAIN = (tree.Literal, tree.IntervalLiteral)
#: What is no such part and holds none.
_ENDS = frozenset({*_PLAIN, tree.Ident, str, int, bool, type(None)})
#: Of these not all parts are computed, or not always; see ``_ConstantFindings._parts``.
_PARTLY_COMPUTED = frozenset(
    {tree.Call, tree.Cast, tree.Lambda, tree.Case, tree.Logical, tree.Exists, tree.InQuery, tree.ScalarQuery,
     tree.Quantified, tree.Cte, tree.Select}
)  # fmt: skip
_CONSTANTS = Constants()

#: A part of a statement, and whether it is reached as soon as there is a row.
_Part = tuple[object, bool]


def failing_constants(text: SqlText, reading: QueryReading) -> Iterator[DapflowError]:
    """An error for each such part that a row is sure to reach, a warning where a condition stands before it.

    Nothing is said of what TRY guards, nor of what may never be reached: branches of CASE and IF, what COALESCE falls
    back on, lambdas.
    """
    try:
        yield from _ConstantFindings(text, reading).findings()
    except RecursionError:
        return


class _ConstantFindings:
    def __init__(self, text: SqlText, reading: QueryReading) -> None:
        self.text = text
        self.reading = reading
        self.varying = not_constant(reading.query)
        #: The SELECTs of which every column is wanted.
        self.outputs = {id(select) for select in _selects(reading.query.body)}
        self._evaluated, self._end = 0, time.monotonic() + _SECONDS

    def _may_evaluate(self) -> bool:
        """Count a part that is to be evaluated; whether the text has not had its share yet."""
        self._evaluated += 1
        return self._evaluated <= _MOST and time.monotonic() <= self._end

    def findings(self) -> Iterator[DapflowError]:
        """The findings, in the order of the text as far as that is the order of the tree."""
        stack: list[_Part] = [(self.reading.query, True)]
        while stack:
            part, certain = stack.pop()
            if type(part) in _ENDS:
                continue
            if isinstance(part, tuple):
                stack.extend([(item, certain) for item in reversed(part)])
            elif self._is_evaluated(part):
                if not self._may_evaluate():
                    return
                yield from self._of_constant(part, certain=certain)
            elif isinstance(part, tree.Node):
                if isinstance(part, tree.Binary):
                    yield from self._of_division(part, certain=certain)
                elif isinstance(part, tree.Call):
                    yield from self._of_arguments(part, certain=certain)
                if type(part) in _PARTLY_COMPUTED:
                    stack.extend(reversed([*self._parts(part, certain=certain)]))
                else:
                    stack.extend([(inner, certain) for inner in reversed(tree.children(part))])

    def _of_constant(self, node: tree.Expr, *, certain: bool) -> Iterator[DapflowError]:
        error = _CONSTANTS.failure(self.text.text, node)
        if error is not None and error.line is None:
            yield self._finding(error, _place(self._innermost(node)), certain=certain)
        elif error is not None:
            yield refusal(self.text, error, NAMES)

    def _of_division(self, node: tree.Binary, *, certain: bool) -> Iterator[DapflowError]:
        """Whole numbers of a column divided by a 0 that is written out."""
        right = node.right
        if node.pos in self.reading.divisions and isinstance(right, tree.Literal) and str(right.value) == "0":
            yield self._finding(QueryError("DIVISION_BY_ZERO", "Division by zero"), node.pos, certain=certain)

    def _of_arguments(self, call: tree.Call, *, certain: bool) -> Iterator[DapflowError]:
        """A function that fails for every value that it is given, because of what is written beside."""
        tried = with_first_argument(call, self.varying)
        if tried is None or not self._may_evaluate():
            return
        error = _CONSTANTS.failure(self.text.text, tried)
        if error is not None and error.error_name in JUDGED:
            yield self._finding(QueryError(error.error_name, error.message), call.args[-1].pos, certain=certain)

    def _finding(self, error: QueryError, offset: int, *, certain: bool) -> DapflowError:
        placed = QueryError(error.error_name, error.message, *self.text.place(offset))
        finding = refusal(self.text, placed, NAMES)
        if not certain:
            finding.severity = "warning"
            finding.hint = f"{finding.hint}; {_NOT_CERTAIN}" if finding.hint else _NOT_CERTAIN
        return finding

    def _innermost(self, node: tree.Expr) -> tree.Expr:
        """The part of a constant that fails by itself."""
        stack: list[_Part] = [*self._parts(node, certain=True)]
        while stack:
            part, _ = stack.pop()
            if isinstance(part, tuple):
                stack.extend([(item, True) for item in part])
            elif self._is_evaluated(part) and _CONSTANTS.failure(self.text.text, part) is not None:
                return self._innermost(part)
        return node

    def _is_evaluated(self, part: object) -> TypeGuard[tree.Expr]:
        inner = part.expr if isinstance(part, tree.Unary) else part
        return isinstance(part, tree.Expr) and not isinstance(inner, _PLAIN) and id(part) not in self.varying

    def _parts(self, node: tree.Node, *, certain: bool) -> Iterator[_Part]:
        """The parts that are computed with a node."""
        match node:
            case tree.Call(name="try") | tree.Cast(safe=True) | tree.Lambda():
                return
            case tree.Call(name="if" | "coalesce" | "nullif"):
                yield node.args[:1], certain
            case tree.Case():
                yield node.operand, certain
                yield node.whens[0][0], certain
            case tree.Logical():
                yield node.terms[0], certain
                yield node.terms[1:], False
            case tree.Exists():
                # Of what it selects nothing is looked at.
                for select in _selects(node.query.body):
                    yield (select.source, select.where, select.groups, select.having), certain
            case tree.InQuery() | tree.ScalarQuery() | tree.Quantified():
                self.outputs |= {id(select) for select in _selects(node.query.body)}
                yield from self._children(node, certain=certain)
            case tree.Cte():
                yield node.query, certain and (node.name,) in self._tables
            case tree.Select():
                for item in node.items:
                    yield item, certain and (id(node) in self.outputs or self._wants(item))
                yield (node.source, node.where, node.groups, node.having, node.windows), certain
            case _:
                yield from self._children(node, certain=certain)

    def _children(self, node: tree.Node, *, certain: bool) -> Iterator[_Part]:
        for part in tree.children(node):
            yield part, certain

    def _wants(self, item: tree.Node) -> bool:
        """Whether an item of an inner SELECT is named by another part of the statement, or handed on by a star."""
        if self._has_star:
            return True
        alias = item.alias if isinstance(item, tree.SelectItem) else None
        return alias is not None and alias.lower() in self._names

    @cached_property
    def _has_star(self) -> bool:
        return bool(self.reading.every(tree.AllColumns) or self.reading.every(tree.TableBody))

    @cached_property
    def _names(self) -> set[str]:
        names = {node.name for node in self.reading.every(tree.Ident)}
        return names | {node.name for node in self.reading.every(tree.Deref)}

    @cached_property
    def _tables(self) -> set[tuple[str, ...]]:
        return {node.parts for node in self.reading.every(tree.TableNode)}


def _selects(body: tree.BodyNode) -> Iterator[tree.Select]:
    """The SELECTs that a query's rows are of."""
    match body:
        case tree.SetOperation():
            yield from _selects(body.left)
            yield from _selects(body.right)
        case tree.Nested():
            yield from _selects(body.query.body)
        case tree.Select():
            yield body


def _place(node: tree.Expr) -> int:
    """Where people look: of a cast the text that does not fit."""
    inner = node.expr if isinstance(node, tree.Cast) else node
    if isinstance(node, tree.Call) and node.name == "date":
        inner = node.args[0]
    return inner.pos if isinstance(inner, tree.Literal) else node.pos
