"""A hash of what a query means.

It is the same for texts that differ in white space, comments, the case of key words and names, needless parentheses,
`AS`, and names that nothing outside sees. It is another one for whatever may change a row, a type, or the name of an
output column; so also when a view that is read, or the columns behind a `*`, change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.canonical import CanonicalForm
from dapflow.trino.analysis.typed_queries import Query, Table
from dapflow.trino.analysis.walk import deep
from dapflow.trino.syntax import tree


def meaning(query: Query, node: tree.QueryNode) -> str:
    """The hash, in hexadecimal digits.

    Where something could not be checked, names of relations and columns in the text count too.
    """
    canonical = CanonicalForm()
    form: Any = canonical.of(query)
    if canonical.unchecked:
        form = _written(node)
    else:
        form = form, tuple([((column.written or "").lower(), str(column.type)) for column in query.columns])
    return hashlib.sha256(repr(form).encode()).hexdigest()


def is_checked(node: Any) -> bool:
    """Whether nothing in a typed tree is unchecked."""
    return all_checked(deep(node))


def all_checked(parts: Iterable[Any]) -> bool:
    """Whether none of the nodes of a typed tree is unchecked."""
    for part in parts:
        if isinstance(part, typed.Expr):
            if part.type.is_unchecked:
                return False
        elif isinstance(part, Table) and (
            part.relation is None or any(column.type.is_unchecked for column in part.columns)
        ):
            return False
    return True


def _written(node: Any) -> Any:
    """The form of the tree of the text, without places and the case of names."""
    if isinstance(node, tuple):
        return tuple([_written(part) for part in node])
    if isinstance(node, tree.SelectItem):
        return ("SelectItem", _written(node.expr), (node.alias or "").lower())
    if isinstance(node, tree.Node):
        return (type(node).__name__, *(_written(getattr(node, name)) for name in tree.compared(type(node))))
    return node if isinstance(node, str | int | None) else str(node)
